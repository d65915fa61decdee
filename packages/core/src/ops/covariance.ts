import { category, getDefaultDtype } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { div, mul, sub } from './binary.js';
import { to } from './copy.js';
import { mm } from './matmul.js';
import { mean, sum } from './reduce.js';
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
 * @throws RuntimeError for more than two dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.cov.html
 * @example cov(tensor([[0, 1, 2], [2, 1, 0]])) // tensor([[ 1., -1.], [-1.,  1.]])
 */
export const cov = (self: Tensor, options: CovOptions = {}): Tensor => {
  const { correction = 1, fweights, aweights } = options;
  if (self.shape.length > 2) {
    throw new RuntimeError(
      `cov: expected input to have two or fewer dimensions but got an input with ${formatShape(self.shape)}`,
    );
  }
  const rows = self.shape.length < 2 ? reshape(self, [1, -1]) : self;
  const x = category(rows.dtype) < 2 ? to(rows, getDefaultDtype()) : rows;
  const observations = x.shape[1] as number;
  for (const [name, w] of Object.entries({ fweights, aweights })) {
    if (w && (w.shape.length > 1 || w.numel() !== observations)) {
      throw new RuntimeError(
        `cov: expected ${name} to have one element for each of the ${observations} observations, got ${formatShape(w.shape)}`,
      );
    }
  }
  const weights = fweights && aweights ? mul(fweights, aweights) : (fweights ?? aweights);
  if (!weights) {
    const centred = sub(x, mean(x, 1, { keepdim: true }));
    const product = mm(centred, transpose(centred, 0, 1));
    return squeeze(div(product, Math.max(observations - correction, 0)));
  }
  const w = to(weights, x.dtype);
  const total = sum(w);
  const average = div(sum(mul(x, w), 1), total);
  const own = aweights ? div(sum(mul(w, aweights)), total) : undefined;
  const norm = own ? sub(total, mul(own, correction)) : sub(total, correction);
  const centred = sub(x, unsqueeze(average, 1));
  return squeeze(div(mm(centred, transpose(mul(centred, w), 0, 1)), clamp(norm, 0)));
};

/**
 * The correlation coefficients of variables in the rows of a matrix: `cov` over the standard deviations.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.corrcoef.html
 */
export const corrcoef = (self: Tensor): Tensor => {
  if (self.shape.length > 2) {
    throw new RuntimeError(
      `corrcoef: expected input to have two or fewer dimensions but got an input with ${formatShape(self.shape)}`,
    );
  }
  const c = cov(self);
  if (c.shape.length === 0) return div(c, c);
  const deviation = sqrt(diagonal(c));
  return clamp(div(div(c, unsqueeze(deviation, 1)), unsqueeze(deviation, 0)), -1, 1);
};
