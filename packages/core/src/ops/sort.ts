import {
  checkInteger,
  formatShape,
  IndexError,
  NotImplementedError,
  RuntimeError,
} from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { op } from '../op.js';
import { normalizeDim, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { clone } from './copy.js';
import { gatherOp } from './gathering.js';
import { asVector } from './index-range.js';
import { pair, type ValuesIndices } from './pair.js';
import { detach, narrow, select } from './view.js';
import { writing } from './writing.js';

/** The same elements with dimension `dim` last: the one that is sorted. */
function dimLast(t: Tensor, dim: number): Tensor {
  const order = t.shape.map((_, d) => d).filter((d) => d !== dim);
  order.push(dim);
  return new Tensor(
    t.storage,
    t.dtype,
    order.map((d) => t.shape[d] as number),
    order.map((d) => t.strides[d] as number),
    t.offset,
  );
}

const sortOp = op(
  'sort',
  'self dim descending',
  (self: Tensor, dim: number, descending: boolean): ValuesIndices => {
    const values = allocate(self.shape, self.dtype, self.device);
    const indices = allocate(self.shape, 'int64', self.device);
    if (numel(self.shape) > 0) {
      const [input, sorted, places] = [self, values, indices].map((t) =>
        dimLast(asVector(t), dim),
      ) as [Tensor, Tensor, Tensor];
      execute({ kind: 'sort', descending, input, values: sorted, indices: places });
    }
    return pair(values, indices);
  },
);

/** Options of `sort` and `argsort`. */
export interface SortOptions {
  /** From the greatest to the smallest; default false. */
  descending?: boolean;
  /** Equal elements keep their order; they always do, so this need not be given. */
  stable?: boolean;
}

/**
 * The elements along a dimension in ascending order, and where they came from; NaN counts as the greatest.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.sort.html
 * @example const { values, indices } = x.sort(-1, { descending: true });
 */
export const sort = writing(
  'sort',
  (self: Tensor, dim = -1, options: SortOptions = {}): ValuesIndices =>
    sortOp(self, normalizeDim('sort', dim, self.shape.length), options.descending ?? false),
);

/** The positions that sort a dimension. */
export const argsort = explaining(
  'argsort',
  (self: Tensor, dim = -1, options: SortOptions = {}): Tensor =>
    sort(detach(self), dim, options).indices,
);

/** Sorted along the first dimension. */
export const msort = writing('msort', (self: Tensor): Tensor => sort(self, 0).values);

/** Options of `topk`. */
export interface TopkOptions {
  /** The greatest (default) or the smallest elements. */
  largest?: boolean;
  /** In order; they always are. */
  sorted?: boolean;
}

/**
 * The `k` greatest elements along a dimension in descending order (or the smallest, ascending), and where they stand.
 *
 * @throws RuntimeError if the dimension has fewer than `k` elements.
 * @see https://pytorch.org/docs/stable/generated/torch.topk.html
 */
export const topk = writing(
  'topk',
  (self: Tensor, k: number, dim = -1, options: TopkOptions = {}): ValuesIndices => {
    const d = normalizeDim('topk', dim, self.shape.length);
    checkInteger('topk', 'k', 1, k);
    if (self.dtype === 'bool' && self.shape.length > 0)
      throw new NotImplementedError(`topk: "topk_cpu" not implemented for 'bool'`);
    const size = self.shape[d] ?? 1;
    if (!(k >= 0 && k <= size)) {
      throw new RuntimeError(
        `topk: selected index k out of range (k = ${k}, dimension ${d} of ${formatShape(self.shape)} has ${size})`,
      );
    }
    const { indices } = sort(detach(self), d, { descending: options.largest ?? true });
    const best =
      self.shape.length === 0
        ? indices
        : clone(narrow(indices, d, 0, k), { memoryFormat: 'contiguous' });
    return pair(gatherOp(self, d, best), best);
  },
);

/** The places `indices` names along a dimension, which is dropped unless kept: values as a differentiable selection. */
export function pickAlong(
  self: Tensor,
  dim: number,
  indices: Tensor,
  keepdim: boolean,
): ValuesIndices {
  const values = gatherOp(self, dim, indices);
  if (keepdim || self.shape.length === 0) return pair(values, indices);
  return pair(select(values, dim, 0), select(indices, dim, 0));
}

/**
 * The `k`-th smallest element along a dimension (counting from 1), and where it stands.
 *
 * @throws RuntimeError if `k` is out of range.
 * @see https://pytorch.org/docs/stable/generated/torch.kthvalue.html
 */
export const kthvalue = writing(
  'kthvalue',
  (self: Tensor, k: number, dim = -1, options: { keepdim?: boolean } = {}): ValuesIndices => {
    const d = normalizeDim('kthvalue', dim, self.shape.length);
    checkInteger('kthvalue', 'k', 1, k);
    if (self.dtype === 'bool' && self.shape.length > 0)
      throw new NotImplementedError(`kthvalue: "kthvalue_cpu" not implemented for 'bool'`);
    const size = self.shape[d] ?? 1;
    if (size === 0)
      throw new IndexError(`kthvalue: Expected reduction dim ${d} to have non-zero size.`);
    if (!(k >= 1 && k <= size))
      throw new RuntimeError(
        `kthvalue: selected number k out of range for dimension ${d} (k = ${k}, size ${size})`,
      );
    const { indices } = sort(detach(self), d);
    const chosen =
      self.shape.length === 0
        ? indices
        : clone(narrow(indices, d, k - 1, 1), { memoryFormat: 'contiguous' });
    return pickAlong(self, d, chosen, options.keepdim ?? false);
  },
);
