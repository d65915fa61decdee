import { takes, ValueError } from '@sconce/core';
import { snakeCase } from '../keys.js';
import * as signatures from '../signatures.js';
import { forGroups, LRScheduler, type Scheduled, type ScheduledGroup } from './lr-scheduler.js';
import { type SchedulerStateDict, stateFault } from './state.js';

/** Options of `OneCycleLR`; either `totalSteps`, or `epochs` and `stepsPerEpoch`, must be given. */
export interface OneCycleLROptions {
  /** Steps in the cycle. */
  totalSteps?: number;
  epochs?: number;
  stepsPerEpoch?: number;
  /** The share of the cycle in which the rate rises; default 0.3. */
  pctStart?: number;
  /** The curve between the rates; default 'cos'. */
  annealStrategy?: 'cos' | 'linear';
  /** Whether momentum (or the first beta) goes down while the rate goes up; default true. */
  cycleMomentum?: boolean;
  /** Momentum at the upper rate; default 0.85. */
  baseMomentum?: number | readonly number[];
  /** Momentum at the lower rate; default 0.95. */
  maxMomentum?: number | readonly number[];
  /** The first rate is `maxLr` divided by this; default 25. */
  divFactor?: number;
  /** The last rate is the first divided by this; default 1e4. */
  finalDivFactor?: number;
  /** Back to the first rate before going on to the last, instead of straight there; default false. */
  threePhase?: boolean;
  lastEpoch?: number;
}

/** A stretch of the cycle, up to and including step `end`. */
interface Phase {
  readonly end: number;
  readonly rates: readonly ['initialLr' | 'maxLr', 'initialLr' | 'maxLr' | 'minLr'];
  readonly momentums: readonly ['maxMomentum' | 'baseMomentum', 'maxMomentum' | 'baseMomentum'];
}

const valuesFor = (name: string) => (groups: number, given: number) =>
  `OneCycleLR: expected ${groups} values for ${name}, got ${given}`;

const curves = {
  cos: (start: number, end: number, done: number) =>
    end + ((start - end) / 2) * (Math.cos(Math.PI * done) + 1),
  linear: (start: number, end: number, done: number) => (end - start) * done + start,
} as const;

type Curve = keyof typeof curves;

function stepsOf({ totalSteps, epochs, stepsPerEpoch }: OneCycleLROptions): number {
  const positive = (name: string, value: number | undefined): number => {
    if (value === undefined || !Number.isInteger(value) || value <= 0) {
      throw new ValueError(`OneCycleLR: Expected positive integer ${name}, but got ${value}`);
    }
    return value;
  };
  if (totalSteps !== undefined) return positive('total_steps', totalSteps);
  if (epochs === undefined && stepsPerEpoch === undefined) {
    throw new ValueError(
      'OneCycleLR: You must define either total_steps OR (epochs AND steps_per_epoch)',
    );
  }
  return positive('epochs', epochs) * positive('steps_per_epoch', stepsPerEpoch);
}

function phasesOf(steps: number, pctStart: number, threePhase: boolean): readonly Phase[] {
  const rise: Phase = {
    end: pctStart * steps - 1,
    rates: ['initialLr', 'maxLr'],
    momentums: ['maxMomentum', 'baseMomentum'],
  };
  if (!threePhase) {
    const fall: Phase = {
      end: steps - 1,
      rates: ['maxLr', 'minLr'],
      momentums: ['baseMomentum', 'maxMomentum'],
    };
    return [rise, fall];
  }
  const fall: Phase = {
    end: 2 * pctStart * steps - 2,
    rates: ['maxLr', 'initialLr'],
    momentums: ['baseMomentum', 'maxMomentum'],
  };
  const settle: Phase = {
    end: steps - 1,
    rates: ['initialLr', 'minLr'],
    momentums: ['maxMomentum', 'maxMomentum'],
  };
  return [rise, fall, settle];
}

/** A phase as PyTorch's state dicts have it. */
const torchPhase = ({ end, rates, momentums }: Phase) => ({
  end_step: end,
  start_lr: snakeCase(rates[0]),
  end_lr: snakeCase(rates[1]),
  start_momentum: snakeCase(momentums[0]),
  end_momentum: snakeCase(momentums[1]),
});

/** The phases of a state dict: those of one of the two schedules, at whatever steps. */
function savedPhases(owner: object, saved: unknown): readonly Phase[] {
  const given = Array.isArray(saved) ? (saved as Record<string, unknown>[]) : [];
  const phases = phasesOf(0, 0, given.length === 3);
  const fits =
    phases.length === given.length &&
    phases.every((phase, i) => {
      const { end_step, ...names } = given[i] ?? {};
      const { end_step: _, ...expected } = torchPhase(phase);
      return (
        typeof end_step === 'number' &&
        Object.entries(expected).every(([key, name]) => names[key] === name)
      );
    });
  if (!fits) throw stateFault(owner, '_schedule_phases', 'the phases of a OneCycleLR', saved);
  return phases.map((phase, i) => ({ ...phase, end: given[i]?.end_step as number }));
}

/** Gives the groups the rates of a fresh cycle, before the base class looks at them. */
function prepared(
  optimizer: Scheduled,
  maxLr: number | readonly number[],
  options: OneCycleLROptions,
): Scheduled {
  const rates = forGroups(optimizer, maxLr, valuesFor('max_lr'));
  if ((options.lastEpoch ?? -1) !== -1) return optimizer;
  rates.forEach((highest, i) => {
    const group = optimizer.paramGroups[i] as ScheduledGroup;
    group.initialLr = highest / (options.divFactor ?? 25);
    group.maxLr = highest;
    group.minLr = group.initialLr / (options.finalDivFactor ?? 1e4);
  });
  return optimizer;
}

