import { RuntimeError, ValueError } from '../errors.js';
import { execute } from '../execute.js';
import { constant, type Expr, e, input, linearIndex } from '../expr.js';
import { checkMultinomial, checkSum } from '../random/index.js';
import { checkValues } from '../read.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { div, mul, rsub } from './binary.js';
import { to } from './copy.js';
import { philoxBlockExpr, philoxScalars, uniformExpr } from './philox-expr.js';
import { generatorFor, type RandomOptions, sampleInto } from './random-fill.js';
import { amin, sum } from './reduce.js';
import { uniformSampler } from './samplers.js';
import { cumsum } from './scan.js';
import { searchsorted } from './search-sorted.js';
import { topk } from './sort.js';
import { clampMax, clampMin } from './ternary.js';
import { log, neg } from './unary.js';
import { narrow, reshape } from './view.js';

/** Numbers uniform in [0, 1) from the stream of the tensor's device. */
function uniforms(like: Tensor, shape: readonly number[], options: RandomOptions): Tensor {
  const drawn = allocate(shape, 'float32', like.device);
  sampleInto(drawn, uniformSampler(0, 1), options);
  return drawn;
}

/**
 * Categories in proportion to weights, drawn on the device: without replacement the largest quotients of weights and
 * exponential numbers, with it a search in the cumulative weights. What is wrong with weights is told by the next read.
 */
export function multinomialOnDevice(
  self: Tensor,
  samples: number,
  replacement: boolean,
  options: RandomOptions,
): Tensor {
  const categories = self.shape.at(-1) as number;
  checkMultinomial(self.dtype, { categories, samples, replacement });
  const weights = to(self, 'float32');
  checkValues(amin(weights, -1), (least) => {
    const row = (least as Float32Array).findIndex((weight) => !(weight >= 0));
    if (row < 0) return undefined;
    return new RuntimeError(
      `multinomial: weights must be finite and not negative, got ${least[row]} in row ${row}`,
    );
  });
  checkValues(sum(weights, -1), (sums) => {
    const row = (sums as Float32Array).findIndex((total) => !(total > 0 && total < Infinity));
    if (row < 0) return undefined;
    try {
      checkSum(sums[row] as number, row);
    } catch (error) {
      return error as Error;
    }
    return new RuntimeError(
      `multinomial: weights must be finite, which those of row ${row} are not`,
    );
  });
  if (!replacement) {
    // 1 - u is never 0.
    const exponentials = neg(log(rsub(uniforms(self, self.shape, options), 1)));
    return topk(div(weights, clampMin(exponentials, 1e-30)), samples).indices;
  }
  const cumulative = cumsum(weights, -1);
  const totals = narrow(cumulative, -1, categories - 1, 1);
  const drawn = uniforms(self, [...self.shape.slice(0, -1), samples], options);
  // Less than the total even when the product is rounded up.
  const places = mul(mul(drawn, 1 - 2 ** -23), totals);
  return clampMax(searchsorted(cumulative, places, { right: true }), categories - 1);
}

/** How often the rejection for large rates tries; what fails all of it, 1 in 10^6 at worst, is drawn as a normal number. */
const attempts = 8;
const blocks = Math.ceil((2 * attempts + 2) / 4);
const float = (x: number): Expr => constant(x, 'float32');

/**
 * A Poisson number by inversion, for rates below 10.
 *
 * @param u uniform in [0, 1).
 */
function inverted(rate: Expr, u: Expr): Expr {
  let probability = e.exp(e.neg(rate));
  let below = probability;
  let count: Expr = float(0);
  for (let k = 1; k <= 36; k++) {
    probability = e.mul(probability, e.div(rate, float(k)));
    // Where what is left is lost in rounding, there is nothing to be counted.
    const possible = e.or(e.gt(probability, float(1e-9)), e.gt(rate, float(k)));
    const counts = e.and(e.ge(u, below), possible);
    count = e.add(count, e.where(counts, float(1), float(0)));
    below = e.add(below, probability);
  }
  return count;
}

/** log of the probability of k >= 1, without the cancellation of rate - k log(rate) + log(k!). */
function logProbability(rate: Expr, k: Expr): Expr {
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
  return e.neg(e.add(e.mul(k, deviance), e.add(spread, stirling)));
}

/**
 * A Poisson number by transformed rejection, for rates from 10 on.
 *
 * @param words uniform numbers in [0, 1), two for each attempt, and two for a normal number.
 * @see Hörmann, The transformed rejection method for generating Poisson random variables (1993), PTRS
 */
function rejected(rate: Expr, words: readonly Expr[]): Expr {
  const root = e.sqrt(rate);
  const b = e.add(e.mul(root, float(2.53)), float(0.931));
  const a = e.add(e.mul(b, float(0.02483)), float(-0.059));
  const inverseAlpha = e.add(e.div(float(1.1328), e.sub(b, float(3.4))), float(1.1239));
  const quick = e.sub(float(0.9277), e.div(float(3.6224), e.sub(b, float(2))));
  const [u1, u2] = words.slice(-2) as [Expr, Expr];
  const radius = e.sqrt(e.mul(e.log(e.sub(float(1), u1)), float(-2)));
  const normal = e.mul(radius, e.cos(e.mul(u2, float(2 * Math.PI))));
  let result = e.max(e.round(e.add(rate, e.mul(root, normal))), float(0));
  for (let i = attempts - 1; i >= 0; i--) {
    const u = e.sub(words[2 * i] as Expr, float(0.5));
    const v = words[2 * i + 1] as Expr;
    const us = e.max(e.sub(float(0.5), e.abs(u)), float(1e-7));
    const slope = e.add(e.div(e.mul(a, float(2)), us), b);
    const k = e.floor(e.add(e.add(e.mul(slope, u), rate), float(0.43)));
    const one = e.max(k, float(1));
    const accepted = e.le(
      e.sub(e.add(e.log(v), e.log(inverseAlpha)), e.log(e.add(e.div(a, e.mul(us, us)), b))),
      e.where(e.lt(k, float(1)), e.neg(rate), logProbability(rate, one)),
    );
    const inside = e.and(e.ge(k, float(0)), e.or(e.ge(us, float(0.013)), e.le(v, us)));
    const surely = e.and(e.ge(us, float(0.07)), e.le(v, quick));
    result = e.where(e.or(surely, e.and(inside, accepted)), k, result);
  }
  return result;
}

/** Poisson numbers drawn on the device, with the rate each element of `self` gives. */
export function poissonOnDevice(self: Tensor, options: RandomOptions): Tensor {
  const result = allocate(self.shape, self.dtype, self.device);
  const count = numel(self.shape);
  if (count === 0) return result;
  checkValues(amin(reshape(to(self, 'float32'), [-1]), 0), (least) =>
    (least[0] as number) >= 0
      ? undefined
      : new ValueError(`poisson: rates must not be negative, got ${least[0]}`),
  );
  const words = Array.from({ length: blocks }, (_, i) =>
    philoxBlockExpr(e.add(e.mul(linearIndex(), constant(blocks, 'int32')), constant(i, 'int32'))),
  ).flat();
  const numbers = words.map(uniformExpr);
  const rate = input(0, 'float32');
  const value = e.where(
    e.lt(rate, float(10)),
    inverted(rate, numbers[0] as Expr),
    rejected(rate, numbers),
  );
  execute({
    kind: 'map',
    shape: self.shape,
    inputs: [self],
    scalars: philoxScalars(generatorFor(self, options), count * blocks * 4),
    values: [value],
    outputs: [result],
  });
  return result;
}
