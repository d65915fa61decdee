import { isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { normalizeDim } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { div, sub } from './binary.js';
import { arange, full, zeros } from './create.js';
import { cat } from './join.js';
import { cumsum } from './scan.js';
import { scatterReduce } from './scatter.js';
import { searchsorted } from './search-sorted.js';
import { where } from './ternary.js';
import { detach, expand, narrow, reshape } from './view.js';

/** Options of `segmentReduce`: either `lengths` or `offsets` must be given. */
export interface SegmentOptions {
  /** The length of each segment along the axis; the leading dimensions are those of the data. */
  lengths?: Tensor | null;
  /** Where each segment begins, and the end of the last one. */
  offsets?: Tensor | null;
  /** The last dimension of `lengths` or `offsets`; default 0. */
  axis?: number;
  /** Skips PyTorch's checks; nothing is read here either way. */
  unsafe?: boolean;
  /** What each reduction starts with, and the result of an empty segment. */
  initial?: number | null;
}

const kinds = { sum: 'sum', mean: 'sum', max: 'amax', min: 'amin', prod: 'prod' } as const;
const identities = { sum: 0, mean: 0, max: -Infinity, min: Infinity, prod: 1 } as const;

/**
 * Reduces segments of a dimension that follow each other: sums, means, products or extremes. A mean is the sum, begun
 * with `initial`, over the length.
 *
 * @throws RuntimeError if the shapes do not fit, or neither lengths nor offsets are given.
 * @example segmentReduce(tensor([1, 2, 3]), 'sum', { lengths: tensor([1n, 2n]) }) // tensor([1., 5.])
 */
export const segmentReduce = explaining(
  'segmentReduce',
  (
    data: Tensor,
    reduce: 'sum' | 'mean' | 'max' | 'min' | 'prod',
    options: SegmentOptions = {},
  ): Tensor => {
    const { initial = null } = options;
    if (!isFloatingPoint(data.dtype)) {
      throw new NotImplementedError(
        `segmentReduce: "_segment_reduce_cpu" not implemented for '${data.dtype}'`,
      );
    }
    const axis = normalizeDim('segmentReduce', options.axis ?? 0, data.shape.length);
    const given = options.offsets ?? options.lengths;
    if (!given) {
      throw new RuntimeError('segmentReduce: Either lengths or offsets must be defined');
    }
    const lead = data.shape.slice(0, axis);
    if (given.shape.length !== axis + 1 || lead.some((size, d) => size !== given.shape[d])) {
      throw new RuntimeError(
        `segmentReduce: lengths or offsets of shape ${formatShape(given.shape)} do not fit data of shape ${formatShape(data.shape)} and axis ${axis}`,
      );
    }
    const { device, dtype } = data;
    const place = { dtype: 'int64', device } as const;
    const offsets = detach(
      options.offsets ?? cat([zeros([...lead, 1], place), cumsum(given, -1)], -1),
    ).to('int64');
    const segments = (offsets.shape[axis] as number) - 1;
    const size = data.shape[axis] as number;
    const ends = narrow(offsets, axis, 1, segments).contiguous();
    const positions = expand(arange(size, place), [...lead, size]).contiguous();
    // What lies before the first segment or behind the last goes to one more, which is dropped.
    const found = searchsorted(ends, positions, { right: true });
    const own = where(positions.lt(narrow(offsets, axis, 0, 1)), segments, found);
    const trailing = data.shape.slice(axis + 1);
    const spread = (t: Tensor): Tensor => reshape(t, [...t.shape, ...trailing.map(() => 1)]);
    const start = full([...lead, segments + 1, ...trailing], initial ?? identities[reduce], {
      dtype,
      device,
    });
    const index = expand(spread(own), data.shape).contiguous();
    const all = scatterReduce(start, axis, index, data, kinds[reduce]);
    const result = narrow(all, axis, 0, segments);
    if (reduce !== 'mean') return result;
    const lengths = spread(sub(ends, narrow(offsets, axis, 0, segments))).to(dtype);
    const empty = initial === null ? Number.NaN : initial;
    return where(lengths.eq(0), empty, div(result, lengths));
  },
);
