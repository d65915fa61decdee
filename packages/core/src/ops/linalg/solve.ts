import { formatShape, RuntimeError } from '../../errors.js';
import { op } from '../../op.js';
import { sameShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { type Named, named } from '../named.js';
import { squeeze, unsqueeze } from '../view.js';
import { writing } from '../writing.js';
import {
  type CheckOptions,
  checkEquations,
  checkFloats,
  checkInfo,
  checkSameDtype,
  checkSizes,
  checkSquare,
  expandBatches,
} from './checks.js';
import {
  factorLu,
  identities,
  liesInRows,
  solveLu,
  solveTriangles,
  stretched,
  turned,
} from './routine.js';

const solveGeneral = op(
  'linalgSolveEx',
  'self b left checkErrors turn',
  (
    self: Tensor,
    b: Tensor,
    left: boolean,
    checkErrors: boolean,
    turn: boolean,
  ): Named<['result', 'LU', 'pivots', 'info']> => {
    // A matrix that all right sides share is factored once.
    const batch = b.shape.slice(0, -2);
    const { lu, pivots, info } = factorLu(turn ? turned(self) : self);
    if (checkErrors) checkInfo('linalg.solveEx', info, 'solve');
    return named(
      ['result', 'LU', 'pivots', 'info'],
      solveLu(stretched(lu, batch, 2), stretched(pivots, batch, 1), b, left, turn),
      lu,
      pivots,
      info,
    );
  },
);

/** Options of `linalg.solve`. */
export interface SolveOptions {
  /** Solve A x = b (default true) or x A = b. */
  left?: boolean;
}

/** Whether b is one right side for each matrix of a. */
const isVector = (a: Tensor, b: Tensor): boolean =>
  b.shape.length === 1 ||
  (a.shape.length - 1 === b.shape.length && sameShape(b.shape, a.shape.slice(0, -1)));

function solveWith(
  operation: string,
  a: Tensor,
  b: Tensor,
  left: boolean,
  checkErrors: boolean,
): { result: Tensor; info: Tensor } {
  checkSquare(operation, a);
  checkFloats(operation, a);
  checkSameDtype(operation, a, b);
  const vector = isVector(a, b);
  const right = vector ? unsqueeze(b, -1) : b;
  checkEquations(operation, a, right, left);
  if (vector && !left) {
    throw new RuntimeError(
      `${operation}: Vector broadcasting of the left hand side is not supported for left=False. In this case linalg.solve is equivalent to B / A.squeeze(-1); A has shape ${formatShape(a.shape)}, B ${formatShape(b.shape)}`,
    );
  }
  const sides = expandBatches(operation, [a, right])[1] as Tensor;
  const { result, info } = solveGeneral(a, sides, left, checkErrors, liesInRows(a));
  return { result: vector ? squeeze(result, -1) : result, info };
}

/**
 * As `linalg.solve`, but singular matrices throw nothing: `info` [...] is not 0 for them.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.solve_ex.html
 */
export const solveEx = writing(
  'linalg.solveEx',
  (a: Tensor, b: Tensor, options: SolveOptions & CheckOptions = {}): Named<['result', 'info']> => {
    const { left = true, checkErrors = false } = options;
    const { result, info } = solveWith('linalg.solveEx', a, b, left, checkErrors);
    return named(['result', 'info'], result, info);
  },
);

/**
 * The solution of A x = b for square matrices A [..., n, n]: b is a vector [n], one vector a matrix [..., n], or matrices [..., n, k];
 * batches broadcast.
 *
 * @throws LinAlgError if a matrix is singular; RuntimeError if shapes or dtypes do not match.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.solve.html
 * @example linalg.solve(tensor([[2, 0], [0, 4]]), tensor([2, 2])) // [1, 0.5]
 */
export const solve = writing(
  'linalg.solve',
  (a: Tensor, b: Tensor, options: SolveOptions = {}): Tensor => {
    const { result, info } = solveWith('linalg.solve', a, b, options.left ?? true, false);
    checkInfo('linalg.solve', info, 'solve');
    return result;
  },
);

const solveTriangle = op(
  'linalgSolveTriangular',
  'self b upper left unitriangular',
  solveTriangles,
);

/** Options of `linalg.solveTriangular`. */
export interface SolveTriangularOptions {
  /** Whether A is upper or lower triangular; the other triangle is not read. */
  upper: boolean;
  /** Solve A x = b (default true) or x A = b. */
  left?: boolean;
  /** The diagonal counts as ones and is not read; default false. */
  unitriangular?: boolean;
}

/**
 * The solution of A x = b for triangular A [..., n, n] and matrices b [..., n, k]; batches broadcast. Zeros on the diagonal give
 * infinities or NaN.
 *
 * @throws RuntimeError if shapes or dtypes do not match.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.solve_triangular.html
 */
export const solveTriangular = writing(
  'linalg.solveTriangular',
  (a: Tensor, b: Tensor, options: SolveTriangularOptions): Tensor => {
    const { upper, left = true, unitriangular = false } = options;
    checkSquare('linalg.solveTriangular', a);
    checkFloats('linalg.solveTriangular', a);
    checkSameDtype('linalg.solveTriangular', a, b);
    checkEquations('linalg.solveTriangular', a, b, left);
    const [matrices, sides] = expandBatches('linalg.solveTriangular', [a, b]) as [Tensor, Tensor];
    return solveTriangle(matrices, sides, upper, left, unitriangular);
  },
);

/** Options of `triangularSolve`. */
export interface TriangularSolveOptions {
  /** Whether A is upper triangular; default true. */
  upper?: boolean;
  /** Take A^T for A; default false. */
  transpose?: boolean;
  /** The diagonal counts as ones; default false. */
  unitriangular?: boolean;
}

/** As `linalg.solveTriangular`, with the right side (`self`) first; gives A too, expanded to the batch. */
export const triangularSolve = writing(
  'triangularSolve',
  (
    self: Tensor,
    a: Tensor,
    options: TriangularSolveOptions = {},
  ): Named<['solution', 'clonedCoefficient']> => {
    const { upper = true, transpose = false, unitriangular = false } = options;
    checkSquare('triangularSolve', a);
    checkFloats('triangularSolve', a);
    checkSameDtype('triangularSolve', a, self);
    checkSizes('triangularSolve', a, self);
    const [matrices, sides] = expandBatches('triangularSolve', [a, self]) as [Tensor, Tensor];
    const solution = transpose
      ? solveTriangle(matrices.transpose(-2, -1), sides, !upper, true, unitriangular)
      : solveTriangle(matrices, sides, upper, true, unitriangular);
    return named(['solution', 'clonedCoefficient'], solution, matrices.clone());
  },
);

const invert = op(
  'linalgInvEx',
  'self checkErrors',
  (self: Tensor, checkErrors: boolean): Named<['inverse', 'info']> => {
    const turn = liesInRows(self);
    const { lu, pivots, info } = factorLu(turn ? turned(self) : self);
    if (checkErrors) checkInfo('linalg.invEx', info, 'inverse');
    const one = identities(self, self.shape.at(-1) as number);
    return named(['inverse', 'info'], solveLu(lu, pivots, one, true, turn), info);
  },
);

/**
 * As `linalg.inv`, but singular matrices throw nothing: `info` [...] is not 0 for them.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.inv_ex.html
 */
export const invEx = writing(
  'linalg.invEx',
  (self: Tensor, options: CheckOptions = {}): Named<['inverse', 'info']> => {
    checkSquare('linalg.invEx', self);
    checkFloats('linalg.invEx', self);
    return invert(self, options.checkErrors ?? false);
  },
);

/**
 * The inverses of square matrices [..., n, n].
 *
 * @throws LinAlgError if a matrix is singular; RuntimeError if they are not square matrices of float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.inv.html
 */
export const inv = writing('linalg.inv', (self: Tensor): Tensor => {
  checkSquare('linalg.inv', self);
  checkFloats('linalg.inv', self);
  const { inverse, info } = invert(self, false);
  checkInfo('linalg.inv', info, 'inverse');
  return inverse;
});

/** As `linalg.inv`. */
export const inverse = inv;
