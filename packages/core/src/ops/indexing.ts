import { formatShape, IndexError } from '../errors.js';
import { canRead } from '../read.js';
import { isScalar, type Scalar } from '../scalar.js';
import { sameShape } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { indexPut_, index as pick } from './advanced-index.js';
import { copy_ } from './copy.js';
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
 * as fit); a bool; an int64 tensor of positions or a bool mask; or any of these but tensors written as
 * Python does, also several at once: `'1:5, ..., None, ::2'`.
 */
export type IndexItem = number | IndexRange | null | boolean | Tensor | string;

type Part = number | IndexRange | null | boolean | Tensor | '...';

/** One part written as Python writes it. */
function parsePart(text: string): Part {
  if (text === '...') return '...';
  if (text === 'None' || text === 'null') return null;
  if (text === 'True' || text === 'true') return true;
  if (text === 'False' || text === 'false') return false;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  const range = /^([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?)?$/.exec(text);
  if (!range) {
    throw new IndexError(
      `at: '${text}' is not an index such as '3', '1:5', '::2', '...' or 'None'`,
    );
  }
  const bound = (s: string | undefined) => (s === undefined ? null : Number(s));
  return [bound(range[1]), bound(range[2]), bound(range[3])];
}

const parse = (items: readonly IndexItem[]): Part[] =>
  items.flatMap((item): Part[] =>
    typeof item === 'string' ? item.split(',').map((s) => parsePart(s.trim())) : [item as Part],
  );

/** How many dimensions of the tensor a part takes. */
function taken(part: Part): number {
  if (part === null || part === '...' || typeof part === 'boolean') return 0;
  if (part instanceof Tensor && part.dtype === 'bool') return part.shape.length;
  return 1;
}

/** A tensor of one true or no position: how a lone bool selects. */
const choice = (self: Tensor, chosen: boolean): Tensor =>
  fill(allocate([chosen ? 1 : 0], 'int64', self.device), 0);

/** The view that the plain parts give, and the index tensors left to apply to it. */
function apply(self: Tensor, items: readonly IndexItem[]): [Tensor, (Tensor | null)[]] {
  const parts = parse(items);
  const total = parts.reduce<number>((n, p) => n + taken(p), 0);
  if (total > self.shape.length) {
    throw new IndexError(
      `at: too many indices for tensor of dimension ${self.shape.length} (got ${total})`,
    );
  }
  let result = self;
  let dim = 0;
  const indices: (Tensor | null)[] = [];
  const leaveUntil = () => {
    while (indices.length < dim) indices.push(null);
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
      leaveUntil();
      indices.push(choice(self, part));
      dim++;
    } else if (part instanceof Tensor) {
      const integer = part.dtype !== 'bool' && part.dtype !== 'uint8';
      if (part.shape.length === 0 && canRead(part)) {
        if (integer) {
          result = selectAt(result, dim, part.itemSync());
          continue;
        }
        result = unsqueeze(result, dim);
        leaveUntil();
        indices.push(choice(self, part.itemSync() !== 0));
        dim++;
        continue;
      }
      leaveUntil();
      indices.push(part);
      // As in PyTorch, what follows a mask is applied as if the mask took one dimension.
      dim++;
    } else {
      const [start, end, step] = part;
      result = slice(result, dim++, start, end, step ?? 1);
    }
  }
  return [result, indices];
}

function selectAt(t: Tensor, dim: number, position: number): Tensor {
  const size = t.shape[dim] as number;
  if (!Number.isInteger(position) || position < -size || position >= size) {
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
 * A list of positions is a tensor here (`tensor([0n, 2n])`), since an array is a range.
 *
 * @throws IndexError if there are too many parts or one is out of range.
 * @see https://pytorch.org/docs/stable/tensors.html#tensor-class-reference
 * @example
 * x.at(0); x.at(-1, [1, 3]); x.at('...', null); x.at('1:5, ..., ::2'); x.at(x.gt(0)); x.at(tensor([0n, 2n]), 1);
 */
export const at = (self: Tensor, ...items: IndexItem[]): Tensor => {
  const [part, indices] = apply(self, items);
  if (indices.some((t) => t !== null)) return pick(part, indices);
  return part === self ? view(self, self.shape) : part;
};

/**
 * Python's `self[...] = value`: writes into the part that `at` would give, which the value broadcasts to.
 *
 * @param items the parts of the index, or all of them as one string.
 * @returns the tensor itself.
 * @throws IndexError as `at`; RuntimeError if the value does not broadcast to the part.
 * @example x.setAt([0, [1, 3]], 7); x.setAt(':, -1', y); x.setAt([x.lt(0)], 0);
 */
export const setAt = (
  self: Tensor,
  items: readonly IndexItem[] | string,
  value: Tensor | Scalar,
): Tensor => {
  const [part, indices] = apply(self, typeof items === 'string' ? [items] : items);
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
  else copy_(part, sameShape(source.shape, part.shape) ? source : broadcastTo(source, part.shape));
  return self;
};
