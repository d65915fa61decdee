import { once, type Tensor, takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { forGroups, type Scheduled } from './lr-scheduler.js';
import {
  checkedState,
  isNumbers,
  type SchedulerStateDict,
  type StateKeys,
  stateFault,
  stateOf,
} from './state.js';

const stateKeys: StateKeys = {
  factor: 'factor',
  minLrs: 'min_lrs',
  patience: 'patience',
  cooldown: 'cooldown',
  cooldownCounter: 'cooldown_counter',
  mode: 'mode',
  threshold: 'threshold',
  thresholdMode: 'threshold_mode',
  best: 'best',
  numBadEpochs: 'num_bad_epochs',
  eps: 'eps',
  lastEpoch: 'last_epoch',
};

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions {
  /** Whether a good metric is small or large; default 'min'. */
  mode?: 'min' | 'max';
  /** What rates are multiplied by; default 0.1. */
  factor?: number;
  /** How many bad epochs are let pass; default 10. */
  patience?: number;
  /** How much better a metric must be to count; default 1e-4. */
  threshold?: number;
  /** Whether `threshold` is a share of the best metric or a difference to it; default 'rel'. */
  thresholdMode?: 'rel' | 'abs';
  /** Epochs after a reduction in which bad ones are not counted; default 0. */
  cooldown?: number;
  /** Where reductions stop: one for all groups, or one each; default 0. */
  minLr?: number | readonly number[];
  /** Smaller reductions are left out; default 1e-8. */
  eps?: number;
}

/**
 * Reduces the rates when a metric, given to `step`, has stopped getting better.
 *
 * @throws ValueError if the factor is 1 or more, a mode is unknown, or `minLr` does not have one value a group.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html
 * @example
 * const scheduler = new ReduceLROnPlateau(optimizer, { patience: 5 });
 * scheduler.step(validationLoss);
 */
export class ReduceLROnPlateau {
  readonly optimizer: Scheduled;
  readonly mode: 'min' | 'max';
  readonly factor: number;
  readonly patience: number;
  readonly threshold: number;
  readonly thresholdMode: 'rel' | 'abs';
  readonly cooldown: number;
  readonly minLrs: readonly number[];
  readonly eps: number;
  /** Steps taken so far. */
  lastEpoch = 0;
  /** The best metric so far. */
  best: number;
  numBadEpochs = 0;
  cooldownCounter = 0;
  /** The rates that the last step left; none before the first. */
  #lastLr: number[] | undefined;

  constructor(optimizer: Scheduled, options: ReduceLROnPlateauOptions = {}) {
    takes('ReduceLROnPlateau', signatures.ReduceLROnPlateau, arguments);
    const { mode = 'min', factor = 0.1, thresholdMode = 'rel' } = options;
    if (!(factor < 1)) {
      throw new ValueError(`ReduceLROnPlateau: Factor should be < 1.0, got ${factor}`);
    }
    if (mode !== 'min' && mode !== 'max') {
      throw new ValueError(`ReduceLROnPlateau: mode ${mode} is unknown! Use 'min' or 'max'`);
    }
    if (thresholdMode !== 'rel' && thresholdMode !== 'abs') {
      throw new ValueError(
        `ReduceLROnPlateau: threshold mode ${thresholdMode} is unknown! Use 'rel' or 'abs'`,
      );
    }
    this.optimizer = optimizer;
    this.mode = mode;
    this.factor = factor;
    this.thresholdMode = thresholdMode;
    this.patience = options.patience ?? 10;
    this.threshold = options.threshold ?? 1e-4;
    this.cooldown = options.cooldown ?? 0;
    this.minLrs = forGroups(
      optimizer,
      options.minLr ?? 0,
      (groups, given) => `ReduceLROnPlateau: expected ${groups} min_lrs, got ${given}`,
    );
    this.eps = options.eps ?? 1e-8;
    this.best = this.#worst;
  }

  get #worst(): number {
    return this.mode === 'min' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  }

  get #rates(): number[] {
    return this.optimizer.paramGroups.map((group) => group.lr);
  }

  /** Whether bad epochs are not counted now. */
  get inCooldown(): boolean {
    return this.cooldownCounter > 0;
  }

  /**
   * Takes the metric of an epoch, and reduces the rates if it is the one too many without progress.
   *
   * @param metrics a number, or a tensor of one element on a device that can be read at once.
   */
  step(metrics: number | Tensor): void {
    const current = typeof metrics === 'number' ? metrics : Number(metrics.itemSync());
    once('the step of a scheduler');
    this.lastEpoch++;
    if (this.isBetter(current, this.best)) {
      this.best = current;
      this.numBadEpochs = 0;
    } else {
      this.numBadEpochs++;
    }
    if (this.inCooldown) {
      this.cooldownCounter--;
      this.numBadEpochs = 0;
    }
    if (this.numBadEpochs > this.patience) {
      this.#reduce();
      this.cooldownCounter = this.cooldown;
      this.numBadEpochs = 0;
    }
    this.#lastLr = this.#rates;
  }

  /** Whether a metric is better than the best by more than the threshold. */
  isBetter(metric: number, best: number): boolean {
    const { threshold } = this;
    const relative = this.thresholdMode === 'rel';
    return this.mode === 'min'
      ? metric < (relative ? best * (1 - threshold) : best - threshold)
      : metric > (relative ? best * (1 + threshold) : best + threshold);
  }

  #reduce(): void {
    this.optimizer.paramGroups.forEach((group, i) => {
      const lr = Math.max(group.lr * this.factor, this.minLrs[i] as number);
      if (group.lr - lr > this.eps) group.lr = lr;
    });
  }

  /** The rates after the last step. */
  getLastLr(): number[] {
    return [...(this.#lastLr ?? this.#rates)];
  }

  /** Everything needed to go on later, under PyTorch's keys; what the constructor was given is part of it. */
  stateDict(): SchedulerStateDict {
    return {
      ...stateOf(this, stateKeys),
      mode_worse: this.#worst,
      verbose: false,
      ...(this.#lastLr && { _last_lr: [...this.#lastLr] }),
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
    const adopt = checkedState(this, stateKeys, state);
    const { mode = 'min', threshold_mode = 'rel', _last_lr } = state;
    if (mode !== 'min' && mode !== 'max') throw stateFault(this, 'mode', "'min' or 'max'", mode);
    if (threshold_mode !== 'rel' && threshold_mode !== 'abs') {
      throw stateFault(this, 'threshold_mode', "'rel' or 'abs'", threshold_mode);
    }
    const groups = this.optimizer.paramGroups.length;
    if (_last_lr !== undefined && !isNumbers(_last_lr, groups)) {
      throw stateFault(this, '_last_lr', `${groups} numbers, one a group`, _last_lr);
    }
    return () => {
      adopt();
      if (_last_lr) this.#lastLr = [..._last_lr];
    };
  }
}
