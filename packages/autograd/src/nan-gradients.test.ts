import {
  celu,
  elu,
  hardshrink,
  hardtanh,
  relu6,
  selu,
  softshrink,
  type Tensor,
  tensor,
  threshold,
} from '@sconce/core';
import { expect, test } from 'vitest';
import './index.js';

const gradient = (f: (x: Tensor) => Tensor): unknown => {
  const x = tensor([Number.NaN, -9, 0.25, 7], { requiresGrad: true });
  f(x).sum().backward();
  return x.grad?.toArraySync();
};

test('what activations give back at NaN is what the scalar loops of PyTorch do', () => {
  expect(gradient((x) => hardtanh(x))).toEqual([1, 0, 1, 0]);
  expect(gradient((x) => relu6(x))).toEqual([1, 0, 1, 0]);
  expect(gradient((x) => hardshrink(x))).toEqual([1, 1, 0, 1]);
  expect(gradient((x) => softshrink(x))).toEqual([1, 1, 0, 1]);
  expect(gradient((x) => threshold(x, 0.5, 9))).toEqual([1, 0, 0, 1]);
  for (const f of [celu, elu]) expect((gradient((x) => f(x)) as number[])[0]).toBe(1);
  expect((gradient((x) => selu(x)) as number[])[0]).toBeCloseTo(1.0507009873554805, 6);
});
