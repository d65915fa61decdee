import { explaining } from '../../explain.js';
import type { Tensor } from '../../tensor.js';
import { diagonal as plainDiagonal } from '../view.js';

/** What `torch.linalg` has. */
export { matmul } from '../matmul.js';
export { vectorNorm } from '../reduce.js';
export type { CheckOptions } from './checks.js';
export { type CholeskyOptions, cholesky, choleskyEx } from './cholesky.js';
export { cond } from './cond.js';
export { det, slogdet } from './det.js';
export { eig, eigh, eigvals, eigvalsh, type TriangleOptions } from './eigh.js';
export { type LdlOptions, ldlFactor, ldlFactorEx, ldlSolve } from './ldl.js';
export { type LstsqDriver, type LstsqOptions, lstsq } from './lstsq.js';
export { type LuOptions, type LuSolveOptions, lu, luFactor, luFactorEx, luSolve } from './lu.js';
export { matrixExp } from './matrix-exp.js';
export { type MatrixNorm, matrixNorm, type NormOptions, norm } from './norms.js';
export { matrixRank, pinv } from './pinv.js';
export { cross, matrixPower, multiDot, vecdot } from './products.js';
export { householderProduct, type QrMode, qr } from './qr.js';
export {
  inv,
  invEx,
  type SolveOptions,
  type SolveTriangularOptions,
  solve,
  solveEx,
  solveTriangular,
} from './solve.js';
export { svd, svdvals } from './svd.js';
export { tensorinv, tensorsolve } from './tensor-equations.js';
export type { SpectralOptions, Tolerance, ToleranceOptions } from './tolerance.js';
export { vander } from './vander.js';

/** A view of the diagonals of matrices in two dimensions, by default the last two. */
export const diagonal = explaining(
  'linalg.diagonal',
  (self: Tensor, options: { offset?: number; dim1?: number; dim2?: number } = {}): Tensor =>
    plainDiagonal(self, { dim1: -2, dim2: -1, ...options }),
);
