import { category, getDefaultDtype } from '../../dtype.js';
import { RuntimeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { add } from '../binary.js';
import { lgamma } from '../unary.js';
import { writing } from '../writing.js';

/**
 * The logarithm of the multivariate gamma function of dimension `p`.
 *
 * Only elements above (p - 1) / 2 have a meaningful value.
 *
 * @throws RuntimeError if `p` is not a whole number of at least 1.
 * @see https://pytorch.org/docs/stable/special.html#torch.special.multigammaln
 */
export const mvlgamma = writing(
  'mvlgamma',
  (self: Tensor, p: number): Tensor => {
    if (!(Number.isInteger(p) && p >= 1)) {
      throw new RuntimeError(`mvlgamma: p has to be greater than or equal to 1, got ${p}`);
    }
    if (self.dtype === 'bool')
      throw new RuntimeError('mvlgamma: The input tensor may not be a boolean tensor.');
    const x = category(self.dtype) < 2 ? self.to(getDefaultDtype()) : self;
    let total = lgamma(x);
    for (let j = 1; j < p; j++) total = add(total, lgamma(add(x, -j / 2)));
    return add(total, (p * (p - 1) * Math.log(Math.PI)) / 4);
  },
  'castable',
);
