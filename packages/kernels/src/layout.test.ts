import { describe, expect, it } from 'vitest';
import { broadcastStrides, collapse, isContiguous } from './layout.js';

describe('layout', () => {
  it('knows contiguous views, whatever the strides of dimensions of size 1', () => {
    expect(isContiguous([2, 3], [3, 1])).toBe(true);
    expect(isContiguous([2, 1, 3], [3, 77, 1])).toBe(true);
    expect(isContiguous([2, 3], [1, 2])).toBe(false);
    expect(isContiguous([], [])).toBe(true);
    expect(isContiguous([4], [2])).toBe(false);
  });

  it('broadcasts from the right', () => {
    expect(broadcastStrides([2, 3, 4], [3, 1], [1, 1])).toEqual([0, 1, 0]);
    expect(broadcastStrides([2, 3], [], [])).toEqual([0, 0]);
  });

  it('merges what all operands walk as one', () => {
    const all = [0, 1, 2];
    expect(collapse([2, 3, 4], all, [[12, 4, 1]], false)).toEqual({ sizes: [24], strides: [[1]] });
    // A row that repeats keeps its dimension apart.
    expect(
      collapse(
        [2, 3, 4],
        all,
        [
          [12, 4, 1],
          [0, 0, 1],
        ],
        false,
      ),
    ).toEqual({
      sizes: [6, 4],
      strides: [
        [4, 1],
        [0, 1],
      ],
    });
    expect(collapse([1, 1], [0, 1], [[5, 5]], false)).toEqual({ sizes: [1], strides: [[0]] });
  });

  it('orders dimensions by the first operand, unless told not to', () => {
    const transposed = [
      [1, 3],
      [4, 1],
    ];
    expect(collapse([3, 4], [0, 1], transposed, false)).toEqual({
      sizes: [4, 3],
      strides: [
        [3, 1],
        [1, 4],
      ],
    });
    expect(collapse([3, 4], [0, 1], transposed, true).sizes).toEqual([3, 4]);
    // Both transposed alike: one loop.
    expect(
      collapse(
        [3, 4],
        [0, 1],
        [
          [1, 3],
          [1, 3],
        ],
        false,
      ),
    ).toEqual({ sizes: [12], strides: [[1], [1]] });
  });

  it('keeps what a coordinate needs', () => {
    // An operand that counts along the last dimension, as `coord(1)` does.
    expect(
      collapse(
        [3, 4],
        [0, 1],
        [
          [4, 1],
          [0, 1],
        ],
        false,
      ).sizes,
    ).toEqual([3, 4]);
    // And one that counts positions, as `linearIndex` does.
    expect(
      collapse(
        [3, 4],
        [0, 1],
        [
          [4, 1],
          [4, 1],
        ],
        false,
      ).sizes,
    ).toEqual([12]);
  });
});
