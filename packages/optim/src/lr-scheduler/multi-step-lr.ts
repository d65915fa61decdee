import { takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { countUpTo, LRScheduler, type Scheduled } from './lr-scheduler.js';
import { type SchedulerStateDict, stateFault } from './state.js';

/** How often each number occurs, tagged as what Python calls it: files then hold a `Counter`, which PyTorch needs. */
function counterOf(numbers: readonly number[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const n of numbers) counts[n] = (counts[n] ?? 0) + 1;
  return Object.defineProperty(counts, Symbol.toStringTag, { value: 'Counter' });
}

/**
 * Multiplies the rates by `gamma` (0.1) at each of the epochs `milestones`; twice at one that is named twice.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.MultiStepLR.html
 * @example new MultiStepLR(optimizer, [30, 80], { gamma: 0.1 })
 */
export class MultiStepLR extends LRScheduler {
  static override readonly stateKeys = { gamma: 'gamma' };

  /** In ascending order. */
  milestones: readonly number[];
  readonly gamma: number;

  constructor(
    optimizer: Scheduled,
    milestones: readonly number[],
    options: { gamma?: number; lastEpoch?: number } = {},
  ) {
    takes('MultiStepLR', signatures.MultiStepLR, arguments);
    super(optimizer, options.lastEpoch);
    this.milestones = [...milestones].sort((a, b) => a - b);
    this.gamma = options.gamma ?? 0.1;
    this.start();
  }

  protected override getLr(): number[] {
    const falls = this.milestones.filter((epoch) => epoch === this.lastEpoch).length;
    return falls === 0 ? this.current : this.current.map((lr) => lr * this.gamma ** falls);
  }

  protected override closedForm(): number[] {
    const falls = countUpTo(this.milestones, this.lastEpoch);
    return this.baseLrs.map((base) => base * this.gamma ** falls);
  }

  override stateDict(): SchedulerStateDict {
    return { ...super.stateDict(), milestones: counterOf(this.milestones) };
  }

  /** @internal */
  override checkedState(state: SchedulerStateDict): () => void {
    const adopt = super.checkedState(state);
    if (state.milestones === undefined) return adopt;
    const milestones = this.#repeated(state.milestones);
    return () => {
      adopt();
      this.milestones = milestones;
    };
  }

  /** The epochs of a counter, each as often as it says, in ascending order. */
  #repeated(counter: unknown): number[] {
    const entries =
      counter instanceof Map ? [...counter] : Object.entries(Object(counter) as object);
    return entries
      .flatMap(([epoch, count]) => {
        if (!Number.isFinite(Number(epoch)) || !Number.isSafeInteger(count) || count < 0) {
          throw stateFault(this, 'milestones', 'a count for each epoch', counter);
        }
        return Array.from({ length: count }, () => Number(epoch));
      })
      .sort((a, b) => a - b);
  }
}
