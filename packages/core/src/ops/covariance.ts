import { category } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { checkValues, decode } from '../read.js';
import type { Tensor } from '../tensor.js';
import { div, ge, mul, sub } from './binary.js';
import { to } from './copy.js';
import { mm } from './matmul.js';
import { all, sum } from './reduce.js';
import { clamp } from './ternary.js';
import { sqrt } from './unary.js';
import { diagonal, reshape, squeeze, transpose, unsqueeze } from './view.js';

/** Options of `cov`. */
export interface CovOptions {
  /** Subtracted from the number of observations in the denominator; default 1. */
  correction?: number;
  /** How often each observation (column) counts: integers. */
  fweights?: Tensor | null;
  /** How much each observation (column) counts. */
  aweights?: Tensor | null;
}

/**
 * The covariance matrix of variables in the rows of a matrix, whose columns are observations; a vector is one variable.
 *
 * @throws RuntimeError for more than two dimensions; for weights that are negative or add up to 0 (on WebGPU the next read tells).
 * @see https://pytorch.org/docs/stable/generated/torch.cov.html
 * @example cov(tensor([[0, 1, 2], [2, 1, 0]])) // tensor([[ 1., -1.], [-1.,  1.]])
 */
export const cov = explaining('cov', (self: Tensor, options: CovOptions = {}): Tensor => {
  const { correction = 1, fweights, aweights } = options;
  if (self.shape.length > 2) {
    throw new RuntimeError(
      `cov: expected input to have two or fewer dimensions but got an input with ${formatShape(self.shape)}`,
    );
  }
  if (self.dtype === 'bool') throw new RuntimeError('cov: bool dtype is not supported for input');
  const x = self.shape.length < 2 ? reshape(self, [1, -1]) : self;
  const observations = x.shape[1] as number;
  if (fweights) checkWeights('fweights', fweights, observations, 1);
  if (aweights) checkWeights('aweights', aweights, observations, 2);
  const weights = fweights && aweights ? mul(fweights, aweights) : (fweights ?? aweights);
  if (!weights) {
    const centred = sub(x, div(sum(x, 1, { keepdim: true }), observations));
    const product = mm(centred, transpose(centred, 0, 1));
    return squeeze(div(product, Math.max(observations - correction, 0)));
  }
  const total = sum(weights);
  checkValues(total, ([raw]) =>
    decode(total.dtype, raw as number | bigint) === 0
      ? new RuntimeError("cov: weights sum to zero, can't be normalized")
      : undefined,
  );
  const average = div(sum(mul(x, weights), 1), total);
  const own = aweights ? div(sum(mul(weights, aweights)), total) : undefined;
  const norm = own ? sub(total, mul(own, correction)) : sub(total, correction);
  const centred = sub(x, unsqueeze(average, 1));
  const product = mm(centred, to(transpose(mul(centred, weights), 0, 1), centred.dtype));
  return squeeze(div(product, clamp(norm, 0)));
});

/** @throws RuntimeError unless there is one weight of the category for each observation, none negative. */
function checkWeights(name: string, w: Tensor, observations: number, kind: 1 | 2): void {
  const fail = (fault: string) => new RuntimeError(`cov: ${fault}`);
  if (w.shape.length > 1) {
    throw fail(
      `expected ${name} to have one or fewer dimensions but got ${name} with ${w.shape.length} dimensions`,
    );
  }
  if (category(w.dtype) !== kind) {
    const wanted = kind === 1 ? 'integral' : 'floating point';
    throw fail(`expected ${name} to have ${wanted} dtype but got ${name} with ${w.dtype} dtype`);
  }
  if (w.numel() !== observations) {
    throw fail(
      `expected ${name} to have the same numel as there are observations in the input but got ${w.numel()} != ${observations}`,
    );
  }
  checkValues(all(ge(w, 0)), ([fine]) => (fine ? undefined : fail(`${name} cannot be negative`)));
}

/**
 * The correlation coefficients of variables in the rows of a matrix: `cov` over the standard deviations.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.corrcoef.html
 */
export const corrcoef = explaining('corrcoef', (self: Tensor): Tensor => {
  if (self.shape.length > 2) {
    throw new RuntimeError(
      `corrcoef: expected input to have two or fewer dimensions but got an input with ${formatShape(self.shape)}`,
    );
  }
  const c = cov(self);
  if (c.shape.length === 0) return div(c, c);
  const deviation = sqrt(diagonal(c));
  return clamp(div(div(c, unsqueeze(deviation, 1)), unsqueeze(deviation, 0)), -1, 1);
});
