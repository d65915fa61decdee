import { once, takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { isUnstepped, warnOrder } from '../stepped.js';
import { checkedState, type SchedulerStateDict, type StateKeys, stateOf } from './state.js';

/** What a scheduler needs of an optimizer: groups with a learning rate, and a momentum for those that cycle it. */
export interface Scheduled {
  readonly paramGroups: ScheduledGroup[];
}

/** The options of a group that schedulers read and write. */
export interface ScheduledGroup {
  lr: number;
  initialLr?: number;
  momentum?: number;
  betas?: readonly [number, number];
  maxLr?: number;
  minLr?: number;
  maxMomentum?: number;
  baseMomentum?: number;
}

const commonKeys: StateKeys = {
  baseLrs: 'base_lrs',
  lastEpoch: 'last_epoch',
  stepCount: '_step_count',
  lastLr: '_last_lr',
};

/**
 * The base of learning-rate schedulers: call `step()` once after each epoch (or batch), after `optimizer.step()`.
 *
 * @see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
 */
export abstract class LRScheduler {
  /** The properties of a class that are state as well, and PyTorch's keys for them. */
  static readonly stateKeys: StateKeys = {};

  readonly optimizer: Scheduled;
  /** The rates the groups started with. */
  baseLrs: number[];
  /** Steps taken so far. */
  lastEpoch: number;
  /** Calls of `step`, that of the constructor included. */
  protected stepCount = 0;
  /** The rates that the last step set. */
  protected lastLr: number[] = [];

  /** @throws ValueError when resuming (`lastEpoch` >= 0) an optimizer whose groups have no `initialLr`. */
  constructor(optimizer: Scheduled, lastEpoch = -1) {
    takes(new.target.name, signatures.LRScheduler, arguments);
    this.optimizer = optimizer;
    optimizer.paramGroups.forEach((group, i) => {
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        throw new ValueError(
          `scheduler: param 'initial_lr' is not specified in param_groups[${i}] when resuming an optimizer`,
        );
      }
    });
    this.baseLrs = optimizer.paramGroups.map((g) => g.initialLr as number);
    this.lastEpoch = lastEpoch;
  }

  /** The rates of the groups at `lastEpoch`, from those they have. */
  protected abstract getLr(): number[];

  /** The rates at `lastEpoch` whatever came before; where there is no such form, those of `getLr`. */
  protected closedForm(): number[] {
    return this.getLr();
  }

  /** Sets the first rates; the last thing a constructor does. */
  protected start(): void {
    this.stepCount = 0;
    this.step();
  }

  /**
   * Goes on by one epoch and sets the rates of the optimizer's groups.
   *
   * @param epoch the epoch to go to instead; rates then follow from it alone, where the schedule allows that.
   */
  step(epoch?: number): void {
    once('the step of a scheduler');
    if (this.stepCount === 1 && isUnstepped(this.optimizer)) warnOrder(this.constructor.name);
    this.stepCount++;
    this.lastEpoch = epoch ?? this.lastEpoch + 1;
    this.apply(epoch === undefined ? this.getLr() : this.closedForm());
  }

  /**
   * Starts again at the epoch before the last: what `SequentialLR` does to those it takes over.
   *
   * @internal
   */
  rewind(): void {
    this.lastEpoch--;
  }

  /**
   * Takes the first step anew.
   *
   * @internal
   */
  restart(): void {
    this.start();
  }

  /**
   * Gives the groups their rates.
   *
   * @throws ValueError for one that is no number although the groups have some: a division by zero, as Python calls it.
   */
  protected apply(rates: readonly number[]): void {
    const bad = rates.find((lr) => !Number.isFinite(lr));
    if (bad !== undefined && [...this.current, ...this.baseLrs].every(Number.isFinite)) {
      throw new ValueError(
        `${this.constructor.name}: the rate at epoch ${this.lastEpoch} is ${bad}: the schedule divides by zero there, or an argument is no finite number`,
      );
    }
    rates.forEach((lr, i) => {
      (this.optimizer.paramGroups[i] as ScheduledGroup).lr = lr;
    });
    this.lastLr = this.current;
  }

  /** The rates that the last step set. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything needed to go on later, under PyTorch's keys; what the constructor was given is part of it. */
  stateDict(): SchedulerStateDict {
    return {
      ...stateOf(this, this.#keys),
      verbose: false,
      _get_lr_called_within_step: false,
    };
  }

  /**
   * Takes the state of `stateDict`, or that of PyTorch's scheduler; what it lacks stays as it is.
   *
   * @throws ValueError if a value is of a kind that this scheduler cannot have; nothing is changed then.
   */
  loadStateDict(state: SchedulerStateDict): void {
    this.checkedState(state)();
  }

  /**
   * Checks a state dict; the function returned takes it over.
   *
   * @internal
   */
  checkedState(state: SchedulerStateDict): () => void {
    return checkedState(this, this.#keys, state);
  }

  get #keys(): StateKeys {
    return { ...(this.constructor as typeof LRScheduler).stateKeys, ...commonKeys };
  }

  /** The rates the groups have now. */
  protected get current(): number[] {
    return this.optimizer.paramGroups.map((g) => g.lr);
  }
}

/**
 * One value for each group: the given ones, or the same for all.
 *
 * @throws ValueError if there are not as many as groups.
 */
export function forGroups<T>(
  optimizer: Scheduled,
  value: T | readonly T[],
  mismatch: (groups: number, given: number) => string,
): T[] {
  const count = optimizer.paramGroups.length;
  if (!Array.isArray(value)) return optimizer.paramGroups.map(() => value as T);
  if (value.length !== count) throw new ValueError(mismatch(count, value.length));
  return [...value];
}

/** Where `x` would go behind its equals among ascending numbers: Python's `bisect_right`, also for numbers in another order. */
export function countUpTo(sorted: readonly number[], x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (x < (sorted[middle] as number)) high = middle;
    else low = middle + 1;
  }
  return low;
}
