import { ValueError, zeros } from '@sconce/core';
import '@sconce/autograd';
import { afterEach, describe, expect, it, test, vi } from 'vitest';
import {
  ChainedScheduler,
  ConstantLR,
  CosineAnnealingLR,
  CyclicLR,
  ExponentialLR,
  LambdaLR,
  LBFGS,
  LinearLR,
  OneCycleLR,
  PolynomialLR,
  ReduceLROnPlateau,
  SequentialLR,
  SGD,
  StepLR,
} from '../index.js';

const sgd = () => new SGD([zeros([2])], { lr: 0.1, momentum: 0.9 });
const rate = (optimizer: SGD) => optimizer.paramGroups[0]?.lr as number;

afterEach(() => vi.restoreAllMocks());

describe('arguments for which Python divides by zero', () => {
  it.each<[string, (o: SGD) => unknown]>([
    ['stepSize must not be 0', (o) => new StepLR(o, 0)],
    ['tMax must not be 0', (o) => new CosineAnnealingLR(o, 0)],
    ['greater than 0', (o) => new LinearLR(o, { startFactor: 0 })],
    ['some of them up', (o) => new CyclicLR(o, 0.01, 0.1, { stepSizeUp: 0 })],
    ['some of them up', (o) => new CyclicLR(o, 0.01, 0.1, { stepSizeUp: 0, stepSizeDown: 2 })],
    ['some of them up', (o) => new CyclicLR(o, 0.01, 0.1, { stepSizeUp: 2, stepSizeDown: -2 })],
    ['some of them up', (o) => new CyclicLR(o, 0.01, 0.1, { stepSizeDown: Infinity })],
    ['some of them up', (o) => new CyclicLR(o, 0.01, 0.1, { stepSizeUp: Number.NaN })],
    ['between 0 and 1', (o) => new OneCycleLR(o, 0.1, { totalSteps: 9, pctStart: 0 })],
    ['between 0 and 1', (o) => new OneCycleLR(o, 0.1, { totalSteps: 9, pctStart: 1 })],
    ['between 0 and 1', (o) => new OneCycleLR(o, 0.1, { totalSteps: 9, pctStart: Number.NaN })],
    ['has no steps', (o) => new OneCycleLR(o, 0.1, { totalSteps: 10, pctStart: 0.1 })],
    ['divFactor', (o) => new OneCycleLR(o, 0.1, { totalSteps: 9, divFactor: 0 })],
    ['finalDivFactor', (o) => new OneCycleLR(o, 0.1, { totalSteps: 9, finalDivFactor: 0 })],
    ['is Infinity', (o) => new LambdaLR(o, (epoch) => 1 / epoch)],
    ['is NaN', (o) => new ExponentialLR(o, Number.NaN).step()],
    ['is NaN', (o) => new CosineAnnealingLR(o, Number.NaN).step()],
    ['is NaN', (o) => new PolynomialLR(o, { totalIters: 0 }).step(0)],
    ['is NaN', (o) => new LinearLR(o, { totalIters: 0 }).step(0)],
    ['between 0 and 1', (o) => new ConstantLR(o, { factor: Number.NaN })],
    ['should be < 1.0', (o) => new ReduceLROnPlateau(o, { factor: Number.NaN })],
  ])('throw: %s (%#)', (message, make) => {
    const optimizer = sgd();
    expect(() => make(optimizer)).toThrow(message);
    expect(() => make(sgd())).toThrow(ValueError);
    expect(rate(optimizer)).toSatisfy(Number.isFinite);
  });

  it('throw at the step that divides', () => {
    const negative = new PolynomialLR(sgd(), { power: -1 });
    const none = new ConstantLR(sgd(), { factor: 0 });
    for (const scheduler of [negative, none]) {
      for (let i = 0; i < 4; i++) scheduler.step();
      expect(() => scheduler.step()).toThrow(ValueError);
    }
  });

  it('but not those for which it does not', () => {
    const rates = (make: (o: SGD) => { step(): void }, count: number) => {
      const optimizer = sgd();
      const scheduler = make(optimizer);
      return [
        rate(optimizer),
        ...Array.from({ length: count }, () => {
          scheduler.step();
          return rate(optimizer);
        }),
      ].map((lr) => Number(lr.toFixed(6)));
    };
    expect(rates((o) => new LinearLR(o, { totalIters: 0 }), 2)).toEqual([
      0.033333, 0.033333, 0.033333,
    ]);
    expect(rates((o) => new PolynomialLR(o, { totalIters: 0 }), 2)).toEqual([0.1, 0.1, 0.1]);
    expect(rates((o) => new CosineAnnealingLR(o, 1), 3)).toEqual([0.1, 0, 0.1, 0]);
    expect(rates((o) => new CyclicLR(o, 0.01, 0.1, { stepSizeUp: 2, stepSizeDown: 0 }), 3)).toEqual(
      [0.01, 0.055, 0.01, 0.055],
    );
    expect(rates((o) => new StepLR(o, 2.5), 5)).toEqual([0.1, 0.1, 0.1, 0.1, 0.1, 0.01]);
  });
});

