import { RuntimeError } from '../../errors.js';
import { normalizeDims, numel } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { movedim, reshape } from '../view.js';
import { writing } from '../writing.js';
import { inv, solve } from './solve.js';

/**
 * The inverse of a tensor as a map from its last dimensions to its first `ind` ones: of shape [...shape[ind:], ...shape[:ind]], such
 * that `tensordot(result, x, ind)` solves `tensordot(self, y, ...) = x`.
 *
 * @throws RuntimeError if `ind` is not positive or both groups of dimensions differ in size; LinAlgError if it is singular.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.tensorinv.html
 */
export const tensorinv = writing(
  'linalg.tensorinv',
  (self: Tensor, options: { ind?: number } = {}): Tensor => {
    const ind = options.ind ?? 2;
    if (!(Number.isInteger(ind) && ind > 0)) {
      throw new RuntimeError(
        `linalg.tensorinv: Expected a strictly positive integer for 'ind', but got ${ind}`,
      );
    }
    const [first, last] = [self.shape.slice(0, ind), self.shape.slice(ind)];
    const [rows, columns] = [numel(first), numel(last)];
    if (rows !== columns) {
      throw new RuntimeError(
        `linalg.tensorinv: Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), but got ${columns} != ${rows}`,
      );
    }
    return reshape(inv(reshape(self, [rows, columns])), [...last, ...first]);
  },
);

/**
 * The tensor X with `tensordot(self, X, X.ndim) = other`; the dimensions `dims` of self are moved to the end first.
 *
 * @throws RuntimeError if the dimensions of X and of `other` differ in size; LinAlgError if `self` is singular.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.tensorsolve.html
 */
export const tensorsolve = writing(
  'linalg.tensorsolve',
  (self: Tensor, other: Tensor, options: { dims?: readonly number[] | null } = {}): Tensor => {
    let a = self;
    if (options.dims) {
      const dims = normalizeDims('linalg.tensorsolve', options.dims, self.shape.length);
      a = movedim(
        self,
        dims,
        dims.map((_, i) => self.shape.length - dims.length + i),
      );
    }
    const rest = a.shape.slice(other.shape.length);
    const [rows, columns] = [numel(other.shape), numel(rest)];
    if (rows !== columns || numel(a.shape.slice(0, other.shape.length)) !== rows) {
      throw new RuntimeError(
        `linalg.tensorsolve: Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == prod(self.shape[:other.ndim]), but got ${columns} != ${rows}`,
      );
    }
    return reshape(solve(reshape(a, [rows, columns]), reshape(other, [-1])), rest);
  },
);
