import type { ExprFunction } from '@sconce/core';
import {
  acos64,
  acosh64,
  asin64,
  asinh64,
  atan64,
  atan264,
  atanh64,
  cosh64,
  digamma64,
  erfc64,
  erfinv64,
  expm164,
  inFloat64,
  lgamma64,
  log1p64,
  log64,
  pow64,
  reduceAngle,
  remainder64,
  sinh64,
  tan64,
} from './math64.js';
import { f32x4, f64x2, i32x4, v128 } from './opcodes.js';
import type { Vectors } from './vectors.js';

/** What formulas are written with. */
export interface MathContext {
  readonly v: Vectors;
  /** The JavaScript function of that name, lane by lane: for rare arguments. */
  readonly slow: (name: string, ...args: number[]) => number;
}

type Formula = (context: MathContext, x: number, y: number) => number;

// Minimax fits of our own, highest power first.
// (e^r - 1 - r) / r^2 on |r| <= ln2 / 2
const EXP = [0.00138142204, 0.00836889818, 0.0416684039, 0.166665196, 0.49999994];
// (2^f - 1) / f on |f| <= 1/2
const EXP2 = [0.000155954738, 0.00134069496, 0.00961768907, 0.0555030964, 0.240226522, 0.693147242];
// (log(1 + f) - f + f^2 / 2) / f^3 on sqrt(1/2) <= 1 + f <= sqrt(2)
const LOG = [
  0.0674730837, -0.116761394, 0.118881084, -0.124055095, 0.142195538, -0.166680008, 0.200021178,
  -0.250000089, 0.333333135,
];
// erf(x) / x - 1 in x^2 on |x| <= 0.93
const ERF = [-0.000595373625, 0.00498594483, -0.0267617293, 0.112816833, -0.376124799, 0.128379151];
// -log(erfc(x)) / x - 1 on 0.92 <= x <= 4
const ERF_TAIL = [
  1.15221501e-5, -0.000325651054, 0.00365375634, -0.0237853285, 0.106263123, 0.635135949,
  0.128652155,
];
// (sin(r) / r - 1) / r^2 and (cos(r) - 1 + r^2 / 2) / r^4 in r^2 on |r| <= pi / 4
const SIN = [-0.000195164728, 0.00833217241, -0.166666552];
const COS = [2.44375715e-5, -0.00138873607, 0.0416666456];

// (tanh(x) / x - 1) / x^2 in x^2 on |x| <= 0.262
const TANH = [-0.0511895753, 0.13322407, -0.333332092];

const MAGIC = 12582912; // 1.5 * 2^23: adding it rounds to an integer, found in the low bits
const SIGN = -(2 ** 31);

/** x = n ln 2 + r: `shifted` has n in its low bits, `tail` is e^r - 1. */
function splitExp(v: Vectors, x: number): { shifted: number; tail: number } {
  const shifted = v.fma(x, v.f32(Math.LOG2E), v.f32(MAGIC));
  const n = v.sub(shifted, v.f32(MAGIC));
  const r1 = v.fma(n, v.f32(-0.693359375), x);
  const r = v.fma(n, v.f32(2.1219444e-4), r1);
  return { shifted, tail: v.fma(v.mul(r, r), v.poly(r, EXP), r) };
}

/** 2^n as float32, n in the low bits of `shifted` and the result normal. */
const power = (v: Vectors, shifted: number): number =>
  v.shift(i32x4.shl, v.iadd(shifted, v.i32(127)), 23);

/** p * 2^n in two steps, since 2^n alone may leave the range; exactly 0 in the lanes of `vanish`. */
function scale(v: Vectors, p: number, shifted: number, vanish: number): number {
  const n = v.isub(shifted, v.i32(0x4b400000));
  const half = v.shift(i32x4.shrS, n, 1);
  const first = v.shift(i32x4.shl, v.iadd(half, v.i32(127)), 23);
  const second = v.shift(i32x4.shl, v.iadd(v.isub(n, half), v.i32(127)), 23);
  // Underflow would be slow, so what becomes 0 is multiplied by 0.
  return v.mul(v.mul(p, first), v.op(v128.andnot, second, vanish));
}

/** The smaller of x and a limit; NaN stays NaN. */
const atMost = (v: Vectors, x: number, limit: number): number => v.op(f32x4.pmin, x, v.f32(limit));
const atLeast = (v: Vectors, x: number, limit: number): number => v.op(f32x4.pmax, x, v.f32(limit));

