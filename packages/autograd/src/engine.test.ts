import { tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import { grad } from './index.js';

test('gradients of a product accumulate in leaves', () => {
  const a = tensor([1, 2, 3], { requiresGrad: true, dtype: 'float32' });
  const b = tensor([4, 5, 6], { requiresGrad: true, dtype: 'float32' });
  a.mul(b).sum().backward();
  expect(a.grad?.toArraySync()).toEqual([4, 5, 6]);
  expect(b.grad?.toArraySync()).toEqual([1, 2, 3]);
  a.mul(b).sum().backward();
  expect(a.grad?.toArraySync()).toEqual([8, 10, 12]);
});

test('double backward', () => {
  const x = tensor([2], { requiresGrad: true, dtype: 'float32' });
  const [g] = grad(x.pow(3).sum(), x, { createGraph: true });
  expect(g?.toArraySync()).toEqual([12]);
  const [h] = grad(g!.sum(), x);
  expect(h?.toArraySync()).toEqual([12]);
});
