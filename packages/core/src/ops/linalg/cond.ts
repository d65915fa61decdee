import { RuntimeError } from '../../errors.js';
import { numel } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../create.js';
import { writing } from '../writing.js';
import { checkMatrices, checkSquare } from './checks.js';
import { type MatrixNorm, matrixNorm } from './norms.js';
import { invEx } from './solve.js';
import { svdvals } from './svd.js';

/**
 * The condition numbers of matrices by a norm: the ratio of the greatest to the smallest singular value (`p` absent or 2), its
 * inverse (-2), or the norm of the matrix times that of its inverse (`'fro'`, `'nuc'`, 1, -1, Infinity, -Infinity).
 *
 * @throws RuntimeError for another norm, or matrices that are not square where an inverse is needed.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.cond.html
 */
export const cond = writing(
  'linalg.cond',
  (self: Tensor, p: MatrixNorm | 'nuc' | null = null): Tensor => {
    checkMatrices('linalg.cond', self);
    const order = p ?? 2;
    if (typeof order === 'string') checkSquare(`linalg.cond(p=${order})`, self);
    const known = typeof order === 'number' ? [1, 2, Infinity] : ['fro', 'nuc'];
    if (!(known as unknown[]).includes(typeof order === 'number' ? Math.abs(order) : order)) {
      throw new RuntimeError(`linalg.cond got an invalid norm type: ${order}`);
    }
    if (numel(self.shape) === 0) {
      return zeros(self.shape.slice(0, -2), { dtype: self.dtype, device: self.device });
    }
    if (order === 2 || order === -2) {
      const values = svdvals(self);
      const [greatest, smallest] = [values.select(-1, 0), values.select(-1, -1)];
      return order === 2 ? greatest.div(smallest) : smallest.div(greatest);
    }
    checkSquare(`linalg.cond(p=${order})`, self);
    if (order === 'nuc') {
      const values = svdvals(self);
      return values.sum(-1).mul(values.reciprocal().sum(-1));
    }
    const { inverse, info } = invEx(self);
    const singular = info.gt(0).unsqueeze(-1).unsqueeze(-1);
    const product = matrixNorm(self, order).mul(
      matrixNorm(inverse.maskedFill(singular, Infinity), order),
    );
    return product.nanToNum(Infinity, Infinity, -Infinity);
  },
);
