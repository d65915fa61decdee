import { formatShape, IndexError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import { canRead } from '../read.js';
import { isScalar, type Scalar } from '../scalar.js';
import { sameShape } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { indexPut_, index as pick } from './advanced-index.js';
import { copy_ } from './copy.js';
import { fromTypedArray } from './create.js';
import { type IndexList, parseIndex } from './index-text.js';
import { fill } from './ternary.js';
import { broadcastTo, reshape, select, slice, unsqueeze, view } from './view.js';

/** A range of positions, `[start, end, step]`, as Python's `start:end:step`; null or absent means from the start, to the end, by 1. */
export type IndexRange = readonly [
  start?: number | null,
  end?: number | null,
  step?: number | null,
];

/**
 * One part of an index: a position; a range; null (a new dimension); `'...'` (as many whole dimensions
 * as fit); a bool; an int64 tensor of positions or a bool mask; or any of these written as Python does, also several
 * at once: `'1:5, ..., None, ::2'`, in which lists stand for tensors: `'[0, 2], :'`.
 */
export type IndexItem = number | IndexRange | null | boolean | Tensor | string;

/** A whole index: its parts, or one alone, which may be several as text; an array is a list of parts, never a range. */
export type Index = readonly IndexItem[] | Exclude<IndexItem, IndexRange>;

type Part = number | IndexRange | null | boolean | Tensor | '...';

/** The parts of an index, those that are written read. */
function partsOf(self: Tensor, items: readonly IndexItem[]): Part[] {
  return items.flatMap((item, place): Part[] => {
    if (typeof item === 'string') {
      return parseIndex(item).map((part) =>
        part !== null && typeof part === 'object' && 'list' in part ? listed(self, part) : part,
      );
    }
    checkItem(item, place);
    return [item];
  });
}

/** A list of an index as the tensor that it stands for. */
function listed({ device }: Tensor, { list }: IndexList): Tensor {
  const bools = list.length > 0 && typeof list[0] === 'boolean';
  return bools
    ? fromTypedArray(Uint8Array.from(list, Number), undefined, { dtype: 'bool', device })
    : fromTypedArray(BigInt64Array.from(list, BigInt), undefined, { dtype: 'int64', device });
}

/** @throws TypeError or IndexError for what is no part of an index. */
function checkItem(item: unknown, place: number): asserts item is Part {
  const bound = (x: unknown) => x === undefined || x === null || Number.isInteger(x);
  if (typeof item === 'number' ? Number.isInteger(item) : item === null) return;
  if (typeof item === 'boolean' || item instanceof Tensor) return;
  if (Array.isArray(item) && item.length <= 3 && item.every(bound)) return;
  throw new IndexError(
    `at: only integers, ranges ([start, end, step]), '...', null, bools and long, byte or bool tensors are valid indices (got ${Array.isArray(item) ? `[${item}]` : String(item)} in place ${place}; a list of positions is a tensor)`,
  );
}

const isMask = ({ dtype }: Tensor): boolean => dtype === 'bool' || dtype === 'uint8';

/** How many dimensions of the tensor a part takes. */
function taken(part: Part): number {
  if (part === null || part === '...' || typeof part === 'boolean') return 0;
  return part instanceof Tensor && isMask(part) ? part.shape.length : 1;
}

/** A tensor of one true or no position: how a lone bool selects. */
const choice = (self: Tensor, chosen: boolean): Tensor =>
  fill(allocate([chosen ? 1 : 0], 'int64', self.device), 0);

/** The view that the plain parts give, and the index tensors left to apply to it. */
function apply(self: Tensor, parts: readonly Part[]): [Tensor, (Tensor | null)[]] {
  const total = parts.reduce<number>((n, p) => n + taken(p), 0);
  if (self.shape.length === 0 && total > 0) checkScalar(parts);
  if (total > self.shape.length) {
    throw new IndexError(
      `at: too many indices for tensor of dimension ${self.shape.length} (got ${total})`,
    );
  }
  let result = self;
  let dim = 0;
  const indices: (Tensor | null)[] = [];
  /** How many dimensions the index tensors cover so far; a mask covers as many as it has. */
  let covered = 0;
  const cover = (index: Tensor, dims: number) => {
    for (; covered < dim; covered++) indices.push(null);
    indices.push(index);
    covered += dims;
    dim += dims;
  };
  for (const part of parts) {
    if (part === '...') {
      dim += self.shape.length - total;
    } else if (part === null) {
      result = unsqueeze(result, dim++);
    } else if (typeof part === 'number') {
      result = selectAt(result, dim, part);
    } else if (typeof part === 'boolean') {
      result = unsqueeze(result, dim);
      cover(choice(self, part), 1);
    } else if (part instanceof Tensor) {
      checkIndexDtype(part);
      if (part.shape.length === 0 && canRead(part)) {
        if (!isMask(part)) {
          result = selectAt(result, dim, part.itemSync());
          continue;
        }
        result = unsqueeze(result, dim);
        cover(choice(self, part.itemSync() !== 0), 1);
        continue;
      }
      cover(part, isMask(part) ? part.shape.length : 1);
    } else {
      const [start, end, step] = part;
      if (step != null && step <= 0) {
        throw new ValueError(
          `at: step must be greater than zero, got ${step}; flip() gives the reverse order`,
        );
      }
      result = slice(result, dim++, start, end, step ?? 1);
    }
  }
  return [result, indices];
}

/** @throws IndexError for a tensor of a dtype that is neither of positions nor a mask. */
function checkIndexDtype({ dtype }: Tensor): void {
  if (['int64', 'int32', 'uint8', 'bool'].includes(dtype)) return;
  throw new IndexError(
    `at: tensors used as indices must be long, byte or bool tensors, got ${dtype}; convert it with .to('int64')`,
  );
}

/** @throws IndexError for a lone position or range in a tensor without dimensions, in PyTorch's words. */
function checkScalar(parts: readonly Part[]): void {
  const [part] = parts;
  if (parts.length > 1 || (part instanceof Tensor && part.shape.length > 0)) return;
  const fault = Array.isArray(part)
    ? 'slice() cannot be applied to a 0-dim tensor'
    : 'invalid index of a 0-dim tensor: item() converts a 0-dim tensor to a number';
  throw new IndexError(`at: ${fault}; too many indices for tensor of dimension 0`);
}

function selectAt(t: Tensor, dim: number, position: number): Tensor {
  const size = t.shape[dim] as number;
  if (position < -size || position >= size) {
    throw new IndexError(
      `at: index ${position} is out of bounds for dimension ${dim} with size ${size} (shape ${formatShape(t.shape)})`,
    );
  }
  return select(t, dim, position);
}

/**
 * Python's `self[...]`: positions, ranges, new dimensions and ellipsis give views; index tensors and masks give copies,
 * their dimensions placed where the first of them stood, or in front if something lies between them.
 *
 * A list of positions is a tensor here (`tensor([0n, 2n])`) or written (`'[0, 2]'`), since an array is a range.
 *
 * @throws IndexError if there are too many parts, one is out of range or a text is no index; ValueError for a step below 1.
 * @see https://pytorch.org/docs/stable/tensors.html#tensor-class-reference
 * @example
 * x.at(0); x.at(-1, [1, 3]); x.at('...', null); x.at('1:5, ..., ::2'); x.at(x.gt(0)); x.at(tensor([0n, 2n]), 1);
 */
export const at = explaining('at', (self: Tensor, ...items: IndexItem[]): Tensor => {
  const [part, indices] = apply(self, partsOf(self, items));
  if (indices.some((t) => t !== null)) return pick(part, indices);
  return part === self ? view(self, self.shape) : part;
});

/**
 * Python's `self[...] = value`: writes into the part that `at` would give, which the value broadcasts to.
 *
 * @param index the parts of the index, or one alone, or all of them as one string.
 * @returns the tensor itself.
 * @throws IndexError as `at`; RuntimeError if the value does not broadcast to the part.
 * @example x.setAt([0, [1, 3]], 7); x.setAt(':, -1', y); x.setAt(x.lt(0), 0);
 */
export const setAt = explaining(
  'setAt',
  (self: Tensor, index: Index, value: Tensor | Scalar): Tensor => {
    const items = Array.isArray(index) ? (index as readonly IndexItem[]) : [index as IndexItem];
    const parts = partsOf(self, items);
    // As in PyTorch, a bool that is the whole index is no mask: all is written, or nothing.
    if (index === false) return self;
    const [part, indices] = apply(self, index === true ? [null] : parts);
    const indexed = indices.some((t) => t !== null);
    if (isScalar(value)) {
      if (indexed) indexPut_(part, indices, value);
      else part.fill_(value);
      return self;
    }
    // Leading dimensions of size 1 of the value have no say.
    const first = value.shape.findIndex((size) => size !== 1);
    const shape = first < 0 ? [] : value.shape.slice(first);
    const source = value.shape.length === shape.length ? value : reshape(value, shape);
    if (indexed) indexPut_(part, indices, source);
    else
      copy_(part, sameShape(source.shape, part.shape) ? source : broadcastTo(source, part.shape));
    return self;
  },
);
