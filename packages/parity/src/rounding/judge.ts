import { type DType, decode, Float, isFloatingPoint } from '@sconce/core';
import { isExpectedTensor, isRead, type Leaf } from '../compare/compare.js';
import { type Tolerance, toleranceOf } from '../compare/tolerance.js';
import { elements, type Value } from '../corpus/value.js';
import { isNarrow } from './variants.js';

/** PyTorch's own rounding is believed up to this many tolerances. */
const most = 100;

/** So much further from the exact result than PyTorch's may ours be. */
const share = 2;

/** PyTorch's distance is so many times what rounding makes elsewhere, at most. */
const excess = 10;

/** Numbers that lie side by side, with the tolerance that they are compared by. */
interface Numbers {
  readonly values: ArrayLike<number>;
  readonly dtype: DType | undefined;
}

function numbersOf(value: Value): Numbers | undefined {
  if (isRead(value) || isExpectedTensor(value)) {
    const { dtype } = value;
    if (!isFloatingPoint(dtype)) return undefined;
    const raw = (isRead(value) ? value.data : elements(value)) as ArrayLike<number>;
    return { dtype, values: Float64Array.from(raw, (x) => decode(dtype, x)) };
  }
  const number = value instanceof Float ? value.value : value;
  return typeof number === 'number' ? { dtype: undefined, values: [number] } : undefined;
}

/** The three results at a place, if they are comparable floats: ours, PyTorch's, and that of another run. */
interface Floats {
  readonly own: ArrayLike<number>;
  readonly torch: ArrayLike<number>;
  readonly other: ArrayLike<number>;
  readonly tolerance: Tolerance;
}

function floatsOf(
  leaf: Leaf,
  other: Leaf | undefined,
  dtype: 'wider' | 'same',
): Floats | undefined {
  const { expected, how } = leaf;
  if (leaf.problem !== undefined || other === undefined || other.problem !== undefined) return;
  if (leaf.place !== other.place) return;
  const [own, torch, third] = [leaf.actual, expected, other.actual].map(numbersOf);
  if (!own || !torch || !third) return;
  const tensor = isExpectedTensor(expected);
  if (tensor ? !isNarrow(expected.dtype) : !(expected instanceof Float)) return;
  if (tensor) {
    if (!isRead(leaf.actual) || !isRead(other.actual)) return;
    const shape = expected.shape.join();
    if (leaf.actual.shape.join() !== shape || other.actual.shape.join() !== shape) return;
    if (own.dtype !== torch.dtype) return;
    if (third.dtype !== (dtype === 'wider' ? 'float64' : own.dtype)) return;
  }
  const tolerance = how.tolerance ?? toleranceOf(torch.dtype ?? 'float32');
  return { own: own.values, torch: torch.values, other: third.values, tolerance };
}

/** Whether what differs at a place are floats that may be rounded, or numbers of steps: whether another run can tell more. */
export const mayRound = (leaf: Leaf): boolean =>
  typeof leaf.expected === 'number' || floatsOf(leaf, leaf, 'same') !== undefined;

/**
 * How far two results are apart at most, in tolerances around the second; Infinity where one of them alone is no finite number. Elements
 * of which `settled` says so are not looked at.
 */
function distance(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { rtol, atol }: Tolerance,
  settled: (i: number) => boolean,
): number {
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] as number, b[i] as number];
    if (Object.is(x, y) || settled(i)) continue;
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Infinity;
    worst = Math.max(worst, Math.abs(x - y) / (atol + rtol * Math.abs(y)));
  }
  return worst;
}

/** Elements where ours and PyTorch's agree on what is no finite number, such as what overflows in the dtype. */
const agreed =
  (own: ArrayLike<number>, torch: ArrayLike<number>) =>
  (i: number): boolean =>
    !Number.isFinite(own[i]) && Object.is(own[i], torch[i]);

/** How far results are from that of a run in float64, in tolerances. */
export interface Distances {
  /** Ours. */
  readonly own: number;
  /** PyTorch's. */
  readonly torch: number;
  /** Those in float64 of inputs that are an ulp away. */
  readonly spread: number;
}

/**
 * The distances from a run in float64; undefined where these cannot be compared.
 *
 * @param exact the place in that run.
 * @param nudged the place in runs in float64 whose inputs are an ulp of the corpus' dtype away.
 */
export function float64Distances(
  leaf: Leaf,
  exact: Leaf | undefined,
  nudged: readonly (Leaf | undefined)[],
): Distances | undefined {
  const floats = floatsOf(leaf, exact, 'wider');
  if (!floats) return undefined;
  const { own, torch, other, tolerance } = floats;
  const settled = agreed(own, torch);
  let spread = 0;
  for (const run of nudged) {
    const moved = floatsOf(leaf, run, 'wider');
    if (!moved) return undefined;
    spread = Math.max(spread, distance(moved.other, other, tolerance, settled));
  }
  return {
    own: distance(own, other, tolerance, settled),
    torch: distance(torch, other, tolerance, settled),
    spread,
  };
}

/**
 * Whether what differs at a place is rounding: ours is as near to the result in float64 as twice the larger of PyTorch's own distance and
 * the tolerance, and PyTorch's is under a hundred tolerances. Where both of ours agree on what neither an ulp of the inputs nor our own
 * rounding comes near to, they are wrong, or PyTorch is.
 */
export const isRounding = ({ own, torch, spread }: Distances): boolean =>
  torch < most && own <= share * Math.max(torch, 1) && torch <= excess * Math.max(own, spread, 1);

/**
 * Whether what differs at a place is what the order of a sum makes of it, on devices where that changes from run to run: with the order
 * fixed it is rounding, and without it not far off.
 *
 * @param loose the distances of the run in question.
 * @param fixed those of a run in a fixed order.
 */
export const isOrder = (loose: Distances, fixed: Distances): boolean =>
  isRounding(fixed) && loose.own <= excess * Math.max(loose.torch, 1);

/**
 * Whether what differs at a place is what an ulp of the inputs makes of it: each element of PyTorch's is as near to ours as twice the larger
 * of what the nudged runs are off there and the tolerance, and under a hundred tolerances. So are whole numbers, such as how many trials
 * a search took, as far as the nudged runs took others.
 */
export function isSpread(leaf: Leaf, nudged: readonly (Leaf | undefined)[]): boolean {
  if (typeof leaf.expected === 'number') return isCountNear(leaf, leaf.expected, nudged);
  const runs = nudged.map((run) => floatsOf(leaf, run, 'same'));
  const [first] = runs;
  if (!first) return false;
  const { own, torch, tolerance } = first;
  const settled = agreed(own, torch);
  for (let i = 0; i < own.length; i++) {
    const one = (of: ArrayLike<number> | undefined) => [of?.[i] ?? Number.NaN];
    const apart = distance(one(torch), one(own), tolerance, () => settled(i));
    const spread = Math.max(
      ...runs.map((run) => distance(one(run?.other), one(own), tolerance, () => settled(i))),
    );
    if (apart >= most || spread === Infinity || apart > share * Math.max(spread, 1)) return false;
  }
  return true;
}

function isCountNear(
  { actual: own, problem }: Leaf,
  expected: number,
  nudged: readonly (Leaf | undefined)[],
): boolean {
  if (typeof own !== 'number' || problem !== undefined) return false;
  const apart = nudged.map((run) =>
    typeof run?.actual === 'number' ? Math.abs(run.actual - own) : Number.NaN,
  );
  return Math.abs(own - expected) <= share * Math.max(...apart);
}
