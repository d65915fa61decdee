import { type Comparison, type Leaf, leaves } from '../compare/compare.js';
import type { Value } from '../corpus/value.js';
import type { Direction } from '../report/counts.js';

/** Notes a result, its tensors read, beside what PyTorch gave, decoded with its tensors as data. */
export type Check = (
  direction: Direction,
  actual: Value,
  expected: Value,
  how?: Comparison,
  place?: string,
) => void;

/** What a run of a case gave, part by part, beside what PyTorch gave. */
export class Observations {
  readonly #leaves: Record<Direction, Leaf[]> = { forward: [], gradient: [] };

  readonly check: Check = (direction, actual, expected, how, place) => {
    this.#leaves[direction].push(...leaves(actual, expected, how, place));
  };

  /** The parts of a direction, in order. */
  of(direction: Direction): readonly Leaf[] {
    return this.#leaves[direction];
  }
}