describe('SequentialLR', () => {
  const run = (milestones: number[], count = milestones.length + 1) => {
    const optimizer = sgd();
    const all = [
      new ConstantLR(optimizer, { factor: 0.5, totalIters: 2 }),
      new ExponentialLR(optimizer, 0.9),
      new StepLR(optimizer, 1, { gamma: 0.5 }),
    ];
    const sequence = new SequentialLR(optimizer, all.slice(0, count), milestones);
    const rates = [rate(optimizer)];
    for (let i = 0; i < 5; i++) {
      sequence.step();
      rates.push(rate(optimizer));
    }
    return rates.map((lr) => Number(lr.toFixed(5)));
  };
  // PyTorch's rates.
  it.each([
    [[0], [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.05905]],
    [[-1], [0.1, 0.09, 0.081, 0.0729, 0.06561, 0.05905]],
    [[1], [0.05, 0.1, 0.09, 0.081, 0.0729, 0.06561]],
    [[3], [0.05, 0.05, 0.1, 0.1, 0.09, 0.081]],
    [
      [0, 0],
      [0.1, 0.05, 0.025, 0.0125, 0.00625, 0.00313],
    ],
    [
      [0, 2],
      [0.1, 0.09, 0.1, 0.05, 0.025, 0.0125],
    ],
    [
      [2, 2],
      [0.05, 0.05, 0.1, 0.05, 0.025, 0.0125],
    ],
    [
      [3, 1],
      [0.05, 0.1, 0.05, 0.025, 0.0125, 0.00625],
    ],
  ])('with milestones %j', (milestones, rates) => {
    expect(run(milestones)).toEqual(rates);
  });

  it('refuses what cannot be run in turn', () => {
    const optimizer = sgd();
    const plateau = new ReduceLROnPlateau(optimizer) as never;
    expect(() => new SequentialLR(optimizer, [plateau], [])).toThrow(
      'ReduceLROnPlateau at index 0',
    );
    const chained = new ChainedScheduler([new ExponentialLR(optimizer, 0.9)]) as never;
    expect(() => new SequentialLR(optimizer, [chained], [])).toThrow('ChainedScheduler at index 0');
  });
});

describe('optimizers without parameters in a group', () => {
  it('LBFGS gives the loss of the one call', async () => {
    const optimizer = new LBFGS([{ params: [] }]);
    expect(optimizer.step(() => 1)).toBe(1);
    expect(await optimizer.step(async () => 2)).toBe(2);
    expect(() => optimizer.step(() => 'x')).toThrow('must return the loss');
    expect(() => new LBFGS([])).toThrow('empty parameter list');
  });

  it('SGD takes the steps of the others', () => {
    const p = zeros([2]).requiresGrad_();
    const optimizer = new SGD([{ params: [] }, { params: [p] }], { lr: 0.1 });
    optimizer.step(() => p.sum().backward());
    expect(p.toArraySync()).toEqual([-0.10000000149011612, -0.10000000149011612]);
    expect(optimizer.stateDict().param_groups[0]?.params).toEqual([]);
  });
});

test('a scheduler that is stepped before its optimizer says so once', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const [good, bad] = [sgd(), sgd()];
  const scheduler = new StepLR(good, 3);
  good.step();
  scheduler.step();
  scheduler.step();
  new StepLR({ paramGroups: [{ lr: 1 }] }, 3).step();
  const before = warn.mock.calls.length;
  for (let i = 0; i < 3; i++) new StepLR(bad, 3).step();
  expect(before).toBe(0);
  expect(warn.mock.calls.length).toBeLessThanOrEqual(1);
});

test('optimizers print as in PyTorch', async () => {
  const { inspect } = await import('node:util');
  const text = `SGD (
Parameter Group 0
    dampening: 0
    differentiable: False
    foreach: None
    lr: 0.1
    maximize: False
    momentum: 0
    nesterov: False
    weight_decay: 0
)`;
  expect(inspect(new SGD([zeros([2])], { lr: 0.1 }))).toBe(text);
});