function exp(v: Vectors, x: number): number {
  const vanish = v.op(f32x4.lt, x, v.f32(-104));
  const { shifted, tail } = splitExp(v, atMost(v, atLeast(v, x, -104), 89));
  return scale(v, v.add(tail, v.f32(1)), shifted, vanish);
}

function exp2(v: Vectors, x: number): number {
  const vanish = v.op(f32x4.lt, x, v.f32(-151));
  const bounded = atMost(v, atLeast(v, x, -151), 129);
  const shifted = v.add(bounded, v.f32(MAGIC));
  const f = v.sub(bounded, v.sub(shifted, v.f32(MAGIC)));
  return scale(v, v.fma(f, v.poly(f, EXP2), v.f32(1)), shifted, vanish);
}

function log(v: Vectors, x: number): number {
  const tiny = v.op(f32x4.lt, x, v.f32(2 ** -126));
  const normal = v.select(tiny, v.mul(x, v.f32(2 ** 25)), x);
  const exponent = v.shift(i32x4.shrS, v.isub(normal, v.i32(0x3f3504f3)), 23);
  const f = v.sub(v.isub(normal, v.shift(i32x4.shl, exponent, 23)), v.f32(1));
  const e = v.sub(v.op(f32x4.convertI32x4S, exponent), v.and(tiny, v.f32(25)));
  const z = v.mul(f, f);
  let y = v.mul(v.mul(f, z), v.poly(f, LOG));
  y = v.fma(e, v.f32(-2.1219444e-4), y);
  y = v.fma(z, v.f32(-0.5), y);
  const result = v.fma(e, v.f32(0.693359375), v.add(f, y));
  const infinite = v.op(f32x4.eq, x, v.f32(Number.POSITIVE_INFINITY));
  const special = v.select(
    v.op(f32x4.eq, x, v.f32(0)),
    v.f32(Number.NEGATIVE_INFINITY),
    v.select(infinite, x, v.f32(Number.NaN)),
  );
  const usual = v.op(v128.andnot, v.op(f32x4.gt, x, v.f32(0)), infinite);
  return v.select(usual, result, special);
}

function sigmoid(v: Vectors, x: number): number {
  const t = exp(v, v.or(x, v.i32(SIGN)));
  const positive = v.op(f32x4.ge, x, v.f32(0));
  const q = v.div(v.select(positive, v.f32(1), t), v.add(v.f32(1), t));
  // Where t is small, t - t q has less of the errors of q.
  const small = v.op(v128.andnot, v.op(f32x4.lt, t, v.f32(0.35)), positive);
  return v.select(small, v.sub(t, v.mul(t, q)), q);
}

const withSign = (v: Vectors, size: number, x: number): number => v.or(size, v.and(x, v.i32(SIGN)));

function tanh(v: Vectors, x: number): number {
  // (e^2x - 1) / (e^2x + 1), without cancellation; near 0, where its roundings add up, a polynomial.
  const a = atMost(v, v.op(f32x4.abs, x), 10);
  const { shifted, tail } = splitExp(v, v.add(a, a));
  const two = power(v, shifted);
  const t = v.fma(tail, two, v.sub(two, v.f32(1)));
  const far = v.div(t, v.add(t, v.f32(2)));
  const s = v.mul(a, a);
  const near = v.fma(v.mul(a, s), v.poly(s, TANH), a);
  return withSign(v, v.select(v.op(f32x4.lt, a, v.f32(0.26)), near, far), x);
}

function erf(v: Vectors, x: number): number {
  const a = v.op(f32x4.abs, x);
  const s = v.mul(a, a);
  const near = v.fma(x, v.poly(s, ERF), x);
  const b = atMost(v, a, 4);
  const exponent = v.fma(b, v.poly(b, ERF_TAIL), b);
  const { shifted, tail } = splitExp(v, v.op(f32x4.neg, exponent));
  const two = power(v, shifted);
  const far = v.sub(v.f32(1), v.fma(tail, two, two));
  return v.select(v.op(f32x4.lt, a, v.f32(0.92)), near, withSign(v, far, x));
}

/** Angles up to here are reduced with two parts of pi / 2. */
const LARGE_ANGLE = 1e6;

/** `fast`, but in the lanes of `mask`, if any, the JavaScript function. */
function unlessRare(
  { v, slow }: MathContext,
  mask: number,
  fast: number,
  name: string,
  ...args: number[]
): number {
  const { code } = v;
  const out = v.fresh();
  code.get(fast).set(out);
  code.get(mask).op(v128.anyTrue);
  code.if(() => {
    v.scope(() => {
      code.get(v.select(mask, slow(name, ...args), fast)).set(out);
      return [];
    });
  });
  return out;
}

