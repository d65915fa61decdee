import type { ComputeType } from '../dtype.js';
import type { ExprFunction } from '../expr.js';
import { digamma, erf, erfc, erfinv, lgamma } from './special.js';

/**
 * What every function of the language means on one element. Floats and int32 are numbers, int64 are
 * bigints, bools are 0 and 1. Results need no rounding or wrapping here: they are stored into a
 * typed array of the node's type, which does just that.
 */
export type ElementFunction = (...args: never[]) => number | bigint;

const roundHalfEven = (x: number): number => {
  const below = Math.floor(x);
  const rest = x - below;
  if (rest < 0.5 || (rest === 0.5 && below % 2 === 0)) return below === 0 && x < 0 ? -0 : below;
  return below + 1 === 0 ? -0 : below + 1;
};

/** As C: 1 to any power and -1 to an infinite one are 1, where JavaScript says NaN. */
const pow = (x: number, y: number): number =>
  x === 1 || (x === -1 && Math.abs(y) === Number.POSITIVE_INFINITY) ? 1 : x ** y;

const sigmoid = (x: number): number =>
  x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x));

/** The high word of an unsigned 32-bit product, from four 16-bit ones. */
function mulhi(a: number, b: number): number {
  const a1 = a >>> 16;
  const a0 = a & 0xffff;
  const b1 = b >>> 16;
  const b0 = b & 0xffff;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const other = (middle & 0xffff) + a0 * b1;
  return a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(other / 0x10000);
}

type Numbers = (...args: number[]) => number;
type Bigints = (...args: bigint[]) => number | bigint;

const comparisons: Partial<Record<ExprFunction, Numbers>> = {
  eq: (a, b) => (a === b ? 1 : 0),
  ne: (a, b) => (a !== b ? 1 : 0),
  lt: (a, b) => ((a as number) < (b as number) ? 1 : 0),
  le: (a, b) => ((a as number) <= (b as number) ? 1 : 0),
  gt: (a, b) => ((a as number) > (b as number) ? 1 : 0),
  ge: (a, b) => ((a as number) >= (b as number) ? 1 : 0),
};

const two = (f: (a: number, b: number) => number): Numbers => f as Numbers;
const one = (f: (a: number) => number): Numbers => f as Numbers;

const onFloats: Partial<Record<ExprFunction, Numbers>> = {
  ...comparisons,
  add: two((a, b) => a + b),
  sub: two((a, b) => a - b),
  mul: two((a, b) => a * b),
  div: two((a, b) => a / b),
  fmod: two((a, b) => a % b),
  pow: two(pow),
  atan2: two(Math.atan2),
  min: two((a, b) => Math.min(a, b)),
  max: two((a, b) => Math.max(a, b)),
  neg: one((a) => -a),
  abs: one(Math.abs),
  floor: one(Math.floor),
  ceil: one(Math.ceil),
  trunc: one(Math.trunc),
  round: one(roundHalfEven),
  sqrt: one(Math.sqrt),
  exp: one(Math.exp),
  exp2: one((a) => 2 ** a),
  expm1: one(Math.expm1),
  log: one(Math.log),
  log1p: one(Math.log1p),
  log2: one(Math.log2),
  log10: one(Math.log10),
  sin: one(Math.sin),
  cos: one(Math.cos),
  tan: one(Math.tan),
  asin: one(Math.asin),
  acos: one(Math.acos),
  atan: one(Math.atan),
  sinh: one(Math.sinh),
  cosh: one(Math.cosh),
  tanh: one(Math.tanh),
  asinh: one(Math.asinh),
  acosh: one(Math.acosh),
  atanh: one(Math.atanh),
  sigmoid: one(sigmoid),
  erf: one(erf),
  erfc: one(erfc),
  erfinv: one(erfinv),
  lgamma: one(lgamma),
  digamma: one(digamma),
  isnan: one((a) => (Number.isNaN(a) ? 1 : 0)),
};

