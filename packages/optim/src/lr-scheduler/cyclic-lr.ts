import { takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { forGroups, LRScheduler, type Scheduled, type ScheduledGroup } from './lr-scheduler.js';
import { isNumbers, type SchedulerStateDict, stateFault } from './state.js';

const torchModes = {
  triangular: 'triangular',
  triangular2: 'triangular2',
  expRange: 'exp_range',
} as const;

/** How the cycles of `CyclicLR` shrink: not, by half each, or by `gamma` each step. */
export type CyclicMode = 'triangular' | 'triangular2' | 'expRange';

/** Options of `CyclicLR`. */
export interface CyclicLROptions {
  /** Steps from the lower rate to the upper; default 2000. */
  stepSizeUp?: number;
  /** Steps from the upper rate to the lower; default `stepSizeUp`. */
  stepSizeDown?: number;
  /** Default 'triangular'; ignored with `scaleFn`. */
  mode?: CyclicMode;
  /** Base of 'expRange'; default 1. */
  gamma?: number;
  /** The height of a cycle, instead of one of the modes. */
  scaleFn?: (x: number) => number;
  /** Whether `scaleFn` gets the number of the cycle (from 1) or of the step; default 'cycle'. */
  scaleMode?: 'cycle' | 'iterations';
  /** Whether momentum goes down while the rate goes up; default true. */
  cycleMomentum?: boolean;
  /** Momentum at the upper rate; default 0.8. */
  baseMomentum?: number | readonly number[];
  /** Momentum at the lower rate; default 0.9. */
  maxMomentum?: number | readonly number[];
  lastEpoch?: number;
}

const valuesFor = (name: string) => (groups: number, given: number) =>
  `CyclicLR: expected ${groups} values for ${name}, got ${given}`;

/** The lower rates, which a fresh schedule gives the groups before it looks at them. */
function lowered(
  optimizer: Scheduled,
  baseLr: number | readonly number[],
  lastEpoch: number,
): number[] {
  const rates = forGroups(optimizer, baseLr, valuesFor('base_lr'));
  if (lastEpoch === -1) {
    rates.forEach((lr, i) => {
      (optimizer.paramGroups[i] as ScheduledGroup).lr = lr;
    });
  }
  return rates;
}

/**
 * Takes the rates from `baseLr` to `maxLr` and back, again and again, and momentum the other way; step every batch.
 *
 * @throws ValueError if the mode is unknown, no steps go up, lists do not have one value a group, or the optimizer has no momentum
 * to cycle.
 * @see Smith, Cyclical Learning Rates for Training Neural Networks (2015);
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CyclicLR.html
 * @example new CyclicLR(optimizer, 0.01, 0.1, { stepSizeUp: 500 })
 */
export class CyclicLR extends LRScheduler {
  static override readonly stateKeys = {
    maxLrs: 'max_lrs',
    totalSize: 'total_size',
    stepRatio: 'step_ratio',
    gamma: 'gamma',
    scaleMode: 'scale_mode',
    cycleMomentum: 'cycle_momentum',
  };

  readonly maxLrs: readonly number[];
  /** Steps in a cycle. */
  readonly totalSize: number;
  /** The share of a cycle that goes up. */
  readonly stepRatio: number;
  mode: CyclicMode;
  readonly gamma: number;
  readonly scaleMode: 'cycle' | 'iterations';
  readonly cycleMomentum: boolean;
  baseMomentums: readonly number[];
  maxMomentums: readonly number[];
  /** The user's, instead of the mode's. */
  readonly #custom: ((x: number) => number) | undefined;
  #scale: (x: number) => number;

  constructor(
    optimizer: Scheduled,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicLROptions = {},
  ) {
    takes('CyclicLR', signatures.CyclicLR, arguments);
    const { stepSizeUp = 2000, stepSizeDown = stepSizeUp, lastEpoch = -1, scaleFn } = options;
    const whole = stepSizeUp + stepSizeDown;
    const share = stepSizeUp / whole;
    if (!Number.isFinite(whole) || !Number.isFinite(share) || share === 0) {
      throw new ValueError(
        `CyclicLR: a cycle needs a finite number of steps, some of them up, but got stepSizeUp ${stepSizeUp} and stepSizeDown ${stepSizeDown}`,
      );
    }
    const rates = lowered(optimizer, baseLr, lastEpoch);
    super(optimizer, lastEpoch);
    this.maxLrs = forGroups(optimizer, maxLr, valuesFor('max_lr'));
    this.totalSize = whole;
    this.stepRatio = share;
    this.mode = options.mode ?? 'triangular';
    this.gamma = options.gamma ?? 1;
    const scale = scaleFn ?? this.#ofMode(this.mode);
    if (!scale) {
      throw new ValueError(
        `CyclicLR: mode is invalid and scale_fn is None: '${this.mode}' is none of 'triangular', 'triangular2', 'expRange'`,
      );
    }
    this.#scale = scale;
    this.#custom = scaleFn;
    const own = this.mode === 'expRange' ? 'iterations' : 'cycle';
    this.scaleMode = scaleFn ? (options.scaleMode ?? 'cycle') : own;
    this.cycleMomentum = options.cycleMomentum ?? true;
    const { paramGroups } = optimizer;
    if (this.cycleMomentum) {
      if (paramGroups.some((group) => group.momentum === undefined)) {
        throw new ValueError(
          'CyclicLR: optimizer must support momentum with `cycle_momentum` option enabled; set cycleMomentum: false',
        );
      }
      const base = forGroups(optimizer, options.baseMomentum ?? 0.8, valuesFor('base_momentum'));
      this.maxMomentums = forGroups(
        optimizer,
        options.maxMomentum ?? 0.9,
        valuesFor('max_momentum'),
      );
      if (lastEpoch === -1) {
        base.forEach((momentum, i) => {
          (paramGroups[i] as ScheduledGroup).momentum = momentum;
        });
      }
      this.baseMomentums = paramGroups.map((group) => group.momentum as number);
    } else {
      this.baseMomentums = [];
      this.maxMomentums = [];
    }
    this.start();
    this.baseLrs = rates;
  }

  #ofMode(mode: CyclicMode): ((x: number) => number) | undefined {
    switch (mode) {
      case 'triangular':
        return () => 1;
      case 'triangular2':
        return (cycle) => 1 / 2 ** (cycle - 1);
      case 'expRange':
        return (step) => this.gamma ** step;
      default:
        return undefined;
    }
  }

  protected override getLr(): number[] {
    const { lastEpoch, totalSize, stepRatio } = this;
    const cycle = Math.floor(1 + lastEpoch / totalSize);
    const x = 1 + lastEpoch / totalSize - cycle;
    const height = x <= stepRatio ? x / stepRatio : (x - 1) / (stepRatio - 1);
    const scale = this.#scale(this.scaleMode === 'cycle' ? cycle : lastEpoch);
    const highestOf = this.cycleMomentum ? this.maxMomentums : [];
    highestOf.forEach((highest, i) => {
      const group = this.optimizer.paramGroups[i] as ScheduledGroup;
      group.momentum = highest - (highest - (this.baseMomentums[i] as number)) * height * scale;
    });
    return this.baseLrs.map(
      (base, i) => base + ((this.maxLrs[i] as number) - base) * height * scale,
    );
  }

  /** Like PyTorch 2's: `scaleFn` is not saved, and must be given again. */
  override stateDict(): SchedulerStateDict {
    return {
      ...super.stateDict(),
      mode: torchModes[this.mode],
      _scale_fn_custom: null,
      ...(this.cycleMomentum && {
        base_momentums: [...this.baseMomentums],
        max_momentums: [...this.maxMomentums],
      }),
    };
  }

  /** @internal */
  override checkedState(state: SchedulerStateDict): () => void {
    const adopt = super.checkedState(state);
    const { mode = torchModes[this.mode], scale_mode = 'cycle' } = state;
    const named = (Object.keys(torchModes) as CyclicMode[]).find((m) => torchModes[m] === mode);
    const scale = this.#custom ?? (named && this.#ofMode(named));
    if (!named || !scale) {
      throw stateFault(this, 'mode', "'triangular', 'triangular2' or 'exp_range'", mode);
    }
    if (scale_mode !== 'cycle' && scale_mode !== 'iterations') {
      throw stateFault(this, 'scale_mode', "'cycle' or 'iterations'", scale_mode);
    }
    const cycling = state.cycle_momentum ?? this.cycleMomentum;
    const { base_momentums = this.baseMomentums, max_momentums = this.maxMomentums } = state;
    const groups = cycling ? this.optimizer.paramGroups.length : 0;
    const momentums = (key: string, value: unknown): readonly number[] => {
      if (!cycling) return [];
      if (!isNumbers(value, groups))
        throw stateFault(this, key, `${groups} numbers, one a group`, value);
      return [...value];
    };
    const base = momentums('base_momentums', base_momentums);
    const highest = momentums('max_momentums', max_momentums);
    return () => {
      adopt();
      this.mode = named;
      this.#scale = scale;
      this.baseMomentums = base;
      this.maxMomentums = highest;
    };
  }
}
