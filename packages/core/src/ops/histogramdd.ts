import { isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { numel } from '../shape.js';
import { Tensor } from '../tensor.js';
import { zeros } from './create.js';
import { onesLike } from './create-like.js';
import { binOf, equalEdges, type HistogramOptions } from './histogram-edges.js';
import { scatterAdd } from './scatter.js';
import { where } from './ternary.js';
import { detach, narrow, reshape, select } from './view.js';

/**
 * `histogram` of points: the last dimension of `self` holds the coordinates.
 *
 * @param bins the number of bins, for all or for each coordinate, or the edges for each.
 * @param options `range` is flat: lower and upper limit of each coordinate.
 * @throws RuntimeError if bins, weights or ranges do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.histogramdd.html
 */
export const histogramdd = explaining(
  'histogramdd',
  (
    self: Tensor,
    bins: number | readonly number[] | readonly Tensor[],
    options: HistogramOptions = {},
  ): { hist: Tensor; binEdges: Tensor[] } => {
    if (!isFloatingPoint(self.dtype)) {
      throw new NotImplementedError(
        `histogramdd: "histogramdd" not implemented for '${self.dtype}'`,
      );
    }
    if (self.shape.length < 2) {
      throw new RuntimeError(
        `histogramdd: input tensor should have at least 2 dimensions, got ${formatShape(self.shape)}`,
      );
    }
    const { weight, density = false, range } = options;
    const dims = self.shape.at(-1) as number;
    const points = numel(self.shape.slice(0, -1));
    const x = reshape(detach(self), [points, dims]);
    const each: readonly (number | Tensor)[] =
      typeof bins === 'number' ? new Array<number>(dims).fill(bins) : bins;
    if (each.length !== dims || (range && range.length !== 2 * dims)) {
      throw new RuntimeError(
        `histogramdd: expected bins and ranges for ${dims} dimensions, got ${each.length} and ${range ? range.length / 2 : 'none'}`,
      );
    }
    if (weight && formatShape(weight.shape) !== formatShape(self.shape.slice(0, -1))) {
      throw new RuntimeError(
        `histogramdd: if weight tensor is provided it should have the same shape as the input tensor excluding its innermost dimension, got ${formatShape(weight.shape)}`,
      );
    }
    const binEdges = each.map((b, d) =>
      b instanceof Tensor
        ? detach(b)
        : equalEdges(select(x, 1, d), b, range ? range.slice(2 * d, 2 * d + 2) : null),
    );
    const shape = binEdges.map((edges) => edges.numel() - 1);
    const total = numel(shape);
    let place: Tensor | undefined;
    let valid: Tensor | undefined;
    binEdges.forEach((edges, d) => {
      const { inside, bin } = binOf(select(x, 1, d), edges);
      place = place ? place.mul(shape[d] as number).add(bin) : bin;
      valid = valid ? valid.logicalAnd(inside) : inside;
    });
    const sums = zeros([total + 1], { dtype: self.dtype, device: self.device });
    const counted = weight ? reshape(detach(weight), [-1]) : onesLike(select(x, 1, 0));
    const filled = place && valid ? scatterAdd(sums, 0, where(valid, place, total), counted) : sums;
    let hist = reshape(narrow(filled, 0, 0, total), shape);
    if (!density) return { hist, binEdges };
    hist = hist.div(hist.sum());
    binEdges.forEach((edges, d) => {
      const count = shape[d] as number;
      const widths = narrow(edges, 0, 1, count).sub(narrow(edges, 0, 0, count));
      hist = hist.div(reshape(widths, [...shape.map((_, i) => (i === d ? count : 1))]));
    });
    return { hist, binEdges };
  },
);