/** sin, or with `turn` 1 cos. */
function sine(context: MathContext, x: number, turn: 0 | 1): number {
  const { v } = context;
  const halves = [x, v.shuffle(x, x, [2, 3, 0, 1])].map((part) =>
    reduceAngle(v, v.op(f64x2.promoteLowF32x4, part)),
  ) as [{ r: number; quadrant: number }, { r: number; quadrant: number }];
  const [low, high] = halves;
  const r = v.shuffle(
    v.op(f32x4.demoteF64x2Zero, low.r),
    v.op(f32x4.demoteF64x2Zero, high.r),
    [0, 1, 4, 5],
  );
  let quadrant = v.shuffle(low.quadrant, high.quadrant, [0, 2, 4, 6]);
  if (turn === 1) quadrant = v.iadd(quadrant, v.i32(1));
  const s = v.mul(r, r);
  const sin = v.mul(r, v.fma(s, v.poly(s, SIN), v.f32(1)));
  const cos = v.fma(v.mul(s, s), v.poly(s, COS), v.fma(s, v.f32(-0.5), v.f32(1)));
  const odd = v.op(i32x4.neg, v.and(quadrant, v.i32(1)));
  const sign = v.shift(i32x4.shl, v.and(quadrant, v.i32(2)), 30);
  const fast = v.xor(v.select(odd, cos, sin), sign);
  const large = v.op(f32x4.ge, v.op(f32x4.abs, x), v.f32(LARGE_ANGLE));
  return unlessRare(context, large, fast, turn === 0 ? 'sin' : 'cos', x);
}

function tan(context: MathContext, x: number): number {
  const { v } = context;
  const fast = inFloat64(v, [x], tan64);
  const large = v.op(f32x4.ge, v.op(f32x4.abs, x), v.f32(LARGE_ANGLE));
  return unlessRare(context, large, fast, 'tan', x);
}

function fmod(context: MathContext, x: number, y: number): number {
  const { v } = context;
  const [ax, ay] = [v.op(f32x4.abs, x), v.op(f32x4.abs, y)];
  const fast = withSign(v, inFloat64(v, [ax, ay], remainder64), x);
  const usual = v.and(
    v.op(f32x4.lt, v.div(ax, ay), v.f32(2 ** 28)),
    v.op(f32x4.lt, ay, v.f32(Number.POSITIVE_INFINITY)),
  );
  return unlessRare(context, v.op(v128.not, usual), fast, 'fmod', x, y);
}

type Formula64 = (v: Vectors, x: number, y: number) => number;
const wide =
  (formula: Formula64): Formula =>
  ({ v }, x) =>
    inFloat64(v, [x], formula);
const wide2 =
  (formula: Formula64): Formula =>
  ({ v }, x, y) =>
    inFloat64(v, [x, y], formula);
const narrow =
  (formula: (v: Vectors, x: number) => number): Formula =>
  ({ v }, x) =>
    formula(v, x);

/**
 * Functions on four float32, each within 2 units in the last place over the whole range: the frequent ones in
 * float32 arithmetic, the others by way of float64.
 */
export const float32Functions: Partial<Record<ExprFunction, Formula>> = {
  exp: narrow(exp),
  exp2: narrow(exp2),
  log: narrow(log),
  sigmoid: narrow(sigmoid),
  tanh: narrow(tanh),
  erf: narrow(erf),
  sin: (context, x) => sine(context, x, 0),
  cos: (context, x) => sine(context, x, 1),
  tan,
  fmod,
  expm1: wide(expm164),
  log1p: wide(log1p64),
  log2: wide((v, x) => v.mul2(log64(v, x), v.f64(Math.LOG2E))),
  log10: wide((v, x) => v.mul2(log64(v, x), v.f64(Math.LOG10E))),
  asin: wide(asin64),
  acos: wide(acos64),
  atan: wide(atan64),
  atan2: wide2(atan264),
  sinh: wide(sinh64),
  cosh: wide(cosh64),
  asinh: wide(asinh64),
  acosh: wide(acosh64),
  atanh: wide(atanh64),
  erfc: wide(erfc64),
  erfinv: wide(erfinv64),
  lgamma: wide(lgamma64),
  digamma: wide(digamma64),
  pow: wide2(pow64),
};
