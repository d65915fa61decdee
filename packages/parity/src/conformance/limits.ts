import type { ComputeType, ExprFunction } from '@sconce/core';

/** What a device is allowed, in units in the last place of the result. */
export interface Limits {
  /** Error of one function on exact arguments. */
  ulps(name: ExprFunction, type: ComputeType): number;
  /** Whether numbers below the least normal one may count as 0, as the WebGPU specification has it. */
  readonly flushesDenormals: boolean;
  /** Bits of an int64 that the device computes with: what does not fit is not asked of it. */
  readonly int64Bits: 32 | 64;
}

/** Right to the last digit whatever the type: no rounding happens, or the result is one of the arguments. */
const exact: ReadonlySet<string> = new Set<ExprFunction>([
  'min',
  'max',
  'neg',
  'abs',
  'floor',
  'ceil',
  'trunc',
  'round',
  'fmod',
]);

/** Rounded once; one unit and not a half, since a product may be fused into the sum that takes it. */
const arithmetic: ReadonlySet<string> = new Set<ExprFunction>(['add', 'sub', 'mul', 'div', 'sqrt']);

/** WGSL lets division and square root be off by 2.5 units, and a program cannot ask for better. */
const loose: ReadonlySet<string> = new Set<ExprFunction>(['div', 'sqrt']);

/**
 * Where arithmetic in float32 alone does not reach 2: large exponents of `pow`, and the places where the terms of `lgamma`
 * and `digamma` of negative numbers cancel.
 */
const narrow: Partial<Record<ExprFunction, number>> = { pow: 3, erfc: 3, lgamma: 8, digamma: 12 };

const base = (name: ExprFunction, type: ComputeType): number => {
  if (exact.has(name)) return 0;
  if (arithmetic.has(name)) return 1;
  // The promise of 2 is for float32. In float64 the reference itself is off by one or two.
  return type === 'float32' ? 2 : 8;
};

/** The limits of a device by name. */
export function limitsOf(device: string): Limits {
  if (device !== 'webgpu') return { ulps: base, flushesDenormals: false, int64Bits: 64 };
  return {
    ulps: (name, type) => {
      // What is of float64 is computed on the host, where that is allowed.
      if (type === 'float64') return base(name, type);
      return loose.has(name) ? 3 : (narrow[name] ?? base(name, type));
    },
    flushesDenormals: true,
    int64Bits: 32,
  };
}
