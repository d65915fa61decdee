import { computeType } from '../dtype.js';
import type { HostView } from './space.js';
import { cells, dense, fillFrom, register } from './space.js';

/** A sort primitive over host views. */
export interface HostSort {
  readonly descending: boolean;
  readonly input: HostView;
  readonly values: HostView;
  readonly indices: HostView;
}

/** Ascending order with NaN as the greatest; 0 for equals, which a stable sort leaves in place. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Row by row along the last axis: the positions sorted by value, stably, then the values in that order. */
export function runSort({ descending, input, values, indices }: HostSort): void {
  const from = cells(dense(input));
  const sorted = register(computeType(input.dtype), from.length);
  const places = register(computeType(indices.dtype), from.length);
  const to = cells(sorted);
  const size = input.shape.at(-1) ?? 1;
  for (let row = 0; row < from.length; row += size) {
    const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => {
      const sign = compare(from[row + i] as number, from[row + j] as number);
      return descending ? -sign : sign;
    });
    order.forEach((place, k) => {
      to[row + k] = from[row + place] as number;
      places[row + k] = places instanceof BigInt64Array ? BigInt(place) : place;
    });
  }
  fillFrom(values, sorted);
  fillFrom(indices, places);
}
