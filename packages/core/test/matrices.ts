import { expect } from 'vitest';
import { type Tensor, tensor } from '../src/index.js';

export const f64 = { dtype: 'float64' } as const;

/** Symmetric and positive-definite. */
export const symmetric = tensor(
  [
    [4, 2, 1],
    [2, 5, 3],
    [1, 3, 6],
  ],
  f64,
);

/** Of rank 2. */
export const tall = tensor(
  [
    [1, 2],
    [3, 4],
    [5, 6],
  ],
  f64,
);

/** Expects the same shape, and values equal to so many digits behind the point. */
export function near(actual: Tensor, expected: Tensor | unknown[], digits = 10): void {
  const wanted = Array.isArray(expected) ? tensor(expected as number[], f64) : expected;
  expect(actual.shape).toEqual(wanted.shape);
  const left = actual.to('float64').reshape(-1).toArraySync() as number[];
  const right = wanted.to('float64').reshape(-1).toArraySync() as number[];
  left.forEach((x, i) => {
    expect(x).toBeCloseTo(right[i] as number, digits);
  });
}
