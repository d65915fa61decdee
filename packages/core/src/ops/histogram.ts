import { computeType, isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, e, input, scalar } from '../expr.js';
import { numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { zeros } from './create.js';
import { onesLike } from './create-like.js';
import { binOf, equalEdges, type HistogramOptions } from './histogram-edges.js';
import { checkSynchronous } from './mask-positions.js';
import { amax, amin } from './reduce.js';
import { scatterAdd } from './scatter.js';
import { where } from './ternary.js';
import { detach, narrow, reshape } from './view.js';
import { writing } from './writing.js';

/**
 * How many elements fall into each of `bins` equal parts of [min, max]; what lies outside is not counted.
 *
 * @param min with equal limits (default 0 and 0), those of the data are used, which needs a device that can be read at once.
 * @throws RuntimeError if a limit is not finite, or `max` is below `min`.
 * @see https://pytorch.org/docs/stable/generated/torch.histc.html
 */
export const histc = writing('histc', (self: Tensor, bins = 100, min = 0, max = 0): Tensor => {
  if (!isFloatingPoint(self.dtype))
    throw new NotImplementedError(`histc: "histogram_cpu" not implemented for '${self.dtype}'`);
  if (!(bins > 0)) throw new RuntimeError(`histc: bins must be > 0, got ${bins}`);
  let [low, high] = [min, max];
  if (low === high && numel(self.shape) > 0) {
    checkSynchronous('histc', self);
    low = amin(detach(self)).itemSync();
    high = amax(detach(self)).itemSync();
  }
  if (low === high) {
    low -= 1;
    high += 1;
  }
  if (!Number.isFinite(low) || !Number.isFinite(high))
    throw new RuntimeError(`histc: range of [${low}, ${high}] is not finite`);
  if (low > high) throw new RuntimeError('histc: max must be larger than min');
  const result = zeros([bins], { dtype: self.dtype, device: self.device });
  if (numel(self.shape) === 0) return result;
  const type = computeType(self.dtype);
  const x = input(0, type);
  const [from, to, count] = [scalar(0, type), scalar(1, type), scalar(2, type)];
  const place = cast(e.mul(e.div(e.sub(x, from), e.sub(to, from)), count), 'int32');
  execute({
    kind: 'scatter',
    shape: self.shape,
    inputs: [self],
    scalars: [low, high, bins, bins - 1],
    // The upper limit belongs to the last bin.
    coords: [e.min(place, scalar(3, 'int32'))],
    valid: e.and(e.ge(x, from), e.le(x, to)),
    value: constant(1, type),
    output: result,
    combine: 'sum',
  });
  return result;
});

/**
 * How often each number from 0 on occurs in a vector of non-negative integers, or the sums of its weights.
 *
 * @param minlength the least length of the result.
 * @throws NotImplementedError on a device that cannot be read at once: the length depends on values.
 * @see https://pytorch.org/docs/stable/generated/torch.bincount.html
 */
export const bincount = explaining(
  'bincount',
  (self: Tensor, weights?: Tensor | null, minlength = 0): Tensor => {
    if (self.shape.length !== 1 || isFloatingPoint(self.dtype) || self.dtype === 'bool') {
      throw new RuntimeError(
        `bincount: only supports 1-d non-negative integral inputs, got ${self.dtype} of shape ${formatShape(self.shape)}`,
      );
    }
    if (!(minlength >= 0))
      throw new RuntimeError(`bincount: minlength should be >= 0, got ${minlength}`);
    if (weights && numel(self.shape) > 0 && numel(weights.shape) !== numel(self.shape)) {
      throw new RuntimeError(
        `bincount: weights should be 1-d and have the same length as input, got ${formatShape(weights.shape)} and ${formatShape(self.shape)}`,
      );
    }
    checkSynchronous('bincount', self);
    const count = numel(self.shape);
    if (count > 0 && amin(self).itemSync() < 0)
      throw new RuntimeError('bincount: only supports 1-d non-negative integral inputs');
    const length = Math.max(minlength, count > 0 ? amax(self).itemSync() + 1 : 0);
    const dtype =
      !weights || count === 0 ? 'int64' : weights.dtype === 'float32' ? 'float32' : 'float64';
    const result = zeros([length], { dtype, device: self.device });
    if (count === 0) return result;
    const type = computeType(dtype);
    execute({
      kind: 'scatter',
      shape: self.shape,
      inputs: weights ? [self, detach(weights)] : [self],
      scalars: [],
      coords: [cast(input(0, computeType(self.dtype)), 'int32')],
      value: weights ? cast(input(1, computeType(weights.dtype)), type) : constant(1, type),
      output: result,
      combine: 'sum',
    });
    return result;
  },
);

/**
 * How many elements (or what weight of them) lie in each of some bins, and the edges of the bins. A bin contains its
 * lower edge, the last one both; what lies outside is not counted.
 *
 * @param bins the number of equal bins, or the edges as an ascending vector.
 * @throws RuntimeError if edges, weights or the range do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.histogram.html
 */
export const histogram = writing(
  'histogram',
  (
    self: Tensor,
    bins: number | Tensor,
    options: HistogramOptions = {},
  ): { hist: Tensor; binEdges: Tensor } => {
    if (!isFloatingPoint(self.dtype))
      throw new NotImplementedError(
        `histogram: "histogram_cpu" not implemented for '${self.dtype}'`,
      );
    const { weight, density = false, range } = options;
    const x = reshape(detach(self), [-1]);
    if (weight && formatShape(weight.shape) !== formatShape(self.shape)) {
      throw new RuntimeError(
        `histogram: if weight tensor is provided it should have the same shape as the input tensor, got ${formatShape(weight.shape)} and ${formatShape(self.shape)}`,
      );
    }
    if (weight && weight.dtype !== self.dtype) {
      throw new RuntimeError(
        `histogram: if weight tensor is provided, input tensor and weight tensor should have the same dtype, but got input ${self.dtype}, and weight ${weight.dtype}`,
      );
    }
    if (typeof bins === 'number' && !(bins > 0)) {
      throw new RuntimeError(`histogram: bins must be > 0, but got ${bins}`);
    }
    const binEdges = typeof bins === 'number' ? equalEdges(x, bins, range) : detach(bins);
    if (binEdges.shape.length !== 1 || binEdges.dtype !== self.dtype || binEdges.numel() === 0) {
      throw new RuntimeError(
        `histogram: bins tensor should be a non-empty vector of ${self.dtype}, got ${binEdges.dtype} of shape ${formatShape(binEdges.shape)}`,
      );
    }
    const count = binEdges.numel() - 1;
    const { inside, bin } = binOf(x, binEdges);
    // What is outside goes to one more bin, which is dropped.
    const place = where(inside, bin, count);
    const counted = weight ? reshape(detach(weight), [-1]) : onesLike(x);
    const sums = zeros([count + 1], { dtype: self.dtype, device: self.device });
    const hist = narrow(scatterAdd(sums, 0, place, counted), 0, 0, count);
    if (!density) return { hist, binEdges };
    const widths = narrow(binEdges, 0, 1, count).sub(narrow(binEdges, 0, 0, count));
    return { hist: hist.div(hist.sum()).div(widths), binEdges };
  },
);
