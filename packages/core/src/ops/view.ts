import { checkInteger, formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { op } from '../op.js';
import {
  existingDim,
  inferShape,
  isContiguous,
  normalizeDim,
  numel,
  viewStrides,
} from '../shape.js';
import { makeView, Tensor } from '../tensor.js';
import { type CloneOptions, clone } from './copy.js';

export { asStrided, diagonal, narrow, select, slice, unfold } from './strided.js';

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
export const view = explaining(
  'view',
  (self: Tensor, ...shape: Sizes): Tensor => viewOp(self, flat(shape)),
);

// A copy in another shape is nobody's view: the copy itself is never seen.
const unsafeViewOp = op(
  'unsafeView',
  'self shape',
  (self: Tensor, shape: readonly number[]): Tensor =>
    new Tensor(self.storage, self.dtype, shape, undefined, self.offset),
);

/** The same elements in another shape: a view where strides allow, a copy elsewhere. */
export const reshape = explaining('reshape', (self: Tensor, ...shape: Sizes): Tensor => {
  const target = inferShape('reshape', flat(shape), numel(self.shape));
  if (viewStrides(self.shape, self.strides, target)) return viewOp(self, target);
  return unsafeViewOp(clone(self, { memoryFormat: 'contiguous' }), target);
});

/** `reshape` to the shape of `other`. */
export const reshapeAs = explaining(
  'reshapeAs',
  (self: Tensor, other: Tensor): Tensor => reshape(self, other.shape),
);
/** `view` in the shape of `other`. */
export const viewAs = explaining(
  'viewAs',
  (self: Tensor, other: Tensor): Tensor => viewOp(self, other.shape),
);

/** Dimensions in another order, sharing memory. */
export const permute: (self: Tensor, ...dims: Sizes) => Tensor = explaining(
  'permute',
  (self, ...dims) => permuteOp(self, flat(dims)),
);
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
export const transpose: (self: Tensor, dim0: number, dim1: number) => Tensor = explaining(
  'transpose',
  op('transpose', 'self dim0 dim1', (self: Tensor, dim0: number, dim1: number): Tensor => {
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
  }),
);
/** As `transpose`. */
export const swapaxes = transpose;
/** As `transpose`. */
export const swapdims = transpose;

/** The transpose of a matrix; vectors and scalars are returned as they are. */
export const t = explaining('t', (self: Tensor): Tensor => {
  if (self.shape.length > 2) {
    throw new RuntimeError(
      `t: expects a tensor with <= 2 dimensions, but self is ${self.shape.length}D`,
    );
  }
  return self.shape.length < 2 ? view(self, self.shape) : transpose(self, 0, 1);
});

/** Dimensions moved to other places, the rest keeping their order. */
export const movedim = explaining(
  'movedim',
  (
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
  },
);
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
    checkInteger('expand', 'shape', 1, wanted);
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
export const expand = explaining(
  'expand',
  (self: Tensor, ...shape: Sizes): Tensor => expandOp(self, flat(shape)),
);
/** `expand` to the shape of `other`. */
export const expandAs = explaining(
  'expandAs',
  (self: Tensor, other: Tensor): Tensor => expandOp(self, other.shape),
);
/** `expand` under its other name. */
export const broadcastTo = explaining(
  'broadcastTo',
  (self: Tensor, shape: readonly number[]): Tensor => expandOp(self, shape),
);

const squeezeOp = op('squeeze', 'self dims', (self: Tensor, dims: readonly number[]): Tensor => {
  const keep = (_: number, i: number) => !(dims.includes(i) && self.shape[i] === 1);
  return makeView(self, self.shape.filter(keep), self.strides.filter(keep), self.offset);
});
/** Without the dimensions of size 1, or without the named ones if their size is 1. */
export const squeeze = explaining(
  'squeeze',
  (self: Tensor, dim?: number | readonly number[]): Tensor => {
    const rank = self.shape.length;
    const dims =
      dim === undefined
        ? self.shape.map((_, i) => i)
        : [dim].flat().map((d) => normalizeDim('squeeze', d as number, rank));
    return squeezeOp(self, dims);
  },
);

/** With a dimension of size 1 inserted before position `dim`. */
export const unsqueeze: (self: Tensor, dim: number) => Tensor = explaining(
  'unsqueeze',
  op('unsqueeze', 'self dim', (self: Tensor, dim: number): Tensor => {
    const rank = self.shape.length;
    const d = normalizeDim('unsqueeze', dim, rank + 1);
    const stride = d < rank ? (self.shape[d] as number) * (self.strides[d] as number) : 1;
    return makeView(
      self,
      [...self.shape.slice(0, d), 1, ...self.shape.slice(d)],
      [...self.strides.slice(0, d), stride, ...self.strides.slice(d)],
      self.offset,
    );
  }),
);

/** Dimensions `startDim` to `endDim` merged into one: a view where strides allow. */
export const flatten = explaining('flatten', (self: Tensor, startDim = 0, endDim = -1): Tensor => {
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
});
/** All elements in one dimension. */
export const ravel = explaining('ravel', (self: Tensor): Tensor => reshape(self, [-1]));
/** One dimension split into several; one size may be -1. */
export const unflatten = explaining(
  'unflatten',
  (self: Tensor, dim: number, sizes: readonly number[]): Tensor => {
    const d = existingDim('unflatten', dim, self.shape.length);
    if (sizes.length === 0) throw new RuntimeError('unflatten: sizes must be non-empty');
    const size = self.shape[d] as number;
    if (!sizes.includes(-1) && numel(sizes) !== size) {
      throw new RuntimeError(
        `unflatten: Provided sizes ${formatShape(sizes)} don't multiply up to the size of dim ${d} (${size}) in the input tensor`,
      );
    }
    const inner = inferShape('unflatten', sizes, size);
    return view(self, [...self.shape.slice(0, d), ...inner, ...self.shape.slice(d + 1)]);
  },
);

/** The tensor itself if it is contiguous, a contiguous copy otherwise. */
export const contiguous = explaining(
  'contiguous',
  (self: Tensor, _options: CloneOptions = {}): Tensor =>
    isContiguous(self.shape, self.strides) ? self : clone(self, { memoryFormat: 'contiguous' }),
);

/** A tensor on the same memory that is not part of the graph. */
export const detach = explaining(
  'detach',
  (self: Tensor): Tensor =>
    new Tensor(self.storage, self.dtype, self.shape, self.strides, self.offset, self.counter),
);
