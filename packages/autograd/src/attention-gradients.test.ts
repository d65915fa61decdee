import {
  attentionWithWeights,
  manualSeed,
  scaledDotProductAttention,
  type Tensor,
  tensor,
} from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { grad } from './index.js';

const none = -Infinity;
const list = (t: Tensor): unknown => t.toArraySync();

describe('a query that may attend to nothing', () => {
  const masks = {
    'by a bool mask': () =>
      tensor([
        [false, false],
        [true, false],
      ]),
    'by a mask of -Infinity': () =>
      tensor([
        [none, none],
        [0, none],
      ]),
  };

  it.each(Object.entries(masks))('gives 0 and takes no gradient: %s', (_, mask) => {
    const query = tensor([[1], [2]], { requiresGrad: true });
    const key = tensor([[1], [3]], { requiresGrad: true });
    const value = tensor([[5], [7]], { requiresGrad: true });
    const attnMask = mask();
    const leaves = [query, key, value];
    if (attnMask.dtype !== 'bool') leaves.push(attnMask.requiresGrad_());
    const result = scaledDotProductAttention(query, key, value, { attnMask });
    expect(list(result)).toEqual([[0], [5]]);
    const gradients = grad(result.sum(), leaves, { createGraph: true });
    const wanted = [
      [[0], [0]],
      [[0], [0]],
      [[1], [0]],
    ];
    expect(gradients.slice(0, 3).map((g) => list(g as Tensor))).toEqual(wanted);
    const [again] = grad((gradients[0] as Tensor).mul(tensor([[1], [1]])).sum(), [query]);
    expect(list(again as Tensor)).toEqual([[0], [0]]);
  });

  it.each(['float16', 'bfloat16', 'float32', 'float64'] as const)(
    'in %s, with dropout',
    (dtype) => {
      manualSeed(0);
      const x = tensor(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        { dtype, requiresGrad: true },
      );
      const attnMask = tensor([[false], [true], [false]]);
      const result = scaledDotProductAttention(x, x, x, { attnMask, dropoutP: 0.5 });
      const [first, , last] = list(result) as number[][];
      expect([first, last]).toEqual([
        [0, 0],
        [0, 0],
      ]);
      result.sum().backward();
      expect((list(x.grad as Tensor) as number[][]).flat().every(Number.isFinite)).toBe(true);
    },
  );

  it('gives 0 where there are no keys, and where scores themselves are -Infinity', () => {
    const query = tensor([[1], [2]]);
    const nothing = tensor([]).reshape(0, 1);
    expect(list(scaledDotProductAttention(query, nothing, nothing))).toEqual([[0], [0]]);
    const keys = tensor([[1], [3]]);
    expect(list(scaledDotProductAttention(tensor([[none]]), keys, keys))).toEqual([[0]]);
  });

  it('sees the first keys with isCausal and more queries than keys', () => {
    const query = tensor([[0], [0], [0]], { requiresGrad: true });
    const keys = tensor([[2], [4]]);
    const result = scaledDotProductAttention(query, keys, keys, { isCausal: true });
    expect(list(result)).toEqual([[2], [3], [3]]);
    result.sum().backward();
    expect(list(query.grad as Tensor)).toEqual([[0], [1], [1]]);
  });

  it('has NaN where the weights are asked for', () => {
    const x = tensor([[1], [2]]);
    const attnMask = tensor([[false], [true]]);
    const [output, weights] = attentionWithWeights(x, x, x, { attnMask });
    expect((list(output) as number[][])[0]).toEqual([Number.NaN]);
    expect((list(weights) as number[][])[0]).toEqual([Number.NaN, Number.NaN]);
  });
});
