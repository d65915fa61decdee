import { type Tensor, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import '../index.js';

const gradient = (x: Tensor, run: (x: Tensor) => Tensor) => {
  const leaf = x.requiresGrad_();
  run(leaf).sum().backward();
  return leaf.grad?.toArraySync();
};

// Expected values are PyTorch's.
test('the gradient of a maximum that is NaN goes to the NaN', () => {
  expect(gradient(tensor([1, Number.NaN, 3]), (x) => x.max())).toEqual([0, 1, 0]);
  expect(gradient(tensor([1, Number.NaN, Number.NaN]), (x) => x.min())).toEqual([0, 0.5, 0.5]);
});

test('the gradient of amax and amin is NaN for a row with NaN', () => {
  const rows = () =>
    tensor([
      [1, Number.NaN, 2],
      [3, 3, 1],
    ]);
  const { NaN: nan } = Number;
  expect(gradient(rows(), (x) => x.amax(1))).toEqual([
    [nan, nan, nan],
    [0.5, 0.5, 0],
  ]);
  expect(gradient(rows(), (x) => x.amin(1))).toEqual([
    [nan, nan, nan],
    [0, 0, 1],
  ]);
  expect(gradient(tensor([1, nan]), (x) => x.amax())).toEqual([nan, nan]);
});

test('the variance of one element has no slope', () => {
  for (const name of ['var', 'std'] as const) {
    expect(gradient(tensor([3]), (x) => x[name]())).toEqual([Number.NaN]);
    expect(gradient(tensor(3), (x) => x[name]())).toBe(Number.NaN);
    expect(gradient(tensor([[1], [2]]), (x) => x[name](1))).toEqual([[Number.NaN], [Number.NaN]]);
    expect(gradient(tensor([3]), (x) => x[name](null, { correction: 0 }))).toEqual([0]);
  }
});

test('a product of one infinite factor has the slope 1', () => {
  expect(gradient(tensor(Infinity), (x) => x.prod())).toBe(1);
  expect(gradient(tensor([[Infinity], [2]]), (x) => x.cumprod(1))).toEqual([[1], [1]]);
  expect(gradient(tensor(Infinity), (x) => x.logcumsumexp(0))).toBe(1);
});

test('both operands of an elementwise maximum get the gradient where one is NaN', () => {
  const x = tensor([Number.NaN, 1, 2]).requiresGrad_();
  const y = tensor([1, 1, 1]).requiresGrad_();
  x.maximum(y).sum().backward();
  expect(x.grad?.toArraySync()).toEqual([1, 0.5, 1]);
  expect(y.grad?.toArraySync()).toEqual([1, 0.5, 0]);
});
