import { type Tensor, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import '../index.js';

const gradient = (x: Tensor, run: (x: Tensor) => Tensor) => {
  const leaf = x.requiresGrad_();
  run(leaf).sum().backward();
  return leaf.grad?.toArraySync();
};

test('the gradient of a maximum that is NaN goes to the NaN', () => {
  expect(gradient(tensor([1, Number.NaN, 3]), (x) => x.max())).toEqual([0, 1, 0]);
  expect(gradient(tensor([1, Number.NaN, 3]), (x) => x.amin(0))).toEqual([0, 1, 0]);
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
