import { op } from '../../op.js';
import type { Tensor } from '../../tensor.js';
import { type Named, named } from '../named.js';
import { writing } from '../writing.js';
import {
  type CheckOptions,
  checkFloats,
  checkInfo,
  checkSameDtype,
  checkSizes,
  checkSquare,
  expandBatches,
} from './checks.js';
import { columns, firstZero, fresh, identities, run, solveTriangles, turned } from './routine.js';

/** Options of Cholesky factorisations. */
export interface CholeskyOptions {
  /** Read and give the upper triangle, U with U^T U = A; default false: L with L L^T = A. */
  upper?: boolean;
}

const factorCholesky = op(
  'linalgCholeskyEx',
  'self upper checkErrors',
  (self: Tensor, upper: boolean, checkErrors: boolean): Named<['L', 'info']> => {
    checkSquare('linalg.cholesky', self);
    checkFloats('linalg.cholesky', self);
    const factor = columns(self, self.shape);
    const info = fresh(self, self.shape.slice(0, -2), 'int32');
    run({ routine: 'cholesky', inputs: [self], outputs: [factor, info], flags: { upper } });
    if (checkErrors) checkInfo('linalg.choleskyEx', info, 'cholesky');
    return named(['L', 'info'], factor, info);
  },
);

/**
 * As `linalg.cholesky`, but a matrix that is not positive-definite throws nothing: `info` [...] has the order of its first
 * leading minor that is not, else 0.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.cholesky_ex.html
 */
export const choleskyEx = writing(
  'linalg.choleskyEx',
  (self: Tensor, options: CholeskyOptions & CheckOptions = {}): Named<['L', 'info']> =>
    factorCholesky(self, options.upper ?? false, options.checkErrors ?? false),
);

const checked = (operation: string, self: Tensor, upper: boolean): Tensor => {
  const { L, info } = factorCholesky(self, upper, false);
  checkInfo(operation, info, 'cholesky');
  return L;
};

/**
 * The lower triangular L with L L^T = A of symmetric positive-definite matrices [..., n, n], of which the lower triangle is read;
 * with `upper`, U with U^T U = A from the upper one.
 *
 * @throws LinAlgError if a matrix is not positive-definite; RuntimeError if they are not square matrices of float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.cholesky.html
 * @example linalg.cholesky(tensor([[4, 2], [2, 5]])) // [[2, 0], [1, 2]]
 */
export const cholesky = writing(
  'linalg.cholesky',
  (self: Tensor, options: CholeskyOptions = {}): Tensor =>
    checked('linalg.cholesky', self, options.upper ?? false),
);

/** As `linalg.cholesky`. */
export const choleskyOf = writing(
  'cholesky',
  (self: Tensor, options: CholeskyOptions = {}): Tensor =>
    checked('cholesky', self, options.upper ?? false),
);

const solveCholesky = op(
  'choleskySolve',
  'self other upper',
  (self: Tensor, other: Tensor, upper: boolean): Tensor => solveFactor(self, other, upper),
);

/** Solves A x = b from a triangular factor of A. */
function solveFactor(b: Tensor, factor: Tensor, upper: boolean): Tensor {
  const other = turned(factor);
  return upper
    ? solveTriangles(factor, solveTriangles(other, b, false), true)
    : solveTriangles(other, solveTriangles(factor, b, false), true);
}

/**
 * Solves A x = b for matrices b [..., n, k] (`self`), with the Cholesky factor of A [..., n, n]; batches broadcast.
 *
 * @throws RuntimeError if shapes or dtypes do not match.
 * @see https://pytorch.org/docs/stable/generated/torch.cholesky_solve.html
 */
export const choleskySolve = writing(
  'choleskySolve',
  (self: Tensor, factor: Tensor, options: CholeskyOptions = {}): Tensor => {
    checkSquare('choleskySolve', factor);
    checkFloats('choleskySolve', factor);
    checkSameDtype('choleskySolve', factor, self);
    checkSizes('choleskySolve', factor, self);
    const [b, a] = expandBatches('choleskySolve', [self, factor]) as [Tensor, Tensor];
    return solveCholesky(b, a, options.upper ?? false);
  },
);

const invertCholesky = op(
  'choleskyInverse',
  'self upper',
  (self: Tensor, upper: boolean): Tensor =>
    solveFactor(identities(self, self.shape.at(-1) as number), self, upper),
);

/**
 * The inverse of A from its Cholesky factor [..., n, n].
 *
 * @throws RuntimeError if the factors are not square matrices of float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.cholesky_inverse.html
 */
export const choleskyInverse = writing(
  'choleskyInverse',
  (self: Tensor, options: CholeskyOptions = {}): Tensor => {
    checkSquare('choleskyInverse', self);
    checkFloats('choleskyInverse', self);
    if (self.numel() > 0) checkInfo('choleskyInverse', firstZero(self), 'inverse');
    return invertCholesky(self, options.upper ?? false);
  },
);
