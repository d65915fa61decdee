import { isFloatingPoint } from '../../dtype.js';
import { formatShape, LinAlgError, RuntimeError } from '../../errors.js';
import { checkValues } from '../../read.js';
import { broadcastShapes, sameShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { expand } from '../view.js';

/** Options of functions that say in `info` what failed instead of throwing. */
export interface CheckOptions {
  /** Throw all the same; default false. */
  checkErrors?: boolean;
}

/** @throws RuntimeError if a tensor is not of matrices. */
export function checkMatrices(operation: string, a: Tensor, name = 'A'): void {
  if (a.shape.length < 2) {
    throw new RuntimeError(
      `${operation}: The input tensor ${name} must have at least 2 dimensions, got shape ${formatShape(a.shape)}.`,
    );
  }
}

/** @throws RuntimeError if a tensor is not of square matrices. */
export function checkSquare(operation: string, a: Tensor, name = 'A'): void {
  checkMatrices(operation, a, name);
  const [m, n] = a.shape.slice(-2) as [number, number];
  if (m !== n) {
    throw new RuntimeError(
      `${operation}: ${name} must be batches of square matrices, but they are ${m} by ${n} matrices`,
    );
  }
}

/** @throws RuntimeError for dtypes that are not float32 or float64. */
export function checkFloats(operation: string, a: Tensor): void {
  if (!isFloatingPoint(a.dtype)) {
    throw new RuntimeError(
      `${operation}: Expected a floating point or complex tensor as input. Got ${a.dtype}; convert it with .to('float32')`,
    );
  }
  if (a.dtype !== 'float32' && a.dtype !== 'float64') {
    throw new RuntimeError(
      `${operation}: not implemented for ${a.dtype}: Low precision dtypes not supported. Got ${a.dtype}; convert it with .to('float32')`,
    );
  }
}

/** @throws RuntimeError if two operands differ in dtype. */
export function checkSameDtype(
  operation: string,
  a: Tensor,
  b: Tensor,
  names: readonly [string, string] = ['A', 'B'],
): void {
  if (a.dtype !== b.dtype) {
    throw new RuntimeError(
      `${operation}: Expected ${names[0]} and ${names[1]} to have the same dtype, but found ${names[0]} of type ${a.dtype} and ${names[1]} of type ${b.dtype} instead`,
    );
  }
}

/** @throws RuntimeError if the sizes of `a` x = `b` (or x `a` = `b`) do not match. */
export function checkEquations(operation: string, a: Tensor, b: Tensor, left = true): void {
  checkMatrices(operation, b, 'B');
  if (a.shape.at(-2) !== b.shape.at(left ? -2 : -1)) {
    const [one, other] = [a, b].map((t) => `${t.shape.at(-2)}x${t.shape.at(-1)}`);
    throw new RuntimeError(
      `${operation}: Incompatible shapes of A and B for the equation ${left ? 'AX = B' : 'XA = B'} (${one} and ${other})`,
    );
  }
}

/** As `checkEquations`, in the words of the functions that take factors. */
export function checkSizes(operation: string, a: Tensor, b: Tensor): void {
  checkMatrices(operation, b, 'b');
  if (a.shape.at(-2) !== b.shape.at(-2)) {
    const [one, other] = [a, b].map((t) => `${t.shape.at(-2)} by ${t.shape.at(-1)}`);
    throw new RuntimeError(
      `${operation}: Incompatible matrix sizes: each A matrix is ${one} but each b matrix is ${other}`,
    );
  }
}

/** The operands with the same batch dimensions, each without the last `ranks[i]`. */
export function expandBatches(
  operation: string,
  tensors: readonly Tensor[],
  ranks: readonly number[] = tensors.map(() => 2),
): Tensor[] {
  const lead = (t: Tensor, rank: number) => t.shape.slice(0, t.shape.length - rank);
  let batch: readonly number[] = [];
  tensors.forEach((t, i) => {
    batch = broadcastShapes(operation, batch, lead(t, ranks[i] as number));
  });
  return tensors.map((t, i) => {
    const rank = ranks[i] as number;
    if (sameShape(lead(t, rank), batch)) return t;
    return expand(t, [...batch, ...t.shape.slice(t.shape.length - rank)]);
  });
}

/** What went wrong in a matrix, by the routine's `info`. */
const failures = {
  cholesky: (info: number) =>
    `The factorization could not be completed because the input is not positive-definite (the leading minor of order ${info} is not positive-definite).`,
  solve: () => 'The solver failed because the input matrix is singular.',
  inverse: (info: number) =>
    `The diagonal element ${info} is zero, the inversion could not be completed because the input matrix is singular.`,
  eigen: (info: number) =>
    `The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated eigenvalues (error code: ${info}).`,
  svd: (info: number) =>
    info < 0
      ? 'The algorithm failed to converge because the input matrix contained non-finite values.'
      : `The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated singular values (error code: ${info}).`,
  leastSquares: (info: number) =>
    `The least squares problem could not be solved because the input matrix does not have full rank (error code: ${info}).`,
  lu: (info: number) =>
    `U[${info},${info}] is zero and using it on luSolve would result in a division by zero. If you still want to perform the factorization, consider calling linalg.lu(A, { pivot }) or linalg.luFactorEx(A, { pivot })`,
  ldl: (info: number) =>
    `Factorization was successful, but D[${info},${info}] is zero; solving with it would result in a division by zero. Consider linalg.ldlFactorEx(A)`,
} as const;

/**
 * Raises the first failure that the `info` of a routine tells of; on devices that cannot be read at once it is what the
 * next read rejects with.
 *
 * @throws LinAlgError if any is not 0, naming the operation, the matrix of the batch and its fault.
 */
export function checkInfo(operation: string, info: Tensor, failure: keyof typeof failures): void {
  checkValues(info, (values) => {
    const item = (values as Int32Array).findIndex((value) => value !== 0);
    if (item < 0) return undefined;
    const place = info.shape.length > 0 ? ` (Batch element ${item}):` : '';
    return new LinAlgError(`${operation}:${place} ${failures[failure](values[item] as number)}`);
  });
}
