import { resultType } from '../elementwise.js';
import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { op } from '../op.js';
import { normalizeDim, numel, sameShape } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { copyInto } from './copy.js';
import { zeros } from './create.js';
import { reshape, unsqueeze } from './view.js';
import { writing } from './writing.js';

/** What old code joins with anything: a vector without elements. */
const isPlaceholder = (t: Tensor): boolean => t.shape.length === 1 && t.shape[0] === 0;

const catOp = op('cat', 'tensors dim', (tensors: readonly Tensor[], dim: number): Tensor => {
  const parts = tensors.filter((t) => !isPlaceholder(t));
  const first = parts[0] ?? (tensors[0] as Tensor);
  const shape = [...first.shape];
  if (parts.length > 0) shape[dim] = parts.reduce((n, t) => n + (t.shape[dim] as number), 0);
  const result = allocate(shape, resultType(...tensors), first.device);
  let offset = 0;
  for (const part of parts) {
    const target = new Tensor(result.storage, result.dtype, part.shape, result.strides, offset);
    copyInto(target, part);
    offset += (part.shape[dim] as number) * (result.strides[dim] as number);
  }
  return result;
});

/**
 * Tensors one after the other along an existing dimension; dtypes are promoted to a common one.
 *
 * @throws RuntimeError if the list is empty, or sizes differ in another dimension.
 * @see https://pytorch.org/docs/stable/generated/torch.cat.html
 * @example cat([ones([2, 3]), zeros([1, 3])]).shape // [3, 3]
 */
export const cat = writing(
  'cat',
  (tensors: readonly Tensor[], dim = 0): Tensor => {
    tensors.forEach((t, i) => {
      if (!(t instanceof Tensor)) {
        throw new TypeError(
          `cat: expected Tensor as element ${i} in argument 0, but got ${t === null ? 'null' : typeof t}`,
        );
      }
    });
    const first = tensors.find((t) => !isPlaceholder(t)) ?? tensors[0];
    if (!first) throw new RuntimeError('cat: expected a non-empty list of Tensors');
    tensors.forEach((t, i) => {
      if (t.shape.length === 0) {
        throw new RuntimeError(
          `cat: zero-dimensional tensor (at position ${i}) cannot be concatenated; use stack`,
        );
      }
    });
    const d = normalizeDim('cat', dim, first.shape.length);
    tensors.forEach((t, i) => {
      if (isPlaceholder(t)) return;
      if (t.shape.length !== first.shape.length) {
        throw new RuntimeError(
          `cat: Tensors must have same number of dimensions: got ${first.shape.length} and ${t.shape.length}`,
        );
      }
      const wrong = t.shape.findIndex((size, k) => k !== d && size !== first.shape[k]);
      if (wrong >= 0) {
        throw new RuntimeError(
          `cat: Sizes of tensors must match except in dimension ${d}. Expected size ${first.shape[wrong]} but got size ${t.shape[wrong]} for tensor number ${i} in the list.`,
        );
      }
    });
    return catOp(tensors, d);
  },
  'castable',
);
/** As `cat`. */
export const concat = cat;
/** As `cat`. */
export const concatenate = cat;

/**
 * Tensors of one shape along a new dimension.
 *
 * @throws RuntimeError if the list is empty or shapes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.stack.html
 */
export const stack = writing(
  'stack',
  (tensors: readonly Tensor[], dim = 0): Tensor => {
    const first = tensors[0];
    if (!first) throw new RuntimeError('stack: expects a non-empty TensorList');
    const d = normalizeDim('stack', dim, first.shape.length + 1);
    tensors.forEach((t, i) => {
      if (!sameShape(t.shape, first.shape)) {
        throw new RuntimeError(
          `stack: expects each tensor to be equal size, but got ${formatShape(first.shape)} at entry 0 and ${formatShape(t.shape)} at entry ${i}`,
        );
      }
    });
    return cat(
      tensors.map((t) => unsqueeze(t, d)),
      d,
    );
  },
  'castable',
);

const checkSome = (operation: string, tensors: readonly Tensor[]): void => {
  if (tensors.length === 0) throw new RuntimeError(`${operation}: expects a non-empty TensorList`);
};

const raised1 = (t: Tensor): Tensor => (t.shape.length === 0 ? reshape(t, [1]) : t);
const raised2 = (t: Tensor): Tensor => (t.shape.length < 2 ? unsqueeze(raised1(t), 0) : t);
const raised3 = (t: Tensor): Tensor => (t.shape.length < 3 ? unsqueeze(raised2(t), 2) : t);

/** A function of one tensor that takes a list of them too. */
interface Each {
  (self: Tensor): Tensor;
  (tensors: readonly Tensor[]): Tensor[];
}
const each = (name: string, f: (t: Tensor) => Tensor): Each =>
  explaining(name, (given: Tensor | readonly Tensor[]) =>
    given instanceof Tensor ? f(given) : given.map(f),
  ) as Each;

/** The tensor itself (or each of a list), a scalar as a vector of one element. */
export const atleast1d: Each = each('atleast1d', raised1);
/** The tensor itself (or each of a list), what has fewer dimensions as a matrix of one row. */
export const atleast2d: Each = each('atleast2d', raised2);
/** The tensor itself (or each of a list), with dimensions of size 1 added: a vector becomes [1, n, 1], a matrix [m, n, 1]. */
export const atleast3d: Each = each('atleast3d', raised3);

/** Side by side: along dimension 1, vectors along 0. */
export const hstack = writing(
  'hstack',
  (tensors: readonly Tensor[]): Tensor => {
    checkSome('hstack', tensors);
    const parts = tensors.map(raised1);
    return cat(parts, (parts[0] as Tensor).shape.length === 1 ? 0 : 1);
  },
  'castable',
);
/** One below the other: along dimension 0, vectors as rows. */
export const vstack = writing(
  'vstack',
  (tensors: readonly Tensor[]): Tensor => {
    checkSome('vstack', tensors);
    return cat(tensors.map(raised2), 0);
  },
  'castable',
);
/** As `vstack`. */
export const rowStack = vstack;
/** One behind the other: along dimension 2. */
export const dstack = writing(
  'dstack',
  (tensors: readonly Tensor[]): Tensor => {
    checkSome('dstack', tensors);
    return cat(tensors.map(raised3), 2);
  },
  'castable',
);
/** Side by side, vectors as columns. */
export const columnStack = writing(
  'columnStack',
  (tensors: readonly Tensor[]): Tensor => {
    checkSome('columnStack', tensors);
    return hstack(tensors.map((t) => (t.shape.length < 2 ? reshape(t, [numel(t.shape), 1]) : t)));
  },
  'castable',
);

/**
 * A matrix with the given ones along its diagonal and zeros elsewhere; vectors count as rows.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.block_diag.html
 */
export const blockDiag = explaining('blockDiag', (...tensors: readonly Tensor[]): Tensor => {
  if (tensors.length === 0) return zeros([1, 0]);
  const blocks = tensors.map((t, i) => {
    if (t.shape.length > 2) {
      throw new RuntimeError(
        `blockDiag: Input tensors must have 2 or fewer dimensions. Input ${i} has ${t.shape.length} dimensions`,
      );
    }
    return raised2(t);
  });
  const width = blocks.reduce((n, t) => n + (t.shape[1] as number), 0);
  let before = 0;
  const rows = blocks.map((t) => {
    const [height = 0, own = 0] = t.shape;
    const blank = (size: number) => zeros([height, size], { dtype: t.dtype, device: t.device });
    const row = cat([blank(before), t, blank(width - before - own)], 1);
    before += own;
    return row;
  });
  return cat(rows, 0);
});
