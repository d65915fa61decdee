import { f32x4, f64x2, i64x2, v128 } from './opcodes.js';
import type { Vectors } from './vectors.js';

/**
 * Functions on two float64, accurate to about 1e-15 of what float32 arguments can ask for: the plain way to
 * float32 results that are right to the last place. Coefficients are minimax fits of our own.
 */

// (e^r - 1 - r) / r^2 on |r| <= ln2 / 2
const EXP = [
  2.747633530781769e-7, 2.7635406253459805e-6, 2.4801935536277128e-5, 1.9841184329953272e-4,
  1.3888888510045641e-3, 8.333333371473796e-3, 4.1666666668169094e-2, 1.6666666666610372e-1,
  4.999999999999828e-1,
];
// (log((1 + s) / (1 - s)) / s - 2) / s^2 in s^2, |s| <= 0.1717
const LOG = [
  0.16342196092822195, 0.15157244515157195, 0.18189777017687983, 0.2222207761350286,
  0.28571429931434034, 0.39999999994050656, 0.6666666666667538,
];
// (atan(z) / z - 1) / z^2 in z^2, |z| <= tan(pi / 8)
const ATAN = [
  -0.025497809419650668, 0.05039225402429489, -0.06510823176448334, 0.07674417259158392,
  -0.0908962486887619, 0.11111054978243269, -0.14285712891158864, 0.19999999982967223,
  -0.3333333333326159,
];
// (sin(r) / r - 1) / r^2 and (cos(r) - 1) / r^2 in r^2, |r| <= pi / 2
const SIN = [
  -7.37299369306201e-13, 1.6048067173184782e-10, -2.50518793892069e-8, 2.7557316586983384e-6,
  -1.9841269824951677e-4, 8.333333333285174e-3, -1.6666666666666183e-1,
];
const COS = [
  4.6100919177350534e-14, -1.1463020862023989e-11, 2.087656705813352e-9, -2.755731651223558e-7,
  2.4801587279013982e-5, -1.3888888888784906e-3, 4.166666666666435e-2, -4.9999999999999983e-1,
];
// erfc(x) exp(x^2) in (x - 3) / (x + 3), 0 <= x <= 10.3
const ERFCX = [
  1.8512142186185234e-7, 1.3757533177008344e-6, 1.6831404087506902e-6, -8.286486717983394e-6,
  -1.2716312913877698e-5, 6.422377239487453e-5, 4.523769945534999e-5, -5.971045658100689e-4,
  7.077462361722561e-4, 4.269141979834453e-3, -2.4392499146817206e-2, 7.166583683102626e-2,
  -1.501159365080298e-1, 2.456038017214811e-1, -3.262335600430247e-1, 1.7900115118135285e-1,
];
// erfinv(x) / x: in w - 2.5 for w = -log(1 - x^2) below 5, in sqrt(w) - 3 above
const ERFINV_LOW = [
  -5.1929874221302945e-11, -4.698149324234373e-11, 1.1749346234474474e-9, 1.3164705638274136e-9,
  -1.9045019105743377e-8, 1.0286239046805767e-8, 5.092339978375618e-7, -3.4060644470017853e-6,
  -5.051356265746713e-6, 2.182344329634491e-4, -1.2526650323616045e-3, -4.177309102324302e-3,
  2.4664026726138258e-1, 1.5014093503528536,
];
const ERFINV_HIGH = [
  -2.9976125042874352e-5, 1.6082361796328944e-4, -2.765813919625022e-4, -1.204320992822512e-4,
  1.474461106616126e-3, -3.5669234256991236e-3, 5.687891309878771e-3, -7.642786372564293e-3,
  9.445283422006562e-3, 1.001675237074962, 2.8329768017643198,
];
// log gamma(x) / ((x - 1) (x - 2)) in x - 1.875, 0.745 <= x <= 3.005
const LGAMMA = [
  2.057247820715602e-6, -3.6325572719061256e-6, -5.367389005693071e-6, 8.203793271319842e-6,
  1.5936879952604873e-5, -2.594546376558918e-5, 6.584899478695058e-6, -2.089964603565422e-5,
  8.050042987391352e-5, -1.5855662605016827e-4, 3.072528486127839e-4, -6.430534781837598e-4,
  1.3666164234973168e-3, -2.9510581490436727e-3, 6.561918850325096e-3, -1.5252441401268786e-2,
  3.8122505071562396e-2, -1.0918086599853037e-1, 4.3586455220750386e-1,
];
// Bernoulli numbers over 2k (2k - 1) and over 2k, of the asymptotic series.
const STIRLING = [-691 / 360360, 1 / 1188, -1 / 1680, 1 / 1260, -1 / 360, 1 / 12];
const DIGAMMA = [-691 / 32760, 1 / 132, -1 / 240, 1 / 252, -1 / 120, 1 / 12];

