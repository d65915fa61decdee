import type { DType, TypedArray } from '../dtype.js';
import { ValueError } from '../errors.js';
import { exp, fma64, log, pow, tan } from './exact-arithmetic.js';
import type { Mt19937 } from './mt19937.js';
import { nextNormal } from './normal.js';
import { fillWith, requireFloating } from './samples.js';

/**
 * Fills `out` with exponential samples of rate `lambda`, as PyTorch's CPU `exponential_`: double
 * arithmetic on one 53-bit uniform an element, whatever the dtype.
 *
 * @throws NotImplementedError if `dtype` is not floating; ValueError if lambda < 0.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.exponential_.html
 */
export function fillExponential(out: TypedArray, dtype: DType, engine: Mt19937, lambda = 1): void {
  requireFloating('exponential_', dtype);
  if (!(lambda >= 0))
    throw new ValueError(`exponential_: lambda must be at least 0, got ${lambda}`);
  const scale = -1 / lambda;
  if (out instanceof Float32Array) {
    // Rounded to float32, the engine's logarithm is as good as the exact one and much faster.
    for (let i = 0; i < out.length; i++) out[i] = scale * Math.log(1 - engine.uniformDouble());
  } else {
    fillWith(out, dtype, () => scale * log(1 - engine.uniformDouble()));
  }
}

/**
 * Fills `out` with Cauchy samples, as PyTorch's CPU `cauchy_`.
 *
 * @throws NotImplementedError if `dtype` is not floating.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.cauchy_.html
 */
export function fillCauchy(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  median = 0,
  sigma = 1,
): void {
  requireFloating('cauchy_', dtype);
  fillWith(out, dtype, () => fma64(sigma, tan(Math.PI * (engine.uniformDouble() - 0.5)), median));
}

/**
 * Fills `out` with e to the power of normals, as PyTorch's CPU `log_normal_`; it shares the cached
 * second normal with `fillNormalScalar`.
 *
 * @throws NotImplementedError if `dtype` is not floating; ValueError if std <= 0.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.log_normal_.html
 */
export function fillLogNormal(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  mean = 1,
  std = 2,
): void {
  requireFloating('log_normal_', dtype);
  if (!(std > 0)) throw new ValueError(`log_normal_: std must be positive, got ${std}`);
  fillWith(out, dtype, () => exp(nextNormal(engine, mean, std)));
}

/**
 * Fills `out`, of any dtype but bool, with the number of trials up to the first success of
 * probability `p`, as PyTorch's CPU `geometric_`.
 *
 * @throws ValueError if `p` is not inside (0, 1).
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.geometric_.html
 */
export function fillGeometric(out: TypedArray, dtype: DType, engine: Mt19937, p: number): void {
  if (!(p > 0 && p < 1)) throw new ValueError(`geometric_: p must be in (0, 1), got ${p}`);
  const failure = log(1 - p);
  fillWith(out, dtype, () => Math.ceil(log(engine.uniformDouble()) / failure));
}

/**
 * Fills `out[i]` with a Poisson sample of rate `rates[i]`, as PyTorch's CPU `poisson`: products of
 * uniforms below rate 10, from there on transformed rejection.
 *
 * @param rates as many as `out`, as numbers.
 * @throws ValueError if a rate is negative.
 * @see Hörmann, "The transformed rejection method for generating Poisson random variables", 1993
 * @see https://pytorch.org/docs/stable/generated/torch.poisson.html
 */
export function fillPoisson(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  rates: ArrayLike<number>,
): void {
  requireFloating('poisson', dtype);
  let i = 0;
  fillWith(out, dtype, () => poisson(rates[i++] as number, engine));
}

function poisson(rate: number, engine: Mt19937): number {
  if (!(rate >= 0)) throw new ValueError(`poisson: rates must not be negative, got ${rate}`);
  if (rate === 0) return 0;
  if (rate < 10) {
    const limit = Math.exp(-rate);
    let count = 0;
    for (let product = engine.uniformDouble(); product > limit; count++) {
      product *= engine.uniformDouble();
    }
    return count;
  }
  const logRate = Math.log(rate);
  const b = 0.931 + 2.53 * Math.sqrt(rate);
  const a = -0.059 + 0.02483 * b;
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4);
  const quickLimit = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const u = engine.uniformDouble() - 0.5;
    const v = engine.uniformDouble();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= quickLimit) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const accept = Math.log(v) + Math.log(inverseAlpha) - Math.log(a / (us * us) + b);
    if (accept <= -rate + k * logRate - logFactorial(k)) return k;
  }
}

