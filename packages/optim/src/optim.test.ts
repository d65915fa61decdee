import { Tensor, tensor, zeros } from '@sconce/core';
import { expect, it } from 'vitest';
import { Adam, AdamW, CosineAnnealingLR, LambdaLR, SGD, StepLR } from './index.js';

/** Steps along gradients of w²: enough to tell the update rules apart. */
function descend(make: (p: Tensor) => SGD | Adam | AdamW, steps = 3): number[] {
  const p = tensor([1, -2]);
  const grads = Array.from({ length: steps }, (_, i) => tensor([0.5 + i, -1]));
  const optimizer = make(p);
  for (const grad of grads) {
    Object.defineProperty(p, 'grad', { value: grad, configurable: true });
    optimizer.step();
  }
  return p.toArraySync() as number[];
}
const close = (actual: number[], expected: number[]) => {
  expected.forEach((x, i) => expect(actual[i]).toBeCloseTo(x, 5));
};

// Expected values are PyTorch 1.13's for the same gradients.
it.each([
  {
    name: 'new SGD([p], { lr: 0.1 })',
    make: (p: Tensor) => new SGD([p], { lr: 0.1 }),
    expected: [0.55, -1.7],
  },
  {
    name: 'new SGD([p], { lr: 0.1, momentum: 0.9, weightDecay: 0.1 })',
    make: (p: Tensor) => new SGD([p], { lr: 0.1, momentum: 0.9, weightDecay: 0.1 }),
    expected: [0.277274, -1.332548],
  },
  {
    name: 'new SGD([p], { lr: 0.1, momentum: 0.9, dampening: 0.5 })',
    make: (p: Tensor) => new SGD([p], { lr: 0.1, momentum: 0.9, dampening: 0.5 }),
    expected: [0.597, -1.584],
  },
  {
    name: 'new SGD([p], { lr: 0.1, momentum: 0.9, nesterov: true, maximize: true })',
    make: (p: Tensor) => new SGD([p], { lr: 0.1, momentum: 0.9, nesterov: true, maximize: true }),
    expected: [2.05345, -2.8049],
  },
  {
    name: 'new Adam([p], { lr: 0.1 })',
    make: (p: Tensor) => new Adam([p], { lr: 0.1 }),
    expected: [0.716317, -1.7],
  },
  {
    name: 'new Adam([p], { lr: 0.1, weightDecay: 0.1, amsgrad: true })',
    make: (p: Tensor) => new Adam([p], { lr: 0.1, weightDecay: 0.1, amsgrad: true }),
    expected: [0.713728, -1.700083],
  },
  {
    name: 'new AdamW([p], { lr: 0.1, betas: [0.8, 0.9] })',
    make: (p: Tensor) => new AdamW([p], { lr: 0.1, betas: [0.8, 0.9] }),
    expected: [0.71166, -1.694306],
  },
  {
    name: 'new AdamW([p], { lr: 0.1, weightDecay: 0.3, maximize: true })',
    make: (p: Tensor) => new AdamW([p], { lr: 0.1, weightDecay: 0.3, maximize: true }),
    expected: [1.187693, -2.116436],
  },
])('$name', ({ make, expected }) => {
  close(descend(make), expected);
});

it('says what is wrong with options', () => {
  const p = [zeros([1])];
  expect(() => new SGD(p, { lr: -1 })).toThrow('Invalid learning rate: -1');
  expect(() => new SGD(p, { nesterov: true })).toThrow(/Nesterov momentum requires a momentum/);
  expect(() => new Adam(p, { betas: [1, 0.9] })).toThrow('Invalid beta parameter at index 0: 1');
  expect(() => new Adam([])).toThrow('optimizer: got an empty parameter list');
  expect(() => new SGD([{ params: p }, { params: p }])).toThrow(/more than one parameter group/);
});

it('keeps options by group and exchanges state under PyTorch names', () => {
  const [a, b] = [tensor([1]), tensor([2])];
  const optimizer = new Adam([{ params: [a], lr: 0.1 }, { params: [b] }], {
    lr: 0.2,
    weightDecay: 0.3,
  });
  expect(optimizer.paramGroups.map((g) => g.lr)).toEqual([0.1, 0.2]);
  Object.defineProperty(a, 'grad', { value: tensor([1]) });
  optimizer.step();
  const saved = optimizer.stateDict();
  expect(Object.keys(saved.state[0] ?? {})).toEqual(['step', 'exp_avg', 'exp_avg_sq']);
  expect(saved.param_groups[1]).toMatchObject({ lr: 0.2, weight_decay: 0.3, params: [1] });
  const other = new Adam([{ params: [tensor([5])] }, { params: [tensor([6])] }]);
  other.loadStateDict(saved);
  expect(other.paramGroups[0]?.weightDecay).toBe(0.3);
  const state = [...other.state.values()][0];
  expect(state?.step).toBe(1);
  expect(state?.exp_avg).toBeInstanceOf(Tensor);
  expect(Number((state?.exp_avg as Tensor | undefined)?.itemSync())).toBeCloseTo(0.13, 5);
  expect(() => new Adam([a]).loadStateDict(saved)).toThrow(
    /groups of 1, 1 parameters, the optimizer has 1/,
  );
});

it('schedules rates', () => {
  const run = (make: (o: SGD) => { step(): void }) => {
    const optimizer = new SGD([zeros([1])], { lr: 1 });
    const scheduler = make(optimizer);
    return Array.from({ length: 5 }, () => {
      const { lr } = optimizer.paramGroups[0] as { lr: number };
      scheduler.step();
      return Number(lr.toFixed(6));
    });
  };
  expect(run((o) => new StepLR(o, 2))).toEqual([1, 1, 0.1, 0.1, 0.01]);
  expect(run((o) => new LambdaLR(o, (epoch) => 0.5 ** epoch))).toEqual([
    1, 0.5, 0.25, 0.125, 0.0625,
  ]);
  expect(run((o) => new CosineAnnealingLR(o, 4))).toEqual([1, 0.853553, 0.5, 0.146447, 0]);
});

it('prints its groups as PyTorch does', () => {
  expect(String(new Adam([zeros([1])], { lr: 0.1 }))).toBe(
    'Adam (\nParameter Group 0\n    amsgrad: False\n    betas: (0.9, 0.999)\n    capturable: False\n    differentiable: False\n    eps: 1e-08\n    foreach: None\n    fused: False\n    lr: 0.1\n    maximize: False\n    weight_decay: 0\n)',
  );
});
