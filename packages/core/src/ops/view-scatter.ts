import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { op } from '../op.js';
import { normalizeDim, sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { clone, copyInto } from './copy.js';
import { copyOf } from './update.js';
import { asStrided, diagonal, select, slice } from './view.js';

/** A copy of `self` with the part that `part` shows overwritten by `src`, which must have its shape. */
function overwritten(
  operation: string,
  self: Tensor,
  src: Tensor,
  part: (t: Tensor) => Tensor,
): Tensor {
  const result = copyOf(self);
  const target = part(result);
  if (!sameShape(target.shape, src.shape)) {
    throw new RuntimeError(
      `${operation}: expected src to have a size equal to the slice of self. src size = ${formatShape(src.shape)}, slice size = ${formatShape(target.shape)}`,
    );
  }
  copyInto(target, src);
  return result;
}

const selectScatterOp = op(
  'selectScatter',
  'self src dim index',
  (self: Tensor, src: Tensor, dim: number, index: number): Tensor =>
    overwritten('selectScatter', self, src, (t) => select(t, dim, index)),
);
/**
 * A copy with one position of a dimension replaced by `src`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.select_scatter.html
 */
export const selectScatter = explaining(
  'selectScatter',
  (self: Tensor, src: Tensor, dim: number, index: number): Tensor =>
    selectScatterOp(self, src, normalizeDim('selectScatter', dim, self.shape.length), index),
);

const sliceScatterOp = op(
  'sliceScatter',
  'self src dim start end step',
  (self: Tensor, src: Tensor, dim: number, start: number, end: number, step: number): Tensor =>
    overwritten('sliceScatter', self, src, (t) => slice(t, dim, start, end, step)),
);
/**
 * A copy with the positions [start, end) by `step` of a dimension replaced by `src`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.slice_scatter.html
 */
export const sliceScatter = explaining(
  'sliceScatter',
  (
    self: Tensor,
    src: Tensor,
    dim = 0,
    start?: number | null,
    end?: number | null,
    step = 1,
  ): Tensor => {
    const d = normalizeDim('sliceScatter', dim, self.shape.length);
    return sliceScatterOp(self, src, d, start ?? 0, end ?? (self.shape[d] as number), step);
  },
);

const diagonalScatterOp = op(
  'diagonalScatter',
  'self src offset dim1 dim2',
  (self: Tensor, src: Tensor, offset: number, dim1: number, dim2: number): Tensor =>
    overwritten('diagonalScatter', self, src, (t) => diagonal(t, { offset, dim1, dim2 })),
);
/**
 * A copy with a diagonal replaced by `src`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.diagonal_scatter.html
 */
export const diagonalScatter = explaining(
  'diagonalScatter',
  (
    self: Tensor,
    src: Tensor,
    options: { offset?: number; dim1?: number; dim2?: number } = {},
  ): Tensor => {
    const rank = self.shape.length;
    const dim1 = normalizeDim('diagonalScatter', options.dim1 ?? 0, rank);
    const dim2 = normalizeDim('diagonalScatter', options.dim2 ?? 1, rank);
    return diagonalScatterOp(self, src, options.offset ?? 0, dim1, dim2);
  },
);

const asStridedScatterOp = op(
  'asStridedScatter',
  'self src shape strides offset',
  (
    self: Tensor,
    src: Tensor,
    shape: readonly number[],
    strides: readonly number[],
    offset: number,
  ): Tensor => {
    const result = clone(self);
    const target = asStrided(result, shape, strides, offset);
    if (!sameShape(shape, src.shape)) {
      throw new RuntimeError(
        `asStridedScatter: expected src to have a size equal to the slice of self. src size = ${formatShape(src.shape)}, slice size = ${formatShape(shape)}`,
      );
    }
    copyInto(target, src);
    return result;
  },
);
/**
 * A copy with the elements that `asStrided` would show replaced by `src`; strides and offset are those of the copy,
 * which is dense.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.as_strided_scatter.html
 */
export const asStridedScatter = explaining(
  'asStridedScatter',
  (
    self: Tensor,
    src: Tensor,
    shape: readonly number[],
    strides: readonly number[],
    storageOffset = 0,
  ): Tensor => asStridedScatterOp(self, src, shape, strides, storageOffset),
);