const SIGN = -(2n ** 63n);
const MAGIC = 6755399441055744; // 1.5 * 2^52: adding it rounds to an integer, found in the low bits

const isNan = (v: Vectors, a: number): number => v.op(f64x2.ne, a, a);
const negate = (v: Vectors, a: number): number => v.op(f64x2.neg, a);
const magnitude = (v: Vectors, a: number): number => v.op(f64x2.abs, a);
const signOf = (v: Vectors, a: number): number => v.and(a, v.i64(SIGN));

/** e^x; beyond the range of float32 only that it is beyond. */
export function exp64(v: Vectors, x: number): number {
  const low = v.op(f64x2.pmax, x, v.f64(-200));
  const bounded = v.op(f64x2.pmin, low, v.f64(200));
  const shifted = v.fma2(bounded, v.f64(Math.LOG2E), v.f64(MAGIC));
  const n = v.sub2(shifted, v.f64(MAGIC));
  // ln 2 in two parts, the first short enough for an exact product.
  const r1 = v.fma2(n, v.f64(-0.6931471803691238), bounded);
  const r = v.fma2(n, v.f64(-1.9082149292705877e-10), r1);
  const p = v.add2(v.fma2(v.mul2(r, r), v.poly2(r, EXP), r), v.f64(1));
  const scale = v.shift(i64x2.shl, v.op(i64x2.add, shifted, v.i64(1023n)), 52);
  return v.mul2(p, scale);
}

/** log(x), with all special values; `x` is no float64 denormal. */
export function log64(v: Vectors, x: number): number {
  const half = v.i64(0x3fe6a09e667f3bcdn); // sqrt(1/2)
  const exponent = v.shift(i64x2.shrS, v.op(i64x2.sub, x, half), 52);
  const mantissa = v.op(i64x2.sub, x, v.shift(i64x2.shl, exponent, 52));
  const e = v.op(f64x2.convertLowI32x4S, v.shuffle(exponent, exponent, [0, 2, 0, 2]));
  const s = v.div2(v.sub2(mantissa, v.f64(1)), v.add2(mantissa, v.f64(1)));
  const t = v.mul2(s, s);
  const m = v.mul2(s, v.fma2(t, v.poly2(t, LOG), v.f64(2)));
  const result = v.fma2(e, v.f64(Math.LN2), m);
  const infinite = v.op(f64x2.eq, x, v.f64(Number.POSITIVE_INFINITY));
  const special = v.select(
    v.op(f64x2.eq, x, v.f64(0)),
    v.f64(Number.NEGATIVE_INFINITY),
    v.select(infinite, x, v.f64(Number.NaN)),
  );
  const usual = v.op(v128.andnot, v.op(f64x2.gt, x, v.f64(0)), infinite);
  return v.select(usual, result, special);
}

/** sin and cos of an angle of at most pi / 2. */
export function sinCos64(v: Vectors, r: number): { sin: number; cos: number } {
  const s = v.mul2(r, r);
  const sin = v.mul2(r, v.fma2(s, v.poly2(s, SIN), v.f64(1)));
  const cos = v.fma2(s, v.poly2(s, COS), v.f64(1));
  return { sin, cos };
}

/**
 * The angle modulo pi / 2, and the vector in whose low words is the number of right angles
 * taken off; for |x| below about a million.
 */
