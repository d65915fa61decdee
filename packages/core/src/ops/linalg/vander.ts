import { category } from '../../dtype.js';
import { formatShape, RuntimeError } from '../../errors.js';
import { explaining } from '../../explain.js';
import type { Tensor } from '../../tensor.js';
import { onesLike } from '../create-like.js';
import { cat } from '../join.js';
import { flip } from '../rearrange.js';
import { cumprod } from '../scan.js';
import { expand, narrow, unsqueeze } from '../view.js';

/** The powers 0 to n - 1 of each element, along a new last dimension. */
function powers(x: Tensor, n: number): Tensor {
  const column = unsqueeze(x, -1);
  const ones = onesLike(column);
  if (n <= 1) return narrow(ones, -1, 0, n);
  const repeated = expand(column, [...x.shape, n - 1]);
  return cat([ones, cumprod(repeated, -1, { dtype: x.dtype })], -1);
}

/**
 * Vandermonde matrices: the powers 0 to n - 1 (default: as many as elements) of the elements of vectors.
 *
 * @throws RuntimeError if `n` is below 2.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.vander.html
 * @example linalg.vander(tensor([2, 3])) // tensor([[1., 2.], [1., 3.]])
 */
export const vander = explaining(
  'linalg.vander',
  (self: Tensor, options: { n?: number } = {}): Tensor => {
    const x = self.shape.length === 0 ? unsqueeze(self, 0) : self;
    const n = options.n ?? (x.shape.at(-1) as number);
    if (n < 2) throw new RuntimeError(`linalg.vander: N must be greater than 1, got ${n}`);
    return powers(category(x.dtype) < 2 ? x.to('int64') : x, n);
  },
);

/** The Vandermonde matrix of a vector as older PyTorch has it: highest power first, unless `increasing`. */
export const vanderOfVector = explaining(
  'vander',
  (self: Tensor, options: { n?: number; increasing?: boolean } = {}): Tensor => {
    if (self.shape.length !== 1) {
      throw new RuntimeError(
        `vander: x must be a one-dimensional tensor, got ${formatShape(self.shape)}`,
      );
    }
    const n = options.n ?? (self.shape[0] as number);
    if (n < 0) throw new RuntimeError(`vander: N must be non-negative, got ${n}`);
    const matrix = powers(category(self.dtype) < 2 ? self.to('int64') : self, n);
    return options.increasing ? matrix : flip(matrix, [-1]);
  },
);
