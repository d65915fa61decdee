import { scaledDotProductAttention, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import './index.js';

test('a query that may attend to nothing has NaN for result and gradient, the others numbers', () => {
  const query = tensor([[1], [2]], { requiresGrad: true });
  const attnMask = tensor([
    [false, false],
    [true, false],
  ]);
  const [key, value] = [tensor([[1], [3]]), tensor([[5], [7]])];
  const result = scaledDotProductAttention(query, key, value, { attnMask });
  expect(result.toArraySync()).toEqual([[Number.NaN], [5]]);
  result.sum().backward();
  expect(query.grad?.toArraySync()).toEqual([[Number.NaN], [0]]);
});