export function reduceAngle(v: Vectors, x: number): { r: number; quadrant: number } {
  const quadrant = v.fma2(x, v.f64(2 / Math.PI), v.f64(MAGIC));
  const n = v.sub2(quadrant, v.f64(MAGIC));
  const r1 = v.fma2(n, v.f64(-1.5707963267341256), x);
  return { r: v.fma2(n, v.f64(-6.077100506506192e-11), r1), quadrant };
}

export function tan64(v: Vectors, x: number): number {
  const { r, quadrant } = reduceAngle(v, x);
  const { sin, cos } = sinCos64(v, r);
  const odd = v.op(i64x2.neg, v.and(quadrant, v.i64(1n)));
  return v.div2(v.select(odd, negate(v, cos), sin), v.select(odd, sin, cos));
}

export function atan264(v: Vectors, y: number, x: number): number {
  const ax = magnitude(v, x);
  const ay = magnitude(v, y);
  const infinity = v.f64(Number.POSITIVE_INFINITY);
  const one = v.f64(1);
  const large = v.op(f64x2.pmax, ax, ay);
  const small = v.op(f64x2.pmin, ax, ay);
  // Infinite arguments stand in the ratios 0 and 1.
  const unbounded = v.op(f64x2.eq, large, infinity);
  const equal = v.and(v.op(f64x2.eq, small, infinity), one);
  const mx = v.select(unbounded, one, large);
  const mn = v.select(unbounded, equal, small);
  const far = v.op(f64x2.gt, mn, v.mul2(mx, v.f64(0.41421356237309503)));
  const numerator = v.select(far, v.sub2(mn, mx), mn);
  const sum = v.select(far, v.add2(mn, mx), mx);
  const denominator = v.select(v.op(f64x2.eq, sum, v.f64(0)), one, sum);
  const z = v.div2(numerator, denominator);
  const t = v.mul2(z, z);
  const core = v.mul2(z, v.fma2(t, v.poly2(t, ATAN), one));
  const octant = v.add2(core, v.and(far, v.f64(Math.PI / 4)));
  const steep = v.op(f64x2.gt, ay, ax);
  const quarter = v.select(steep, v.sub2(v.f64(Math.PI / 2), octant), octant);
  const left = v.shift(i64x2.shrS, x, 63);
  const angle = v.select(left, v.sub2(v.f64(Math.PI), quarter), quarter);
  const nan = v.or(isNan(v, x), isNan(v, y));
  return v.select(nan, v.add2(x, y), v.or(angle, signOf(v, y)));
}

const root = (v: Vectors, x: number): number =>
  v.op(f64x2.sqrt, v.mul2(v.sub2(v.f64(1), x), v.add2(v.f64(1), x)));

export const asin64 = (v: Vectors, x: number): number => atan264(v, x, root(v, x));
export const acos64 = (v: Vectors, x: number): number => atan264(v, root(v, x), x);
export const atan64 = (v: Vectors, x: number): number => atan264(v, x, v.f64(1));

/** `near` where |x| is below 2^-12, so that a short series is exact enough. */
function nearZero(v: Vectors, x: number, near: number, far: number): number {
  return v.select(v.op(f64x2.lt, magnitude(v, x), v.f64(2 ** -12)), near, far);
}

export function expm164(v: Vectors, x: number): number {
  const near = v.mul2(x, v.fma2(x, v.fma2(x, v.f64(1 / 6), v.f64(0.5)), v.f64(1)));
  return nearZero(v, x, near, v.sub2(exp64(v, x), v.f64(1)));
}

export function log1p64(v: Vectors, x: number): number {
  const near = v.mul2(x, v.fma2(x, v.fma2(x, v.f64(1 / 3), v.f64(-0.5)), v.f64(1)));
  return nearZero(v, x, near, log64(v, v.add2(v.f64(1), x)));
}

export function sinh64(v: Vectors, x: number): number {
  const near = v.mul2(x, v.fma2(v.mul2(x, x), v.f64(1 / 6), v.f64(1)));
  const e = exp64(v, x);
  const far = v.mul2(v.sub2(e, v.div2(v.f64(1), e)), v.f64(0.5));
  return nearZero(v, x, near, far);
}

export function cosh64(v: Vectors, x: number): number {
  const e = exp64(v, x);
  return v.mul2(v.add2(e, v.div2(v.f64(1), e)), v.f64(0.5));
}

