import { ValueError } from '../errors.js';
import { execute } from '../execute.js';
import { constant, type Expr, e, input, linearIndex } from '../expr.js';
import { checkValues } from '../read.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { to } from './copy.js';
import { philoxBlockExpr, philoxScalars, uniformExpr } from './philox-expr.js';
import { generatorFor, type RandomOptions } from './random-fill.js';
import { amax, amin } from './reduce.js';
import { reshape } from './view.js';

/** How often a rejection tries; what fails all of it, 1 in 10^6 at worst, is drawn as a normal number. */
const attempts = 8;
const blocks = Math.ceil((2 * attempts + 2) / 4);
const float = (x: number): Expr => constant(x, 'float32');

/**
 * Counts by inversion: how many of the first probabilities a uniform number exceeds the sum of.
 *
 * @param u uniform in [0, 1).
 * @param first the probability of 0.
 * @param next the probability of k >= 1 from that of k - 1.
 * @param mean below 10.
 */
function inverted(u: Expr, mean: Expr, first: Expr, next: (before: Expr, k: number) => Expr): Expr {
  let probability = first;
  let below = probability;
  let count: Expr = float(0);
  for (let k = 1; k <= 36; k++) {
    probability = next(probability, k);
    // Where what is left is lost in rounding, there is nothing to be counted.
    const possible = e.or(e.gt(probability, float(1e-9)), e.gt(mean, float(k)));
    const counts = e.and(e.ge(u, below), possible);
    count = e.add(count, e.where(counts, float(1), float(0)));
    below = e.add(below, probability);
  }
  return count;
}

/**
 * log of the probability of `k` in a Poisson distribution of that rate, without the cancellation of
 * rate - k log(rate) + log(k!).
 *
 * @see Loader, Fast and Accurate Computation of Binomial Probabilities (2000)
 */
function logPoisson(rate: Expr, count: Expr): Expr {
  const k = e.max(count, float(1));
  const x = e.div(e.sub(rate, k), k);
  // x - log1p(x)
  let series: Expr = float(0);
  for (let n = 9; n >= 2; n--) {
    series = e.add(e.mul(series, x), float(n % 2 === 0 ? 1 / n : -1 / n));
  }
  const deviance = e.where(
    e.lt(e.abs(x), float(0.1)),
    e.mul(series, e.mul(x, x)),
    e.sub(x, e.log1p(x)),
  );
  const inverse = e.div(float(1), k);
  const cube = e.mul(inverse, e.mul(inverse, inverse));
  const stirling = e.sub(e.mul(inverse, float(1 / 12)), e.mul(cube, float(1 / 360)));
  const spread = e.mul(e.log(e.mul(k, float(2 * Math.PI))), float(0.5));
  const log = e.neg(e.add(e.mul(k, deviance), e.add(spread, stirling)));
  return e.where(e.lt(count, float(1)), e.neg(rate), log);
}

/** A distribution as transformed rejection sees it. */
interface Bell {
  readonly mean: Expr;
  readonly deviation: Expr;
  readonly a: Expr;
  readonly b: Expr;
  /** Where the middle of the transformed distribution is. */
  readonly center: Expr;
  /** Below this, the first test needs no probabilities. */
  readonly quick: Expr;
  /** The height of the hat over the probabilities, whose logarithms the last function gives. */
  readonly height: Expr;
  readonly greatest?: Expr;
  readonly logProbability: (k: Expr) => Expr;
}

/**
 * Counts by transformed rejection, for means from 10 on.
 *
 * @param words uniform numbers in [0, 1), two for each attempt, and two for a normal number.
 * @see Hörmann, The transformed rejection method for generating Poisson random variables (1993);
 * The generation of binomial random variates (1993)
 */
function rejected(bell: Bell, words: readonly Expr[]): Expr {
  const { mean, deviation, a, b, center, quick, greatest } = bell;
  const [u1, u2] = words.slice(-2) as [Expr, Expr];
  const radius = e.sqrt(e.mul(e.log(e.sub(float(1), u1)), float(-2)));
  const normal = e.mul(radius, e.cos(e.mul(u2, float(2 * Math.PI))));
  let result = e.max(e.round(e.add(mean, e.mul(deviation, normal))), float(0));
  if (greatest) result = e.min(result, greatest);
  for (let i = attempts - 1; i >= 0; i--) {
    const u = e.sub(words[2 * i] as Expr, float(0.5));
    const v = words[2 * i + 1] as Expr;
    const us = e.max(e.sub(float(0.5), e.abs(u)), float(1e-7));
    const slope = e.add(e.div(e.mul(a, float(2)), us), b);
    const k = e.floor(e.add(e.mul(slope, u), center));
    let inside = e.ge(k, float(0));
    if (greatest) inside = e.and(inside, e.le(k, greatest));
    const hat = e.div(bell.height, e.add(e.div(a, e.mul(us, us)), b));
    const accepted = e.le(e.log(e.mul(v, hat)), bell.logProbability(k));
    const possible = e.and(inside, e.or(e.ge(us, float(0.013)), e.le(v, us)));
    const surely = e.and(inside, e.and(e.ge(us, float(0.07)), e.le(v, quick)));
    result = e.where(e.or(surely, e.and(possible, accepted)), k, result);
  }
  return result;
}