/**
 * One cycle: the rates rise from `maxLr / divFactor` to `maxLr`, then fall far below, and momentum goes the other
 * way; step every batch.
 *
 * @throws ValueError if the number of steps is missing or not positive, `pctStart` is not between 0 and 1, a divisor is 0, the
 * strategy is unknown, the optimizer has no momentum to cycle, a phase is empty, or the cycle is stepped beyond its
 * end.
 * @see Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates (2017);
 * https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
 * @example new OneCycleLR(optimizer, 0.1, { epochs: 10, stepsPerEpoch: loader.length })
 */
export class OneCycleLR extends LRScheduler {
  static override readonly stateKeys = {
    totalSteps: 'total_steps',
    cycleMomentum: 'cycle_momentum',
  };

  readonly totalSteps: number;
  readonly cycleMomentum: boolean;
  #phases: readonly Phase[];
  #curve: Curve;

  constructor(
    optimizer: Scheduled,
    maxLr: number | readonly number[],
    options: OneCycleLROptions = {},
  ) {
    takes('OneCycleLR', signatures.OneCycleLR, arguments);
    const totalSteps = stepsOf(options);
    const { pctStart = 0.3, annealStrategy = 'cos', lastEpoch = -1 } = options;
    if (!(pctStart > 0 && pctStart < 1)) {
      throw new ValueError(
        `OneCycleLR: Expected float between 0 and 1 pct_start, but got ${pctStart}`,
      );
    }
    for (const name of ['divFactor', 'finalDivFactor'] as const) {
      if (options[name] === 0 || Number.isNaN(options[name])) {
        throw new ValueError(
          `OneCycleLR: ${name} must be a number other than 0, got ${options[name]}`,
        );
      }
    }
    if (!Object.hasOwn(curves, annealStrategy)) {
      throw new ValueError(
        `OneCycleLR: anneal_strategy must by one of 'cos' or 'linear', instead got ${annealStrategy}`,
      );
    }
    super(prepared(optimizer, maxLr, options), lastEpoch);
    this.totalSteps = totalSteps;
    this.cycleMomentum = options.cycleMomentum ?? true;
    this.#phases = phasesOf(totalSteps, pctStart, options.threePhase ?? false);
    this.#curve = annealStrategy;
    if (this.cycleMomentum) this.#prepareMomentum(options, lastEpoch);
    this.start();
  }

  #prepareMomentum(options: OneCycleLROptions, lastEpoch: number): void {
    const { optimizer } = this;
    if (optimizer.paramGroups.some((g) => g.momentum === undefined && g.betas === undefined)) {
      throw new ValueError(
        'OneCycleLR: optimizer must support momentum with `cycle_momentum` option enabled; set cycleMomentum: false',
      );
    }
    const highest = forGroups(optimizer, options.maxMomentum ?? 0.95, valuesFor('max_momentum'));
    const lowest = forGroups(optimizer, options.baseMomentum ?? 0.85, valuesFor('base_momentum'));
    if (lastEpoch !== -1) return;
    optimizer.paramGroups.forEach((group, i) => {
      group.maxMomentum = highest[i] as number;
      group.baseMomentum = lowest[i] as number;
      setMomentum(group, group.maxMomentum);
    });
  }

  protected override getLr(): number[] {
    const { lastEpoch: step, totalSteps } = this;
    if (step > totalSteps) {
      throw new ValueError(
        `OneCycleLR: Tried to step ${step + 1} times. The specified number of total steps is ${totalSteps}`,
      );
    }
    const last = this.#phases.length - 1;
    const index = this.#phases.findIndex(({ end }, i) => step <= end || i === last);
    const phase = this.#phases[index] as Phase;
    const begin = this.#phases[index - 1]?.end ?? 0;
    if (phase.end === begin) {
      throw new ValueError(
        `OneCycleLR: the phase up to step ${phase.end} has no steps; choose another pctStart or totalSteps`,
      );
    }
    const done = (step - begin) / (phase.end - begin);
    return this.optimizer.paramGroups.map((group) => {
      const between = ([from, to]: Phase['rates'] | Phase['momentums']) =>
        curves[this.#curve](group[from] as number, group[to] as number, done);
      if (this.cycleMomentum) setMomentum(group, between(phase.momentums));
      return between(phase.rates);
    });
  }

  /** Like PyTorch 2's: the curve by its name, where PyTorch 1 has a function. */
  override stateDict(): SchedulerStateDict {
    return {
      ...super.stateDict(),
      _schedule_phases: this.#phases.map(torchPhase),
      _anneal_func_type: this.#curve,
      ...(this.cycleMomentum && {
        use_beta1: this.optimizer.paramGroups.some((group) => group.betas !== undefined),
      }),
    };
  }

  /** @internal */
  override checkedState(state: SchedulerStateDict): () => void {
    const adopt = super.checkedState(state);
    const { _schedule_phases, _anneal_func_type: curve = this.#curve } = state;
    if (curve !== 'cos' && curve !== 'linear') {
      throw stateFault(this, '_anneal_func_type', "'cos' or 'linear'", curve);
    }
    const phases =
      _schedule_phases === undefined ? this.#phases : savedPhases(this, _schedule_phases);
    return () => {
      adopt();
      this.#phases = phases;
      this.#curve = curve;
    };
  }
}

function setMomentum(group: ScheduledGroup, momentum: number): void {
  if (group.betas) group.betas = [momentum, group.betas[1]];
  else group.momentum = momentum;
}