export function asinh64(v: Vectors, x: number): number {
  const near = v.mul2(x, v.fma2(v.mul2(x, x), v.f64(-1 / 6), v.f64(1)));
  const a = magnitude(v, x);
  const far = log64(v, v.add2(a, v.op(f64x2.sqrt, v.fma2(a, a, v.f64(1)))));
  return nearZero(v, x, near, v.or(far, signOf(v, x)));
}

export function acosh64(v: Vectors, x: number): number {
  const one = v.f64(1);
  const inner = v.mul2(v.sub2(x, one), v.add2(x, one));
  const result = log64(v, v.add2(x, v.op(f64x2.sqrt, inner)));
  // Below -1 the root is real again.
  return v.select(v.op(f64x2.lt, x, one), v.f64(Number.NaN), result);
}

export function atanh64(v: Vectors, x: number): number {
  const near = v.mul2(x, v.fma2(v.mul2(x, x), v.f64(1 / 3), v.f64(1)));
  const ratio = v.div2(v.add2(v.f64(1), x), v.sub2(v.f64(1), x));
  return nearZero(v, x, near, v.mul2(log64(v, ratio), v.f64(0.5)));
}

export function erfc64(v: Vectors, x: number): number {
  const a = v.op(f64x2.pmin, magnitude(v, x), v.f64(10.3));
  const u = v.div2(v.sub2(a, v.f64(3)), v.add2(a, v.f64(3)));
  const tail = v.mul2(exp64(v, negate(v, v.mul2(a, a))), v.poly2(u, ERFCX));
  const negative = v.op(f64x2.lt, x, v.f64(0));
  return v.select(negative, v.sub2(v.f64(2), tail), tail);
}

export function erfinv64(v: Vectors, x: number): number {
  const one = v.f64(1);
  const w = negate(v, log64(v, v.mul2(v.sub2(one, x), v.add2(one, x))));
  const low = v.poly2(v.sub2(w, v.f64(2.5)), ERFINV_LOW);
  const high = v.poly2(v.sub2(v.op(f64x2.sqrt, w), v.f64(3)), ERFINV_HIGH);
  const result = v.mul2(x, v.select(v.op(f64x2.lt, w, v.f64(5)), low, high));
  const end = v.op(f64x2.eq, magnitude(v, x), one);
  return v.select(end, v.mul2(x, v.f64(Number.POSITIVE_INFINITY)), result);
}

/** x - round(x), the distance from the nearest integer. */
const fraction = (v: Vectors, x: number): number => v.sub2(x, v.op(f64x2.nearest, x));

export function lgamma64(v: Vectors, x: number): number {
  const one = v.f64(1);
  const negative = v.op(f64x2.lt, x, v.f64(0));
  // Reflection turns a negative argument into one above 1.
  const z = v.select(negative, v.sub2(one, x), x);
  const shifted = v.op(f64x2.lt, z, v.f64(8));
  const y = v.select(shifted, v.add2(z, v.f64(8)), z);
  let product = z;
  for (let k = 1; k < 8; k++) product = v.mul2(product, v.add2(z, v.f64(k)));
  const inverse = v.div2(one, y);
  const series = v.mul2(inverse, v.poly2(v.mul2(inverse, inverse), STIRLING));
  const main = v.fma2(v.sub2(y, v.f64(0.5)), log64(v, y), negate(v, y));
  const stirling = v.add2(v.add2(main, v.f64(0.9189385332046727)), series);
  const far = v.sub2(stirling, log64(v, v.select(shifted, product, one)));
  const poly = v.poly2(v.sub2(z, v.f64(1.875)), LGAMMA);
  // The sum with 0 turns the zero at 1, which is a negative one, into that of 2.
  const near = v.fma2(v.mul2(v.sub2(z, one), v.sub2(z, v.f64(2))), poly, v.f64(0));
  const inside = v.and(v.op(f64x2.ge, z, v.f64(0.75)), v.op(f64x2.le, z, v.f64(3)));
  const positive = v.select(inside, near, far);
  const { sin } = sinCos64(v, v.mul2(fraction(v, x), v.f64(Math.PI)));
  const reflected = v.sub2(log64(v, v.div2(v.f64(Math.PI), magnitude(v, sin))), positive);
  const result = v.select(negative, reflected, positive);
  const infinite = v.op(f64x2.eq, magnitude(v, x), v.f64(Number.POSITIVE_INFINITY));
  return v.select(infinite, magnitude(v, x), result);
}

