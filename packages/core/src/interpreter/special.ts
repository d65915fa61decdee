/**
 * Special functions in double precision, each from its series, continued fraction or recurrence:
 * slow and sure, what the fast versions of backends are measured against.
 */

const { exp, log, log1p, sqrt, abs, floor, PI } = Math;
const EULER = 0.5772156649015329;
const TWO_OVER_SQRT_PI = 2 / sqrt(PI);

/** exp(-x^2) without the error of rounding x^2: x is split so that the large square is exact. */
function expMinusSquare(x: number): number {
  const high = Math.fround(x);
  return exp(-high * high) * exp(-(x - high) * (x + high));
}

/** 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!, whose terms all have one sign. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; abs(term) > abs(sum) * 1e-18; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return TWO_OVER_SQRT_PI * expMinusSquare(x) * sum;
}

/** Laplace's continued fraction, evaluated from a depth that leaves nothing visible; for x of at least 1. */
function erfcFraction(x: number): number {
  let tail = x;
  for (let k = Math.ceil(220 / (x * x)) + 10; k >= 1; k--) tail = x + k / 2 / tail;
  return expMinusSquare(x) / (tail * sqrt(PI));
}

/** The error function. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (abs(x) < 2) return x === 0 ? x : erfSeries(x);
  if (abs(x) > 6) return Math.sign(x);
  return x > 0 ? 1 - erfcFraction(x) : erfcFraction(-x) - 1;
}

/** The complement of the error function, 1 - erf(x), accurate where that is small. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 27.5) return 0;
  if (x >= 1) return erfcFraction(x);
  return 1 - erf(x);
}

/** The inverse of the error function: an estimate refined by Halley's method. */
export function erfinv(y: number): number {
  if (!(abs(y) < 1)) return abs(y) === 1 ? y * Number.POSITIVE_INFINITY : Number.NaN;
  if (abs(y) < 1e-8) return y / TWO_OVER_SQRT_PI;
  const target = abs(y);
  const complement = 1 - target;
  const l = log(complement * (1 + target));
  const t = 2 / (PI * 0.147) + l / 2;
  let x = target < 1e-3 ? target / TWO_OVER_SQRT_PI : sqrt(sqrt(t * t - l / 0.147) - t);
  for (let i = 0; i < 4; i++) {
    const error = target < 0.5 ? erf(x) - target : complement - erfc(x);
    const newton = error / (TWO_OVER_SQRT_PI * expMinusSquare(x));
    x -= newton / (1 + x * newton);
  }
  return y < 0 ? -x : x;
}

/** zeta(k) - 1 for k of 2 and more: a direct sum, its tail by Euler and Maclaurin. */
function zetaMinusOne(k: number): number {
  const last = 60;
  let sum = last ** (1 - k) / (k - 1) - 0.5 * last ** -k;
  sum += (k / 12) * last ** (-k - 1) - ((k * (k + 1) * (k + 2)) / 720) * last ** (-k - 3);
  sum += ((k * (k + 1) * (k + 2) * (k + 3) * (k + 4)) / 30240) * last ** (-k - 5);
  for (let n = last; n >= 2; n--) sum += n ** -k;
  return sum;
}
const zetas = Array.from({ length: 40 }, (_, k) => (k < 2 ? 0 : zetaMinusOne(k)));
const bernoulli = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

/** log gamma(2 + z) for |z| of at most 1/2, by its Taylor series, exact in relative terms at z = 0. */
function lgammaNearTwo(z: number): number {
  let sum = 0;
  for (let k = zetas.length - 1; k >= 2; k--)
    sum = sum * z + ((k % 2 ? -1 : 1) * (zetas[k] as number)) / k;
  return z * (1 - EULER + z * sum);
}

/** sin(pi x), the argument reduced exactly. */
function sinPi(x: number): number {
  let r = x % 2;
  if (r > 1) r -= 2;
  else if (r < -1) r += 2;
  if (r > 0.5) r = 1 - r;
  else if (r < -0.5) r = -1 - r;
  return Math.sin(PI * r);
}

/** The logarithm of the absolute value of the gamma function; infinity at its poles. */
export function lgamma(x: number): number {
  if (Number.isNaN(x)) return x;
  if (abs(x) === Number.POSITIVE_INFINITY) return Number.POSITIVE_INFINITY;
  if (x <= 0 && x === floor(x)) return Number.POSITIVE_INFINITY;
  if (x < -0.5) return log(PI / abs(x * sinPi(x))) - lgamma(-x);
  if (x < 0.5) return lgammaNearTwo(x) - log1p(x) + lgammaShiftLog(x);
  if (x < 1.5) return lgammaNearTwo(x - 1) - log1p(x - 1);
  if (x <= 2.5) return lgammaNearTwo(x - 2);
  if (x < 12) {
    let product = 1;
    let y = x;
    while (y > 2.5) product *= --y;
    return log(product) + lgammaNearTwo(y - 2);
  }
  let tail = 0;
  for (let k = bernoulli.length; k >= 1; k--) {
    tail = tail / (x * x) + (bernoulli[k - 1] as number) / (2 * k * (2 * k - 1));
  }
  return (x - 0.5) * (log(x) - 1) + (log(2 * PI) - 1) / 2 + tail / x;
}

/** log gamma(x) - log gamma(1 + x), the pole at 0. */
const lgammaShiftLog = (x: number): number => -log(abs(x));

/** The logarithmic derivative of the gamma function; -+infinity at +-0, NaN at negative integers. */
export function digamma(x: number): number {
  if (x === 0) return Object.is(x, -0) ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  if (x === Number.POSITIVE_INFINITY) return x;
  if (Number.isNaN(x) || (x < 0 && x === floor(x))) return Number.NaN;
  if (x < 0) {
    // Reflection: the cotangent has period 1, and only the fraction of x is exact.
    const fraction = x - Math.round(x);
    return digamma(1 - x) - PI / Math.tan(PI * fraction);
  }
  let shift = 0;
  let y = x;
  while (y < 12) shift += 1 / y++;
  let tail = 0;
  for (let k = bernoulli.length; k >= 1; k--) {
    tail = tail / (y * y) + (bernoulli[k - 1] as number) / (2 * k);
  }
  return log(y) - 0.5 / y - tail / (y * y) - shift;
}
