import { category } from '../dtype.js';
import { checkInteger, formatShape, IndexError, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { op } from '../op.js';
import { normalizeDim } from '../shape.js';
import { makeView, Tensor } from '../tensor.js';

/**
 * The part of a dimension from `start`, of the given length.
 *
 * @param start a whole number, or an integer tensor without dimensions on a device that can be read at once.
 * @throws TypeError for other than whole numbers; IndexError or RuntimeError if the part reaches out of the dimension.
 */
export const narrow: (self: Tensor, dim: number, start: number | Tensor, length: number) => Tensor =
  explaining('narrow', (self, dim, first, length) => {
    const start = first instanceof Tensor ? positionIn(first) : first;
    checkInteger('narrow', 'start', 2, start);
    checkInteger('narrow', 'length', 3, length);
    if (self.shape.length === 0)
      throw new RuntimeError('narrow: cannot be applied to a 0-dim tensor.');
    const d = normalizeDim('narrow', dim, self.shape.length);
    const size = self.shape[d] as number;
    if (length < 0) throw new RuntimeError('narrow: length must be non-negative.');
    if (start < -size || start > size) {
      throw new IndexError(
        `narrow: start out of range (expected to be in range of [${-size}, ${size}], but got ${start})`,
      );
    }
    const from = start < 0 ? start + size : start;
    if (from + length > size) {
      throw new RuntimeError(
        `narrow: start (${from}) + length (${length}) exceeds dimension size (${size}).`,
      );
    }
    return slice(self, d, from, from + length);
  });

/** The start that a tensor gives. @throws RuntimeError unless it is an integer without dimensions. */
function positionIn(start: Tensor): number {
  if (start.shape.length > 0 || category(start.dtype) !== 1) {
    throw new RuntimeError(
      `narrow: start must be an integer Tensor without dimensions, got ${start.dtype} of shape ${formatShape(start.shape)}`,
    );
  }
  return start.itemSync();
}

const sliceOp = op(
  'slice',
  'self dim start end step',
  (self: Tensor, dim: number, start: number, end: number, step: number): Tensor => {
    const size = Math.max(0, Math.ceil((end - start) / step));
    const shape = [...self.shape];
    const strides = [...self.strides];
    shape[dim] = size;
    strides[dim] = (self.strides[dim] as number) * step;
    return makeView(self, shape, strides, self.offset + start * (self.strides[dim] as number));
  },
);
/**
 * Every `step`-th position of a dimension in [start, end); negative positions count from the end, out-of-range ones are clamped.
 *
 * @throws RuntimeError if `step` is not positive.
 */
export const slice = explaining(
  'slice',
  (self: Tensor, dim = 0, start?: number | null, end?: number | null, step = 1): Tensor => {
    if (self.shape.length === 0)
      throw new RuntimeError('slice: slice() cannot be applied to a 0-dim tensor.');
    const d = normalizeDim('slice', dim, self.shape.length);
    for (const [i, bound] of [start, end, step].entries()) {
      if (bound != null) checkInteger('slice', ['start', 'end', 'step'][i] as string, i + 2, bound);
    }
    if (!(step > 0)) throw new RuntimeError(`slice: slice step must be positive, got ${step}`);
    const size = self.shape[d] as number;
    const clampTo = (x: number) => Math.min(Math.max(x < 0 ? x + size : x, 0), size);
    const from = clampTo(start ?? 0);
    return sliceOp(self, d, from, Math.max(from, clampTo(end ?? size)), step);
  },
);

/** One position of a dimension, which disappears. */
export const select: (self: Tensor, dim: number, index: number) => Tensor = explaining(
  'select',
  op('select', 'self dim index', (self: Tensor, dim: number, index: number): Tensor => {
    if (self.shape.length === 0)
      throw new IndexError('select: select() cannot be applied to a 0-dim tensor.');
    const d = normalizeDim('select', dim, self.shape.length);
    const size = self.shape[d] as number;
    if (!Number.isInteger(index) || index < -size || index >= size) {
      throw new IndexError(
        `select: select(): index ${index} out of range for tensor of size ${formatShape(self.shape)} at dimension ${d}`,
      );
    }
    const at = index < 0 ? index + size : index;
    const without = (list: readonly number[]) => list.filter((_, i) => i !== d);
    return makeView(
      self,
      without(self.shape),
      without(self.strides),
      self.offset + at * (self.strides[d] as number),
    );
  }),
);

const asStridedOp = op(
  'asStrided',
  'self shape strides offset',
  (self: Tensor, shape: readonly number[], strides: readonly number[], offset: number): Tensor => {
    if (shape.length !== strides.length) {
      throw new RuntimeError(
        `asStrided: mismatch in length of strides and shape (${strides.length} and ${shape.length})`,
      );
    }
    let last = offset;
    let empty = false;
    shape.forEach((size, i) => {
      const step = strides[i] as number;
      if (!Number.isInteger(size) || size < 0)
        throw new RuntimeError(`asStrided: invalid size ${size}`);
      if (!Number.isInteger(step) || step < 0) {
        throw new RuntimeError(
          `asStrided: Negative strides are not supported at the moment, got strides: ${formatShape(strides)}`,
        );
      }
      if (size === 0) empty = true;
      last += (size - 1) * step;
    });
    if (offset < 0 || (!empty && last >= self.storage.length)) {
      throw new RuntimeError(
        `asStrided: setStorage: sizes ${formatShape(shape)}, strides ${formatShape(strides)}, storage offset ${offset} are out of bounds for storage of size ${self.storage.length} elements`,
      );
    }
    return makeView(self, [...shape], [...strides], offset);
  },
);
/**
 * Any strided view of the tensor's storage; strides and offset in elements.
 *
 * @throws RuntimeError if it would reach outside of the storage.
 */
export const asStrided = explaining(
  'asStrided',
  (
    self: Tensor,
    shape: readonly number[],
    strides: readonly number[],
    storageOffset = self.offset,
  ): Tensor => {
    checkInteger('asStrided', 'storageOffset', 3, storageOffset);
    return asStridedOp(self, shape, strides, storageOffset);
  },
);

/** The diagonal over two dimensions, as the last dimension of a view. */
export const diagonal = explaining(
  'diagonal',
  (self: Tensor, options: { offset?: number; dim1?: number; dim2?: number } = {}): Tensor =>
    diagonalOp(self, options.offset ?? 0, options.dim1 ?? 0, options.dim2 ?? 1),
);
const diagonalOp = op(
  'diagonal',
  'self offset dim1 dim2',
  (self: Tensor, offset: number, dim1: number, dim2: number): Tensor => {
    checkInteger('diagonal', 'offset', 1, offset);
    const rank = self.shape.length;
    const a = normalizeDim('diagonal', dim1, rank);
    const b = normalizeDim('diagonal', dim2, rank);
    if (a === b)
      throw new RuntimeError(`diagonal: diagonal dimensions cannot be identical ${dim1}, ${dim2}`);
    const rows = self.shape[a] as number;
    const cols = self.shape[b] as number;
    const size = Math.max(
      0,
      offset >= 0 ? Math.min(rows, cols - offset) : Math.min(rows + offset, cols),
    );
    const start =
      size === 0
        ? 0
        : offset >= 0
          ? offset * (self.strides[b] as number)
          : -offset * (self.strides[a] as number);
    const rest = (list: readonly number[]) => list.filter((_, i) => i !== a && i !== b);
    return makeView(
      self,
      [...rest(self.shape), size],
      [...rest(self.strides), (self.strides[a] as number) + (self.strides[b] as number)],
      self.offset + start,
    );
  },
);

/** Sliding windows of a dimension as a new last dimension of a view. */
export const unfold: (self: Tensor, dim: number, size: number, step: number) => Tensor = explaining(
  'unfold',
  op(
    'unfold',
    'self dim size step',
    (self: Tensor, dim: number, size: number, step: number): Tensor => {
      const d = normalizeDim('unfold', dim, self.shape.length);
      checkInteger('unfold', 'size', 2, size);
      checkInteger('unfold', 'step', 3, step);
      if (size < 0) throw new RuntimeError(`unfold: size is ${size} but must be >= 0`);
      const length = self.shape.length === 0 ? 1 : (self.shape[d] as number);
      if (size > length) {
        throw new RuntimeError(
          `unfold: maximum size for tensor at dimension ${d} is ${length} but size is ${size}`,
        );
      }
      if (!(step > 0)) throw new RuntimeError(`unfold: step is ${step} but must be > 0`);
      const stride = self.strides[d] ?? 1;
      const shape = [...self.shape];
      const strides = [...self.strides];
      if (self.shape.length > 0) {
        shape[d] = Math.floor((length - size) / step) + 1;
        strides[d] = stride * step;
      }
      return makeView(self, [...shape, size], [...strides, stride], self.offset);
    },
  ),
);
