import { computeType } from '../dtype.js';
import { checkInteger, formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, e, load, scalar } from '../expr.js';
import { op } from '../op.js';
import { existingDim, normalizeDims, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { clone } from './copy.js';
import { arange } from './create.js';
import { indexSelect } from './gather.js';
import { checkSynchronous } from './mask-positions.js';
import { cumsum } from './scan.js';
import { searchsorted } from './search-sorted.js';
import { expand, flatten, narrow, reshape, transpose, unsqueeze, view } from './view.js';
import { writing } from './writing.js';

const flipOp = op('flip', 'self dims', (self: Tensor, dims: readonly number[]): Tensor => {
  const result = allocate(self.shape, self.dtype, self.device);
  if (numel(self.shape) === 0) return result;
  const coords = self.shape.map((_, d) => {
    const i = dims.indexOf(d);
    return i < 0 ? coord(d) : e.sub(scalar(i, 'int32'), coord(d));
  });
  execute({
    kind: 'map',
    shape: self.shape,
    inputs: [self],
    scalars: dims.map((d) => (self.shape[d] as number) - 1),
    values: [load(0, computeType(self.dtype), coords)],
    outputs: [result],
  });
  return result;
});

/**
 * The order of elements along the given dimensions reversed (a copy).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.flip.html
 */
export const flip = explaining(
  'flip',
  (self: Tensor, ...dims: number[] | [readonly number[]]): Tensor => {
    const list = (Array.isArray(dims[0]) ? dims[0] : dims) as readonly number[];
    const axes = normalizeDims('flip', list, self.shape.length);
    return flipOp(self, self.shape.length === 0 ? [] : axes);
  },
);
/** Columns in reverse order. */
export const fliplr = explaining('fliplr', (self: Tensor): Tensor => {
  if (self.shape.length < 2) throw new RuntimeError('fliplr: Input must be >= 2-d.');
  return flip(self, 1);
});
/** Rows in reverse order. */
export const flipud = explaining('flipud', (self: Tensor): Tensor => {
  if (self.shape.length < 1) throw new RuntimeError('flipud: Input must be >= 1-d.');
  return flip(self, 0);
});

const rollOp = op(
  'roll',
  'self shifts dims',
  (self: Tensor, shifts: readonly number[], dims: readonly number[]): Tensor => {
    const result = allocate(self.shape, self.dtype, self.device);
    if (numel(self.shape) === 0) return result;
    const scalars: number[] = [];
    const coords = self.shape.map((size, d) => {
      const shift = shifts.reduce((n, s, i) => (dims[i] === d ? n + s : n), 0);
      if (!dims.includes(d)) return coord(d);
      const by = ((shift % size) + size) % size;
      const k = scalars.push(by, size - by) - 2;
      return e.where(
        e.lt(coord(d), scalar(k, 'int32')),
        e.add(coord(d), scalar(k + 1, 'int32')),
        e.sub(coord(d), scalar(k, 'int32')),
      );
    });
    execute({
      kind: 'map',
      shape: self.shape,
      inputs: [self],
      scalars,
      values: [load(0, computeType(self.dtype), coords)],
      outputs: [result],
    });
    return result;
  },
);

/**
 * Elements moved along dimensions, those that fall off coming back at the other end; without `dims`, of the flattened tensor.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.roll.html
 */
export const roll = explaining(
  'roll',
  (self: Tensor, shifts: number | readonly number[], dims?: number | readonly number[]): Tensor => {
    const by = [shifts].flat() as number[];
    const over = dims === undefined ? [] : ([dims].flat() as number[]);
    if (by.length === 0) throw new RuntimeError('roll: `shifts` required');
    for (const shift of by) checkInteger('roll', 'shifts', 1, shift);
    if (over.length === 0 && by.length === 1) {
      return reshape(rollOp(reshape(self, [-1]), by, [0]), self.shape);
    }
    if (by.length !== over.length) {
      throw new RuntimeError(
        `roll: shifts and dimensions must align. shifts: ${by.length}, dims:${over.length}`,
      );
    }
    return rollOp(
      self,
      by,
      over.map((d) => existingDim('roll', d, self.shape.length)),
    );
  },
);

/**
 * Rotated by `k` quarter turns in the plane of two dimensions, from the first towards the second.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.rot90.html
 */
export const rot90 = explaining(
  'rot90',
  (self: Tensor, k = 1, dims: readonly number[] = [0, 1]): Tensor => {
    checkInteger('rot90', 'k', 1, k);
    const rank = self.shape.length;
    if (dims.length !== 2) {
      throw new RuntimeError(
        `rot90: expected total rotation dims == 2, but got dims = ${dims.length}`,
      );
    }
    if (rank < 2)
      throw new RuntimeError(`rot90: expected total dims >= 2, but got total dims = ${rank}`);
    const [a, b] = dims.map((d) => {
      if (d < -rank || d >= rank) {
        throw new RuntimeError(
          `rot90: Rotation dim${d === dims[0] ? 0 : 1} out of range, dim = ${d}`,
        );
      }
      return d < 0 ? d + rank : d;
    }) as [number, number];
    if (a === b) {
      throw new RuntimeError(
        `rot90: expected rotation dims to be different, but got dim0 = ${dims[0]} and dim1 = ${dims[1]}`,
      );
    }
    switch (((k % 4) + 4) % 4) {
      case 1:
        return transpose(flip(self, b), a, b);
      case 2:
        return flip(self, a, b);
      case 3:
        return transpose(flip(self, a), a, b);
      default:
        return clone(self, { memoryFormat: 'contiguous' });
    }
  },
);

/**
 * The tensor laid out several times along each dimension (a copy); leading repeats add dimensions.
 *
 * @throws RuntimeError if there are fewer repeats than dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.repeat.html
 */
export const repeat = explaining(
  'repeat',
  (self: Tensor, ...repeats: number[] | [readonly number[]]): Tensor => {
    const times = (Array.isArray(repeats[0]) ? repeats[0] : repeats) as readonly number[];
    const lead = times.length - self.shape.length;
    if (lead < 0) {
      throw new RuntimeError(
        `repeat: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor (got ${formatShape(times)} for shape ${formatShape(self.shape)})`,
      );
    }
    if (times.some((n) => !Number.isInteger(n) || n < 0)) {
      throw new RuntimeError(
        `repeat: repeats must be non-negative integers, got ${formatShape(times)}`,
      );
    }
    const sizes = times.map((_, i) => self.shape[i - lead] ?? 1);
    const spread = reshape(
      self,
      sizes.flatMap((size) => [1, size]),
    );
    const copies = expand(
      spread,
      sizes.flatMap((size, i) => [times[i] as number, size]),
    );
    return view(
      clone(copies, { memoryFormat: 'contiguous' }),
      sizes.map((size, i) => size * (times[i] as number)),
    );
  },
);

/** As `repeat`, but missing leading repeats count as 1. */
export const tile = explaining(
  'tile',
  (self: Tensor, ...repeats: number[] | [readonly number[]]): Tensor => {
    const times = (Array.isArray(repeats[0]) ? repeats[0] : repeats) as readonly number[];
    const missing = Math.max(0, self.shape.length - times.length);
    return repeat(self, [...new Array<number>(missing).fill(1), ...times]);
  },
);

/** Options of `repeatInterleave`. */
export interface RepeatInterleaveOptions {
  /** The size of the result along the dimension, if known: needed for tensor repeats where values cannot be read at once. */
  outputSize?: number;
}

/** For each position of a vector of counts, that position so many times. */
function repeatedPositions(repeats: Tensor, outputSize: number | undefined): Tensor {
  if (repeats.shape.length > 1 || (repeats.dtype !== 'int64' && repeats.dtype !== 'int32')) {
    throw new RuntimeError(
      `repeatInterleave: repeats has to be a vector of int64 or int32, got ${repeats.dtype} of shape ${formatShape(repeats.shape)}`,
    );
  }
  const ends = cumsum(reshape(repeats, [-1]), 0);
  let total = outputSize;
  if (total === undefined) {
    checkSynchronous('repeatInterleave', repeats);
    const count = numel(repeats.shape);
    if (count > 0 && repeats.amin().itemSync() < 0)
      throw new RuntimeError('repeatInterleave: repeats can not be negative');
    total = count === 0 ? 0 : ends.select(0, count - 1).itemSync();
  }
  const places = arange(total, { dtype: ends.dtype, device: repeats.device });
  return searchsorted(ends, places, { right: true, outInt32: repeats.dtype === 'int32' });
}

/**
 * Each element, or each position of a dimension, several times in a row; without `dim`, of the flattened tensor.
 *
 * @param repeats one number, or an integer vector with one for each position. Left out, `self` holds the numbers
 * and the result is the positions.
 * @throws NotImplementedError for tensor repeats without `outputSize` on a device that cannot be read at once.
 * @see https://pytorch.org/docs/stable/generated/torch.repeat_interleave.html
 */
export const repeatInterleave = explaining(
  'repeatInterleave',
  (
    self: Tensor,
    repeats?: number | Tensor | null,
    dim?: number | null,
    options: RepeatInterleaveOptions = {},
  ): Tensor => {
    if (repeats === undefined || repeats === null)
      return repeatedPositions(self, options.outputSize);
    const source = dim === undefined || dim === null ? reshape(self, [-1]) : self;
    const d = existingDim('repeatInterleave', dim ?? 0, source.shape.length);
    if (repeats instanceof Tensor && numel(repeats.shape) !== 1) {
      if (numel(repeats.shape) !== source.shape[d]) {
        throw new RuntimeError(
          `repeatInterleave: repeats must have the same size as input along dim (${numel(repeats.shape)} and ${source.shape[d]})`,
        );
      }
      return indexSelect(source, d, repeatedPositions(repeats, options.outputSize));
    }
    if (repeats instanceof Tensor) checkSynchronous('repeatInterleave', repeats);
    const times = repeats instanceof Tensor ? repeats.itemSync() : repeats;
    checkInteger('repeatInterleave', 'repeats', 1, times);
    if (!(times >= 0)) throw new RuntimeError('repeatInterleave: Repeats must be non-negative');
    const base = source.shape.length === 0 ? reshape(source, [1]) : source;
    const shape = [...base.shape.slice(0, d + 1), times, ...base.shape.slice(d + 1)];
    const copies = clone(expand(unsqueeze(base, d + 1), shape), { memoryFormat: 'contiguous' });
    return flatten(copies, d, d + 1);
  },
);

/** As `narrow`, but with memory of its own. */
export const narrowCopy = writing(
  'narrowCopy',
  (self: Tensor, dim: number, start: number, length: number): Tensor =>
    narrow(self, dim, start, length).clone(),
);
