import { specialFunctions } from '@sconce/core';

/** 1 to any power and -1 to an infinite one are 1, as in C. */
const pow = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;

function sigmoid(x: number): number {
  const t = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + t) : t / (1 + t);
}

function logaddexp(a: number, b: number): number {
  const max = Math.max(a, b);
  if (!Number.isFinite(max)) return max;
  return max + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/**
 * The second import object (`math`) of every kernel: float64 functions that have no instruction, and
 * float32 functions at rare arguments.
 */
export const mathImports: Readonly<Record<string, (x: number, y: number) => number>> = {
  pow,
  sigmoid,
  logaddexp,
  fmod: (x, y) => x % y,
  atan2: Math.atan2,
  exp: (x) => Math.exp(x),
  exp2: (x) => 2 ** x,
  expm1: (x) => Math.expm1(x),
  log: (x) => Math.log(x),
  log1p: (x) => Math.log1p(x),
  log2: (x) => Math.log2(x),
  log10: (x) => Math.log10(x),
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  tan: (x) => Math.tan(x),
  asin: (x) => Math.asin(x),
  acos: (x) => Math.acos(x),
  atan: (x) => Math.atan(x),
  sinh: (x) => Math.sinh(x),
  cosh: (x) => Math.cosh(x),
  tanh: (x) => Math.tanh(x),
  asinh: (x) => Math.asinh(x),
  acosh: (x) => Math.acosh(x),
  atanh: (x) => Math.atanh(x),
  erf: (x) => specialFunctions.erf(x),
  erfc: (x) => specialFunctions.erfc(x),
  erfinv: (x) => specialFunctions.erfinv(x),
  lgamma: (x) => specialFunctions.lgamma(x),
  digamma: (x) => specialFunctions.digamma(x),
};
