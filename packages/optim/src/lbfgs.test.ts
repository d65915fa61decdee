import '../../backend-webgpu/src/index.js';
import { isGradEnabled } from '@sconce/autograd';
import { type DeviceLike, init, Tensor, tensor, tidy, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { LBFGS, type LBFGSOptions } from './index.js';
import { cubicMinimum } from './strong-wolfe.js';

type Loss = (x: Tensor) => Tensor;

const A = tensor(
  [
    [4, 1, 0],
    [1, 3, -1],
    [0, -1, 2],
  ],
  { dtype: 'float64' },
);
const b = tensor([1, 2, 3], { dtype: 'float64' });
const quadratic: Loss = (x) => x.mul(0.5).matmul(A.matmul(x)).sub(b.matmul(x));
const rosenbrock: Loss = (x) => {
  const n = x.numel() - 1;
  const [head, tail] = [x.narrow(0, 0, n), x.narrow(0, 1, n)];
  return tail.sub(head.pow(2)).pow(2).mul(100).add(head.sub(1).pow(2)).sum();
};
const wave: Loss = (x) => x.sin().mul(5).add(x.mul(x).mul(0.1)).sum();

/** A closure that minimizes `loss`, and how often it was called. */
function closureOf(optimizer: LBFGS, x: Tensor, loss: Loss): { run(): Tensor; calls: number } {
  const counted = {
    calls: 0,
    run: () => {
      counted.calls++;
      optimizer.zeroGrad();
      const value = loss(x);
      value.backward();
      return value;
    },
  };
  return counted;
}

/** After each step: the loss it returned, evaluations so far, and the parameters. */
function trace(loss: Loss, start: number[], options: Partial<LBFGSOptions>, steps: number) {
  const x = tensor(start, { dtype: 'float64' }).requiresGrad_();
  const optimizer = new LBFGS([x], options);
  const closure = closureOf(optimizer, x, loss);
  return Array.from({ length: steps }, () => {
    const value = optimizer.step(closure.run).itemSync();
    return [Number(value), closure.calls, ...(x.toArraySync() as number[])];
  });
}

// Expected values are PyTorch 1.13's in float64.
describe.each<[string, Loss, number[], Partial<LBFGSOptions>, number[][]]>([
  [
    'fixed steps on a quadratic',
    quadratic,
    [2, -1, 0.5],
    { lr: 0.5, maxIter: 3 },
    [
      [6.75, 3, 0.808952899438, 0.173872261603, 0.976996445072],
      [-1.80822588345, 6, 0.102214294302, 1.12529843071, 1.83325792303],
    ],
  ],
  [
    'a line search on a quadratic',
    quadratic,
    [2, -1, 0.5],
    { maxIter: 3, lineSearchFn: 'strongWolfe' },
    [
      [6.75, 3, -0.0963799154095, 1.18107785654, 1.40637384252],
      [-4.17088359663, 6, -0.085708667126, 1.52195786958, 2.2551508044],
    ],
  ],
  [
    'a short history',
    rosenbrock,
    [-1.2, 1],
    { lr: 0.002, maxIter: 4, historySize: 2 },
    [
      [24.2, 4, -1.19774879311, 1.00098717952],
      [23.6322958747, 8, -1.19669136075, 1.00166271953],
      [23.3505139688, 12, -1.19569120067, 1.00248366205],
      [23.0705128703, 16, -1.1947483252, 1.00344707174],
    ],
  ],
  [
    'a line search in a valley',
    rosenbrock,
    [-1.2, 1],
    { maxIter: 5, lineSearchFn: 'strongWolfe' },
    [
      [24.2, 6, -1.02761776638, 1.05841207827],
      [4.11181645176, 12, -0.774579735452, 0.547625679232],
      [3.42316546229, 19, -0.256089576897, 0.0372619816162],
      [1.6579626409, 27, 0.341842360675, 0.0992582737385],
    ],
  ],
  [
    'a line search in four dimensions',
    rosenbrock,
    [-1.2, 1, 0.5, -1],
    { maxIter: 8, historySize: 3, lineSearchFn: 'strongWolfe' },
    [
      [205.7, 9, -0.652589054129, 0.438526063335, 0.200319182163, 0.0401426923899],
      [3.70822686756, 19, -0.639279159169, 0.421151419077, 0.18462265785, 0.032735871605],
      [3.708145472, 30, -0.524170983362, 0.279356677612, 0.0769151103742, 0.00194141438023],
    ],
  ],
  [
    'a line search over waves',
    wave,
    [3],
    { lr: 3, maxIter: 6, lineSearchFn: 'strongWolfe' },
    [
      [1.6056000403, 5, 4.53017536051],
      [-2.86497601639, 6, 4.53017536051],
    ],
  ],
])('%s', (_, loss, start, options, expected) => {
  it('goes where PyTorch goes', () => {
    const rows = trace(loss, start, options, expected.length);
    expected.forEach((row, i) => {
      expect(rows[i]?.[1]).toBe(row[1]);
      row.forEach((value, j) => expect(rows[i]?.[j]).toBeCloseTo(value, 8));
    });
  });
});

describe('with an async closure', () => {
  /** Three steps of a line search on a device, by an async closure. */
  async function asyncTrace(device: DeviceLike) {
    const x = tensor([-1.2, 1], { device }).requiresGrad_();
    const optimizer = new LBFGS([x], { maxIter: 5, lineSearchFn: 'strongWolfe' });
    const closure = closureOf(optimizer, x, rosenbrock);
    const rows: number[][] = [];
    for (let i = 0; i < 3; i++) {
      const loss = await optimizer.step(async () => {
        await Promise.resolve();
        return closure.run();
      });
      rows.push([await loss.item(), closure.calls, ...((await x.toArray()) as number[])]);
      expect(isGradEnabled()).toBe(true);
    }
    return { rows, state: optimizer.stateDict() };
  }
  // PyTorch's in float64, above.
  const expected = [
    [24.2, 6, -1.02762, 1.05841],
    [4.11181, 12, -0.77458, 0.54763],
    [3.42317, 19, -0.25609, 0.03726],
  ];
  const check = (rows: number[][]) =>
    expected.forEach((row, i) => {
      expect(rows[i]?.[1]).toBe(row[1]);
      row.forEach((value, j) => expect(rows[i]?.[j]).toBeCloseTo(value, 3));
    });

  it('takes the same steps', async () => check((await asyncTrace('cpu')).rows));

  it.skipIf(!host.webgpu)('works where values come later, and remembers on the cpu', async () => {
    await init('webgpu');
    const { rows, state } = await asyncTrace('webgpu');
    check(rows);
    expect(state.state[0]).toHaveProperty('d.device.type', 'cpu');
    const x = zeros([2], { device: 'webgpu' }).requiresGrad_();
    const optimizer = new LBFGS([x]);
    // State of before lies where the parameters do.
    optimizer.loadStateDict(state);
    const { run } = closureOf(optimizer, x, rosenbrock);
    expect(() => optimizer.step(run)).toThrow(/make the closure async: `await optimizer.step/);
    await optimizer.step(async () => run());
    expect(optimizer.stateDict().state[0]).toHaveProperty('d.device.type', 'cpu');
  });
});

it('goes on from a state dict, with PyTorch keys', () => {
  const make = (start: Tensor) => {
    const x = start.detach().clone().requiresGrad_();
    const optimizer = new LBFGS([x], { maxIter: 3, maxEval: 20, lineSearchFn: 'strongWolfe' });
    const closure = closureOf(optimizer, x, rosenbrock);
    return { x, optimizer, step: () => tidy(() => void optimizer.step(closure.run)) };
  };
  const first = make(tensor([-1.2, 1], { dtype: 'float64' }));
  first.step();
  const saved = first.optimizer.stateDict();
  expect(saved.param_groups[0]).toMatchObject({
    max_iter: 3,
    max_eval: 20,
    line_search_fn: 'strong_wolfe',
  });
  const { old_dirs: changes, d, n_iter: iterations } = saved.state[0] ?? {};
  expect(changes).toHaveLength(2);
  expect(d).toBeInstanceOf(Tensor);
  expect(iterations).toBe(3);
  const second = make(first.x);
  second.optimizer.loadStateDict(saved);
  expect(second.optimizer.paramGroups[0]?.lineSearchFn).toBe('strongWolfe');
  for (const run of [first, second]) run.step();
  expect(second.x.toArraySync()).toEqual(first.x.toArraySync());
});

it('moves several parameters together, also those without a gradient', () => {
  const a = tensor([[1, 2]]).requiresGrad_();
  const c = tensor(3).requiresGrad_();
  const unused = tensor([7]).requiresGrad_();
  const optimizer = new LBFGS([a, c, unused]);
  optimizer.step(() => {
    optimizer.zeroGrad();
    const value = a.mul(a).sum().add(c.sub(1).pow(2));
    value.backward();
    return value;
  });
  for (const x of (a.toArraySync() as number[][]).flat()) expect(x).toBeCloseTo(0, 5);
  expect(c.itemSync()).toBeCloseTo(1, 5);
  expect(unused.toArraySync()).toEqual([7]);
});

it('says what is wrong', async () => {
  const x = zeros([2]).requiresGrad_();
  expect(() => new LBFGS([{ params: [x] }, { params: [zeros([1])] }])).toThrow(
    "doesn't support per-parameter options",
  );
  const optimizer = new LBFGS([x]);
  expect(() => optimizer.step()).toThrow('step needs a closure');
  await expect(optimizer.step(async () => 'one')).rejects.toThrow('must return the loss');
  expect(() => optimizer.step(() => undefined)).toThrow('must return the loss');
});

it('finds the minimum of a cubic through two points, or the middle where there is none', () => {
  // x³ - 3x has slope 3x² - 3, and its minimum at 1.
  const at = (x: number) => ({ at: x, loss: x ** 3 - 3 * x, slope: 3 * x * x - 3 });
  expect(cubicMinimum(at(0), at(3))).toBeCloseTo(1, 12);
  expect(cubicMinimum(at(3), at(0))).toBeCloseTo(1, 12);
  expect(cubicMinimum(at(0), at(3), [2, 3])).toBe(2);
  const line = (x: number) => ({ at: x, loss: x ** 3 + x, slope: 3 * x * x + 1 });
  expect(cubicMinimum(line(-1), line(2))).toBe(0.5);
});
