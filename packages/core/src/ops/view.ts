import { formatShape, IndexError, RuntimeError } from '../errors.js';
import { op } from '../op.js';
import { inferShape, isContiguous, normalizeDim, numel, viewStrides } from '../shape.js';
import { makeView, Tensor } from '../tensor.js';
import { clone } from './copy.js';

/** Sizes given as one array or one by one. */
type Sizes = number[] | [readonly number[]];
const flat = (sizes: Sizes): readonly number[] =>
  (Array.isArray(sizes[0]) ? sizes[0] : sizes) as readonly number[];

const viewOp = op('view', 'self shape', (self: Tensor, shape: readonly number[]): Tensor => {
  const target = inferShape('view', shape, numel(self.shape));
  const strides = viewStrides(self.shape, self.strides, target);
  if (!strides) {
    throw new RuntimeError(
      `view: view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). Use .reshape(...) instead.`,
    );
  }
  return makeView(self, target, strides, self.offset);
});

/**
 * The same elements in another shape, sharing memory; one size may be -1.
 *
 * @throws RuntimeError if the strides do not allow it (`reshape` copies then).
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.view.html
 */
export const view = (self: Tensor, ...shape: Sizes): Tensor => viewOp(self, flat(shape));

// A copy in another shape is nobody's view: the copy itself is never seen.
const unsafeViewOp = op(
  'unsafeView',
  'self shape',
  (self: Tensor, shape: readonly number[]): Tensor =>
    new Tensor(self.storage, self.dtype, shape, undefined, self.offset),
);

/** The same elements in another shape: a view where strides allow, a copy elsewhere. */
export const reshape = (self: Tensor, ...shape: Sizes): Tensor => {
  const target = inferShape('reshape', flat(shape), numel(self.shape));
  if (viewStrides(self.shape, self.strides, target)) return viewOp(self, target);
  return unsafeViewOp(clone(self, { memoryFormat: 'contiguous' }), target);
};

/** `reshape` to the shape of `other`. */
export const reshapeAs = (self: Tensor, other: Tensor): Tensor => reshape(self, other.shape);
/** `view` in the shape of `other`. */
export const viewAs = (self: Tensor, other: Tensor): Tensor => viewOp(self, other.shape);

/** Dimensions in another order, sharing memory. */
export const permute: (self: Tensor, ...dims: Sizes) => Tensor = (self, ...dims) =>
  permuteOp(self, flat(dims));
const permuteOp = op('permute', 'self dims', (self: Tensor, dims: readonly number[]): Tensor => {
  const rank = self.shape.length;
  if (dims.length !== rank) {
    throw new RuntimeError(
      `permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired ordering of dimensions i.e. input.dim() = ${rank} is not equal to len(dims) = ${dims.length}`.replace(
        '(sparse_coo)',
        '',
      ),
    );
  }
  const order = dims.map((d) => normalizeDim('permute', d, rank));
  if (new Set(order).size !== rank) throw new RuntimeError('permute: repeated dim in permute');
  return makeView(
    self,
    order.map((d) => self.shape[d] as number),
    order.map((d) => self.strides[d] as number),
    self.offset,
  );
});

/** Two dimensions swapped, sharing memory. */
export const transpose: (self: Tensor, dim0: number, dim1: number) => Tensor = op(
  'transpose',
  'self dim0 dim1',
  (self: Tensor, dim0: number, dim1: number): Tensor => {
    const a = normalizeDim('transpose', dim0, self.shape.length);
    const b = normalizeDim('transpose', dim1, self.shape.length);
    const swap = (list: readonly number[]) => {
      const result = [...list];
      if (a !== b) {
        result[a] = list[b] as number;
        result[b] = list[a] as number;
      }
      return result;
    };
    return makeView(self, swap(self.shape), swap(self.strides), self.offset);
  },
);
/** As `transpose`. */
export const swapaxes = transpose;
/** As `transpose`. */
export const swapdims = transpose;

/** The transpose of a matrix; vectors and scalars are returned as they are. */
export const t = (self: Tensor): Tensor => {
  if (self.shape.length > 2) {
    throw new RuntimeError(
      `t: expects a tensor with <= 2 dimensions, but self is ${self.shape.length}D`,
    );
  }
  return self.shape.length < 2 ? view(self, self.shape) : transpose(self, 0, 1);
};

