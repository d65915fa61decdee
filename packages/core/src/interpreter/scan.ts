import type { ComputeType } from '../dtype.js';
import { computeType } from '../dtype.js';
import type { ScanPrimitive } from '../primitive.js';
import { combinerOf, identityOf } from './reduce.js';
import type { HostView } from './space.js';
import { cells, dense, fillFrom, product, register } from './space.js';

/** A scan primitive over host views. */
export interface HostScan {
  readonly axis: number;
  readonly combine: ScanPrimitive['combine'];
  readonly reverse: boolean;
  readonly input: HostView;
  readonly output: HostView;
  readonly indices?: HostView | undefined;
}

/** log(exp(a) + exp(b)), shifted by the larger so that nothing overflows. */
function logaddexp(a: number, b: number): number {
  if (a === b && !Number.isFinite(a)) return a;
  return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
}

function combination(combine: HostScan['combine'], type: ComputeType) {
  if (combine === 'logaddexp') {
    return { together: logaddexp, identity: Number.NEGATIVE_INFINITY };
  }
  return { together: combinerOf(combine, type), identity: identityOf(combine, type) as number };
}

/** Lane by lane along the axis; float32 is carried in double precision and rounded at each position. */
export function runScan({ axis, combine, reverse, input, output, indices }: HostScan): void {
  const type = computeType(input.dtype);
  const from = cells(dense(input));
  const result = register(type, from.length);
  const to = cells(result);
  const places = indices && new BigInt64Array(from.length);
  const carry = register(type === 'float32' ? 'float64' : type, 1);
  const held = cells(carry);
  const { together, identity } = combination(combine, type);

  const size = input.shape[axis] ?? 1;
  const inner = product(input.shape.slice(axis + 1));
  const lanes = size === 0 ? 0 : from.length / size;
  for (let lane = 0; lane < lanes; lane++) {
    const base = Math.floor(lane / inner) * size * inner + (lane % inner);
    held[0] = identity;
    let place = 0;
    for (let k = 0; k < size; k++) {
      const position = reverse ? size - 1 - k : k;
      const at = base + position * inner;
      const value = from[at] as number;
      const before = held[0] as number;
      // The latest of equals, and of several NaN, is the one an index names.
      const unordered = Number.isNaN(value);
      const best = combine === 'max' ? value >= before : value <= before;
      if (k === 0 || unordered || (best && !Number.isNaN(before))) place = position;
      held[0] = together(before, value);
      to[at] = held[0];
      if (places) places[at] = BigInt(place);
    }
  }
  fillFrom(output, result);
  if (indices && places)
    fillFrom(
      indices,
      computeType(indices.dtype) === 'int32' ? Int32Array.from(places, Number) : places,
    );
}
