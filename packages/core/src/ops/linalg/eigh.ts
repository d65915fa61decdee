import { NotImplementedError, RuntimeError } from '../../errors.js';
import { explaining } from '../../explain.js';
import { mustRecord, op } from '../../op.js';
import type { Tensor } from '../../tensor.js';
import { type Named, named } from '../named.js';
import { writing } from '../writing.js';
import { checkFloats, checkInfo, checkSquare } from './checks.js';
import { decomposeSymmetric, fresh } from './routine.js';

/** Which triangle of a symmetric matrix is read. */
export interface TriangleOptions {
  /** The lower (`'L'`, default) or the upper one (`'U'`). */
  UPLO?: 'L' | 'U';
}

const decompose = op('linalgEigh', 'self uplo', (self: Tensor, uplo: 'L' | 'U') => {
  const { values, vectors, info } = decomposeSymmetric(self, uplo === 'U', true);
  checkInfo('linalg.eigh', info, 'eigen');
  return named(['eigenvalues', 'eigenvectors'], values, vectors);
});

function triangleOf(operation: string, self: Tensor, uplo = 'L'): 'L' | 'U' {
  checkSquare(operation, self);
  checkFloats(operation, self);
  const name = uplo.toUpperCase();
  if (name !== 'L' && name !== 'U') {
    throw new RuntimeError(
      `${operation}: Expected UPLO argument to be 'L' or 'U', but got ${uplo}`,
    );
  }
  return name;
}

/**
 * The eigenvalues [..., n], ascending, and eigenvectors (columns of [..., n, n]) of symmetric matrices, of which one triangle is
 * read.
 *
 * @throws RuntimeError if they are not square matrices of float32 or float64; LinAlgError if they are not finite.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.eigh.html
 * @example const { eigenvalues, eigenvectors } = linalg.eigh(tensor([[2, 1], [1, 2]])); // 1 and 3
 */
export const eigh = writing(
  'linalg.eigh',
  (self: Tensor, options: TriangleOptions = {}): Named<['eigenvalues', 'eigenvectors']> =>
    decompose(self, triangleOf('linalg.eigh', self, options.UPLO)),
);

/** The eigenvalues alone; gradients need the vectors. */
function valuesOf(operation: string, self: Tensor, uplo: 'L' | 'U'): Tensor {
  if (mustRecord([self])) return decompose(self, uplo).eigenvalues;
  const { values, info } = decomposeSymmetric(self, uplo === 'U', false);
  checkInfo(operation, info, 'eigen');
  return values;
}

/**
 * The eigenvalues of `linalg.eigh`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.eigvalsh.html
 */
export const eigvalsh = writing(
  'linalg.eigvalsh',
  (self: Tensor, options: TriangleOptions = {}): Tensor =>
    valuesOf('linalg.eigvalsh', self, triangleOf('linalg.eigvalsh', self, options.UPLO)),
);

/** Options of `symeig`. */
export interface SymeigOptions {
  /** Give eigenvectors too; default false: they are empty. */
  eigenvectors?: boolean;
  /** Read the upper triangle; default true. */
  upper?: boolean;
}

/** As `linalg.eigh`, by default without vectors and from the upper triangle. */
export const symeig = writing(
  'symeig',
  (self: Tensor, options: SymeigOptions = {}): Named<['eigenvalues', 'eigenvectors']> => {
    const uplo = triangleOf('symeig', self, (options.upper ?? true) ? 'U' : 'L');
    if (options.eigenvectors) return decompose(self, uplo);
    return named(['eigenvalues', 'eigenvectors'], valuesOf('symeig', self, uplo), fresh(self, [0]));
  },
);

/**
 * Refuses: eigenvalues of matrices that are not symmetric are complex numbers, which Sconce does not have.
 *
 * @throws NotImplementedError always; `eigh` and `eigvalsh` take symmetric matrices.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.eig.html
 */
export const eig = explaining('eig', (_self: Tensor): never => {
  throw new NotImplementedError(
    'linalg.eig: the eigenvalues of general matrices are complex numbers, which Sconce does not have; use linalg.eigh for symmetric matrices',
  );
});

/** As `eig`. */
export const eigvals = eig;
