import { type DType, isFloatingPoint } from '../../dtype.js';
import { formatShape, RuntimeError } from '../../errors.js';
import { normalizeDims } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { to } from '../copy.js';
import { amax, amin, sum, vectorNorm } from '../reduce.js';
import type { Dims } from '../reduction.js';
import { abs } from '../unary.js';
import { movedim, reshape } from '../view.js';
import { writing } from '../writing.js';
import { checkFloats } from './checks.js';
import { svdvals } from './svd.js';

/** Norms of a matrix, `'nuc'` aside. */
export type MatrixNorm = 'fro' | 1 | -1 | number;

/** Options of norms. */
export interface NormOptions {
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean;
  /** Convert to this dtype first. */
  dtype?: DType | null;
}

/** The greatest, the smallest or the sum of the singular values of the matrices in two dimensions. */
function spectralNorm(
  x: Tensor,
  ord: 2 | -2 | 'nuc',
  axes: readonly number[],
  keepdim: boolean,
): Tensor {
  checkFloats('linalg.matrixNorm', x);
  const values = svdvals(movedim(x, axes, [-2, -1]));
  const norms = ord === 'nuc' ? sum(values, -1) : ord === 2 ? amax(values, -1) : amin(values, -1);
  return keepdim
    ? reshape(
        norms,
        x.shape.map((size, d) => (axes.includes(d) ? 1 : size)),
      )
    : norms;
}

/**
 * The norm of the matrices in two dimensions (default the last two): `'fro'` (default), the greatest or smallest sum
 * of absolute values in a column (1, -1) or a row (Infinity, -Infinity), or the greatest (2), the smallest (-2) or the
 * sum (`'nuc'`) of the singular values.
 *
 * @throws RuntimeError for another order or integers.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
 * @example linalg.matrixNorm(tensor([[1, -2], [3, 4]]), 1) // tensor(6.)
 */
export const matrixNorm = writing(
  'linalg.matrixNorm',
  (
    self: Tensor,
    ord: MatrixNorm | 'nuc' = 'fro',
    dim: readonly number[] = [-2, -1],
    options: NormOptions = {},
  ): Tensor => {
    const size = typeof ord === 'number' ? Math.abs(ord) : ord;
    if (![1, 2, Infinity, 'fro', 'nuc'].includes(size)) {
      throw new RuntimeError(`linalg.matrixNorm: Order ${ord} not supported.`);
    }
    if (dim.length !== 2 || self.shape.length < 2) {
      throw new RuntimeError(
        `linalg.matrixNorm: the input tensor must have at least two dimensions and dim must be a 2-tuple, got ${formatShape(self.shape)} and ${formatShape(dim)}`,
      );
    }
    const axes = normalizeDims('linalg.matrixNorm', dim, self.shape.length);
    const keepdim = options.keepdim ?? false;
    const x = options.dtype ? to(self, options.dtype) : self;
    if (!isFloatingPoint(x.dtype)) checkFloats('linalg.matrixNorm', x);
    if (ord === 'fro') return vectorNorm(x, 2, axes, { keepdim });
    if (size === 2 || size === 'nuc') return spectralNorm(x, ord as 2 | -2 | 'nuc', axes, keepdim);
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
  },
);

/**
 * The norm of vectors or matrices: without `ord` the 2-norm of all elements (or over `dim`); otherwise that of the
 * vectors in one dimension or the matrices in two.
 *
 * @throws RuntimeError where the dimensions leave open which; as `matrixNorm`.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.norm.html
 */
export const norm = writing(
  'linalg.norm',
  (
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
      throw new RuntimeError(
        `linalg.matrixNorm: The input tensor A must have at least 2 dimensions: the order '${ord}' is one of matrices, not of vectors`,
      );
    }
    return vectorNorm(self, ord, dims, options);
  },
);
