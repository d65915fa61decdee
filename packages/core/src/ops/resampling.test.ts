import { describe, expect, it, test } from 'vitest';
import {
  affineGrid,
  arange,
  channelShuffle,
  col2im,
  foldImage,
  gridSample,
  im2col,
  interpolate,
  ones,
  pixelShuffle,
  pixelUnshuffle,
  type Tensor,
  tensor,
  unfoldImage,
  upsample,
  upsampleBackward,
} from '../index.js';

const range = (...shape: number[]): Tensor =>
  arange(
    shape.reduce((a, b) => a * b, 1),
    { dtype: 'float32' },
  ).reshape(shape);

describe('interpolate', () => {
  const x = tensor([[[0, 10, 20, 30]]]);
  it('finds values between positions', () => {
    const at = (options: Parameters<typeof interpolate>[1]) =>
      interpolate(x, options).toArraySync();
    expect(at({ scaleFactor: 2 })).toEqual([[[0, 0, 10, 10, 20, 20, 30, 30]]]);
    expect(at({ size: 2 })).toEqual([[[0, 20]]]);
    expect(at({ size: 2, mode: 'nearest-exact' })).toEqual([[[10, 30]]]);
    expect(at({ size: 7, mode: 'linear', alignCorners: true })).toEqual([
      [[0, 5, 10, 15, 20, 25, 30]],
    ]);
    expect(at({ size: 8, mode: 'linear' })).toEqual([[[0, 2.5, 7.5, 12.5, 17.5, 22.5, 27.5, 30]]]);
    expect(at({ size: 2, mode: 'area' })).toEqual([[[5, 25]]]);
  });

  it('keeps linear functions under bicubic interpolation, away from the edges', () => {
    const y = interpolate(range(1, 1, 6, 6), { size: 11, mode: 'bicubic', alignCorners: true });
    const rows = (y.toArraySync() as number[][][][])[0]?.[0] as number[][];
    expect(rows[5]?.[5]).toBeCloseTo(17.5, 4);
    expect(rows[4]?.[6]).toBeCloseTo(15, 4);
  });

  it('leaves a length that a factor does not change as PyTorch does', () => {
    const line = tensor([[[1, 2, 3]]]);
    const at = (options: Parameters<typeof interpolate>[1]) =>
      interpolate(line, options).flatten().toArraySync();
    expect(at({ scaleFactor: 1.3, mode: 'linear' })).toEqual([1, 2, 3]);
    expect(at({ scaleFactor: 1.3, mode: 'nearest' })).toEqual([1, 1, 2]);
    expect(at({ scaleFactor: 1.3, recomputeScaleFactor: true })).toEqual([1, 2, 3]);
    const image = range(1, 1, 2, 3);
    const wide = (options: Parameters<typeof interpolate>[1]) =>
      interpolate(image, options).toArraySync();
    const kept = image.toArraySync();
    for (const options of [
      { mode: 'nearest' },
      { mode: 'bilinear' },
      { mode: 'bilinear', antialias: true },
      { mode: 'bicubic', antialias: true },
    ] as const) {
      expect(wide({ scaleFactor: [1.2, 1.3], ...options })).toEqual(kept);
    }
    // One length stays, the other does not.
    expect(
      interpolate(image, { scaleFactor: [1.2, 2], mode: 'bilinear' })
        .flatten()
        .toArraySync(),
    ).toEqual([0, 0.25, 0.75, 1.25, 1.75, 2, 3, 3.25, 3.75, 4.25, 4.75, 5]);
    expect(
      interpolate(image, { scaleFactor: [1, 2.1] })
        .flatten()
        .toArraySync(),
    ).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    const volume = range(1, 1, 1, 2, 3);
    expect(interpolate(volume, { scaleFactor: 1.3, mode: 'trilinear' }).toArraySync()).toEqual(
      volume.toArraySync(),
    );
  });

  it('cuts positions off in float32, in double precision too', () => {
    const x = arange(56, { dtype: 'float64' }).reshape([1, 1, 56]);
    const found = interpolate(x, { scaleFactor: 1.3, mode: 'nearest-exact' }).flatten();
    expect([19, 32, 58, 71].map((i) => found.at(i).itemSync())).toEqual([15, 25, 45, 55]);
  });

  it('has the adjoint as its gradient', () => {
    for (const mode of ['nearest', 'linear', 'cubic'] as const) {
      const image = range(1, 2, 3, 4).to('float64');
      const factors = [3 / 5, 4 / 7];
      const y = upsample(image, [5, 7], mode, false, factors);
      const g = range(...y.shape)
        .remainder(5)
        .to('float64');
      const back = upsampleBackward(g, image.shape, mode, false, factors);
      expect(back.mul(image).sum().itemSync()).toBeCloseTo(y.mul(g).sum().itemSync(), 8);
    }
  });

  it('says what does not fit', () => {
    expect(() => interpolate(x)).toThrow('either size or scale_factor');
    expect(() => interpolate(x, { size: 2, scaleFactor: 2 })).toThrow(
      'only one of size or scale_factor',
    );
    expect(() => interpolate(x, { size: 2, mode: 'bilinear' })).toThrow('got 3D');
  });
});

