import { formatShape, RuntimeError } from '../errors.js';
import { normalizeDim } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, mul } from './binary.js';
import { vectorNorm } from './reduce.js';
import { where } from './ternary.js';
import { reciprocal } from './unary.js';
import { writing } from './writing.js';

/**
 * The parts of a tensor along `dim`, with those whose `p`-norm is above `maxnorm` scaled down to it.
 *
 * @throws RuntimeError if `p` is not positive, `maxnorm` is negative, or there are fewer than two dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.renorm.html
 */
export const renorm = writing(
  'renorm',
  (self: Tensor, p: number, dim: number, maxnorm: number): Tensor => {
    if (!(p > 0)) throw new RuntimeError('renorm: non-positive-norm not supported');
    if (!(maxnorm >= 0)) {
      throw new RuntimeError(`renorm: expected maxnorm to be >= 0 but got ${maxnorm}`);
    }
    if (self.shape.length < 2) {
      throw new RuntimeError(
        `renorm: input needs at least 2 dimensions, got ${self.shape.length} dimensions (${formatShape(self.shape)})`,
      );
    }
    const d = normalizeDim('renorm', dim, self.shape.length);
    const others = self.shape.map((_, i) => i).filter((i) => i !== d);
    const norm = vectorNorm(self, p, others, { keepdim: true });
    const factor = mul(reciprocal(add(norm, 1e-7)), maxnorm);
    return mul(self, where(norm.gt(maxnorm), factor, 1));
  },
);
