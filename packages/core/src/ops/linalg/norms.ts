import type { DType } from '../../dtype.js';
import { formatShape, NotImplementedError, RuntimeError } from '../../errors.js';
import { normalizeDims } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { to } from '../copy.js';
import { amax, amin, sum, vectorNorm } from '../reduce.js';
import type { Dims } from '../reduction.js';
import { abs } from '../unary.js';
import { reshape } from '../view.js';

/** Norms of a matrix; those of singular values are not among them. */
export type MatrixNorm = 'fro' | 1 | -1 | number;

/** Options of norms. */
export interface NormOptions {
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean;
  /** Convert to this dtype first. */
  dtype?: DType | null;
}

/**
 * The norm of the matrices in two dimensions (default the last two): `'fro'` (default), the greatest or smallest sum
 * of absolute values in a column (1, -1) or a row (Infinity, -Infinity).
 *
 * @throws NotImplementedError for norms of singular values: `'nuc'`, 2 and -2.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
 * @example linalg.matrixNorm(tensor([[1, -2], [3, 4]]), 1) // tensor(6.)
 */
export const matrixNorm = (
  self: Tensor,
  ord: MatrixNorm | 'nuc' = 'fro',
  dim: readonly number[] = [-2, -1],
  options: NormOptions = {},
): Tensor => {
  if (dim.length !== 2 || self.shape.length < 2) {
    throw new RuntimeError(
      `linalg.matrixNorm: the input tensor must have at least two dimensions and dim must be a 2-tuple, got ${formatShape(self.shape)} and ${formatShape(dim)}`,
    );
  }
  const axes = normalizeDims('matrixNorm', dim, self.shape.length);
  const keepdim = options.keepdim ?? false;
  const x = options.dtype ? to(self, options.dtype) : self;
  if (ord === 'fro') return vectorNorm(x, 2, axes, { keepdim });
  const size = typeof ord === 'number' ? Math.abs(ord) : 2;
  if (size !== 1 && size !== Infinity) {
    if (size !== 2) throw new RuntimeError(`linalg.matrixNorm: Order ${ord} not supported.`);
    throw new NotImplementedError(
      `linalg.matrixNorm: order ${ord} needs singular values, which are not implemented; use 'fro', 1, -1, Infinity or -Infinity`,
    );
  }
  const [rows, columns] = dim as [number, number];
  const [inner, outer] = size === 1 ? [rows, columns] : [columns, rows];
  const sums = sum(abs(x), inner, { keepdim: true });
  const chosen = (ord as number) > 0 ? amax : amin;
  const result = chosen(sums, outer, { keepdim: true });
  return keepdim
    ? result
    : reshape(
        result,
        result.shape.filter((_, d) => !axes.includes(d)),
      );
};

/**
 * The norm of vectors or matrices: without `ord` the 2-norm of all elements (or over `dim`); otherwise that of the
 * vectors in one dimension or the matrices in two.
 *
 * @throws RuntimeError where the dimensions leave open which; NotImplementedError as `matrixNorm`.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.norm.html
 */
export const norm = (
  self: Tensor,
  ord?: MatrixNorm | 'nuc' | null,
  dim?: Dims,
  options: NormOptions = {},
): Tensor => {
  if (ord === undefined || ord === null) return vectorNorm(self, 2, dim, options);
  const open = dim === undefined || dim === null;
  const dims = open ? self.shape.map((_, d) => d) : typeof dim === 'number' ? [dim] : dim;
  if (dims.length === 2) return matrixNorm(self, ord, dims, options);
  if (dims.length !== 1) {
    throw new RuntimeError(
      `linalg.norm: If ${open ? 'dim is not specified but ord is, the input must be 1D or 2D' : 'dim is specified, it must be of length 1 or 2'}. Got ${open ? `${dims.length}D` : formatShape(dims)}.`,
    );
  }
  if (typeof ord === 'string') {
    throw new RuntimeError(`linalg.norm: the order '${ord}' is one of matrices, not of vectors`);
  }
  return vectorNorm(self, ord, dims, options);
};
