import { formatShape, RuntimeError } from '../../errors.js';
import { op } from '../../op.js';
import type { OutOptions } from '../../out.js';
import { checkValues } from '../../read.js';
import type { Tensor } from '../../tensor.js';
import { arange } from '../create.js';
import { type Named, named } from '../named.js';
import { writing } from '../writing.js';
import {
  type CheckOptions,
  checkEquations,
  checkFloats,
  checkInfo,
  checkMatrices,
  checkSameDtype,
  checkSquare,
  expandBatches,
} from './checks.js';
import { factorLu, firstColumns, firstRows, fresh, run, solveLu } from './routine.js';

/** Options of LU factorisations. */
export interface LuOptions {
  /** Exchange rows; default true. */
  pivot?: boolean;
}

const factor = op(
  'linalgLuFactorEx',
  'self pivot checkErrors',
  (self: Tensor, pivot: boolean, checkErrors: boolean): Named<['LU', 'pivots', 'info']> => {
    checkMatrices('linalg.luFactor', self);
    checkFloats('linalg.luFactor', self);
    const { lu, pivots, info } = factorLu(self, pivot);
    if (checkErrors) checkInfo('linalg.luFactorEx', info, 'lu');
    return named(['LU', 'pivots', 'info'], lu, pivots, info);
  },
);

/**
 * As `linalg.luFactor`, but a zero on the diagonal of U throws nothing: `info` [...] has its place, counted from 1, else 0.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor_ex.html
 */
export const luFactorEx = writing(
  'linalg.luFactorEx',
  (self: Tensor, options: LuOptions & CheckOptions = {}): Named<['LU', 'pivots', 'info']> =>
    factor(self, options.pivot ?? true, options.checkErrors ?? false),
);

/**
 * Matrices [..., m, n] as P L U, packed: L (with a diagonal of ones, which is left out) and U in one matrix, and the int32
 * `pivots` [..., min(m, n)]: the row, counted from 1, that each row was exchanged with.
 *
 * @throws LinAlgError if U has a zero on its diagonal; RuntimeError if the matrices are not float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.lu_factor.html
 * @example const { LU, pivots } = linalg.luFactor(A); const x = linalg.luSolve(LU, pivots, b);
 */
export const luFactor = writing(
  'linalg.luFactor',
  (self: Tensor, options: LuOptions = {}): Named<['LU', 'pivots']> => {
    const { LU, pivots, info } = factor(self, options.pivot ?? true, false);
    checkInfo('linalg.luFactor', info, 'lu');
    return named(['LU', 'pivots'], LU, pivots);
  },
);

/** P, whose columns are those of the identity in the order of `permutation`. */
function permutationMatrix(like: Tensor, pivots: Tensor, m: number): Tensor {
  const order = fresh(pivots, [...pivots.shape.slice(0, -1), m], 'int64');
  run({ routine: 'permutation', inputs: [pivots], outputs: [order], flags: {} });
  const rows = arange(m, { device: like.device }).unsqueeze(-1);
  return rows.eq(order.unsqueeze(-2)).to(like.dtype);
}

/** L and U, from both in one matrix. */
function triangles(lu: Tensor): [Tensor, Tensor] {
  const [m, n] = lu.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const left = firstColumns(lu, k).tril(-1);
  left.diagonal({ dim1: -2, dim2: -1 }).fill_(1);
  return [left, firstRows(lu, k).triu()];
}

const unpack = op(
  'luUnpack',
  'lu pivots unpackData unpackPivots',
  (
    lu: Tensor,
    pivots: Tensor,
    unpackData: boolean,
    unpackPivots: boolean,
  ): Named<['P', 'L', 'U']> => {
    const none = () => fresh(lu, [0]);
    const P = unpackPivots ? permutationMatrix(lu, pivots, lu.shape.at(-2) as number) : none();
    const [L, U] = unpackData ? triangles(lu) : [none(), none()];
    return named(['P', 'L', 'U'], P, L, U);
  },
);

/** Options of `luUnpack`. */
export interface LuUnpackOptions {
  /** Give L and U; default true. Otherwise they are empty. */
  unpackData?: boolean;
  /** Give P; default true. Otherwise it is empty. */
  unpackPivots?: boolean;
}

/**
 * The factors P [..., m, m], L [..., m, k], U [..., k, n] (k = min(m, n)) from the result of `luFactor`.
 *
 * @throws RuntimeError if pivots are not int32 or do not fit the matrices.
 * @see https://pytorch.org/docs/stable/generated/torch.lu_unpack.html
 */
export const luUnpack = writing(
  'luUnpack',
  (lu: Tensor, pivots: Tensor, options: LuUnpackOptions = {}): Named<['P', 'L', 'U']> => {
    checkMatrices('luUnpack', lu, 'LU');
    const wanted = options.unpackPivots ?? true;
    if (wanted) checkPivots('luUnpack', lu, pivots);
    return unpack(lu, pivots, options.unpackData ?? true, wanted);
  },
);