const poissonBell = (rate: Expr): Bell => {
  const deviation = e.sqrt(rate);
  const b = e.add(e.mul(deviation, float(2.53)), float(0.931));
  return {
    mean: rate,
    deviation,
    a: e.add(e.mul(b, float(0.02483)), float(-0.059)),
    b,
    center: e.add(rate, float(0.43)),
    quick: e.sub(float(0.9277), e.div(float(3.6224), e.sub(b, float(2)))),
    height: e.add(e.div(float(1.1328), e.sub(b, float(3.4))), float(1.1239)),
    logProbability: (k) => logPoisson(rate, k),
  };
};

/** @param p at most 0.5. */
const binomialBell = (n: Expr, p: Expr): Bell => {
  const q = e.sub(float(1), p);
  const mean = e.mul(n, p);
  const deviation = e.sqrt(e.mul(mean, q));
  const b = e.add(e.mul(deviation, float(2.53)), float(1.15));
  const scale = e.mul(e.add(e.div(float(5.1), b), float(2.83)), deviation);
  // The number of successes and of failures, given their sum.
  const log = (k: Expr): Expr =>
    e.sub(e.add(logPoisson(mean, k), logPoisson(e.mul(n, q), e.sub(n, k))), logPoisson(n, n));
  const mode = log(e.floor(e.mul(e.add(n, float(1)), p)));
  return {
    mean,
    deviation,
    a: e.add(e.add(e.mul(b, float(0.0248)), e.mul(p, float(0.01))), float(-0.0873)),
    b,
    center: e.add(mean, float(0.5)),
    quick: e.sub(float(0.92), e.div(float(4.2), b)),
    height: scale,
    greatest: n,
    logProbability: (k) => e.sub(log(k), mode),
  };
};

/** Draws counts by one kernel over operands and uniform numbers. */
function drawn(
  operands: readonly Tensor[],
  shape: readonly number[],
  options: RandomOptions,
  value: (operands: readonly Expr[], uniforms: readonly Expr[]) => Expr,
): Tensor {
  const [first] = operands as [Tensor];
  const result = allocate(shape, first.dtype, first.device);
  const count = numel(shape);
  if (count === 0) return result;
  const words = Array.from({ length: blocks }, (_, i) =>
    philoxBlockExpr(e.add(e.mul(linearIndex(), constant(blocks, 'int32')), constant(i, 'int32'))),
  ).flat();
  execute({
    kind: 'map',
    shape,
    inputs: operands,
    scalars: philoxScalars(generatorFor(first, options), count * blocks * 4),
    values: [
      value(
        operands.map((_, i) => input(i, 'float32')),
        words.map(uniformExpr),
      ),
    ],
    outputs: [result],
  });
  return result;
}

/** Tells the next read of elements outside of a range. */
function expectRange(t: Tensor, least: number, most: number, message: (x: number) => string): void {
  if (numel(t.shape) === 0) return;
  const all = reshape(to(t, 'float32'), [-1]);
  const check = (values: ArrayLike<number | bigint>) => {
    const x = values[0] as number;
    return x >= least && x <= most ? undefined : new ValueError(message(x));
  };
  checkValues(amin(all, 0), check);
  if (most < Infinity) checkValues(amax(all, 0), check);
}

/** Poisson numbers drawn on the device, with the rate each element of `self` gives. */
export function poissonOnDevice(self: Tensor, options: RandomOptions): Tensor {
  expectRange(self, 0, Infinity, (x) => `poisson: rates must not be negative, got ${x}`);
  return drawn([self], self.shape, options, ([rate], uniforms) => {
    const r = rate as Expr;
    const small = inverted(uniforms[0] as Expr, r, e.exp(e.neg(r)), (before, k) =>
      e.mul(before, e.div(r, float(k))),
    );
    return e.where(e.lt(r, float(10)), small, rejected(poissonBell(r), uniforms));
  });
}

/** Numbers of successes drawn on the device, of `count` trials with the probability `prob`. */
export function binomialOnDevice(
  count: Tensor,
  prob: Tensor,
  shape: readonly number[],
  options: RandomOptions,
): Tensor {
  expectRange(count, 0, Infinity, (x) => `binomial: counts must not be negative, got ${x}`);
  expectRange(prob, 0, 1, (x) => `binomial: probabilities must be in [0, 1], got ${x}`);
  return drawn([count, prob], shape, options, ([trials, success], uniforms) => {
    const n = e.floor(trials as Expr);
    const half = e.le(success as Expr, float(0.5));
    const p = e.where(half, success as Expr, e.sub(float(1), success as Expr));
    const mean = e.mul(n, p);
    const odds = e.div(p, e.sub(float(1), p));
    const small = inverted(
      uniforms[0] as Expr,
      mean,
      e.exp(e.mul(n, e.log1p(e.neg(p)))),
      (before, k) =>
        e.mul(before, e.mul(odds, e.div(e.max(e.sub(n, float(k - 1)), float(0)), float(k)))),
    );
    const counted = e.where(
      e.lt(mean, float(10)),
      e.min(small, n),
      rejected(binomialBell(n, p), uniforms),
    );
    return e.where(half, counted, e.sub(n, counted));
  });
}
