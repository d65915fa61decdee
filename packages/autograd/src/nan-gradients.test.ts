import { hardtanh, relu6, type Tensor, tensor, threshold } from '@sconce/core';
import { expect, test } from 'vitest';
import './index.js';

const gradient = (f: (x: Tensor) => Tensor): unknown => {
  const x = tensor([Number.NaN, -1, 0.5, 7], { requiresGrad: true });
  f(x).sum().backward();
  return x.grad?.toArraySync();
};

test('activations with limits pass gradients on at NaN, which is beyond none of them', () => {
  expect(gradient((x) => hardtanh(x))).toEqual([1, 0, 1, 0]);
  expect(gradient((x) => relu6(x))).toEqual([1, 0, 1, 0]);
  expect(gradient((x) => threshold(x, 0.5, 9))).toEqual([1, 0, 0, 1]);
});
