import type { Tensor } from '../../tensor.js';
import { diagonal as plainDiagonal } from '../view.js';

/** What `torch.linalg` has that is made of other operations. */
export { matmul } from '../matmul.js';
export { vectorNorm } from '../reduce.js';
export { matrixExp } from './matrix-exp.js';
export { type MatrixNorm, matrixNorm, type NormOptions, norm } from './norms.js';
export { cross, matrixPower, multiDot, vecdot } from './products.js';
export { vander } from './vander.js';

/** A view of the diagonals of matrices in two dimensions, by default the last two. */
export const diagonal = (
  self: Tensor,
  options: { offset?: number; dim1?: number; dim2?: number } = {},
): Tensor => plainDiagonal(self, { dim1: -2, dim2: -1, ...options });