/** Dimensions moved to other places, the rest keeping their order. */
export const movedim = (
  self: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor => {
  const rank = self.shape.length;
  const from = [source].flat().map((d) => normalizeDim('movedim', d as number, rank));
  const to = [destination].flat().map((d) => normalizeDim('movedim', d as number, rank));
  if (from.length !== to.length) {
    throw new RuntimeError(
      `movedim: Invalid source or destination dims: source (${formatShape(from)} dims) should contain the same number of dims as destination (${formatShape(to)} dims)`,
    );
  }
  if (new Set(from).size !== from.length)
    throw new RuntimeError(`movedim: repeated dim in \`source\` (${formatShape(from)})`);
  if (new Set(to).size !== to.length)
    throw new RuntimeError(`movedim: repeated dim in \`destination\` (${formatShape(to)})`);
  const order = new Array<number>(rank).fill(-1);
  from.forEach((d, i) => {
    order[to[i] as number] = d;
  });
  const rest = self.shape.map((_, d) => d).filter((d) => !from.includes(d));
  return permute(
    self,
    order.map((d) => (d >= 0 ? d : (rest.shift() as number))),
  );
};
/** As `movedim`. */
export const moveaxis = movedim;

const expandOp = op('expand', 'self shape', (self: Tensor, shape: readonly number[]): Tensor => {
  const rank = self.shape.length;
  if (shape.length < rank) {
    throw new RuntimeError(
      `expand(${formatShape(self.shape)}, size=${formatShape(shape)}): the number of sizes provided (${shape.length}) must be greater or equal to the number of dimensions in the tensor (${rank})`,
    );
  }
  const lead = shape.length - rank;
  const sizes: number[] = [];
  const strides: number[] = [];
  shape.forEach((wanted, i) => {
    const own = self.shape[i - lead];
    if (i < lead) {
      if (wanted < 0) {
        throw new RuntimeError(
          `expand: The expanded size of the tensor (${wanted}) isn't allowed in a leading, non-existing dimension ${i}`,
        );
      }
      sizes.push(wanted);
      strides.push(0);
      return;
    }
    const size = wanted === -1 ? (own as number) : wanted;
    if (own !== size && own !== 1) {
      throw new RuntimeError(
        `expand: The expanded size of the tensor (${size}) must match the existing size (${own}) at non-singleton dimension ${i}.  Target sizes: ${formatShape(shape)}.  Tensor sizes: ${formatShape(self.shape)}`,
      );
    }
    sizes.push(size);
    strides.push(own === 1 && size !== 1 ? 0 : (self.strides[i - lead] as number));
  });
  return makeView(self, sizes, strides, self.offset);
});
/** Dimensions of size 1 repeated without a copy; -1 keeps a size. */
export const expand = (self: Tensor, ...shape: Sizes): Tensor => expandOp(self, flat(shape));
/** `expand` to the shape of `other`. */
export const expandAs = (self: Tensor, other: Tensor): Tensor => expandOp(self, other.shape);
/** `expand` under its other name. */
export const broadcastTo = (self: Tensor, shape: readonly number[]): Tensor =>
  expandOp(self, shape);

/** The part of a dimension from `start`, of the given length. */
export const narrow: (self: Tensor, dim: number, start: number, length: number) => Tensor = (
  self,
  dim,
  start,
  length,
) => {
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
};

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
export const slice = (
  self: Tensor,
  dim = 0,
  start?: number | null,
  end?: number | null,
  step = 1,
): Tensor => {
  if (self.shape.length === 0)
    throw new RuntimeError('slice: slice() cannot be applied to a 0-dim tensor.');
  const d = normalizeDim('slice', dim, self.shape.length);
  if (!(step > 0)) throw new RuntimeError(`slice: slice step must be positive, got ${step}`);
  const size = self.shape[d] as number;
  const clampTo = (x: number) => Math.min(Math.max(x < 0 ? x + size : x, 0), size);
  const from = clampTo(start ?? 0);
  return sliceOp(self, d, from, Math.max(from, clampTo(end ?? size)), step);
};

/** One position of a dimension, which disappears. */
export const select: (self: Tensor, dim: number, index: number) => Tensor = op(
  'select',
  'self dim index',
  (self: Tensor, dim: number, index: number): Tensor => {
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
  },
);

const squeezeOp = op('squeeze', 'self dims', (self: Tensor, dims: readonly number[]): Tensor => {
  const keep = (_: number, i: number) => !(dims.includes(i) && self.shape[i] === 1);
  return makeView(self, self.shape.filter(keep), self.strides.filter(keep), self.offset);
});
/** Without the dimensions of size 1, or without the named ones if their size is 1. */
export const squeeze = (self: Tensor, dim?: number | readonly number[]): Tensor => {
  const rank = self.shape.length;
  const dims =
    dim === undefined
      ? self.shape.map((_, i) => i)
      : [dim].flat().map((d) => normalizeDim('squeeze', d as number, rank));
  return squeezeOp(self, dims);
};

/** With a dimension of size 1 inserted before position `dim`. */
export const unsqueeze: (self: Tensor, dim: number) => Tensor = op(
  'unsqueeze',
  'self dim',
  (self: Tensor, dim: number): Tensor => {
    const rank = self.shape.length;
    const d = normalizeDim('unsqueeze', dim, rank + 1);
    const stride = d < rank ? (self.shape[d] as number) * (self.strides[d] as number) : 1;
    return makeView(
      self,
      [...self.shape.slice(0, d), 1, ...self.shape.slice(d)],
      [...self.strides.slice(0, d), stride, ...self.strides.slice(d)],
      self.offset,
    );
  },
);

/** Dimensions `startDim` to `endDim` merged into one: a view where strides allow. */
export const flatten = (self: Tensor, startDim = 0, endDim = -1): Tensor => {
  const rank = self.shape.length;
  const a = normalizeDim('flatten', startDim, rank);
  const b = normalizeDim('flatten', endDim, rank);
  if (a > b)
    throw new RuntimeError(
      'flatten: flatten() has invalid args: start_dim cannot come after end_dim',
    );
  if (rank === 0) return reshape(self, [1]);
  if (a === b) return self;
  return reshape(self, [
    ...self.shape.slice(0, a),
    numel(self.shape.slice(a, b + 1)),
    ...self.shape.slice(b + 1),
  ]);
};
/** All elements in one dimension. */
export const ravel = (self: Tensor): Tensor => reshape(self, [-1]);
/** One dimension split into several; one size may be -1. */
export const unflatten = (self: Tensor, dim: number, sizes: readonly number[]): Tensor => {
  const d = normalizeDim('unflatten', dim, self.shape.length);
  if (sizes.length === 0) throw new RuntimeError('unflatten: sizes must be non-empty');
  const inner = inferShape('unflatten', sizes, self.shape[d] as number);
  return view(self, [...self.shape.slice(0, d), ...inner, ...self.shape.slice(d + 1)]);
};

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
export const asStrided = (
  self: Tensor,
  shape: readonly number[],
  strides: readonly number[],
  storageOffset = self.offset,
): Tensor => asStridedOp(self, shape, strides, storageOffset);

/** The diagonal over two dimensions, as the last dimension of a view. */
export const diagonal = (
  self: Tensor,
  options: { offset?: number; dim1?: number; dim2?: number } = {},
): Tensor => diagonalOp(self, options.offset ?? 0, options.dim1 ?? 0, options.dim2 ?? 1);
const diagonalOp = op(
  'diagonal',
  'self offset dim1 dim2',
  (self: Tensor, offset: number, dim1: number, dim2: number): Tensor => {
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
export const unfold: (self: Tensor, dim: number, size: number, step: number) => Tensor = op(
  'unfold',
  'self dim size step',
  (self: Tensor, dim: number, size: number, step: number): Tensor => {
    const d = normalizeDim('unfold', dim, self.shape.length);
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
);

/** The tensor itself if it is contiguous, a contiguous copy otherwise. */
export const contiguous = (self: Tensor): Tensor =>
  isContiguous(self.shape, self.strides) ? self : clone(self, { memoryFormat: 'contiguous' });

/** A tensor on the same memory that is not part of the graph. */
export const detach = (self: Tensor): Tensor =>
  new Tensor(self.storage, self.dtype, self.shape, self.strides, self.offset, self.counter);
