import type { DType } from '@sconce/core';

/** How far a value may lie from the expected one: |a - e| <= atol + rtol |e|. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
}

const exact: Tolerance = { rtol: 0, atol: 0 };

const table: Partial<Record<DType, Tolerance>> = {
  float16: { rtol: 1e-3, atol: 1e-5 },
  bfloat16: { rtol: 1.6e-2, atol: 1e-5 },
  float32: { rtol: 1.3e-6, atol: 1e-5 },
  float64: { rtol: 1e-7, atol: 1e-7 },
};

/**
 * The default tolerance of a dtype.
 *
 * @see https://pytorch.org/docs/stable/testing.html#torch.testing.assert_close
 */
export const toleranceOf = (dtype: DType): Tolerance => table[dtype] ?? exact;

/** Whether a value is close enough to the expected one; NaN is equal to NaN. */
export function close(actual: number, expected: number, { rtol, atol }: Tolerance): boolean {
  if (actual === expected) return true;
  if (Number.isNaN(expected)) return Number.isNaN(actual);
  if (!Number.isFinite(expected)) return false;
  return Math.abs(actual - expected) <= atol + rtol * Math.abs(expected);
}
