import { describe, expect, it } from 'vitest';
import {
  adaptiveAvgPool1d,
  adaptiveMaxPool2d,
  arange,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  avgPoolBackward,
  fractionalMaxPool2d,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  maxPoolBackward,
  maxPoolWithIndices,
  maxUnpool2d,
  regularWindows,
  type Tensor,
  tensor,
} from '../index.js';

const range = (...shape: number[]): Tensor =>
  arange(
    shape.reduce((a, b) => a * b, 1),
    { dtype: 'float32' },
  ).reshape(shape);

describe('maxPool', () => {
  it('says which dimension is empty, and how small the output would be', () => {
    expect(() => maxPool3d(range(2, 1, 0, 1, 2), 1)).toThrow(
      /non-batch dimension 2 has length zero/,
    );
    expect(() => avgPool3d(range(1, 1, 4, 4), 2, { padding: 1 })).toThrow(/smaller than kernel/);
    expect(() => avgPool3d(range(1, 1, 4, 4), 2, { padding: -1 })).toThrow(/non-negative/);
    expect(() => avgPool3d(range(1, 1, 4, 4), 2, { padding: 4 })).toThrow(/half of kernel size/);
    expect(() => maxPool1d(range(1, 2), [2, 2])).toThrow(/should contain one int/);
    expect(adaptiveAvgPool1d(range(2, 0, 4), 2).shape).toEqual([2, 0, 2]);
    const index = tensor([[[9n]]]);
    expect(() => maxUnpool2d(range(1, 1, 1), index, 2)).toThrow(/invalid max index: 9/);
    const options = { outputSize: [2, 2, 2] };
    expect(() => maxUnpool2d(range(1, 1, 1), index, 2, options)).toThrow(/2 or 4 elements/);
    expect(() => maxPool1d(range(1, 2), 5, { stride: 1 })).toThrow(
      /Invalid computed output size: -2/,
    );
  });

  it('takes the maximum of each window, and its place', () => {
    const x = tensor([
      [
        [
          [1, 5, 2, 0],
          [3, 4, 9, 8],
          [7, 7, 1, 1],
          [0, 7, 1, 2],
        ],
      ],
    ]);
    const { values, indices } = maxPool2d(x, 2, { returnIndices: true });
    expect(values.toArraySync()).toEqual([
      [
        [
          [5, 9],
          [7, 2],
        ],
      ],
    ]);
    expect(indices.toArraySync()).toEqual([
      [
        [
          [1, 6],
          [8, 15],
        ],
      ],
    ]);
    expect(maxPool2d(x, 2).toArraySync()).toEqual(values.toArraySync());
    expect(maxPool2d(x, 3, { stride: 1 }).toArraySync()).toEqual([
      [
        [
          [9, 9],
          [9, 9],
        ],
      ],
    ]);
  });

  it('pads with nothing, rounds up on request, and spreads its taps', () => {
    const x = tensor([[-1, -2, -3, -4, -5]]);
    const padded = maxPool1d(x, 2, { padding: 1, returnIndices: true });
    expect(padded.values.toArraySync()).toEqual([[-1, -2, -4]]);
    expect(padded.indices.toArraySync()).toEqual([[0, 1, 3]]);
    expect(maxPool1d(x, 2).toArraySync()).toEqual([[-1, -3]]);
    expect(maxPool1d(x, 2, { ceilMode: true }).toArraySync()).toEqual([[-1, -3, -5]]);
    expect(maxPool1d(x.neg(), 2, { dilation: 3, stride: 1 }).toArraySync()).toEqual([[4, 5]]);
  });

  it('places a window of -Infinity on its first element, not in the padding', () => {
    const low = Number.NEGATIVE_INFINITY;
    const x = tensor([[low, low, low]]);
    const { indices } = maxPool1d(x, 3, { padding: 1, stride: 1, returnIndices: true });
    expect(indices.toArraySync()).toEqual([[0, 0, 1]]);
    expect(maxPool1d(tensor([[1, Number.NaN, 2]]), 3).toArraySync()).toEqual([[Number.NaN]]);
  });

  it('sends gradients back to the places, where windows overlap too', () => {
    const x = tensor([[1, 3, 2, 5, 4]]);
    const w = regularWindows('test', 1, [1, 5], 3, { stride: 1 });
    const { indices } = maxPoolWithIndices(x, w);
    expect(maxPoolBackward(tensor([[1, 10, 100]]), indices, [1, 5], w).toArraySync()).toEqual([
      [0, 1, 0, 110, 0],
    ]);
  });

  it('goes back with maxUnpool', () => {
    const { values, indices } = maxPool2d(range(1, 4, 4), 2, { returnIndices: true });
    expect(maxUnpool2d(values, indices, 2).toArraySync()).toEqual([
      [
        [0, 0, 0, 0],
        [0, 5, 0, 7],
        [0, 0, 0, 0],
        [0, 13, 0, 15],
      ],
    ]);
  });

  it('says what does not fit', () => {
    expect(() => maxPool2d(range(1, 4, 4), 2, { padding: 2 })).toThrow(
      'pad should be at most half of kernel size',
    );
    expect(() => maxPool2d(range(1, 4, 4), 5)).toThrow('Output size is too small');
    expect(() => maxPool2d(range(4, 4), 2)).toThrow('Expected 3D or 4D');
    expect(() => maxPool2d(range(1, 4, 4).to('int64'), 2)).toThrow("not implemented for 'int64'");
  });

  it('takes volumes', () => {
    expect(maxPool3d(range(1, 2, 2, 2), 2).toArraySync()).toEqual([[[[7]]]]);
  });
});

