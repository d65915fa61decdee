import { once, takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { countUpTo, type LRScheduler, type Scheduled } from './lr-scheduler.js';
import { checkedState, isNumbers, type SchedulerStateDict, stateFault, stateOf } from './state.js';

/** What `ChainedScheduler` needs of the schedulers it steps. */
export interface Chainable {
  readonly optimizer: Scheduled;
  step(): void;
  stateDict(): SchedulerStateDict;
  loadStateDict(state: SchedulerStateDict): void;
  /** Checks a state dict; the function returned takes it over. Where it is missing, `loadStateDict` does both. */
  checkedState?(state: SchedulerStateDict): () => void;
}

/** Checks the states of the schedulers combined; the function returned takes them over. */
function checkedEach(schedulers: readonly Chainable[], state: SchedulerStateDict): () => void {
  const saved = state._schedulers;
  if (saved === undefined) return () => {};
  if (!Array.isArray(saved) || saved.length !== schedulers.length) {
    throw new ValueError(
      `loadStateDict: loaded state dict has ${Array.isArray(saved) ? saved.length : 'no'} schedulers, expected ${schedulers.length}`,
    );
  }
  const adopts = schedulers.map((scheduler, i) => {
    const one = saved[i] as SchedulerStateDict;
    return scheduler.checkedState?.(one) ?? (() => scheduler.loadStateDict(one));
  });
  return () => {
    for (const adopt of adopts) adopt();
  };
}

const sequentialKeys = { lastEpoch: 'last_epoch', lastLr: '_last_lr' };
const chainedKeys = { lastLr: '_last_lr' };

/**
 * Runs schedulers one after the other: each from its milestone on.
 *
 * @throws ValueError if they are of different optimizers, or there is not one milestone less than schedulers.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html
 * @example
 * const warmup = new LinearLR(optimizer, { startFactor: 0.1, totalIters: 10 });
 * const decay = new CosineAnnealingLR(optimizer, 90);
 * new SequentialLR(optimizer, [warmup, decay], [10]);
 */
export class SequentialLR {
  readonly optimizer: Scheduled;
  readonly schedulers: readonly LRScheduler[];
  milestones: readonly number[];
  /** Steps taken so far. */
  lastEpoch: number;
  /** The rates that the last step set. */
  protected lastLr: number[];

  constructor(
    optimizer: Scheduled,
    schedulers: readonly LRScheduler[],
    milestones: readonly number[],
    options: { lastEpoch?: number } = {},
  ) {
    takes('SequentialLR', signatures.SequentialLR, arguments);
    schedulers.forEach((scheduler, i) => {
      if (scheduler.optimizer !== optimizer) {
        throw new ValueError(
          `SequentialLR: Sequential Schedulers expects all schedulers to belong to the same optimizer, but got schedulers at index ${i} to be different than the optimizer passed in.`,
        );
      }
    });
    schedulers.forEach((scheduler, i) => {
      if (typeof scheduler.rewind === 'function') return;
      throw new ValueError(
        `SequentialLR: ${scheduler.constructor.name} at index ${i} is no scheduler that can be run in turn: its step needs a metric, or steps several at once`,
      );
    });
    if (schedulers.length === 0 || milestones.length !== schedulers.length - 1) {
      throw new ValueError(
        `SequentialLR: Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, but got number of schedulers ${schedulers.length} and the number of milestones to be equal to ${milestones.length}`,
      );
    }
    this.optimizer = optimizer;
    this.schedulers = [...schedulers];
    this.milestones = [...milestones];
    this.lastEpoch = (options.lastEpoch ?? -1) + 1;
    // Each scheduler has set the rates when it was made; only those of the one at epoch 0 are wanted.
    for (const group of optimizer.paramGroups) group.lr = group.initialLr ?? group.lr;
    for (const scheduler of schedulers) scheduler.rewind();
    const first = this.schedulers[countUpTo(this.milestones, 0)] as LRScheduler;
    first.restart();
    this.lastLr = first.getLastLr();
  }

  /** Goes on by one epoch, with the scheduler whose turn it is. */
  step(): void {
    once('the step of a scheduler');
    this.lastEpoch++;
    const turn = countUpTo(this.milestones, this.lastEpoch);
    const scheduler = this.schedulers[turn] as LRScheduler;
    if (turn > 0 && this.milestones[turn - 1] === this.lastEpoch) scheduler.step(0);
    else scheduler.step();
    this.lastLr = scheduler.getLastLr();
  }

  /** The rates that the last step set. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything needed to go on later, under PyTorch's keys. */
  stateDict(): SchedulerStateDict {
    return {
      ...stateOf(this, sequentialKeys),
      _milestones: [...this.milestones],
      _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  /**
   * Takes the state of `stateDict`, or that of PyTorch's scheduler; what it lacks stays as it is.
   *
   * @throws ValueError if it has another number of schedulers, or a value is of a kind that a scheduler cannot have;
   * nothing is changed then.
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
    const adopt = checkedState(this, sequentialKeys, state);
    const adoptEach = checkedEach(this.schedulers, state);
    const { _milestones: milestones = this.milestones } = state;
    const count = this.milestones.length;
    if (!isNumbers(milestones, count)) {
      throw stateFault(this, '_milestones', `a list of length ${count} of numbers`, milestones);
    }
    return () => {
      adopt();
      adoptEach();
      this.milestones = [...milestones];
    };
  }
}

/**
 * Steps several schedulers at once: each changes the rates that the one before has set.
 *
 * @throws ValueError if there is none, or they are of different optimizers.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ChainedScheduler.html
 * @example
 * new ChainedScheduler([new ConstantLR(optimizer), new ExponentialLR(optimizer, 0.9)])
 */
export class ChainedScheduler {
  readonly optimizer: Scheduled;
  readonly schedulers: readonly Chainable[];
  /** The rates that the last step set. */
  protected lastLr: number[];

  constructor(schedulers: readonly Chainable[]) {
    takes('ChainedScheduler', signatures.ChainedScheduler, arguments);
    const [first] = schedulers;
    if (!first) throw new ValueError('ChainedScheduler: expected one scheduler or more, got none');
    schedulers.forEach((scheduler, i) => {
      if (scheduler.optimizer !== first.optimizer) {
        throw new ValueError(
          `ChainedScheduler expects all schedulers to belong to the same optimizer, but got schedulers at index 0 and ${i} to be different`,
        );
      }
    });
    this.optimizer = first.optimizer;
    this.schedulers = [...schedulers];
    this.lastLr = this.#rates();
  }

  #rates(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** Goes on by one epoch with every scheduler, in order. */
  step(): void {
    for (const scheduler of this.schedulers) scheduler.step();
    this.lastLr = this.#rates();
  }

  /** The rates that the last step set. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** Everything needed to go on later, under PyTorch's keys. */
  stateDict(): SchedulerStateDict {
    return {
      ...stateOf(this, chainedKeys),
      _schedulers: this.schedulers.map((scheduler) => scheduler.stateDict()),
    };
  }

  /**
   * Takes the state of `stateDict`, or that of PyTorch's scheduler; what it lacks stays as it is.
   *
   * @throws ValueError if it has another number of schedulers, or a value is of a kind that a scheduler cannot have;
   * nothing is changed then.
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
    const adopt = checkedState(this, chainedKeys, state);
    const adoptEach = checkedEach(this.schedulers, state);
    return () => {
      adopt();
      adoptEach();
    };
  }
}
