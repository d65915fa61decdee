import { describe, expect, it } from 'vitest';
import {
  arange,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  type Tensor,
  tensor,
} from '../index.js';

const range = (...shape: number[]): Tensor =>
  arange(
    shape.reduce((a, b) => a * b, 1),
    { dtype: 'float32' },
  ).reshape(shape);

/** Convolution of [C, H, W] with [O, C / groups, KH, KW], as its definition reads. */
function naive(
  x: number[][][],
  w: number[][][][],
  stride: number,
  padding: number,
  dilation: number,
  groups: number,
): number[][][] {
  const [h, width] = [x[0]!.length, x[0]![0]!.length];
  const [kh, kw] = [w[0]![0]!.length, w[0]![0]![0]!.length];
  const size = (n: number, k: number) =>
    Math.floor((n + 2 * padding - dilation * (k - 1) - 1) / stride) + 1;
  const perGroup = w[0]!.length;
  return w.map((kernel, o) => {
    const first = Math.floor(o / (w.length / groups)) * perGroup;
    return Array.from({ length: size(h, kh) }, (_, i) =>
      Array.from({ length: size(width, kw) }, (_, j) => {
        let sum = 0;
        kernel.forEach((plane, c) =>
          plane.forEach((row, a) =>
            row.forEach((weight, b) => {
              const y = i * stride - padding + a * dilation;
              const z = j * stride - padding + b * dilation;
              sum += weight * (x[first + c]?.[y]?.[z] ?? 0);
            }),
          ),
        );
        return sum;
      }),
    );
  });
}

describe('conv2d', () => {
  it('is its definition, for every stride, padding, dilation and grouping', () => {
    const x = range(1, 4, 7, 6).sub(80).remainder(11);
    for (const [stride, padding, dilation, groups] of [
      [1, 0, 1, 1],
      [2, 1, 1, 1],
      [1, 2, 2, 2],
      [3, 1, 2, 4],
    ] as const) {
      const w = range(4, 4 / groups, 3, 2).remainder(5);
      const got = conv2d(x, w, null, { stride, padding, dilation, groups });
      const want = naive(
        x.select(0, 0).toArraySync() as number[][][],
        w.toArraySync() as number[][][][],
        stride,
        padding,
        dilation,
        groups,
      );
      expect(got.select(0, 0).toArraySync()).toEqual(want);
    }
  });

  it('adds a bias, takes images without a batch, and pads to the same size', () => {
    const x = range(1, 3, 3);
    const w = tensor([[[[1, 0]]]]);
    expect(conv2d(x, w, tensor([10])).toArraySync()).toEqual([
      [
        [10, 11],
        [13, 14],
        [16, 17],
      ],
    ]);
    // An even kernel reaches one further to the right.
    expect(conv2d(x, w, null, { padding: 'same' }).toArraySync()).toEqual(x.toArraySync());
    expect(conv2d(x, w, null, { padding: 'valid' }).shape).toEqual([1, 3, 2]);
  });

  it('says what does not fit', () => {
    const x = range(16, 1, 28, 28);
    expect(() => conv2d(x, range(6, 3, 5, 5))).toThrow(
      'conv2d: Given groups=1, weight of size [6, 3, 5, 5], expected input[16, 1, 28, 28] to have 3 channels, but got 1 channels instead',
    );
    expect(() => conv2d(range(1, 1, 2, 2), range(1, 1, 3, 3))).toThrow(
      "Kernel size can't be greater",
    );
    expect(() => conv2d(x, range(6, 1, 5, 5).to('float64'))).toThrow('should be the same');
    expect(() => conv2d(x, range(6, 1, 5, 5), null, { stride: 0 })).toThrow('non-positive stride');
    expect(() => conv2d(x, range(6, 1, 5, 5), null, { padding: 'same', stride: 2 })).toThrow(
      'strided',
    );
  });
});

describe('conv1d and conv3d', () => {
  it('have one and three dimensions', () => {
    expect(conv1d(tensor([[1, 2, 3, 4]]), tensor([[[1, -1]]])).toArraySync()).toEqual([
      [-1, -1, -1],
    ]);
    const y = conv3d(
      range(1, 1, 2, 2, 2),
      tensor([1]).reshape(1, 1, 1, 1, 1).expand(1, 1, 2, 2, 2),
    );
    expect(y.toArraySync()).toEqual([[[[[28]]]]]);
  });
});

describe('convTranspose', () => {
  it('spreads every input over the output', () => {
    const x = tensor([[[1, 2, 3]]]);
    const w = tensor([[[1, 10]]]);
    expect(convTranspose1d(x, w, null, { stride: 2 }).toArraySync()).toEqual([
      [[1, 10, 2, 20, 3, 30]],
    ]);
    expect(convTranspose1d(x, w, tensor([5]), { stride: 2, padding: 1 }).toArraySync()).toEqual([
      [[15, 7, 25, 8]],
    ]);
  });

  it('adds output padding on one side, also by a whole stride where dilation allows it', () => {
    const x = tensor([[[1, 2]]]);
    const w = tensor([[[1, 10]]]);
    expect(convTranspose1d(x, w, null, { stride: 2, outputPadding: 1 }).toArraySync()).toEqual([
      [[1, 10, 2, 20, 0]],
    ]);
    expect(
      convTranspose1d(x, w, null, { dilation: 3, outputPadding: 2, padding: 1 }).toArraySync(),
    ).toEqual([[[2, 0, 10, 20, 0]]]);
    expect(() => convTranspose1d(x, w, null, { outputPadding: 1 })).toThrow(
      'output padding must be smaller',
    );
  });

  it('is the transpose of convolution', () => {
    const w = range(2, 3, 3, 3).sub(20);
    const x = range(1, 3, 5, 5).remainder(7);
    const y = range(1, 2, 3, 3).remainder(4);
    const forth = conv2d(x, w, null, { stride: 2, padding: 1 }).mul(y).sum().itemSync();
    const back = convTranspose2d(y, w, null, { stride: 2, padding: 1 }).mul(x).sum().itemSync();
    expect(back).toBe(forth);
  });
});