const onInt32: Partial<Record<ExprFunction, Numbers>> = {
  ...comparisons,
  add: two((a, b) => a + b),
  sub: two((a, b) => a - b),
  mul: two(Math.imul),
  idiv: two((a, b) => (b === 0 ? 0 : Math.trunc(a / b))),
  fmod: two((a, b) => (b === 0 ? 0 : a % b)),
  min: two((a, b) => Math.min(a, b)),
  max: two((a, b) => Math.max(a, b)),
  neg: one((a) => -a),
  abs: one(Math.abs),
  and: two((a, b) => a & b),
  or: two((a, b) => a | b),
  xor: two((a, b) => a ^ b),
  not: one((a) => ~a),
  shl: two((a, b) => a << b),
  shr: two((a, b) => a >> b),
  ushr: two((a, b) => a >>> b),
  mulhi: two(mulhi),
};

const big2 = (f: (a: bigint, b: bigint) => number | bigint): Bigints => f as Bigints;
const big1 = (f: (a: bigint) => number | bigint): Bigints => f as Bigints;

function least(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

function greatest(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

const onInt64: Partial<Record<ExprFunction, Bigints>> = {
  eq: big2((a, b) => (a === b ? 1 : 0)),
  ne: big2((a, b) => (a !== b ? 1 : 0)),
  lt: big2((a, b) => (a < b ? 1 : 0)),
  le: big2((a, b) => (a <= b ? 1 : 0)),
  gt: big2((a, b) => (a > b ? 1 : 0)),
  ge: big2((a, b) => (a >= b ? 1 : 0)),
  add: big2((a, b) => a + b),
  sub: big2((a, b) => a - b),
  mul: big2((a, b) => a * b),
  idiv: big2((a, b) => (b === 0n ? 0n : a / b)),
  fmod: big2((a, b) => (b === 0n ? 0n : a % b)),
  min: big2(least),
  max: big2(greatest),
  neg: big1((a) => -a),
  abs: big1((a) => (a < 0n ? -a : a)),
  and: big2((a, b) => a & b),
  or: big2((a, b) => a | b),
  xor: big2((a, b) => a ^ b),
  not: big1((a) => ~a),
  shl: big2((a, b) => a << (b & 63n)),
  shr: big2((a, b) => a >> (b & 63n)),
  ushr: big2((a, b) => BigInt.asUintN(64, a) >> (b & 63n)),
};

const onBools: Partial<Record<ExprFunction, Numbers>> = {
  eq: comparisons.eq as Numbers,
  ne: comparisons.ne as Numbers,
  and: two((a, b) => a & b),
  or: two((a, b) => a | b),
  xor: two((a, b) => a ^ b),
  not: one((a) => a ^ 1),
};

const byType: Record<ComputeType, Partial<Record<ExprFunction, Numbers | Bigints>>> = {
  float32: onFloats,
  float64: onFloats,
  int32: onInt32,
  int64: onInt64,
  bool: onBools,
};

/** The meaning of a function on arguments of a type; undefined where the type has no such function. */
export const elementFunction = (
  name: ExprFunction,
  type: ComputeType,
): ElementFunction | undefined => byType[type][name] as ElementFunction | undefined;

/** The float32 nearest to a bigint: its low bits are folded into one before the double is made, or it would round twice. */
function bigintToNumber(value: bigint, to: ComputeType): number {
  if (to !== 'float32' || BigInt.asIntN(54, value) === value) return Number(value);
  const sticky = BigInt.asUintN(11, value) === 0n ? 0n : 1n;
  return Number((value >> 11n) | sticky) * 2048;
}

/** Float to bigint, towards zero; NaN and infinity give 0. */
export const numberToBigint = (value: number): bigint =>
  Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;

/** Conversion of one element between compute types. */
export function castFunction(from: ComputeType, to: ComputeType): ElementFunction {
  if (to === 'bool') {
    return from === 'int64' ? (x: bigint) => (x === 0n ? 0 : 1) : (x: number) => (x === 0 ? 0 : 1);
  }
  if (from === 'int64') {
    if (to === 'int64') return (x: bigint) => x;
    if (to === 'int32') return (x: bigint) => Number(BigInt.asIntN(32, x));
    return (x: bigint) => bigintToNumber(x, to);
  }
  if (to === 'int64') return numberToBigint;
  return to === 'int32' ? (x: number) => Math.trunc(x) : (x: number) => x;
}
