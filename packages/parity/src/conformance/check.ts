import type { View } from '@sconce/core';
import { computeType, isFloatingPoint } from '@sconce/core';
import type { Bounds } from './bounds.js';
import { decode, encode, type Fixture } from './fixture.js';

/** What a storage dtype makes of a value of its compute type. */
const narrowed = (view: View, values: Bounds['low']): (number | bigint)[] =>
  decode(view.dtype, encode(view.dtype, [...(values as Iterable<number | bigint>)]));

/** The storage positions of a view's elements, in row-major order. */
export function positions({ shape, strides, offset }: View): number[] {
  let all = [offset];
  shape.forEach((size, d) => {
    all = all.flatMap((base) =>
      Array.from({ length: size }, (_, i) => base + i * (strides[d] as number)),
    );
  });
  return all;
}

/**
 * Compares all elements of an output with their bounds, and the rest of its storage with what was there.
 *
 * @throws Error that lists the first few elements outside, each with its bounds.
 */
export async function checkOutput(
  fixture: Fixture,
  view: View,
  bounds: Bounds,
  before: readonly (number | bigint)[],
): Promise<void> {
  if (bounds.type !== computeType(view.dtype))
    throw new Error(`bounds of ${bounds.type} for ${view.dtype}`);
  const after = await fixture.stored(view);
  const low = narrowed(view, bounds.low);
  const high = narrowed(view, bounds.high);
  const wrong: string[] = [];
  const seen = new Set<number>();
  positions(view).forEach((at, i) => {
    seen.add(at);
    if (!bounds.sure[i]) return;
    const value = after[at] as number;
    const [a, b] = [low[i] as number, high[i] as number];
    const inside = isFloatingPoint(view.dtype)
      ? (a <= value && value <= b) || (Number.isNaN(a) && Number.isNaN(value))
      : value === a;
    if (!inside)
      wrong.push(`element ${i}: ${value}, expected ${Object.is(a, b) ? a : `${a} to ${b}`}`);
  });
  after.forEach((value, at) => {
    if (!seen.has(at) && !Object.is(value, before[at])) {
      wrong.push(`storage ${at}, outside the view: ${before[at]} became ${value}`);
    }
  });
  if (wrong.length > 0) {
    throw new Error(
      `${wrong.length} wrong of ${bounds.low.length} (${view.dtype}):\n  ${wrong.slice(0, 6).join('\n  ')}`,
    );
  }
}
