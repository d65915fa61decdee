import '@sconce/autograd';
import { Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import {
  Adadelta,
  Adagrad,
  Adamax,
  ASGD,
  NAdam,
  type OptimizerStateDict,
  RAdam,
  RMSprop,
  Rprop,
} from './index.js';

interface Steppable {
  step(): undefined;
  stateDict(): OptimizerStateDict;
  loadStateDict(state: OptimizerStateDict): void;
}

const gradients = [
  [0.5, -1],
  [1.5, 1],
  [-0.25, -2],
  [2, 0.125],
  [1, 0.5],
  [-1, 0.75],
  [0.5, -0.5],
  [3, 1],
];

function descend(p: Tensor, optimizer: Steppable, steps: readonly number[][]): void {
  for (const gradient of steps) {
    p.grad = tensor(gradient);
    optimizer.step();
  }
}

function close(p: Tensor, expected: readonly number[]): void {
  const actual = p.toArraySync() as number[];
  expected.forEach((x, i) => expect(actual[i]).toBeCloseTo(x, 5));
}

const cases: [string, string, (p: Tensor) => Steppable, number[]][] = [
  ['RMSprop', '{ lr: 0.1 }', (p) => new RMSprop([p], { lr: 0.1 }), [-2.486153, -1.603265]],
  [
    'RMSprop',
    '{ lr: 0.1, alpha: 0.9, eps: 0.1, momentum: 0.5, weightDecay: 0.1 }',
    (p) => new RMSprop([p], { lr: 0.1, alpha: 0.9, eps: 0.1, momentum: 0.5, weightDecay: 0.1 }),
    [-0.5940228, -1.516087],
  ],
  [
    'RMSprop',
    '{ lr: 0.01, centered: true, maximize: true }',
    (p) => new RMSprop([p], { lr: 0.01, centered: true, maximize: true }),
    [1.352121, -2.040415],
  ],
  [
    'RMSprop',
    '{ lr: 0.01, centered: true, momentum: 0.9, alpha: 0.5 }',
    (p) => new RMSprop([p], { lr: 0.01, centered: true, momentum: 0.9, alpha: 0.5 }),
    [0.642067, -1.929765],
  ],
  ['Adagrad', '{ lr: 0.1 }', (p) => new Adagrad([p], { lr: 0.1 }), [0.6525628, -1.959225]],
  [
    'Adagrad',
    '{ lr: 0.1, lrDecay: 0.5, weightDecay: 0.1, initialAccumulatorValue: 0.5, eps: 0.1 }',
    (p) =>
      new Adagrad([p], {
        lr: 0.1,
        lrDecay: 0.5,
        weightDecay: 0.1,
        initialAccumulatorValue: 0.5,
        eps: 0.1,
      }),
    [0.8389843, -1.920428],
  ],
  [
    'Adagrad',
    '{ lr: 0.1, maximize: true }',
    (p) => new Adagrad([p], { lr: 0.1, maximize: true }),
    [1.347437, -2.040775],
  ],
  ['Adadelta', '{}', (p) => new Adadelta([p], {}), [0.9810592, -2.000992]],
  [
    'Adadelta',
    '{ lr: 0.5, rho: 0.5, eps: 0.01, weightDecay: 0.1, maximize: true }',
    (p) => new Adadelta([p], { lr: 0.5, rho: 0.5, eps: 0.01, weightDecay: 0.1, maximize: true }),
    [1.35994, -1.845379],
  ],
  ['Adamax', '{ lr: 0.1 }', (p) => new Adamax([p], { lr: 0.1 }), [0.6085951, -1.833016]],
  [
    'Adamax',
    '{ lr: 0.1, betas: [0.5, 0.8], eps: 0.1, weightDecay: 0.1, maximize: true }',
    (p) =>
      new Adamax([p], { lr: 0.1, betas: [0.5, 0.8], eps: 0.1, weightDecay: 0.1, maximize: true }),
    [1.349509, -1.95005],
  ],
  ['NAdam', '{ lr: 0.1 }', (p) => new NAdam([p], { lr: 0.1 }), [0.5146518, -1.959392]],
  [
    'NAdam',
    '{ lr: 0.1, betas: [0.8, 0.9], weightDecay: 0.1, momentumDecay: 0.5 }',
    (p) => new NAdam([p], { lr: 0.1, betas: [0.8, 0.9], weightDecay: 0.1, momentumDecay: 0.5 }),
    [0.4592704, -1.861487],
  ],
  ['RAdam', '{ lr: 0.1 }', (p) => new RAdam([p], { lr: 0.1 }), [0.5908061, -1.765522]],
  [
    'RAdam',
    '{ lr: 0.1, betas: [0.8, 0.9], eps: 0.1, weightDecay: 0.1 }',
    (p) => new RAdam([p], { lr: 0.1, betas: [0.8, 0.9], eps: 0.1, weightDecay: 0.1 }),
    [0.4942479, -1.668946],
  ],
  ['ASGD', '{ lr: 0.1 }', (p) => new ASGD([p], { lr: 0.1 }), [0.2749632, -1.987342]],
  [
    'ASGD',
    '{ lr: 0.1, lambd: 0.1, alpha: 0.5, t0: 2, weightDecay: 0.1, maximize: true }',
    (p) =>
      new ASGD([p], { lr: 0.1, lambd: 0.1, alpha: 0.5, t0: 2, weightDecay: 0.1, maximize: true }),
    [1.525188, -1.707291],
  ],
  ['Rprop', '{}', (p) => new Rprop([p], {}), [0.95688, -1.992]],
  [
    'Rprop',
    '{ lr: 0.5, etas: [0.25, 2], stepSizes: [0.2, 0.8], maximize: true }',
    (p) => new Rprop([p], { lr: 0.5, etas: [0.25, 2], stepSizes: [0.2, 0.8], maximize: true }),
    [3.5, -1.9],
  ],
];

// Expected values are PyTorch 1.13's for the same gradients.
describe.each(cases)('%s(%s)', (_, __, make, expected) => {
  it('steps as PyTorch does', () => {
    const p = tensor([1, -2]);
    descend(p, make(p), gradients);
    close(p, expected);
  });

  it('goes on from a state dict', () => {
    const p = tensor([1, -2]);
    const first = make(p);
    descend(p, first, gradients.slice(0, 3));
    const q = p.clone();
    const second = make(q);
    second.loadStateDict(first.stateDict());
    descend(q, second, gradients.slice(3));
    close(q, expected);
  });
});

/** The state of one parameter after three steps: its keys, and what is no tensor of the parameter's shape. */
function stateOf(make: (p: Tensor) => Steppable): Record<string, unknown> {
  const p = tensor([1, -2]);
  const optimizer = make(p);
  descend(p, optimizer, gradients.slice(0, 3));
  return Object.fromEntries(
    Object.entries(optimizer.stateDict().state[0] ?? {}).map(([key, value]) => {
      if (!(value instanceof Tensor)) return [key, value];
      return [key, value.numel() === 1 ? [Number(value.itemSync().toFixed(6))] : 'tensor'];
    }),
  );
}

it('names its state as PyTorch does, numbers that are tensors there in brackets', () => {
  expect(stateOf((p) => new RMSprop([p], { momentum: 0.5, centered: true }))).toEqual({
    step: 3,
    square_avg: 'tensor',
    momentum_buffer: 'tensor',
    grad_avg: 'tensor',
  });
  expect(stateOf((p) => new Adagrad([p]))).toEqual({ step: [3], sum: 'tensor' });
  expect(stateOf((p) => new Adadelta([p]))).toEqual({
    step: 3,
    square_avg: 'tensor',
    acc_delta: 'tensor',
  });
  expect(stateOf((p) => new Adamax([p]))).toEqual({
    step: [3],
    exp_avg: 'tensor',
    exp_inf: 'tensor',
  });
  expect(stateOf((p) => new NAdam([p]))).toEqual({
    step: [3],
    mu_product: [0.091214],
    exp_avg: 'tensor',
    exp_avg_sq: 'tensor',
  });
  expect(stateOf((p) => new ASGD([p], { lr: 0.1, lambd: 0.1, t0: 1 }))).toEqual({
    step: [3],
    eta: [0.097807],
    mu: [0.5],
    ax: 'tensor',
  });
  expect(stateOf((p) => new Rprop([p]))).toEqual({ step: 3, prev: 'tensor', step_size: 'tensor' });
});

it('Adagrad has its sums before the first step', () => {
  const optimizer = new Adagrad([tensor([1, 2])], { initialAccumulatorValue: 0.25 });
  optimizer.addParamGroup({ params: [tensor([3])] });
  const { state } = optimizer.stateDict();
  const sums = Object.values(state).map(({ sum }) => (sum as Tensor).toArraySync());
  expect(sums).toEqual([[0.25, 0.25], [0.25]]);
});

it.each<[string, () => unknown]>([
  ['Invalid learning rate: -1', () => new RMSprop([zeros([1])], { lr: -1 })],
  ['Invalid alpha value: -1', () => new RMSprop([zeros([1])], { alpha: -1 })],
  ['Invalid momentum value: -1', () => new RMSprop([zeros([1])], { momentum: -1 })],
  ['Invalid lr_decay value: -1', () => new Adagrad([zeros([1])], { lrDecay: -1 })],
  [
    'Invalid initial_accumulator_value value: -1',
    () => new Adagrad([zeros([1])], { initialAccumulatorValue: -1 }),
  ],
  ['Invalid rho value: 1.5', () => new Adadelta([zeros([1])], { rho: 1.5 })],
  ['Invalid beta parameter at index 1: 1', () => new Adamax([zeros([1])], { betas: [0.9, 1] })],
  ['Invalid momentum_decay value: -1', () => new NAdam([zeros([1])], { momentumDecay: -1 })],
  ['Invalid epsilon value: -1', () => new RAdam([zeros([1])], { eps: -1 })],
  ['Invalid weight_decay value: -1', () => new ASGD([zeros([1])], { weightDecay: -1 })],
  ['Invalid eta values: 1, 2', () => new Rprop([zeros([1])], { etas: [1, 2] })],
])('%s', (message, make) => {
  expect(make).toThrow(message);
});
