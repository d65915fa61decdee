import { computeType, type DType } from '../dtype.js';
import { resultType } from '../elementwise.js';
import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, constant, coord, type Expr, e, input, load, scalar } from '../expr.js';
import { isScalar, type Scalar } from '../scalar.js';
import { numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { full } from './create.js';
import { writing } from './writing.js';

/** Options of `searchsorted` and `bucketize`. */
export interface SearchOptions {
  /** Whether an equal boundary lies before the place found; default false: behind it. */
  right?: boolean;
  /** `'left'` or `'right'`: the same said otherwise. */
  side?: 'left' | 'right';
  /** Give int32 rather than int64. */
  outInt32?: boolean;
  /** The order that sorts the boundaries, as `argsort` gives it, if they are not sorted themselves. */
  sorter?: Tensor | null;
}

/**
 * The places found by halving: each round is one map over all values, so that the kernel is small and the same
 * for every number of boundaries, of which the rounds are the logarithm.
 */
function search(sorted: Tensor, values: Tensor, right: boolean, sorter: Tensor | null): Tensor {
  const { shape, device } = values;
  const low = allocate(shape, 'int32', device);
  const high = allocate(shape, 'int32', device);
  const size = sorted.shape.at(-1) ?? 1;
  const fill = (t: Tensor, value: number) =>
    execute({
      kind: 'map',
      shape,
      inputs: [],
      scalars: [value],
      values: [scalar(0, 'int32')],
      outputs: [t],
    });
  fill(low, 0);
  fill(high, size);
  const type = wider(sorted.dtype, values.dtype);
  const [lo, hi] = [input(0, 'int32'), input(1, 'int32')];
  const open = e.lt(lo, hi);
  const middle = e.shr(e.add(lo, hi), constant(1, 'int32'));
  const lead = sorted.shape.length > 1 ? sorted.shape.slice(0, -1).map((_, d) => coord(d)) : [];
  const place: Expr = sorter
    ? cast(load(4, computeType(sorter.dtype), [...lead, middle], open), 'int32')
    : middle;
  const at = cast(load(3, computeType(sorted.dtype), [...lead, place], open), type);
  const wanted = cast(input(2, computeType(values.dtype)), type);
  const behind = e.not(right ? e.gt(at, wanted) : e.ge(at, wanted));
  const next = e.add(middle, constant(1, 'int32'));
  for (let left = size; left > 0; left >>= 1) {
    execute({
      kind: 'map',
      shape,
      inputs: sorter ? [low, high, values, sorted, sorter] : [low, high, values, sorted],
      scalars: [],
      values: [
        e.where(e.and(open, behind), next, lo),
        e.where(e.and(open, e.not(behind)), middle, hi),
      ],
      outputs: [low, high],
    });
  }
  high.dispose();
  return low;
}

/** The compute type in which two dtypes can be compared; bools compare as integers. */
function wider(a: DType, b: DType) {
  const order = ['int32', 'int64', 'float32', 'float64'] as const;
  const rank = (t: DType) => Math.max(0, order.indexOf(computeType(t) as 'int32'));
  return order[Math.max(rank(a), rank(b))] as (typeof order)[number];
}

/**
 * For each value, where it would have to be inserted into the sorted boundaries to keep their order.
 *
 * @param sortedSequence one vector for all values, or one for each row of them (the same leading dimensions).
 * @throws RuntimeError if the shapes do not fit or dtypes differ.
 * @see https://pytorch.org/docs/stable/generated/torch.searchsorted.html
 */
export const searchsorted = writing(
  'searchsorted',
  (sortedSequence: Tensor, values: Tensor | Scalar, options: SearchOptions = {}): Tensor => {
    const { side, sorter = null, outInt32 = false } = options;
    if (side === 'left' && options.right) {
      throw new RuntimeError(
        "searchsorted: side and right can't be set to opposites, got side of left while right was True",
      );
    }
    if (sortedSequence.dtype === 'bool') {
      throw new NotImplementedError(
        `searchsorted: "searchsorted_out_cpu" not implemented for 'bool'`,
      );
    }
    const right = side === 'right' || (options.right ?? false);
    const wanted = isScalar(values)
      ? full([], values, {
          dtype: resultType(sortedSequence, values),
          device: sortedSequence.device,
        })
      : values;
    const boundaries = sortedSequence.shape;
    if (!isScalar(values) && wanted.dtype !== sortedSequence.dtype) {
      throw new RuntimeError(
        `searchsorted: boundary tensor and input value tensor should have same dtype, but got boundary tensor ${sortedSequence.dtype} and input value tensor ${wanted.dtype}`,
      );
    }
    const fits =
      boundaries.length === 1 ||
      (boundaries.length === wanted.shape.length &&
        boundaries.slice(0, -1).every((size, d) => size === wanted.shape[d]));
    if (boundaries.length === 0 || !fits) {
      throw new RuntimeError(
        `searchsorted: boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value tensor must match, but we got boundaries tensor ${formatShape(boundaries)} and input value tensor ${formatShape(wanted.shape)}`,
      );
    }
    if (sorter && sorter.shape.join() !== boundaries.join()) {
      throw new RuntimeError(
        `searchsorted: boundary and sorter must have the same size, but got boundary tensor ${formatShape(boundaries)} and got sorter tensor ${formatShape(sorter.shape)}`,
      );
    }
    const result = allocate(wanted.shape, outInt32 ? 'int32' : 'int64', wanted.device);
    if (numel(wanted.shape) === 0) return result;
    const found = search(sortedSequence, wanted, right, sorter);
    if (outInt32) return found;
    execute({
      kind: 'map',
      shape: wanted.shape,
      inputs: [found],
      scalars: [],
      values: [cast(input(0, 'int32'), 'int64')],
      outputs: [result],
    });
    found.dispose();
    return result;
  },
);

/**
 * The bucket each element falls into, given the sorted boundaries between buckets.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.bucketize.html
 */
export const bucketize = writing(
  'bucketize',
  (
    self: Tensor | Scalar,
    boundaries: Tensor,
    options: Pick<SearchOptions, 'right' | 'outInt32'> = {},
  ): Tensor => {
    if (boundaries.shape.length !== 1) {
      throw new RuntimeError(
        `bucketize: boundaries tensor must be 1 dimension, but got dim(${boundaries.shape.length})`,
      );
    }
    return searchsorted(boundaries, self, options);
  },
);
