import {
  arange,
  atan2,
  cdist,
  clamp,
  cumprod,
  type DType,
  fmax,
  linalg,
  ones,
  pdist,
  prod,
  type Tensor,
  tensor,
} from '@sconce/core';
import { describe, expect, it, test } from 'vitest';
import { grad } from '../backward.js';
import '../index.js';

const real = (data: number[] | number[][]): Tensor =>
  tensor(data, { dtype: 'float64', requiresGrad: true });
const list = (t: Tensor): unknown => t.detach().toArraySync();

/** The gradient, and that of its sum, of the sum of a function's results. */
function twice(f: (x: Tensor) => Tensor, x: Tensor): [first: Tensor, second: Tensor] {
  const [first] = grad(f(x).sum(), [x], { createGraph: true }) as [Tensor];
  const [second] = grad(first.sum(), [x]) as [Tensor];
  return [first, second];
}

describe('running products with zeros', () => {
  it.each([
    [
      [2, 0, 3],
      [1, 8, 0],
      [4, 6, 2],
    ],
    [
      [2, 4, 8],
      [37, 18, 8],
      [13, 11, 6],
    ],
  ])('of %j', (x, first, second) => {
    const own = twice((t) => cumprod(t, 0), real(x));
    expect(own.map(list)).toEqual([first, second]);
  });

  it('third derivatives', () => {
    const x = real([0, 2, 0, 0]);
    const [a] = grad(cumprod(x, 0).sum(), [x], { createGraph: true }) as [Tensor];
    const [b] = grad(a.sum(), [x], { createGraph: true }) as [Tensor];
    const [c] = grad(b.sum(), [x]) as [Tensor];
    // Of x0 + x0 x1 + x0 x1 x2 + x0 x1 x2 x3.
    expect([a, b, c].map(list)).toEqual([
      [3, 0, 0, 0],
      [3, 1, 2, 0],
      [6, 2, 6, 4],
    ]);
  });

  it('of many elements, and products of all', () => {
    const x = arange(1, 2049, { dtype: 'float64' }).div(1024).requiresGrad_();
    const [first] = grad(prod(x.pow(2)), [x], { createGraph: true }) as [Tensor];
    expect(grad(first.sum(), [x])[0]?.shape).toEqual([2048]);
    const zeros = real([
      [2, 0, 3],
      [4, 5, 6],
    ]);
    expect(twice((t) => prod(t, 1), zeros).map(list)).toEqual([
      [
        [0, 6, 0],
        [30, 24, 20],
      ],
      [
        [3, 5, 2],
        [11, 10, 9],
      ],
    ]);
  });
});

describe('distances between points that share a coordinate', () => {
  const [a, b] = [[[0, 1]], [[0, 3]]];

  it('squared', () => {
    const [, second] = twice((x) => cdist(x, real(b)).square(), real(a));
    expect(list(second)).toEqual([[2, 2]]);
    const pair = twice(
      (x) =>
        pdist(x)
          .square()
          .mul(tensor([1])),
      real([...a, ...b]),
    );
    expect(list(pair[0])).toEqual([
      [0, -4],
      [0, 4],
    ]);
  });

  it.each([0.5, 1, 1.5, 2, 2.5, 3, Infinity])('have no NaN at p = %d', (p) => {
    for (const [, second] of [
      twice((x) => cdist(x, real(b), { p }), real(a)),
      twice((x) => pdist(x, { p }), real([...a, ...b, [0, 1]])),
      twice((x) => cdist(x, x, { p }), real([...a, ...b])),
    ]) {
      expect((list(second) as number[][]).flat().every(Number.isFinite)).toBe(true);
    }
  });
});

test('atan2 has no slope at the origin', () => {
  const [y, x] = [real([0, 0, 1]), real([0, 1, 0])];
  atan2(y, x).sum().backward();
  expect([y.grad, x.grad].map((t) => list(t as Tensor))).toEqual([
    [0, 1, 0],
    [-0, -0, -1],
  ]);
});

describe('a value that fills positions', () => {
  it.each([
    ['twice', [2, 0, 2], 2],
    ['from both ends', [2, -1], 1],
    ['once each', [0, 1], 2],
    ['nowhere', [], 0],
  ] as const)('named %s has one gradient for each', (_, index, count) => {
    const at = tensor([...index], { dtype: 'int64' });
    const gradient = (run: (value: Tensor) => Tensor): unknown => {
      const value = tensor(5, { dtype: 'float64', requiresGrad: true });
      run(value).sum().backward();
      return list(value.grad as Tensor);
    };
    expect(gradient((value) => real([1, 2, 3]).indexFill(0, at, value))).toBe(count);
    const rows = ones([2, 3], { dtype: 'float64' });
    expect(gradient((value) => rows.indexFill_(1, at, value))).toBe(2 * count);
  });

  it('of a number without dimensions', () => {
    const value = tensor(5, { requiresGrad: true });
    tensor(1)
      .indexFill(0, tensor([0, 0], { dtype: 'int64' }), value)
      .backward();
    expect(list(value.grad as Tensor)).toBe(1);
  });
});

describe('what lies at a bound', () => {
  it('is held by plain numbers, and shares the gradient with tensors', () => {
    const x = real([-1, 0, 2]);
    expect(list(twice((t) => clamp(t, -1, 2).mul(t), x)[0])).toEqual([-1, 0, 2]);
    const [low, high] = [real([-1, -1, -1]), real([2, 2, 2])];
    const gradients = grad(clamp(x, low, high).sum(), [x, low, high]);
    expect(gradients.map((g) => list(g as Tensor))).toEqual([
      [0.5, 1, 0.5],
      [0.5, 0, 0],
      [0, 0, 0.5],
    ]);
    const [p, q] = [real([1, Number.NaN, 2]), real([1, 1, Number.NaN])];
    expect(grad(fmax(p, q).sum(), [p, q]).map((g) => list(g as Tensor))).toEqual([
      [0.5, 0, 1],
      [0.5, 1, 0],
    ]);
  });
});

test('the exponential of a zero matrix has second derivatives', () => {
  for (const dtype of ['float32', 'float64'] as DType[]) {
    const x = tensor(
      [
        [0, 0],
        [0, 0],
      ],
      { dtype, requiresGrad: true },
    );
    const second = list(twice((t) => linalg.matrixExp(t), x)[1]) as number[][];
    for (const value of second.flat()) expect(value).toBeCloseTo(2, 5);
  }
});