export function digamma64(v: Vectors, x: number): number {
  const one = v.f64(1);
  const negative = v.op(f64x2.lt, x, v.f64(0));
  const z = v.select(negative, v.sub2(one, x), x);
  const shifted = v.op(f64x2.lt, z, v.f64(8));
  const y = v.select(shifted, v.add2(z, v.f64(8)), z);
  // The sum of 1 / (z + k) as the logarithmic derivative of a product.
  let product = z;
  let derivative = one;
  for (let k = 1; k < 8; k++) {
    const factor = v.add2(z, v.f64(k));
    derivative = v.fma2(derivative, factor, product);
    product = v.mul2(product, factor);
  }
  const sum = v.and(shifted, v.div2(derivative, product));
  const inverse = v.div2(one, y);
  const square = v.mul2(inverse, inverse);
  const series = v.fma2(square, v.poly2(square, DIGAMMA), v.mul2(inverse, v.f64(0.5)));
  const positive = v.sub2(v.sub2(log64(v, y), series), sum);
  const f = fraction(v, x);
  const { sin, cos } = sinCos64(v, v.mul2(f, v.f64(Math.PI)));
  const cotangent = v.div2(v.mul2(v.f64(Math.PI), cos), sin);
  const pole = v.op(f64x2.eq, f, v.f64(0));
  const reflected = v.select(pole, v.f64(Number.NaN), v.sub2(positive, cotangent));
  return v.select(negative, reflected, positive);
}

/** x^y with the special cases of C. */
export function pow64(v: Vectors, x: number, y: number): number {
  const one = v.f64(1);
  const infinity = v.f64(Number.POSITIVE_INFINITY);
  const ax = magnitude(v, x);
  const size = exp64(v, v.mul2(y, log64(v, ax)));
  const whole = v.op(f64x2.eq, v.op(f64x2.nearest, y), y);
  const half = v.mul2(y, v.f64(0.5));
  const odd = v.op(v128.andnot, whole, v.op(f64x2.eq, v.op(f64x2.nearest, half), half));
  const signed = v.or(size, v.and(odd, signOf(v, x)));
  const finiteNegative = v.and(v.op(f64x2.lt, x, v.f64(0)), v.op(f64x2.lt, ax, infinity));
  const undefinedHere = v.op(v128.andnot, finiteNegative, whole);
  const result = v.or(signed, v.and(undefinedHere, v.f64(Number.NaN)));
  const unit = v.or(
    v.or(v.op(f64x2.eq, y, v.f64(0)), v.op(f64x2.eq, x, one)),
    v.and(v.op(f64x2.eq, ax, one), v.op(f64x2.eq, magnitude(v, y), infinity)),
  );
  return v.select(unit, one, result);
}

/** Remainder of positive numbers whose quotient is below 2^29, where the products are exact. */
export function remainder64(v: Vectors, x: number, y: number): number {
  const q = v.op(f64x2.floor, v.div2(x, y));
  const r = v.sub2(x, v.mul2(q, y));
  // The quotient may have been rounded across an integer.
  const low = v.add2(r, v.and(v.op(f64x2.lt, r, v.f64(0)), y));
  return v.sub2(low, v.and(v.op(f64x2.ge, low, y), y));
}

/** Applies a float64 formula to float32 vectors, half by half. */
export function inFloat64(
  v: Vectors,
  args: readonly number[],
  formula: (v: Vectors, ...halves: [number, number]) => number,
): number {
  const halves = [0, 1].map((half) =>
    v.scoped(() => {
      const wide = args.map((a) =>
        v.op(f64x2.promoteLowF32x4, half === 0 ? a : v.shuffle(a, a, [2, 3, 0, 1])),
      );
      return v.op(f32x4.demoteF64x2Zero, formula(v, wide[0] as number, wide[1] as number));
    }),
  );
  return v.shuffle(halves[0] as number, halves[1] as number, [0, 1, 4, 5]);
}
