import { ValueError } from '@sconce/core';

/** What a scheduler needs of an optimizer: groups with a learning rate. */
export interface Scheduled {
  readonly paramGroups: { lr: number; initialLr?: number }[];
}

/** A scheduler's state as plain data, with PyTorch's keys. */
export type SchedulerStateDict = Record<string, unknown>;

/**
 * The base of learning-rate schedulers: call `step()` once after each epoch (or batch), after `optimizer.step()`.
 *
 * @see https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
 */
export abstract class LRScheduler {
  readonly optimizer: Scheduled;
  /** The rates the groups started with. */
  baseLrs: number[];
  /** Steps taken so far. */
  lastEpoch: number;
  #lastLr: number[] = [];

  /** @throws ValueError when resuming (`lastEpoch` >= 0) an optimizer whose groups have no `initialLr`. */
  constructor(optimizer: Scheduled, lastEpoch = -1) {
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

  /** The rates of the groups at `lastEpoch`. */
  protected abstract getLr(): number[];

  /** Sets the first rates; the last thing a constructor does. */
  protected start(): void {
    this.step();
  }

  /** Goes on by one epoch and sets the rates of the optimizer's groups. */
  step(): void {
    this.lastEpoch++;
    this.getLr().forEach((lr, i) => {
      (this.optimizer.paramGroups[i] as { lr: number }).lr = lr;
    });
    this.#lastLr = this.optimizer.paramGroups.map((g) => g.lr);
  }

  /** The rates that the last step set. */
  getLastLr(): number[] {
    return [...this.#lastLr];
  }

  /** Everything needed to go on later, as PyTorch names it. */
  stateDict(): SchedulerStateDict {
    return { last_epoch: this.lastEpoch, base_lrs: [...this.baseLrs], _last_lr: this.getLastLr() };
  }

  /** Takes the state of `stateDict`. */
  loadStateDict(state: SchedulerStateDict): void {
    if (typeof state.last_epoch === 'number') this.lastEpoch = state.last_epoch;
    if (Array.isArray(state.base_lrs)) this.baseLrs = state.base_lrs.map(Number);
    if (Array.isArray(state._last_lr)) this.#lastLr = state._last_lr.map(Number);
  }

  /** The rates the groups have now. */
  protected get current(): number[] {
    return this.optimizer.paramGroups.map((g) => g.lr);
  }
}