describe('fractionalMaxPool', () => {
  it('puts windows where the samples say, the last at the end', () => {
    const x = range(1, 1, 6, 6);
    const randomSamples = tensor([[[0.25, 0.75]]]);
    const { values, indices } = fractionalMaxPool2d(x, 2, {
      outputSize: 3,
      returnIndices: true,
      randomSamples,
    });
    // Rows start at 0, 2, 4 and end a row later; columns start at 0, 2, 4 too.
    expect(values.toArraySync()).toEqual([
      [
        [
          [7, 9, 11],
          [19, 21, 23],
          [31, 33, 35],
        ],
      ],
    ]);
    expect(indices.toArraySync()).toEqual([
      [
        [
          [7, 9, 11],
          [19, 21, 23],
          [31, 33, 35],
        ],
      ],
    ]);
    const uneven = fractionalMaxPool2d(range(1, 7, 7), 2, {
      outputRatio: 0.5,
      randomSamples: tensor([[[0.5, 0.1]]]),
    });
    // Steps of 2.5: rows (sample 0.1) start at 0, 2, 5; columns (0.5) at 0, floor(3.75) - 1 = 2, 5.
    expect(uneven.toArraySync()).toEqual([
      [
        [8, 10, 13],
        [22, 24, 27],
        [43, 45, 48],
      ],
    ]);
    expect(() => fractionalMaxPool2d(x, 2)).toThrow('requires specifying either');
  });
});

describe('avgPool', () => {
  it('takes means, with padding counted or not', () => {
    const x = tensor([[2, 4, 6, 8]]);
    expect(avgPool1d(x, 2).toArraySync()).toEqual([[3, 7]]);
    expect(avgPool1d(x, 2, { padding: 1 }).toArraySync()).toEqual([[1, 5, 4]]);
    expect(avgPool1d(x, 2, { padding: 1, countIncludePad: false }).toArraySync()).toEqual([
      [2, 5, 8],
    ]);
    expect(avgPool2d(range(1, 2, 2), 2, { divisorOverride: 3 }).toArraySync()).toEqual([[[2]]]);
    // The part of a window beyond the padding never counts.
    expect(avgPool1d(x, 3, { stride: 2, ceilMode: true }).toArraySync()).toEqual([[4, 7]]);
  });

  it('shares gradients among the elements of a window', () => {
    const w = regularWindows('test', 1, [1, 4], 2, { stride: 1 });
    expect(avgPoolBackward(tensor([[2, 4, 6]]), [1, 4], w, true, null).toArraySync()).toEqual([
      [1, 3, 5, 3],
    ]);
  });

  it('divides any size into any number of windows', () => {
    expect(adaptiveAvgPool1d(tensor([[1, 2, 3, 4, 5]]), 3).toArraySync()).toEqual([[1.5, 3, 4.5]]);
    expect(adaptiveAvgPool1d(tensor([[1, 2, 3, 4]]), 2).toArraySync()).toEqual([[1.5, 3.5]]);
    const { values, indices } = adaptiveMaxPool2d(range(1, 3, 4), [2, null], {
      returnIndices: true,
    });
    expect(values.toArraySync()).toEqual([
      [
        [4, 5, 6, 7],
        [8, 9, 10, 11],
      ],
    ]);
    expect(indices.toArraySync()).toEqual([
      [
        [4, 5, 6, 7],
        [8, 9, 10, 11],
      ],
    ]);
  });
});
