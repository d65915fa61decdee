import { readFileSync } from 'node:fs';
import { zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  type OptimizerStateDict,
  PolynomialLR,
  ReduceLROnPlateau,
  type Scheduled,
  type SchedulerStateDict,
  SequentialLR,
  SGD,
  StepLR,
} from '../index.js';

interface Scheduler {
  step(metric: number): void;
  step(): void;
  stateDict(): SchedulerStateDict;
  loadStateDict(state: SchedulerStateDict): void;
}

/** What PyTorch 1.13 said: scripts/scheduler_states.py. */
interface Golden {
  optimizer: 'SGD' | 'Adam';
  param_groups: OptimizerStateDict['param_groups'];
  state: SchedulerStateDict;
  then: number[][];
}

const golden = JSON.parse(
  readFileSync(new URL('state.fixture.json', import.meta.url), 'utf8'),
  (_, value: unknown) =>
    value === 'inf' || value === '-inf' ? Number(`${value}inity`.replace('inf', 'Inf')) : value,
) as Record<string, Golden>;

function optimizerOf({ optimizer }: Golden): SGD | Adam {
  const groups = [{ params: [zeros([1])] }, { params: [zeros([1])], lr: 0.3 }];
  return optimizer === 'SGD'
    ? new SGD(groups, { lr: 0.5, momentum: 0.9 })
    : new Adam(groups, { lr: 0.5 });
}

type Make = (o: Scheduled) => Scheduler;

const plateau = (scheduler: ReduceLROnPlateau): Scheduler => ({
  step: () => scheduler.step(1),
  stateDict: () => scheduler.stateDict(),
  loadStateDict: (state) => scheduler.loadStateDict(state),
});

/** A scheduler like PyTorch's, and one of the same class with other arguments. */
const cases: Record<string, [Make, Make]> = {
  LambdaLR: [(o) => new LambdaLR(o, (e) => 0.5 ** e), (o) => new LambdaLR(o, (e) => 0.5 ** e)],
  MultiplicativeLR: [
    (o) => new MultiplicativeLR(o, () => 0.5),
    (o) => new MultiplicativeLR(o, () => 0.5),
  ],
  StepLR: [(o) => new StepLR(o, 2, { gamma: 0.5 }), (o) => new StepLR(o, 30)],
  MultiStepLR: [
    (o) => new MultiStepLR(o, [5, 2, 5, 7], { gamma: 0.5 }),
    (o) => new MultiStepLR(o, [1]),
  ],
  ConstantLR: [(o) => new ConstantLR(o, { factor: 0.25, totalIters: 4 }), (o) => new ConstantLR(o)],
  LinearLR: [
    (o) => new LinearLR(o, { startFactor: 0.25, endFactor: 0.75, totalIters: 6 }),
    (o) => new LinearLR(o),
  ],
  ExponentialLR: [(o) => new ExponentialLR(o, 0.5), (o) => new ExponentialLR(o, 0.9)],
  PolynomialLR: [
    (o) => new PolynomialLR(o, { totalIters: 7, power: 2 }),
    (o) => new PolynomialLR(o),
  ],
  CosineAnnealingLR: [
    (o) => new CosineAnnealingLR(o, 5, { etaMin: 0.1 }),
    (o) => new CosineAnnealingLR(o, 9),
  ],
  CosineAnnealingWarmRestarts: [
    (o) => new CosineAnnealingWarmRestarts(o, 2, { tMult: 3, etaMin: 0.1 }),
    (o) => new CosineAnnealingWarmRestarts(o, 7),
  ],
  CyclicLR: [
    (o) =>
      new CyclicLR(o, [0.1, 0.2], 0.4, {
        stepSizeUp: 2,
        stepSizeDown: 3,
        mode: 'triangular2',
        baseMomentum: 0.5,
        maxMomentum: 0.7,
      }),
    (o) => new CyclicLR(o, 0.3, 0.9, { cycleMomentum: false }),
  ],
  'CyclicLR exp_range': [
    (o) =>
      new CyclicLR(o, 0.1, 0.4, {
        stepSizeUp: 2,
        mode: 'expRange',
        gamma: 0.5,
        cycleMomentum: false,
      }),
    (o) => new CyclicLR(o, 0.3, 0.9),
  ],
  OneCycleLR: [
    (o) => new OneCycleLR(o, [1, 2], { totalSteps: 10 }),
    (o) => new OneCycleLR(o, 3, { totalSteps: 99, pctStart: 0.5, threePhase: true }),
  ],
  'OneCycleLR of Adam': [
    (o) => new OneCycleLR(o, 1, { epochs: 2, stepsPerEpoch: 5, threePhase: true }),
    (o) => new OneCycleLR(o, 3, { totalSteps: 99, cycleMomentum: false }),
  ],
  ReduceLROnPlateau: [
    (o) =>
      plateau(
        new ReduceLROnPlateau(o, {
          mode: 'max',
          factor: 0.5,
          patience: 1,
          threshold: 0.01,
          thresholdMode: 'abs',
          cooldown: 1,
          minLr: [0.01, 0.02],
          eps: 1e-6,
        }),
      ),
    (o) => plateau(new ReduceLROnPlateau(o)),
  ],
  'ReduceLROnPlateau unstepped': [
    (o) => plateau(new ReduceLROnPlateau(o)),
    (o) => plateau(new ReduceLROnPlateau(o, { mode: 'max', factor: 0.5, patience: 0 })),
  ],
  SequentialLR: [
    (o) =>
      new SequentialLR(
        o,
        [
          new ConstantLR(o, { factor: 0.5, totalIters: 9 }),
          new MultiStepLR(o, [1, 2], { gamma: 0.5 }),
          new StepLR(o, 1, { gamma: 0.25 }),
        ],
        [2, 6],
      ),
    (o) =>
      new SequentialLR(o, [new ConstantLR(o), new MultiStepLR(o, [7]), new StepLR(o, 9)], [1, 9]),
  ],
  ChainedScheduler: [
    (o) =>
      new ChainedScheduler([
        new ConstantLR(o, { factor: 0.5, totalIters: 4 }),
        new ExponentialLR(o, 0.5),
      ]),
    (o) => new ChainedScheduler([new ConstantLR(o), new ExponentialLR(o, 0.9)]),
  ],
};

