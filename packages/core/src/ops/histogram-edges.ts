import { checkInteger, RuntimeError } from '../errors.js';
import { numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { arange, linspace, zeros } from './create.js';
import { amax, amin } from './reduce.js';
import { searchsorted } from './search-sorted.js';
import { where } from './ternary.js';
import { select } from './view.js';

/** Options of `histogram`. */
export interface HistogramOptions {
  /** The lower and the upper limit, where `bins` is a number; default: those of the data. */
  range?: readonly [number, number] | readonly number[] | null;
  /** What each element counts; default 1. */
  weight?: Tensor | null;
  /** Divide by the total and the widths, so that the area is 1. */
  density?: boolean;
}

/** Edges of equal bins over a range, or over what the elements span: computed without reading them. */
export function equalEdges(x: Tensor, bins: number, range: HistogramOptions['range']): Tensor {
  checkInteger('histogram', 'bins', 1, bins);
  const { dtype, device } = x;
  if (range || numel(x.shape) === 0) {
    const [low, high] = (range ?? [0, 1]) as readonly [number, number];
    if (!(low <= high)) {
      throw new RuntimeError(`histogram: max should not be less than min, got ${low} and ${high}`);
    }
    const wider = low === high ? 0.5 : 0;
    return linspace(low - wider, high + wider, bins + 1, { dtype, device });
  }
  const [least, greatest] = [amin(x), amax(x)];
  const wider = where(least.eq(greatest), 0.5, zeros([], { dtype, device }));
  const [low, high] = [least.sub(wider), greatest.add(wider)];
  const step = high.sub(low).div(bins);
  const i = arange(bins + 1, { dtype, device });
  // From both ends, as linspace does, so that they are exact.
  return where(
    i.lt(Math.floor((bins + 1) / 2)),
    low.add(step.mul(i)),
    high.sub(step.mul(i.neg().add(bins))),
  );
}

/** The bin of each element, and whether it has one. */
export function binOf(x: Tensor, edges: Tensor): { inside: Tensor; bin: Tensor } {
  const count = edges.numel() - 1;
  const inside = x.ge(select(edges, 0, 0)).logicalAnd(x.le(select(edges, 0, count)));
  const found = searchsorted(edges.contiguous(), x.contiguous(), { right: true }).sub(1);
  return { inside, bin: found.clamp(0, Math.max(count - 1, 0)) };
}
