import { tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import {
  Adam,
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  CyclicLR,
  ExponentialLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  type Scheduled,
  SequentialLR,
  SGD,
  StepLR,
} from '../index.js';

const groups = () => [{ params: [zeros([1])] }, { params: [zeros([1])], lr: 0.3 }];
const sgd = () => new SGD(groups(), { lr: 0.5, momentum: 0.9 });
const adam = () => new Adam(groups(), { lr: 0.5 });

type Steppable = { step(at: number): void; step(): void };

/** The rates of both groups after each step, and the momentum of the first; `at` is what `step` is given. */
function trace(
  optimizer: Scheduled,
  make: (o: Scheduled) => Steppable,
  count: number,
  at: readonly number[] = [],
): number[][] {
  const scheduler = make(optimizer);
  return Array.from({ length: count }, (_, i) => {
    if (i > 0) {
      const given = at[i - 1];
      if (given === undefined) scheduler.step();
      else scheduler.step(given);
    }
    const [group] = optimizer.paramGroups;
    const momentum = group?.betas?.[0] ?? group?.momentum ?? Number.NaN;
    return [...optimizer.paramGroups.map((g) => g.lr), momentum];
  });
}

function close(actual: number[][], expected: number[][]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((row, i) => {
    row.forEach((x, j) => expect(actual[i]?.[j]).toBeCloseTo(x, 8));
  });
}

// Expected values are PyTorch 1.13's.
it('MultiStepLR', () => {
  const make = (o: Scheduled) => new MultiStepLR(o, [3, 1, 3], { gamma: 0.5 });
  close(trace(sgd(), make, 5), [
    [0.5, 0.3],
    [0.25, 0.15],
    [0.25, 0.15],
    [0.0625, 0.0375],
    [0.0625, 0.0375],
  ]);
});
it('MultiplicativeLR', () => {
  const make = (o: Scheduled) => new MultiplicativeLR(o, [() => 0.9, (epoch) => 1 / epoch]);
  close(trace(sgd(), make, 4), [
    [0.5, 0.3],
    [0.45, 0.3],
    [0.405, 0.15],
    [0.3645, 0.05],
  ]);
});
it('ConstantLR', () => {
  const make = (o: Scheduled) => new ConstantLR(o, { factor: 0.5, totalIters: 2 });
  close(trace(sgd(), make, 4), [
    [0.25, 0.15],
    [0.25, 0.15],
    [0.5, 0.3],
    [0.5, 0.3],
  ]);
});
it('LinearLR', () => {
  const make = (o: Scheduled) =>
    new LinearLR(o, { startFactor: 0.2, endFactor: 0.8, totalIters: 3 });
  close(trace(sgd(), make, 5), [
    [0.1, 0.06],
    [0.2, 0.12],
    [0.3, 0.18],
    [0.4, 0.24],
    [0.4, 0.24],
  ]);
});
it('ExponentialLR', () => {
  const make = (o: Scheduled) => new ExponentialLR(o, 0.5);
  close(trace(sgd(), make, 3), [
    [0.5, 0.3],
    [0.25, 0.15],
    [0.125, 0.075],
  ]);
});
it('PolynomialLR', () => {
  const make = (o: Scheduled) => new PolynomialLR(o, { totalIters: 3, power: 2 });
  close(trace(sgd(), make, 5), [
    [0.5, 0.3],
    [0.222222222, 0.133333333],
    [0.0555555556, 0.0333333333],
    [0.0, 0.0],
    [0.0, 0.0],
  ]);
});
it('CosineAnnealingWarmRestarts', () => {
  const make = (o: Scheduled) => new CosineAnnealingWarmRestarts(o, 2, { tMult: 2, etaMin: 0.1 });
  close(trace(sgd(), make, 8), [
    [0.5, 0.3],
    [0.3, 0.2],
    [0.5, 0.3],
    [0.441421356, 0.270710678],
    [0.3, 0.2],
    [0.158578644, 0.129289322],
    [0.5, 0.3],
    [0.484775907, 0.292387953],
  ]);
});
it('CosineAnnealingWarmRestarts at fractions', () => {
  const make = (o: Scheduled) => new CosineAnnealingWarmRestarts(o, 2, { tMult: 2 });
  close(trace(sgd(), make, 5, [0.5, 1.5, 2.5, 7]), [
    [0.5, 0.3],
    [0.426776695, 0.256066017],
    [0.0732233047, 0.0439339828],
    [0.480969883, 0.28858193],
    [0.480969883, 0.28858193],
  ]);
});
it('CyclicLR triangular2', () => {
  const make = (o: Scheduled) =>
    new CyclicLR(o, 0.1, 0.4, { stepSizeUp: 1, stepSizeDown: 2, mode: 'triangular2' });
  close(trace(sgd(), make, 6), [
    [0.1, 0.1, 0.9],
    [0.4, 0.4, 0.8],
    [0.25, 0.25, 0.85],
    [0.1, 0.1, 0.9],
    [0.25, 0.25, 0.85],
    [0.175, 0.175, 0.875],
  ]);
});
it('CyclicLR expRange', () => {
  const make = (o: Scheduled) =>
    new CyclicLR(o, [0.1, 0.2], 0.4, {
      stepSizeUp: 2,
      mode: 'expRange',
      gamma: 0.9,
      baseMomentum: 0.5,
      maxMomentum: 0.7,
    });
  close(trace(sgd(), make, 6), [
    [0.1, 0.2, 0.7],
    [0.235, 0.29, 0.61],
    [0.343, 0.362, 0.538],
    [0.20935, 0.2729, 0.6271],
    [0.1, 0.2, 0.7],
    [0.1885735, 0.259049, 0.640951],
  ]);
});
it('CyclicLR by a function', () => {
  const make = (o: Scheduled) =>
    new CyclicLR(o, 0.1, 0.4, {
      stepSizeUp: 2,
      scaleFn: (cycle) => 1 / cycle,
      cycleMomentum: false,
    });
  close(trace(sgd(), make, 8), [
    [0.1, 0.1, 0.9],
    [0.25, 0.25, 0.9],
    [0.4, 0.4, 0.9],
    [0.25, 0.25, 0.9],
    [0.1, 0.1, 0.9],
    [0.175, 0.175, 0.9],
    [0.25, 0.25, 0.9],
    [0.175, 0.175, 0.9],
  ]);
});
it('OneCycleLR in two phases', () => {
  const make = (o: Scheduled) => new OneCycleLR(o, 1, { totalSteps: 6 });
  close(trace(sgd(), make, 6), [
    [0.04, 0.04, 0.95],
    [0.994415435, 0.994415435, 0.850558459],
    [0.811745654, 0.811745654, 0.86882551],
    [0.462637103, 0.462637103, 0.903736505],
    [0.13347753, 0.13347753, 0.936652594],
    [4e-6, 4e-6, 0.95],
  ]);
});
it('OneCycleLR in three phases', () => {
  const make = (o: Scheduled) =>
    new OneCycleLR(o, [1, 2], {
      epochs: 2,
      stepsPerEpoch: 4,
      pctStart: 0.4,
      annealStrategy: 'linear',
      threePhase: true,
      divFactor: 10,
      finalDivFactor: 10,
    });
  close(trace(adam(), make, 8), [
    [0.1, 0.2, 0.95],
    [0.509090909, 1.01818182, 0.904545455],
    [0.918181818, 1.83636364, 0.859090909],
    [0.672727273, 1.34545455, 0.886363636],
    [0.263636364, 0.527272727, 0.931818182],
    [0.0792307692, 0.158461538, 0.95],
    [0.0446153846, 0.0892307692, 0.95],
    [0.01, 0.02, 0.95],
  ]);
});
it('ReduceLROnPlateau', () => {
  const make = (o: Scheduled) => {
    const s = new ReduceLROnPlateau(o, { factor: 0.5, patience: 1, cooldown: 1, minLr: [0.2, 0] });
    return { step: (metric = 0) => s.step(metric) };
  };
  close(trace(sgd(), make, 9, [1, 1, 1, 1, 1, 1, 1, 0.5]), [
    [0.5, 0.3],
    [0.5, 0.3],
    [0.5, 0.3],
    [0.25, 0.15],
    [0.25, 0.15],
    [0.25, 0.15],
    [0.2, 0.075],
    [0.2, 0.075],
    [0.2, 0.075],
  ]);
});
it('ReduceLROnPlateau by difference', () => {
  const make = (o: Scheduled) => {
    const s = new ReduceLROnPlateau(o, {
      mode: 'max',
      factor: 0.5,
      patience: 0,
      threshold: 0.1,
      thresholdMode: 'abs',
    });
    return { step: (metric = 0) => s.step(metric) };
  };
  close(trace(sgd(), make, 5, [1, 1.05, 1.2, 1.2]), [
    [0.5, 0.3],
    [0.5, 0.3],
    [0.25, 0.15],
    [0.25, 0.15],
    [0.125, 0.075],
  ]);
});
it('SequentialLR', () => {
  const make = (o: Scheduled) =>
    new SequentialLR(
      o,
      [
        new ConstantLR(o, { factor: 0.1, totalIters: 2 }),
        new ExponentialLR(o, 0.5),
        new StepLR(o, 1),
      ],
      [2, 4],
    );
  close(trace(sgd(), make, 7), [
    [0.05, 0.03],
    [0.05, 0.03],
    [0.5, 0.3],
    [0.25, 0.15],
    [0.5, 0.3],
    [0.05, 0.03],
    [0.005, 0.003],
  ]);
});
it('ChainedScheduler', () => {
  const make = (o: Scheduled) =>
    new ChainedScheduler([
      new ConstantLR(o, { factor: 0.1, totalIters: 2 }),
      new ExponentialLR(o, 0.5),
    ]);
  close(trace(sgd(), make, 4), [
    [0.05, 0.03],
    [0.025, 0.015],
    [0.125, 0.075],
    [0.0625, 0.0375],
  ]);
});
it('StepLR at an epoch', () => {
  const make = (o: Scheduled) => new StepLR(o, 2);
  close(trace(sgd(), make, 3, [5, 2]), [
    [0.5, 0.3],
    [0.005, 0.003],
    [0.05, 0.03],
  ]);
});
it('MultiStepLR at an epoch', () => {
  const make = (o: Scheduled) => new MultiStepLR(o, [2, 4]);
  close(trace(sgd(), make, 3, [5, 2]), [
    [0.5, 0.3],
    [0.005, 0.003],
    [0.05, 0.03],
  ]);
});
it('CosineAnnealingLR at an epoch', () => {
  const make = (o: Scheduled) => new CosineAnnealingLR(o, 4, { etaMin: 0.1 });
  close(trace(sgd(), make, 3, [3, 1]), [
    [0.5, 0.3],
    [0.158578644, 0.129289322],
    [0.441421356, 0.270710678],
  ]);
});
it('PolynomialLR at an epoch', () => {
  const make = (o: Scheduled) => new PolynomialLR(o, { totalIters: 4, power: 2 });
  close(trace(sgd(), make, 3, [3, 1]), [
    [0.5, 0.3],
    [0.03125, 0.01875],
    [0.28125, 0.16875],
  ]);
});
it('LinearLR at an epoch', () => {
  const make = (o: Scheduled) => new LinearLR(o, { startFactor: 0.5, totalIters: 4 });
  close(trace(sgd(), make, 3, [3, 1]), [
    [0.25, 0.15],
    [0.4375, 0.2625],
    [0.3125, 0.1875],
  ]);
});
it('ConstantLR at an epoch', () => {
  const make = (o: Scheduled) => new ConstantLR(o, { factor: 0.5, totalIters: 2 });
  close(trace(sgd(), make, 3, [3, 1]), [
    [0.25, 0.15],
    [0.5, 0.3],
    [0.25, 0.15],
  ]);
});

describe('errors', () => {
  it.each<[string, () => unknown]>([
    ['Expected 2 lr_lambdas, but got 1', () => new MultiplicativeLR(sgd(), [() => 1])],
    ['expected to be between 0 and 1, got 2', () => new ConstantLR(sgd(), { factor: 2 })],
    ['Starting multiplicative factor', () => new LinearLR(sgd(), { startFactor: -1 })],
    ['Ending multiplicative factor', () => new LinearLR(sgd(), { endFactor: 1.5 })],
    ['Expected positive integer T_0, but got 0', () => new CosineAnnealingWarmRestarts(sgd(), 0)],
    [
      'Expected integer T_mult >= 1, but got 1.5',
      () => new CosineAnnealingWarmRestarts(sgd(), 2, { tMult: 1.5 }),
    ],
    [
      'Expected non-negative epoch, but got -1',
      () => new CosineAnnealingWarmRestarts(sgd(), 2).step(-1),
    ],
    ['expected 2 values for max_lr, got 1', () => new CyclicLR(sgd(), 0.1, [0.2])],
    ['optimizer must support momentum', () => new CyclicLR(adam(), 0.1, 0.2)],
    ['You must define either total_steps OR', () => new OneCycleLR(sgd(), 1)],
    [
      'Expected positive integer steps_per_epoch, but got 0',
      () => new OneCycleLR(sgd(), 1, { epochs: 2, stepsPerEpoch: 0 }),
    ],
    [
      'Expected float between 0 and 1 pct_start, but got 2',
      () => new OneCycleLR(sgd(), 1, { totalSteps: 4, pctStart: 2 }),
    ],
    [
      'the phase up to step 0 has no steps',
      () => new OneCycleLR(sgd(), 1, { totalSteps: 2, pctStart: 0.5 }),
    ],
    [
      'Tried to step 6 times. The specified number of total steps is 4',
      () => {
        const scheduler = new OneCycleLR(sgd(), 1, { totalSteps: 4 });
        for (let i = 0; i < 5; i++) scheduler.step();
      },
    ],
    ['Factor should be < 1.0', () => new ReduceLROnPlateau(sgd(), { factor: 1 })],
    ['expected 2 min_lrs, got 1', () => new ReduceLROnPlateau(sgd(), { minLr: [0] })],
    [
      'got schedulers at index 0 to be different',
      () => new SequentialLR(sgd(), [new StepLR(sgd(), 1)], []),
    ],
    [
      'got number of schedulers 1 and the number of milestones to be equal to 1',
      () => {
        const optimizer = sgd();
        return new SequentialLR(optimizer, [new StepLR(optimizer, 1)], [3]);
      },
    ],
    [
      'got schedulers at index 0 and 1 to be different',
      () => new ChainedScheduler([new StepLR(sgd(), 1), new StepLR(sgd(), 1)]),
    ],
    [
      "param 'initial_lr' is not specified in param_groups[0]",
      () => new ExponentialLR(sgd(), 0.9, { lastEpoch: 3 }),
    ],
  ])('%s', (message, make) => {
    expect(make).toThrow(message);
  });
});

describe('state', () => {
  it.each<[string, (o: Scheduled) => Resumable]>([
    ['CosineAnnealingWarmRestarts', (o) => new CosineAnnealingWarmRestarts(o, 2, { tMult: 2 })],
    [
      'SequentialLR',
      (o) => new SequentialLR(o, [new ConstantLR(o), new ExponentialLR(o, 0.5)], [4]),
    ],
    ['ChainedScheduler', (o) => new ChainedScheduler([new LinearLR(o), new StepLR(o, 4)])],
    ['OneCycleLR', (o) => new OneCycleLR(o, 1, { totalSteps: 20 })],
  ])('of %s goes on where it was', (_, make) => {
    const [first, second] = [sgd(), sgd()];
    const [a, b] = [make(first), make(second)];
    for (let i = 0; i < 3; i++) a.step();
    second.loadStateDict(first.stateDict());
    b.loadStateDict(JSON.parse(JSON.stringify(a.stateDict())));
    expect(b.getLastLr()).toEqual(a.getLastLr());
    for (let i = 0; i < 5; i++) {
      a.step();
      b.step();
      expect(second.paramGroups.map((g) => g.lr)).toEqual(first.paramGroups.map((g) => g.lr));
    }
    expect(first.paramGroups[0]?.lr).not.toBe(0.5);
  });

  it('of ReduceLROnPlateau goes on; metrics may be tensors', () => {
    const optimizer = sgd();
    const scheduler = new ReduceLROnPlateau(optimizer, { patience: 1 });
    scheduler.step(tensor(2));
    scheduler.step(tensor(3));
    const saved = scheduler.stateDict();
    expect(saved).toMatchObject({
      best: 2,
      num_bad_epochs: 1,
      last_epoch: 2,
      _last_lr: [0.5, 0.3],
    });
    const other = new ReduceLROnPlateau(optimizer, { patience: 1 });
    other.loadStateDict(saved);
    other.step(3);
    expect(other.getLastLr()[0]).toBeCloseTo(0.05, 12);
  });

  it('resumes a schedule from its last epoch', () => {
    const optimizer = sgd();
    for (const group of optimizer.paramGroups) group.initialLr = 0.5;
    const scheduler = new CosineAnnealingLR(optimizer, 4, { lastEpoch: 1 });
    expect(scheduler.getLastLr()[0]).toBeCloseTo(0.25, 12);
  });
});

interface Resumable {
  step(): void;
  getLastLr(): number[];
  stateDict(): Record<string, unknown>;
  loadStateDict(state: Record<string, unknown>): void;
}