/** PyTorch 2's key instead of 1.13's function. */
const newer = (name: string): SchedulerStateDict =>
  name.startsWith('OneCycleLR') ? { _anneal_func_type: 'cos' } : {};

/** Numbers to ten digits: the last may differ, since powers are computed in other ways. */
const rounded = (state: unknown): unknown =>
  JSON.parse(JSON.stringify(state), (_, x: unknown) =>
    typeof x === 'number' ? Number(x.toPrecision(10)) : x,
  );

it('every scheduler is here', () => {
  expect(Object.keys(cases)).toEqual(Object.keys(golden));
});

describe.each(Object.entries(golden))('%s', (name, expected) => {
  const [make, other] = cases[name] as [Make, Make];

  it("has PyTorch's keys and values", () => {
    const scheduler = make(optimizerOf(expected));
    if (!name.endsWith('unstepped')) for (let i = 0; i < 3; i++) scheduler.step();
    const state = scheduler.stateDict();
    const wanted = { ...expected.state, ...newer(name) };
    expect(Object.keys(state).sort()).toEqual(Object.keys(wanted).sort());
    expect(rounded(state)).toEqual(rounded(wanted));
    expect([state.best, state.mode_worse]).toEqual([wanted.best, wanted.mode_worse]);
  });

  it("goes on from PyTorch's state, whatever it was made with", () => {
    const optimizer = optimizerOf(expected);
    const scheduler = other(optimizer);
    optimizer.loadStateDict({ state: {}, param_groups: expected.param_groups });
    scheduler.loadStateDict(expected.state);
    for (const row of expected.then) {
      scheduler.step();
      const [first] = optimizer.paramGroups as Scheduled['paramGroups'];
      const values = [
        ...optimizer.paramGroups.map((g) => g.lr),
        first?.betas?.[0] ?? first?.momentum,
      ];
      values.forEach((value, i) => {
        expect(value).toBeCloseTo(row[i] as number, 12);
      });
    }
  });

  it('refuses what it cannot be, and stays as it is', () => {
    const scheduler = make(optimizerOf(expected));
    const before = scheduler.stateDict();
    for (const key of Object.keys(expected.state)) {
      if (
        /^(verbose|_get_lr_called_within_step|lr_lambdas|mode_worse|use_beta1|_scale_fn_custom)$/.test(
          key,
        )
      )
        continue;
      expect(() => scheduler.loadStateDict({ ...expected.state, [key]: { x: 'y' } }), key).toThrow(
        /^loadStateDict: /,
      );
    }
    expect(() => scheduler.loadStateDict(null as never)).toThrow(
      'loadStateDict: expected the state',
    );
    expect(scheduler.stateDict()).toEqual(before);
  });
});

it('names what is wrong', () => {
  const optimizer = optimizerOf(golden.StepLR as Golden);
  expect(() => new StepLR(optimizer, 2).loadStateDict({ step_size: 'two' })).toThrow(
    'loadStateDict: step_size of StepLR must be a number, got "two"',
  );
  expect(() => new StepLR(optimizer, 2).loadStateDict({ base_lrs: [1] })).toThrow(
    'loadStateDict: base_lrs of StepLR must be 2 numbers, one a group, got [1]',
  );
});
