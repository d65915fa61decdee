/**
 * Multiply-adds of one rounding, and elementary functions rounded as a correctly rounding library
 * would in all but one case of several thousand. JavaScript leaves the last bit of `Math.log` and
 * its kin to the engine; PyTorch's float64 samples need it to be right.
 */

const doubles = new Float64Array(1);
const words = new Uint32Array(doubles.buffer);

/** The rounding error of the last `twoSum` or `twoProduct`. */
let rest = 0;

function twoSum(a: number, b: number): number {
  const s = a + b;
  const t = s - a;
  rest = a - (s - t) + (b - t);
  return s;
}

function twoProduct(a: number, b: number): number {
  const p = a * b;
  const ca = 134217729 * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = 134217729 * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  rest = ah * bh - p + ah * bl + al * bh + al * bl;
  return p;
}

/** a + b rounded to odd, so that a second rounding cannot go wrong. */
function addToOdd(a: number, b: number): number {
  const s = twoSum(a, b);
  if (rest === 0) return s;
  doubles[0] = s;
  if ((words[0] as number) & 1) return s;
  if (rest > 0 === s > 0) {
    words[0] = (words[0] as number) | 1;
  } else {
    if (words[0] === 0) words[1] = (words[1] as number) - 1;
    words[0] = (words[0] as number) - 1;
  }
  return doubles[0] as number;
}

/**
 * a * b + c rounded once, for numbers whose product neither overflows nor underflows.
 *
 * @see Boldo and Melquiond, "Emulation of FMA and correctly rounded sums", IEEE TC 57(4), 2008
 */
export function fma64(a: number, b: number, c: number): number {
  const naive = a * b + c;
  if (!Number.isFinite(naive) || c === 0) return naive;
  const uh = twoProduct(a, b);
  const ul = rest;
  const th = twoSum(c, ul);
  const tl = rest;
  const vh = twoSum(uh, th);
  const vl = rest;
  return vh + addToOdd(tl, vl);
}

/** a * b + c of float32 numbers rounded once to float32. */
export function fma32(a: number, b: number, c: number): number {
  const product = a * b; // exact: 24 + 24 bits
  const s = twoSum(product, c);
  if (rest === 0) return Math.fround(s);
  // Half-way between two float32 only by the rounding to double: the lost part decides.
  const rounded = Math.fround(s);
  const off = s - rounded;
  const other = rounded + 2 * off;
  if (off === 0 || Math.fround(other) !== other || rest > 0 !== off > 0) return rounded;
  return other;
}

const LN2_HIGH = 6.931471803691238e-1; // 33 bits, so that multiples are exact
const LN2_LOW = 1.9082149292705877e-10;
const THIRD_LOW = 1.850371707708594e-17; // 1/3 beyond its double

const isNormalPositive = (x: number): boolean =>
  x >= 2.2250738585072014e-308 && x < Number.POSITIVE_INFINITY;

/** log x. */
export function log(x: number): number {
  if (!isNormalPositive(x)) return Math.log(x);
  const high = logParts(x);
  return high + rest;
}

/** The high part of log x for positive, normal x; the low part is left in `rest`. */
function logParts(x: number): number {
  doubles[0] = x;
  let k = ((words[1] as number) >>> 20) - 1023;
  words[1] = ((words[1] as number) & 0xfffff) | 0x3ff00000;
  let m = doubles[0] as number;
  if (m > Math.SQRT2) {
    m /= 2;
    k++;
  }
  // log m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1), |s| < 0.172
  const f = m - 1;
  const gh = twoSum(m, 1);
  const gl = rest;
  const sh = f / gh;
  const sg = twoProduct(sh, gh);
  const sl = (f - sg - rest - sh * gl) / gh;
  const zh = twoProduct(sh, sh);
  const zl = rest + 2 * sh * sl;
  let tail = 1 / 29;
  for (let d = 27; d >= 5; d -= 2) tail = tail * zh + 1 / d;
  const th = twoSum(1 / 3, zh * tail);
  const tl = rest + THIRD_LOW + zl * tail;
  const qh = twoProduct(zh, th);
  const ql = rest + zh * tl + zl * th;
  const ph = twoProduct(sh, qh);
  const pl = rest + sh * ql + sl * qh;
  const mh = twoSum(2 * sh, 2 * ph);
  const ml = rest + 2 * (sl + pl);
  const h = twoSum(k * LN2_HIGH, mh);
  return twoSum(h, rest + (ml + k * LN2_LOW));
}

/** x as the sum of two doubles, x given as an integer count of 2^-160. */
function splitFixed(x: bigint): readonly [number, number] {
  const high = Number(x >> 60n) * 2 ** -100;
  const exact = BigInt(high * 2 ** 100) << 60n;
  return [high, Number(x - exact) * 2 ** -160];
}

const ONE = 1n << 160n;

/** Values of a power series sum x^n / n! with every second term dropped and signs as asked. */
function series(x: bigint, first: bigint, start: number, step: number, alternate: boolean): bigint {
  let term = first;
  let sum = 0n;
  for (let n = start; term !== 0n; n += step) {
    sum += term;
    for (let i = 1; i <= step; i++) term = ((term * x) >> 160n) / BigInt(n + i);
    if (alternate) term = -term;
  }
  return sum;
}