/** log k! by Stirling's series, which after shifting k up to 16 is exact to the last bits. */
function logFactorial(k: number): number {
  let x = k + 1;
  let product = 1;
  while (x < 16) product *= x++;
  const z = 1 / (x * x);
  const series = (1 / 12 + z * (-1 / 360 + z * (1 / 1260 + z * (-1 / 1680 + z / 1188)))) / x;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series - Math.log(product);
}

/**
 * Fills `out[i]` with a Gamma sample of shape `shapes[i]` and rate 1, as PyTorch's CPU
 * `_standard_gamma`.
 *
 * @param shapes as many as `out`, as numbers.
 * @see Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26(3), 2000
 * @see https://pytorch.org/docs/stable/distributions.html#gamma
 */
export function fillGamma(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  shapes: ArrayLike<number>,
): void {
  requireFloating('_standard_gamma', dtype);
  const single = dtype !== 'float64';
  const least = single ? 2 ** -126 : 2 ** -1022;
  let i = 0;
  fillWith(out, dtype, () => Math.max(least, gamma(shapes[i++] as number, single, engine)));
}

function gamma(shape: number, single: boolean, engine: Mt19937): number {
  const round = single ? Math.fround : (x: number) => x;
  let scale = 1;
  let alpha = shape;
  if (alpha < 1) {
    if (alpha === 0) return 0;
    scale = pow(1 - engine.uniformDouble(), round(1 / alpha));
    alpha = round(alpha + 1);
  }
  // PyTorch takes the constants of the algorithm in float32.
  const d = round(alpha - Math.fround(1 / 3));
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    let x: number;
    let y: number;
    do {
      x = nextNormal(engine, 0, 1);
      y = 1 + c * x;
    } while (y <= 0);
    const v = y * y * y;
    const u = 1 - engine.uniformDouble();
    const xx = x * x;
    if (u < 1 - Math.fround(0.0331) * xx * xx) return scale * d * v;
    if (Math.log(u) < 0.5 * xx + d * (1 - v + Math.log(v))) return scale * d * v;
  }
}

/**
 * Fills `out[i]` with the number of successes in `counts[i]` trials of probability
 * `probabilities[i]`, as PyTorch's CPU `binomial`: by geometric gaps while fewer than 10 successes
 * (or failures) are expected, else by transformed rejection.
 *
 * @see Hörmann, "The generation of binomial random variates", 1993
 * @see https://pytorch.org/docs/stable/distributions.html#binomial
 */
export function fillBinomial(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  counts: ArrayLike<number>,
  probabilities: ArrayLike<number>,
): void {
  requireFloating('binomial', dtype);
  const round = dtype === 'float64' ? (x: number) => x : Math.fround;
  let i = 0;
  fillWith(out, dtype, () => {
    const count = counts[i] as number;
    const p = probabilities[i++] as number;
    if (count <= 0 || p <= 0) return 0;
    if (p >= 1) return count;
    if (Number.isNaN(p)) return Number.NaN;
    const rare = p <= 0.5 ? p : round(1 - p);
    const sample =
      round(count * rare) >= 10
        ? binomialByRejection(count, rare, round, engine)
        : binomialByGaps(count, round(Math.log1p(-rare)), engine);
    return p <= 0.5 ? sample : count - sample;
  });
}

function binomialByGaps(count: number, failure: number, engine: Mt19937): number {
  let successes = 0;
  for (let trials = 0; ; successes++) {
    trials += Math.ceil(Math.log(engine.uniformDouble()) / failure);
    if (trials > count) return successes;
  }
}

function binomialByRejection(
  count: number,
  p: number,
  round: (x: number) => number,
  engine: Mt19937,
): number {
  const deviation = round(Math.sqrt(round(round(count * p) * round(1 - p))));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const c = round(count * p) + 0.5;
  const quickLimit = 0.92 - 4.2 / b;
  const r = round(p / round(1 - p));
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor(round(round(count + 1) * p));
  for (;;) {
    const u = engine.uniformDouble() - 0.5;
    let v = engine.uniformDouble();
    const us = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / us + b) * u + c);
    if (k < 0 || k > count) continue;
    if (us >= 0.07 && v <= quickLimit) return k;
    v = Math.log((v * alpha) / (a / (us * us) + b));
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (r * (count - mode + 1))) +
      (count + 1) * Math.log((count - mode + 1) / (count - k + 1)) +
      (k + 0.5) * Math.log((r * (count - k + 1)) / (k + 1)) +
      stirlingTail(mode) +
      stirlingTail(count - mode) -
      stirlingTail(k) -
      stirlingTail(count - k);
    if (v <= bound) return k;
  }
}

/** What Stirling's formula for log k! leaves out. */
const stirlingTail = (k: number): number =>
  logFactorial(k) - ((k + 0.5) * Math.log(k + 1) - (k + 1) + 0.5 * Math.log(2 * Math.PI));
