import type { Tensor } from '@sconce/core';

/** The function along a line: its value, gradient, and slope along the direction. */
export interface Point {
  /** How far along the direction. */
  readonly at: number;
  readonly loss: number;
  readonly grad: Tensor;
  readonly slope: number;
}

const sufficientDecrease = 1e-4;
const curvature = 0.9;
const maxSteps = 25;

/**
 * Where the cubic through two points, with their slopes, is smallest, within bounds.
 *
 * @see Nocedal and Wright, Numerical Optimization (2006), equation 3.59
 */
export function cubicMinimum(
  a: Pick<Point, 'at' | 'loss' | 'slope'>,
  b: Pick<Point, 'at' | 'loss' | 'slope'>,
  bounds?: readonly [number, number],
): number {
  const [low, high] = a.at <= b.at ? [a, b] : [b, a];
  const [least, most] = bounds ?? [low.at, high.at];
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.at - b.at);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (least + most) / 2;
  const d2 = Math.sqrt(square);
  const share = (high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2);
  return Math.min(Math.max(high.at - (high.at - low.at) * share, least), most);
}

/** A search that asks for the function at one step after the other, and ends with the step it found. */
export type Search = Generator<number, Point, Point>;

/**
 * Finds a step along a direction that satisfies the strong Wolfe conditions: first an interval that holds one, then
 * the step in it.
 *
 * @param start where the search begins: step 0.
 * @param first the first step to try.
 * @param reach the direction's greatest element: intervals too narrow to move a parameter by `tolerance` end the search.
 * @see Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 and 3.6
 */
export function* strongWolfe(start: Point, first: number, reach: number, tolerance = 1e-9): Search {
  const isTooHigh = (p: Point) => p.loss > start.loss + sufficientDecrease * p.at * start.slope;
  const isFlat = (p: Point) => Math.abs(p.slope) <= -curvature * start.slope;

  let point = yield first;
  let previous = start;
  let bracket: [Point, Point] | undefined;
  let steps = 0;
  for (; steps < maxSteps; steps++) {
    if (isTooHigh(point) || (steps > 1 && point.loss >= previous.loss)) {
      bracket = [previous, point];
      break;
    }
    if (isFlat(point)) return point;
    if (point.slope >= 0) {
      bracket = [previous, point];
      break;
    }
    const nearest = point.at + 0.01 * (point.at - previous.at);
    const next: Point = yield cubicMinimum(previous, point, [nearest, point.at * 10]);
    previous = point;
    point = next;
  }
  bracket ??= [start, point];

  let stalled = false;
  let low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
  for (; steps < maxSteps; steps++) {
    const [a, b] = bracket;
    if (Math.abs(b.at - a.at) * reach < tolerance) break;
    const least = Math.min(a.at, b.at);
    const most = Math.max(a.at, b.at);
    let at: number = cubicMinimum(a, b);
    const margin = 0.1 * (most - least);
    // Twice close to a border, or on it, is no progress: step a tenth away from it.
    const isClose = Math.min(most - at, at - least) < margin;
    const steers: boolean = isClose && (stalled || at >= most || at <= least);
    if (steers) at = Math.abs(at - most) < Math.abs(at - least) ? most - margin : least + margin;
    stalled = isClose && !steers;

    const found: Point = yield at;
    const lowest = bracket[low] as Point;
    if (isTooHigh(found) || found.loss >= lowest.loss) {
      bracket[1 - low] = found;
      low = bracket[0].loss <= bracket[1].loss ? 0 : 1;
      continue;
    }
    if (isFlat(found)) return found;
    if (found.slope * ((bracket[1 - low] as Point).at - lowest.at) >= 0) bracket[1 - low] = lowest;
    bracket[low] = found;
  }
  return bracket[low] as Point;
}
