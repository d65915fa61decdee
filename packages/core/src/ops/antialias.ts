import type { Device } from '../device.js';
import { computeType, type DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { div, mul, sub } from './binary.js';
import { to } from './copy.js';
import { arange } from './create.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { clampMax, clampMin, where } from './ternary.js';
import { abs, floor } from './unary.js';
import { unsqueeze } from './view.js';

/** Filters that `antialiased` stretches over what an output element covers. */
export type AntialiasFilter = 'linear' | 'cubic';

/** How far a filter reaches to each side, in input elements at a scale of 1. */
const reach: Record<AntialiasFilter, number> = { linear: 1, cubic: 2 };

/** The filter at distances x: a triangle, or the cubic convolution with a = -1/2. */
function response(filter: AntialiasFilter, x: Tensor): Tensor {
  const d = abs(x);
  if (filter === 'linear') return clampMin(sub(1, d), 0);
  const near = d.mul(1.5).sub(2.5).mul(d).mul(d).add(1);
  const far = d.mul(-0.5).add(2.5).mul(d).sub(4).mul(d).add(2);
  return where(d.lt(1), near, where(d.lt(2), far, 0));
}

/** What each of `to` output elements takes of each of `from` input elements: [to, from], rows of sum 1. */
function weights(
  filter: AntialiasFilter,
  from: number,
  size: number,
  scale: number,
  dtype: DType,
  device: Device,
): Tensor {
  const type = { dtype: computeType(dtype) as DType, device };
  const wide = Math.max(scale, 1);
  const support = reach[filter] * wide;
  const centre = unsqueeze(arange(size, type).add(0.5).mul(scale), 1);
  const at = unsqueeze(arange(from, type), 0);
  const first = clampMin(floor(centre.sub(support - 0.5)), 0);
  const end = clampMax(floor(centre.add(support + 0.5)), from);
  const inside = at.ge(first).logicalAnd(at.lt(end));
  const taken = where(inside, response(filter, mul(sub(at, centre).add(0.5), 1 / wide)), 0);
  return to(div(taken, sum(taken, 1, { keepdim: true })), dtype);
}

/**
 * Images [N, C, H, W] at another resolution, where an output element is the mean over all that it covers, weighted by
 * the filter: one matrix a dimension. `scales` are the distances between the centres of neighbours.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html (`antialias`)
 */
export function antialiased(
  self: Tensor,
  outputSize: readonly [number, number],
  filter: AntialiasFilter,
  scales: readonly [number, number],
): Tensor {
  const { dtype, device } = self;
  const [height, width] = self.shape.slice(2) as [number, number];
  const rows = weights(filter, height, outputSize[0], scales[0], dtype, device);
  const columns = weights(filter, width, outputSize[1], scales[1], dtype, device);
  return matmul(rows, matmul(self, columns.t()));
}
