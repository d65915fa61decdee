import { describe, expect, it } from 'vitest';
import {
  attentionWithWeights,
  bilinear,
  dropout,
  dropout2d,
  manualSeed,
  ones,
  rrelu,
  scaledDotProductAttention,
  type Tensor,
  tensor,
} from '../index.js';

const numbers = (t: Tensor): number[] => (t.toArraySync() as never[]).flat(9) as number[];

describe('scaledDotProductAttention', () => {
  const value = tensor([[1], [10], [100]]);
  const zero = tensor([[0], [0], [0]]);
  it('averages values by the softmax of scores', () => {
    const [y, weights] = attentionWithWeights(
      tensor([[Math.log(2)]]),
      tensor([[0], [1]]),
      tensor([[3], [6]]),
    );
    expect(numbers(weights)[0]).toBeCloseTo(1 / 3, 6);
    expect(numbers(y)[0]).toBeCloseTo(5, 5);
  });

  it('looks back only if causal, and where a mask allows', () => {
    const causal = scaledDotProductAttention(zero, zero, value, { isCausal: true });
    expect(numbers(causal)).toEqual([1, 5.5, 37]);
    const attnMask = tensor([
      [true, false, true],
      [false, true, false],
      [true, true, true],
    ]);
    expect(numbers(scaledDotProductAttention(zero, zero, value, { attnMask }))).toEqual([
      50.5, 10, 37,
    ]);
    const bias = tensor([[0, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]]);
    expect(numbers(scaledDotProductAttention(zero, zero, value, { attnMask: bias }))).toEqual([
      1, 1, 1,
    ]);
    expect(() =>
      scaledDotProductAttention(zero, zero, value, { attnMask, isCausal: true }),
    ).toThrow('Explicit attn_mask should not be set when is_causal=True');
  });
});

describe('dropout', () => {
  it('zeroes and scales, and does nothing outside of training', () => {
    manualSeed(0);
    const x = ones([1000]);
    const y = numbers(dropout(x, 0.25));
    const kept = y.filter((v) => v !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / 0.75)]));
    expect(Math.abs(kept.length - 750)).toBeLessThan(60);
    expect(dropout(x, 0.25, { training: false })).toBe(x);
    expect(numbers(dropout(x, 1)).every((v) => v === 0)).toBe(true);
    expect(() => dropout(x, 2)).toThrow('between 0 and 1');
  });

  it('drops whole channels', () => {
    manualSeed(1);
    const y = dropout2d(ones([4, 8, 3, 3]))
      .reshape([32, 9])
      .toArraySync() as number[][];
    expect(y.every((channel) => new Set(channel).size === 1)).toBe(true);
    expect(new Set(y.map((channel) => channel[0]))).toEqual(new Set([0, 2]));
  });

  it('draws slopes for rrelu in training, and uses their mean otherwise', () => {
    manualSeed(2);
    const [positive, negative] = numbers(
      rrelu(tensor([2, -1]), { lower: 0.2, upper: 0.4, training: true }),
    );
    expect(positive).toBe(2);
    expect(negative).toBeLessThan(-0.2);
    expect(negative).toBeGreaterThan(-0.4);
    expect(numbers(rrelu(tensor([-1]), { lower: 0.25, upper: 0.75 }))).toEqual([-0.5]);
  });
});

describe('bilinear', () => {
  it('multiplies from both sides', () => {
    const w = tensor([
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    expect(bilinear(tensor([[1, 10]]), tensor([[1, 100]]), w, tensor([0.5])).toArraySync()).toEqual(
      [[4231.5]],
    );
    expect(() => bilinear(tensor([[1]]), tensor([[1, 1]]), w)).toThrow('do not match the weight');
  });
});
