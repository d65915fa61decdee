import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import { IndexError, NotImplementedError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, constant, coord, e, input, load, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import type { OutOptions } from '../out.js';
import { normalizeDim, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { full } from './create.js';
import { gatherOp } from './gathering.js';
import { pair, type ValuesIndices } from './pair.js';
import { pickAlong, sort } from './sort.js';
import { reshape } from './view.js';
import { writing } from './writing.js';

/**
 * Where the lower median of a dimension stands, with size 1 along it: NaN, sorted to the end, is chosen if there is
 * any, or left out of the count.
 */
function medianIndices(self: Tensor, dim: number, ignoreNaN: boolean): Tensor {
  const { values, indices } = sort(
    new Tensor(self.storage, self.dtype, self.shape, self.strides, self.offset),
    dim,
  );
  const shape = self.shape.map((size, d) => (d === dim ? 1 : size));
  const result = allocate(shape, 'int64', self.device);
  if (numel(shape) === 0) return result;
  const type = computeType(self.dtype);
  const x = input(0, type);
  const missing = type === 'float32' || type === 'float64' ? e.isnan(x) : constant(false, 'bool');
  const size = scalar(0, 'int32');
  const numbers = e.sub(size, stage(0, 'int32'));
  const middle = e.shr(e.max(e.sub(numbers, constant(1, 'int32')), 0), constant(1, 'int32'));
  const at = ignoreNaN ? middle : e.where(e.lt(numbers, size), numbers, middle);
  execute({
    kind: 'reduce',
    shape: self.shape,
    axes: [dim],
    inputs: [values, indices],
    scalars: [self.shape[dim] as number],
    stages: [{ combine: 'sum', value: cast(missing, 'int32') }],
    outputs: [
      {
        per: 'row',
        value: load(
          1,
          'int64',
          self.shape.map((_, d) => (d === dim ? at : coord(d))),
        ),
        view: result,
      },
    ],
  });
  return result;
}

/** What PyTorch gives for the median of no integers: NaN, cast. */
const nothing: Partial<Record<DType, number | bigint | boolean>> = {
  int32: -(2 ** 31),
  int64: -(2n ** 63n),
  bool: true,
};

/** The median of all elements as one of them, outside of the graph. */
function overall(self: Tensor, ignoreNaN: boolean): Tensor {
  if (numel(self.shape) === 0) {
    return isFloatingPoint(self.dtype)
      ? full([], Number.NaN, { dtype: self.dtype, device: self.device })
      : full([], nothing[self.dtype] ?? 0, { dtype: self.dtype, device: self.device });
  }
  const flat = reshape(self, [-1]);
  return reshape(gatherOp(flat, 0, medianIndices(flat, 0, ignoreNaN)), []);
}

const medianOp = op('median', 'self', (self: Tensor): Tensor => overall(self, false));
const nanmedianOp = op('nanmedian', 'self', (self: Tensor): Tensor => overall(self, true));

function medianOf(
  name: 'median' | 'nanmedian',
  self: Tensor,
  dim: number | undefined,
  options: { keepdim?: boolean } = {},
): Tensor | ValuesIndices {
  if (self.dtype === 'bool')
    throw new NotImplementedError(`${name}: "median_out_impl" not implemented for 'bool'`);
  const ignoreNaN = name === 'nanmedian';
  if (dim === undefined) return (ignoreNaN ? nanmedianOp : medianOp)(self);
  const d = normalizeDim(name, dim, self.shape.length);
  if (self.shape[d] === 0)
    throw new IndexError(`${name}: Expected reduction dim ${d} to have non-zero size.`);
  if (self.shape.length === 0) {
    const first = full([], 0n, { dtype: 'int64', device: self.device });
    return pair(self.clone(), first);
  }
  return pickAlong(self, d, medianIndices(self, d, ignoreNaN), options.keepdim ?? false);
}

/** Of all elements, or along a dimension. */
interface Median {
  (self: Tensor, options?: OutOptions): Tensor;
  (
    self: Tensor,
    dim: number,
    options?: { keepdim?: boolean } & OutOptions<ValuesIndices>,
  ): ValuesIndices;
}

/**
 * The lower median: of all elements, or along a dimension with its position; NaN if there is one.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.median.html
 */
export const median = writing(
  'median',
  (self: Tensor, dim?: number, options?: { keepdim?: boolean }) =>
    medianOf('median', self, dim, options),
) as Median;

/** The lower median with NaN left out; NaN only where there is nothing else. */
export const nanmedian = writing(
  'nanmedian',
  (self: Tensor, dim?: number, options?: { keepdim?: boolean }) =>
    medianOf('nanmedian', self, dim, options),
) as Median;
