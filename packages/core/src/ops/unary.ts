import type { Body } from '../elementwise.js';
import { explaining } from '../explain.js';
import { constant, type Expr, e } from '../expr.js';
import { notCastable } from '../op.js';
import { bitsOf, integral, signOf } from './bodies.js';
import { to } from './copy.js';
import { refusing, type Unary, unary } from './define.js';

/** Rounding leaves integers as they are. */
const rounding =
  (f: (x: Expr) => Expr): Body =>
  (x) =>
    x && (integral(x) ? x : f(x));
const float = (name: keyof typeof e & string): Unary => unary(name, 'float', e[name] as Body);
const noBool = (name: string) => refusing(name, ['bool']);

/** Absolute value. */
export const abs: Unary = unary('abs', 'same', (x) => e.abs(x), noBool('abs_cpu'));
/** Negative. @throws RuntimeError on bool. */
export const neg: Unary = unary(
  'neg',
  'same',
  (x) => e.neg(x),
  (t) =>
    t === 'bool'
      ? 'negation, the `-` operator, on a bool tensor is not supported; use logicalNot'
      : undefined,
);
/** 1, 0 or -1 as x is positive, zero (or NaN) or negative; bools stay as they are. */
export const sign: Unary = unary('sign', 'same', signOf);
/** Largest integer not above. Integers are returned as they are. */
export const floor: Unary = unary('floor', 'same', rounding(e.floor), noBool('floor'));
/** Smallest integer not below. */
export const ceil: Unary = unary('ceil', 'same', rounding(e.ceil), noBool('ceil'));
/** Towards zero. */
export const trunc: Unary = unary('trunc', 'same', rounding(e.trunc), noBool('trunc'));
/** The part behind the point, with the sign of the input. */
export const frac: Unary = unary(
  'frac',
  'same',
  (x) => e.sub(x, e.trunc(x)),
  refusing('frac', ['bool', 'int8', 'uint8', 'int16', 'int32', 'int64']),
);
/** x². */
export const square: Unary = explaining('square', (self, options) => {
  if (self.dtype !== 'bool') return squareOp(self, options);
  if (options?.out === self) throw notCastable('square', 'int64', 'bool');
  return squareOp(to(self, 'int64'), options);
});
const squareOp: Unary = unary('square', 'same', (x) => e.mul(x, x));
/** Square root. */
export const sqrt: Unary = float('sqrt');
/** 1 / sqrt(x). */
export const rsqrt: Unary = unary('rsqrt', 'float', (x) => e.div(constant(1, x.dtype), e.sqrt(x)));
/** 1 / x. */
export const reciprocal: Unary = unary('reciprocal', 'float', (x) =>
  e.div(constant(1, x.dtype), x),
);
/** e^x. */
export const exp: Unary = float('exp');
/** 2^x. */
export const exp2: Unary = float('exp2');
/** e^x - 1, exact near zero. */
export const expm1: Unary = float('expm1');
/** Natural logarithm. */
export const log: Unary = float('log');
/** ln(1 + x), exact near zero. */
export const log1p: Unary = float('log1p');
/** Logarithm to base 2. */
export const log2: Unary = float('log2');
/** Logarithm to base 10. */
export const log10: Unary = float('log10');
/** Sine of radians. */
export const sin: Unary = float('sin');
/** Cosine of radians. */
export const cos: Unary = float('cos');
/** Tangent of radians. */
export const tan: Unary = float('tan');
/** Arcsine, in radians. */
export const asin: Unary = float('asin');
/** Arccosine, in radians. */
export const acos: Unary = float('acos');
/** Arctangent, in radians. */
export const atan: Unary = float('atan');
/** Hyperbolic sine. */
export const sinh: Unary = float('sinh');
/** Hyperbolic cosine. */
export const cosh: Unary = float('cosh');
/** Hyperbolic tangent. */
export const tanh: Unary = float('tanh');
/** Inverse hyperbolic sine. */
export const asinh: Unary = float('asinh');
/** Inverse hyperbolic cosine. */
export const acosh: Unary = float('acosh');
/** Inverse hyperbolic tangent. */
export const atanh: Unary = float('atanh');
/** 1 / (1 + e^-x). */
export const sigmoid: Unary = float('sigmoid');
/** The error function. */
export const erf: Unary = float('erf');
/** 1 - erf(x), exact where that is small. */
export const erfc: Unary = float('erfc');
/** The inverse of the error function. */
export const erfinv: Unary = float('erfinv');
/** Logarithm of the absolute value of the gamma function. */
export const lgamma: Unary = float('lgamma');
/** Derivative of `lgamma`. */
export const digamma: Unary = float('digamma');
/** sin(πx) / (πx), 1 at zero. */
export const sinc: Unary = unary('sinc', 'float', (x) => {
  const px = e.mul(x, Math.PI);
  return e.where(e.eq(x, 0), constant(1, x.dtype), e.div(e.sin(px), px));
});
/** Radians from degrees. */
export const deg2rad: Unary = unary('deg2rad', 'float', (x) => e.mul(x, Math.PI / 180));
/** Degrees from radians. */
export const rad2deg: Unary = unary('rad2deg', 'float', (x) => e.mul(x, 180 / Math.PI));

/** Whether the element is zero (logical negation). */
export const logicalNot: Unary = unary('logicalNot', 'bool', (x) =>
  x.dtype === 'bool' ? e.not(x) : e.eq(x, 0),
);
/** Bitwise complement; logical on bools. @throws RuntimeError on floating point. */
export const bitwiseNot: Unary = unary(
  'bitwiseNot',
  'same',
  (x) => e.not(x),
  refusing('bitwise_not_cpu', ['float16', 'bfloat16', 'float32', 'float64']),
);

const floatOnly =
  (test: (x: Expr) => Expr, otherwise: boolean): Body =>
  (x) =>
    x.dtype === 'float32' || x.dtype === 'float64' ? test(x) : constant(otherwise, 'bool');
/** Whether NaN. */
export const isnan: Unary = unary(
  'isnan',
  'bool',
  floatOnly((x) => e.isnan(x), false),
);
/** Whether plus or minus infinity. */
export const isinf: Unary = unary(
  'isinf',
  'bool',
  floatOnly((x) => e.eq(e.abs(x), Infinity), false),
);
/** Whether neither infinite nor NaN. */
export const isfinite: Unary = unary(
  'isfinite',
  'bool',
  floatOnly((x) => e.lt(e.abs(x), Infinity), true),
);
/** Whether plus infinity. */
export const isposinf: Unary = unary(
  'isposinf',
  'bool',
  floatOnly((x) => e.eq(x, Infinity), false),
);
/** Whether minus infinity. */
export const isneginf: Unary = unary(
  'isneginf',
  'bool',
  floatOnly((x) => e.eq(x, -Infinity), false),
);
/** Whether the sign bit is set (-0 included). */
export const signbit: Unary = unary('signbit', 'bool', (x) => {
  if (x.dtype === 'bool') return constant(false, 'bool');
  if (integral(x)) return e.lt(x, 0);
  return e.lt(bitsOf(x), 0);
});
