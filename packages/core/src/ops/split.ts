import { checkInteger, formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { autogradEngine } from '../grad-mode.js';
import { op } from '../op.js';
import { existingDim, normalizeDim } from '../shape.js';
import { Tensor } from '../tensor.js';
import { narrow, select, slice } from './view.js';

/** Views of consecutive parts with the given sizes. */
function parts(self: Tensor, dim: number, sizes: readonly number[]): Tensor[] {
  let start = 0;
  return sizes.map((size) => {
    const part = narrow(self, dim, start, size);
    start += size;
    return part;
  });
}

/** An operation of several results: autograd forbids to write in place through one of them, recorded or not. */
function severalViews<A extends unknown[]>(
  name: string,
  params: string,
  forward: (self: Tensor, ...args: A) => Tensor[],
): (self: Tensor, ...args: A) => Tensor[] {
  const run = op(name, params, forward);
  return (self, ...args) => {
    const views = run(self, ...args);
    autogradEngine()?.severalViews(views);
    return views;
  };
}

const splitOp = severalViews('split', 'self dim sizes', parts);
const splitWithSizesOp = severalViews('splitWithSizes', 'self dim sizes', parts);
const unbindOp = severalViews('unbind', 'self dim', (self: Tensor, dim: number): Tensor[] =>
  Array.from({ length: self.shape[dim] ?? 0 }, (_, i) => select(self, dim, i)),
);

/** The dimension counted from the front; a scalar has none to split. */
function splitDim(operation: string, self: Tensor, dim: number): number {
  if (self.shape.length === 0) {
    throw new RuntimeError(`${operation}: expects at least a 1-dimensional tensor`);
  }
  return normalizeDim(operation, dim, self.shape.length);
}

/**
 * Views of parts of the given sizes, which must add up to the size of the dimension.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.split.html
 */
export const splitWithSizes = explaining(
  'splitWithSizes',
  (self: Tensor, sizes: readonly number[], dim = 0): Tensor[] => {
    const d = splitDim('splitWithSizes', self, dim);
    const size = self.shape[d] as number;
    const total = sizes.reduce((a, b) => a + b, 0);
    if (total !== size || sizes.some((s) => s < 0)) {
      throw new RuntimeError(
        `splitWithSizes: expects split_sizes to sum exactly to ${size} (input tensor's size at dimension ${d}), but got split_sizes=${formatShape(sizes)}`,
      );
    }
    return splitWithSizesOp(self, d, sizes);
  },
);

/**
 * Views of consecutive parts along a dimension: of one size (the last may be smaller), or of a list of sizes.
 *
 * @throws RuntimeError if the sizes do not add up, or the size is not positive.
 * @see https://pytorch.org/docs/stable/generated/torch.split.html
 * @example arange(5).split(2) // sizes 2, 2, 1
 */
export const split = explaining(
  'split',
  (self: Tensor, sizeOrSizes: number | readonly number[], dim = 0): Tensor[] => {
    if (typeof sizeOrSizes !== 'number') return splitWithSizes(self, sizeOrSizes, dim);
    const d = splitDim('split', self, dim);
    const size = self.shape[d] as number;
    if (sizeOrSizes < 0 || !Number.isInteger(sizeOrSizes)) {
      throw new RuntimeError(
        `split: expects split_size be non-negative, but got split_size=${sizeOrSizes}`,
      );
    }
    if (sizeOrSizes === 0 && size !== 0) {
      throw new RuntimeError(
        `split: split_size can only be 0 if dimension size is 0, but got dimension size of ${size}`,
      );
    }
    const count = sizeOrSizes === 0 ? 1 : Math.max(1, Math.ceil(size / sizeOrSizes));
    return splitOp(
      self,
      d,
      Array.from({ length: count }, (_, i) => Math.min(sizeOrSizes, size - i * sizeOrSizes)),
    );
  },
);

/**
 * At most `chunks` views of equal size, the last possibly smaller.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.chunk.html
 */
export const chunk = explaining('chunk', (self: Tensor, chunks: number, dim = 0): Tensor[] => {
  const d = splitDim('chunk', self, dim);
  checkInteger('chunk', 'chunks', 1, chunks);
  if (!(chunks > 0))
    throw new RuntimeError(`chunk: expects \`chunks\` to be greater than 0, got: ${chunks}`);
  const size = self.shape[d] as number;
  const each = Math.ceil(size / chunks);
  // With nothing to share, the number of chunks is kept.
  return each === 0 ? splitOp(self, d, new Array(chunks).fill(0)) : split(self, each, d);
});

/**
 * Views cut at the given positions, or into so many parts of nearly equal size.
 *
 * @param indicesOrSections a number of parts, or the positions (an array, or a vector tensor on a device that can be read at once).
 * @see https://pytorch.org/docs/stable/generated/torch.tensor_split.html
 */
export const tensorSplit = explaining(
  'tensorSplit',
  (self: Tensor, indicesOrSections: number | readonly number[] | Tensor, dim = 0): Tensor[] => {
    const d = splitDim('tensorSplit', self, dim);
    const size = self.shape[d] as number;
    const given =
      indicesOrSections instanceof Tensor
        ? (indicesOrSections.toArraySync() as number | number[])
        : indicesOrSections;
    if (typeof given === 'number') {
      if (!(given > 0)) {
        throw new RuntimeError(
          `tensorSplit: number of sections must be larger than 0, got ${given}`,
        );
      }
      const least = Math.floor(size / given);
      const more = size % given;
      return parts(
        self,
        d,
        Array.from({ length: given }, (_, i) => least + (i < more ? 1 : 0)),
      );
    }
    if (!Array.isArray(given)) {
      throw new TypeError(
        `tensorSplit: expected a number, an array of positions or a Tensor, got ${typeof given}`,
      );
    }
    let start = 0;
    return [...given, size].map((end) => {
      const part = slice(self, d, start, end);
      start = end;
      return part;
    });
  },
);

const sectioned =
  (operation: string, least: number, dimOf: (rank: number) => number) =>
  (self: Tensor, indicesOrSections: number | readonly number[]): Tensor[] => {
    if (self.shape.length < least) {
      throw new RuntimeError(
        `${operation}: requires a tensor with at least ${least} dimension${least > 1 ? 's' : ''}, but got a tensor with ${self.shape.length} dimensions!`,
      );
    }
    const dim = dimOf(self.shape.length);
    const size = self.shape[dim] as number;
    if (
      typeof indicesOrSections === 'number' &&
      (indicesOrSections === 0 || size % indicesOrSections !== 0)
    ) {
      throw new RuntimeError(
        `${operation}: attempted to split along dimension ${dim}, but the size of the dimension ${size} is not divisible by the split_size ${indicesOrSections}!`,
      );
    }
    return tensorSplit(self, indicesOrSections, dim);
  };

type Sectioned = (self: Tensor, indicesOrSections: number | readonly number[]) => Tensor[];
/** `tensorSplit` along dimension 1 (0 for vectors) into equal parts or at positions. */
export const hsplit: Sectioned = explaining(
  'hsplit',
  sectioned('hsplit', 1, (rank) => (rank === 1 ? 0 : 1)),
);
/** `tensorSplit` along dimension 0 into equal parts or at positions. */
export const vsplit: Sectioned = explaining(
  'vsplit',
  sectioned('vsplit', 2, () => 0),
);
/** `tensorSplit` along dimension 2 into equal parts or at positions. */
export const dsplit: Sectioned = explaining(
  'dsplit',
  sectioned('dsplit', 3, () => 2),
);

/**
 * Views of all positions of a dimension, which disappears.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.unbind.html
 */
export const unbind = explaining('unbind', (self: Tensor, dim = 0): Tensor[] => {
  return unbindOp(self, existingDim('unbind', dim, self.shape.length));
});