describe('unfold and fold', () => {
  it('takes blocks as columns and adds them up again', () => {
    const x = range(1, 1, 3, 3);
    const columns = unfoldImage(x, 2);
    expect(columns.toArraySync()).toEqual([
      [
        [0, 1, 3, 4],
        [1, 2, 4, 5],
        [3, 4, 6, 7],
        [4, 5, 7, 8],
      ],
    ]);
    expect(foldImage(columns, 3, 2).toArraySync()).toEqual([
      [
        [
          [0, 2, 2],
          [6, 16, 10],
          [6, 14, 8],
        ],
      ],
    ]);
    expect(() => foldImage(columns, 4, 2)).toThrow(
      'to match the calculated number of sliding blocks',
    );
  });

  it('are adjoint for every stride, padding and dilation', () => {
    const blocks = { kernel: [2, 3], dilation: [2, 1], padding: [1, 2], stride: [2, 1] };
    const x = range(2, 3, 5, 6).remainder(7);
    const y = im2col(x, blocks);
    const g = range(...y.shape).remainder(5);
    expect(col2im(g, [5, 6], blocks).mul(x).sum().itemSync()).toBe(y.mul(g).sum().itemSync());
  });
});

describe('pixelShuffle and channelShuffle', () => {
  it('move channels into pixels and back', () => {
    const x = range(1, 4, 1, 2);
    expect(pixelShuffle(x, 2).toArraySync()).toEqual([
      [
        [
          [0, 2, 1, 3],
          [4, 6, 5, 7],
        ],
      ],
    ]);
    expect(pixelUnshuffle(pixelShuffle(x, 2), 2).toArraySync()).toEqual(x.toArraySync());
    expect(channelShuffle(x, 2).select(3, 0).flatten().toArraySync()).toEqual([0, 4, 2, 6]);
    expect(() => pixelShuffle(range(1, 3, 2, 2), 2)).toThrow(
      'divisible by the square of upscale_factor',
    );
  });
});

describe('gridSample', () => {
  const image = tensor([
    [
      [
        [0, 1],
        [2, 3],
      ],
    ],
  ]);
  const grid = (...points: [number, number][]) => tensor([[points]]);
  it('reads between pixels, x first', () => {
    const at = (options: Parameters<typeof gridSample>[2]) =>
      gridSample(image, grid([-1, -1], [1, -1], [0, 0]), options)
        .flatten()
        .toArraySync();
    expect(at({ alignCorners: true })).toEqual([0, 1, 1.5]);
    expect(at({ alignCorners: false })).toEqual([0, 0.25, 1.5]);
    expect(at({ paddingMode: 'border' })).toEqual([0, 1, 1.5]);
    expect(at({ mode: 'nearest', paddingMode: 'reflection' })).toEqual([0, 1, 0]);
  });

  it('leaves the image as it is under the identity', () => {
    const theta = tensor([
      [
        [1, 0, 0],
        [0, 1, 0],
      ],
    ]);
    const same = gridSample(image, affineGrid(theta, [1, 1, 2, 2]));
    expect(same.toArraySync()).toEqual(image.toArraySync());
  });
});

test('antialiased interpolation averages what an output element covers', () => {
  const x = arange(8, { dtype: 'float32' }).reshape([1, 1, 1, 8]);
  const options = { size: [1, 4], mode: 'bilinear', antialias: true } as const;
  const halved = (interpolate(x, options).flatten().toArraySync() as number[]).map((v) =>
    Number(v.toFixed(5)),
  );
  // PyTorch 1.13's own numbers.
  expect(halved).toEqual([0.71429, 2.5, 4.5, 6.28571]);
  const same = interpolate(x, { ...options, size: [1, 8], mode: 'bicubic' });
  expect(same.flatten().toArraySync()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(() => interpolate(x, { size: 2, antialias: true })).toThrow(/Anti-alias option/);
});

test('interpolate refuses what PyTorch refuses', () => {
  const x = ones([1, 1, 4, 4]);
  expect(() => interpolate(x, { size: 2, recomputeScaleFactor: true })).toThrow(/not meaningful/);
  expect(() => interpolate(ones([2, 0, 4, 4]), { size: 2 })).toThrow(/Non-empty 4D/);
  expect(() => interpolate(x.to('int64'), { size: 2 })).toThrow(/not implemented/);
  expect(interpolate(x.to('uint8'), { size: 2 }).dtype).toBe('uint8');
  expect(interpolate(x, { scaleFactor: 0.1, mode: 'area' }).shape).toEqual([1, 1, 0, 0]);
  expect(() => affineGrid(ones([1, 2, 3]), [1, 0, 4, 4])).toThrow(/positive output size/);
  expect(() => affineGrid(ones([1, 2, 3]), [1, 3, 4])).toThrow(/4D and 5D sizes/);
});
