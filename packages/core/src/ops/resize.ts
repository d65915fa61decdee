import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { mustRecord } from '../op.js';
import { contiguousStrides, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { copyInto } from './copy.js';

/**
 * Gives the tensor another shape in place: its elements in the order of memory, and where there are more, unspecified
 * ones. Memory grows where it must, and is then no longer shared with views.
 *
 * @throws RuntimeError if the tensor requires grad.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.resize_.html
 * @example zeros([2, 2]).resize_([4]).shape // [4]
 */
export const resize_ = explaining(
  'resize_',
  (self: Tensor, ...size: number[] | [readonly number[]]): Tensor => {
    const shape = [...(Array.isArray(size[0]) ? size[0] : (size as number[]))];
    if (shape.some((s) => !(Number.isInteger(s) && s >= 0))) {
      throw new RuntimeError(`resize_: requires non-negative sizes, got ${formatShape(shape)}`);
    }
    if (mustRecord([self])) {
      throw new RuntimeError('resize_: cannot resize variables that require grad');
    }
    const { storage, dtype, offset } = self;
    const needed = offset + numel(shape);
    if (needed <= storage.length) {
      self.data = new Tensor(storage, dtype, shape, contiguousStrides(shape), offset);
      return self;
    }
    const grown = allocate([needed], dtype, self.device);
    const kept = [storage.length];
    copyInto(new Tensor(grown.storage, dtype, kept), new Tensor(storage, dtype, kept));
    self.data = new Tensor(grown.storage, dtype, shape, contiguousStrides(shape), offset);
    return self;
  },
);

/** `resize_` to the shape of another tensor. */
export const resizeAs_ = explaining(
  'resizeAs_',
  (self: Tensor, other: Tensor): Tensor => resize_(self, other.shape),
);