type Table = readonly (readonly [number, number])[];
let sines: Table | undefined;
let cosines: Table | undefined;
let exponentials: Table | undefined;

const range = <T>(from: number, to: number, f: (k: bigint) => T): T[] =>
  Array.from({ length: to - from + 1 }, (_, i) => f(BigInt(from + i)));

let sineHigh = 0;
let sineLow = 0;
let cosineHigh = 0;
let cosineLow = 0;

/** Leaves sin x and cos x, each as a sum of two doubles, in the variables above; for |x| < 1000. */
function sineAndCosine(x: number): void {
  sines ??= range(0, 13, (k) => splitFixed(series((k * ONE) / 16n, (k * ONE) / 16n, 1, 2, true)));
  cosines ??= range(0, 13, (k) => splitFixed(series((k * ONE) / 16n, ONE, 0, 2, true)));
  // r = x - n pi/2 in two doubles; the first two parts of pi/2 have 33 bits, products are exact.
  const n = Math.round(x * (2 / Math.PI));
  const first = twoSum(x - n * 1.5707963267341256, -n * 6.077100506303966e-11);
  const h = twoSum(first, rest - n * 2.0222662487959506e-21);
  const sign = h < 0 ? -1 : 1;
  const rh = sign * h;
  const k = Math.round(rh * 16);
  const d = rh - k / 16;
  const dl = sign * rest;
  const [sh, sl] = sines[k] as readonly [number, number];
  const [ch, cl] = cosines[k] as readonly [number, number];
  const z = d * d;
  const w = dl + d * z * (-1 / 6 + z * (1 / 120 + z * (-1 / 5040 + z / 362880)));
  const v = z * (-1 / 2 + z * (1 / 24 + z * (-1 / 720 + z / 40320))) - d * dl;
  const cd = twoProduct(ch, d);
  const cdl = rest;
  const sine = twoSum(sh, cd);
  const sineRest = rest + (cdl + sl + cl * d + ch * w + sh * v);
  const sd = twoProduct(-sh, d);
  const sdl = rest;
  const cosine = twoSum(ch, sd);
  const cosineRest = rest + (sdl + cl - sl * d - sh * w + ch * v);
  const quadrant = n & 3;
  const swap = (quadrant & 1) === 1;
  const sineSign = (quadrant & 2 ? -1 : 1) * (swap ? 1 : sign);
  const cosineSign = (quadrant === 1 || quadrant === 2 ? -1 : 1) * (swap ? sign : 1);
  sineHigh = sineSign * (swap ? cosine : sine);
  sineLow = sineSign * (swap ? cosineRest : sineRest);
  cosineHigh = cosineSign * (swap ? sine : cosine);
  cosineLow = cosineSign * (swap ? sineRest : cosineRest);
}

/** sin x for |x| < 1000. */
export function sin(x: number): number {
  sineAndCosine(x);
  return sineHigh + sineLow;
}

/** cos x for |x| < 1000. */
export function cos(x: number): number {
  sineAndCosine(x);
  return cosineHigh + cosineLow;
}

/** tan x for |x| < 1000. */
export function tan(x: number): number {
  sineAndCosine(x);
  const c = twoSum(cosineHigh, cosineLow);
  const cl = rest;
  const s = twoSum(sineHigh, sineLow);
  const sl = rest;
  const q = s / c;
  const qc = twoProduct(q, c);
  return q + (s - qc - rest + sl - q * cl) / c;
}

/** e^x. */
export function exp(x: number): number {
  return Math.abs(x) < 700 ? expOfSum(x, 0) : Math.exp(x);
}

/** x to the power of y, for positive x. */
export function pow(x: number, y: number): number {
  const estimate = x ** y;
  if (!isNormalPositive(x) || !isNormalPositive(estimate)) return estimate;
  const high = logParts(x);
  const low = rest;
  const p = twoProduct(y, high);
  return Math.abs(p) < 700 ? expOfSum(p, rest + y * low) : estimate;
}

/** e^(x + low) for |x| < 700 and a low beyond the last bit of x. */
function expOfSum(x: number, low: number): number {
  exponentials ??= range(-12, 12, (j) => splitFixed(series((j * ONE) / 32n, ONE, 0, 1, false)));
  const k = Math.round(x * Math.LOG2E);
  const h = twoSum(x - k * LN2_HIGH, -k * LN2_LOW);
  const l = rest + low;
  const j = Math.round(h * 32);
  const d = h - j / 32;
  const [eh, el] = exponentials[j + 12] as readonly [number, number];
  let tail = 1 / 3628800;
  for (let n = 9, f = 362880; n >= 2; f /= n, n--) tail = tail * d + 1 / f;
  const p = twoProduct(eh, d);
  const pl = rest;
  const sum = twoSum(eh, p);
  return (sum + (rest + (pl + el + el * d + eh * (d * d * tail + l * (1 + d))))) * 2 ** k;
}