/** @throws RuntimeError for pivots that are none of those matrices. */
function checkPivots(operation: string, lu: Tensor, pivots: Tensor): void {
  if (pivots.dtype !== 'int32') {
    throw new RuntimeError(
      `${operation}: pivots should be a tensor of int32, as luFactor gives them, got ${pivots.dtype}`,
    );
  }
  const [m, k] = [lu.shape.at(-2) as number, Math.min(...lu.shape.slice(-2))];
  if (pivots.shape.at(-1) !== k) {
    throw new RuntimeError(
      `${operation}: Number of pivots per batch should be same as the dimension of the matrix: ${k} for LU of shape ${formatShape(lu.shape)}, got pivots of shape ${formatShape(pivots.shape)}`,
    );
  }
  checkValues(pivots, (values) => {
    const wrong = (values as Int32Array).find((p) => p < 1 || p > m);
    if (wrong === undefined) return undefined;
    return new RuntimeError(
      `${operation}: pivots passed to luUnpack or luSolve must be between 1 and LU.size(-2) = ${m} inclusive, got ${wrong}. Did you properly pass the result of luFactor?`,
    );
  });
}

const decompose = op('linalgLu', 'self pivot', (self: Tensor, pivot: boolean) => {
  const { lu, pivots } = factorLu(self, pivot);
  const [L, U] = triangles(lu);
  const m = self.shape.at(-2) as number;
  const P = pivot ? permutationMatrix(self, pivots, m) : fresh(self, [0]);
  return named(['P', 'L', 'U'], P, L, U);
});

/**
 * Matrices [..., m, n] as P L U: a permutation [..., m, m], lower triangular [..., m, k] with ones on its diagonal and upper
 * triangular [..., k, n], k = min(m, n). Without `pivot` P is empty.
 *
 * @throws RuntimeError if the matrices are not float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.lu.html
 */
export const lu = writing(
  'linalg.lu',
  (self: Tensor, options: LuOptions = {}): Named<['P', 'L', 'U']> => {
    checkMatrices('linalg.lu', self);
    checkFloats('linalg.lu', self);
    return decompose(self, options.pivot ?? true);
  },
);

const solvePacked = op(
  'linalgLuSolve',
  'lu pivots b left adjoint',
  (lu: Tensor, pivots: Tensor, b: Tensor, left: boolean, adjoint: boolean): Tensor =>
    solveLu(lu, pivots, b, left, adjoint),
);

/** Options of `linalg.luSolve`. */
export interface LuSolveOptions {
  /** Solve A x = b (default true) or x A = b. */
  left?: boolean;
  /** Take A^T for A; default false. */
  adjoint?: boolean;
}

function luSolveOf(
  operation: string,
  lu: Tensor,
  pivots: Tensor,
  b: Tensor,
  left: boolean,
  adjoint: boolean,
): Tensor {
  checkSquare(operation, lu, 'LU');
  checkFloats(operation, lu);
  checkSameDtype(operation, lu, b, ['LU', 'B']);
  checkPivots(operation, lu, pivots);
  checkEquations(operation, lu, b, left);
  const operands = expandBatches(operation, [lu, pivots, b], [2, 1, 2]);
  return solvePacked(...(operands as [Tensor, Tensor, Tensor]), left, adjoint);
}

/**
 * Solves A x = b for matrices b [..., n, k], from the result of `luFactor(A)`; batches broadcast.
 *
 * @throws RuntimeError if shapes or dtypes do not match.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.lu_solve.html
 */
export const luSolve = writing(
  'linalg.luSolve',
  (lu: Tensor, pivots: Tensor, b: Tensor, options: LuSolveOptions = {}): Tensor =>
    luSolveOf('linalg.luSolve', lu, pivots, b, options.left ?? true, options.adjoint ?? false),
);

/** As `linalg.luSolve`, with the right side (`self`) first. */
export const luSolveOfRight = writing(
  'luSolve',
  (self: Tensor, lu: Tensor, pivots: Tensor): Tensor =>
    luSolveOf('luSolve', lu, pivots, self, true, false),
);

type Factors = Named<['LU', 'pivots']>;
type FactorsAndInfos = Named<['LU', 'pivots', 'infos']>;

/** Two results, or three on request. */
interface Lu {
  (self: Tensor, options?: LuOptions & OutOptions<Factors>): Factors;
  (
    self: Tensor,
    options: LuOptions & { getInfos: true } & OutOptions<FactorsAndInfos>,
  ): FactorsAndInfos;
}

/** As `linalg.luFactorEx`; `infos` only with `getInfos`. */
export const luOf = writing(
  'lu',
  (self: Tensor, options: LuOptions & { getInfos?: boolean } = {}): Factors | FactorsAndInfos => {
    const { LU, pivots, info } = factor(self, options.pivot ?? true, false);
    return options.getInfos
      ? named(['LU', 'pivots', 'infos'], LU, pivots, info)
      : named(['LU', 'pivots'], LU, pivots);
  },
) as Lu;
