import type { DType } from '@sconce/core';

/** How a floating dtype spaces its numbers. */
interface Spacing {
  readonly fractionBits: number;
  readonly leastExponent: number;
}

const spacings: Partial<Record<DType, Spacing>> = {
  float64: { fractionBits: 52, leastExponent: -1022 },
  float32: { fractionBits: 23, leastExponent: -126 },
  float16: { fractionBits: 10, leastExponent: -14 },
  bfloat16: { fractionBits: 7, leastExponent: -126 },
};

/** The distance between neighbouring numbers of a floating dtype around `x`. */
export function ulp(x: number, dtype: DType): number {
  const { fractionBits, leastExponent } = spacings[dtype] as Spacing;
  if (!Number.isFinite(x)) return 0;
  let exponent = x === 0 ? leastExponent : Math.floor(Math.log2(Math.abs(x)));
  // log2 may round up across a power of two.
  if (2 ** exponent > Math.abs(x)) exponent--;
  return 2 ** (Math.max(exponent, leastExponent) - fractionBits);
}

/** How many units in the last place `actual` is from `expected`; NaN equals NaN, infinity itself. */
export function ulpDistance(actual: number, expected: number, dtype: DType): number {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (Number.isNaN(actual) || Number.isNaN(expected)) return Number.POSITIVE_INFINITY;
  if (dtype === 'float32' && !Number.isFinite(actual)) {
    // A double beyond the largest float32 rounds to infinity within half a unit of it.
    return Math.abs(expected) >= 3.4028234e38 && Math.sign(expected) === Math.sign(actual)
      ? 1
      : Number.POSITIVE_INFINITY;
  }
  return Math.abs(actual - expected) / ulp(expected, dtype);
}
