import {
  areDeterministicAlgorithmsEnabled,
  Device,
  getDefaultDevice,
  getDefaultDtype,
  setDefaultDevice,
  setDefaultDtype,
  tidy,
  useDeterministicAlgorithms,
} from '@sconce/core';
import { isExpectedTensor, type Leaf, leafDifference } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Group, Run } from '../groups/group.js';
import {
  type CaseOutcome,
  type Direction,
  failed,
  type Outcome,
  rounding,
} from '../report/counts.js';
import { float64Distances, isOrder, isRounding, isSpread, mayRound } from './judge.js';
import { Observations } from './observations.js';
import { Float64Variant, isNarrow, NudgedVariant, type Variant } from './variants.js';

/** A part that is not PyTorch's, and where it stands among all parts. */
interface Difference {
  readonly leaf: Leaf;
  readonly at: number;
  readonly reason: string;
}

const directions = ['forward', 'gradient'] as const;

/** Runs whose inputs are moved, of either kind. */
const nudges = { float64: 8, nudged: 16 };

/**
 * The outcome of a case by what its run has noted: passed where all is within the tolerance, `rounding` where the rest is, failed
 * otherwise.
 *
 * @param seen what the run noted.
 */
export async function settle(
  group: Group,
  test: Case,
  run: Omit<Run, 'check'>,
  outcome: CaseOutcome,
  seen: Observations,
): Promise<CaseOutcome> {
  const differences = new Map<Direction, readonly Difference[]>();
  for (const direction of directions) {
    if (outcome[direction]?.status !== 'passed') continue;
    const found = differencesOf(seen.of(direction));
    if (found.length > 0) differences.set(direction, found);
  }
  if (differences.size === 0) return outcome;
  const worth = [...differences.values()].some((all) => all.every(({ leaf }) => mayRound(leaf)));
  const again = worth ? await judgeOf(group, test, run, seen) : undefined;
  const settled = [...differences].map(([direction, found]): [Direction, Outcome] => {
    const wrong = found.find((difference) => !again?.(direction, difference));
    return [direction, wrong ? failed(wrong.reason) : rounding((found[0] as Difference).reason)];
  });
  return { ...outcome, ...Object.fromEntries(settled) };
}

function differencesOf(leaves: readonly Leaf[]): Difference[] {
  return leaves.flatMap((leaf, at) => {
    const reason = leafDifference(leaf);
    return reason === undefined ? [] : [{ leaf, at, reason }];
  });
}

type Judge = (direction: Direction, difference: Difference) => boolean;

async function judgeOf(
  group: Group,
  test: Case,
  run: Omit<Run, 'check'>,
  seen: Observations,
): Promise<Judge | undefined> {
  switch (group.rounding?.(test)) {
    case 'float64': {
      const weights = weightsDtype(seen);
      const exact = await runAgain(group, test, run, new Float64Variant(weights));
      const nudged = await runsNudged(
        group,
        test,
        run,
        nudges.float64,
        (n) => new Float64Variant(weights, n),
      );
      if (!exact || !nudged) return undefined;
      const fixed = run.device.backend.synchronous ? undefined : await runInOrder(group, test, run);
      return (direction, { leaf, at }) => {
        const moved = nudged.map((n) => n(direction)[at]);
        const measured = (own: Leaf) => float64Distances(own, exact(direction)[at], moved);
        const distances = measured(leaf);
        if (distances === undefined) return false;
        const ordered = fixed?.(direction)[at];
        const inOrder = ordered && measured(ordered);
        return isRounding(distances) || (inOrder !== undefined && isOrder(distances, inOrder));
      };
    }
    case 'nudged': {
      const nudged = await runsNudged(group, test, run, nudges.nudged, (n) => n);
      if (!nudged) return undefined;
      return (direction, { leaf, at }) =>
        isSpread(
          leaf,
          nudged.map((n) => n(direction)[at]),
        );
    }
    default:
      return undefined;
  }
}

/** Runs whose inputs are moved, each another way; undefined if there is no input to move. */
async function runsNudged(
  group: Group,
  test: Case,
  run: Omit<Run, 'check'>,
  times: number,
  variant: (nudged: NudgedVariant) => Variant,
): Promise<Ended[] | undefined> {
  const runs: Ended[] = [];
  for (let seed = 0; seed < times; seed++) {
    const ended = await runAgain(group, test, run, variant(new NudgedVariant(seed)));
    if (!ended) return undefined;
    runs.push(ended);
  }
  return runs;
}

/** What PyTorch rounded the weights of the loss to: the narrow dtype of the results. */
function weightsDtype(seen: Observations) {
  for (const { expected } of seen.of('forward')) {
    if (isExpectedTensor(expected) && isNarrow(expected.dtype)) return expected.dtype;
  }
  return undefined;
}

/** What a run noted of a direction in which it came to its end; nothing of one in which it did not. */
type Ended = (direction: Direction) => readonly Leaf[];

/** What a case gives on its device with sums in a fixed order; undefined where there is none. */
async function runInOrder(
  group: Group,
  test: Case,
  run: Omit<Run, 'check'>,
): Promise<Ended | undefined> {
  const outer = areDeterministicAlgorithmsEnabled();
  useDeterministicAlgorithms(true);
  try {
    const seen = new Observations();
    const outcome = await tidy(async () => group.run(test, { ...run, check: seen.check }));
    return (direction) => (outcome[direction]?.status === 'passed' ? seen.of(direction) : []);
  } catch {
    return undefined;
  } finally {
    useDeterministicAlgorithms(outer);
  }
}

/** What a case gives with other inputs; undefined if it has no input to change. */
async function runAgain(
  group: Group,
  test: Case,
  run: Omit<Run, 'check'>,
  variant: Variant,
): Promise<Ended | undefined> {
  const exact = variant instanceof Float64Variant;
  // A device without float64 has it computed on the cpu.
  const device = exact ? Device.from('cpu') : run.device;
  const outer = { device: getDefaultDevice(), dtype: getDefaultDtype() };
  setDefaultDevice(device);
  if (exact) setDefaultDtype('float64');
  try {
    const seen = new Observations();
    const outcome = await tidy(async () =>
      group.run(test, { ...run, device, variant, check: seen.check }),
    );
    if (variant.touched === 0) return undefined;
    return (direction) => (outcome[direction]?.status === 'passed' ? seen.of(direction) : []);
  } catch {
    return undefined;
  } finally {
    setDefaultDevice(outer.device);
    setDefaultDtype(outer.dtype);
  }
}
