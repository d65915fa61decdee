import { tensor, zeros } from '@sconce/core';
import { expect, test } from 'vitest';
import * as F from './index.js';

test('activations with a trailing underscore overwrite their input', () => {
  const run = (f: (x: ReturnType<typeof tensor>) => unknown): unknown => {
    const x = tensor([-2, 0.5]);
    expect(f(x)).toBe(x);
    return x.toArraySync();
  };
  expect(run(F.relu_)).toEqual([0, 0.5]);
  expect(run((x) => F.leakyRelu_(x, { negativeSlope: 0.5 }))).toEqual([-1, 0.5]);
  expect(run((x) => F.hardtanh_(x, { minVal: -0.25, maxVal: 0.25 }))).toEqual([-0.25, 0.25]);
  expect(run((x) => F.threshold_(x, 0, 9))).toEqual([9, 0.5]);
  expect(run((x) => F.rrelu_(x, { lower: 0.25, upper: 0.25 }))).toEqual([-0.5, 0.5]);
  for (const f of [F.celu_, F.elu_, F.selu_]) run((x) => f(x));
});

test('convTbc convolves along the first dimension', () => {
  const x = tensor([1, 2, 4, 8]).reshape([4, 1, 1]);
  const weight = tensor([1, 10]).reshape([2, 1, 1]);
  const y = F.convTbc(x, weight, zeros([1]), 1);
  expect(y.flatten().toArraySync()).toEqual([10, 21, 42, 84, 8]);
  expect(() => F.convTbc(x, weight, zeros([2]))).toThrow(/convTbc/);
});
