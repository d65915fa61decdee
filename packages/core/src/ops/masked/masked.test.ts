import { describe, expect, it } from 'vitest';
import { masked, type Tensor, tensor } from '../../index.js';

const x = tensor([
  [1, 5, 3],
  [4, 2, 6],
]);
const mask = tensor([
  [true, false, true],
  [false, false, false],
]);
const list = (t: Tensor) => t.toArraySync() as number[];

describe('masked', () => {
  it('reduces what the mask selects, and nothing to the identity', () => {
    expect(list(masked.sum(x, 1, { mask }))).toEqual([4, 0]);
    expect(list(masked.prod(x, [0, 1], { mask }).reshape([1]))).toEqual([3]);
    expect(list(masked.amax(x, 1, { mask }))).toEqual([3, -Infinity]);
    expect(list(masked.amin(x, 1, { mask }))).toEqual([1, Infinity]);
    expect(list(masked.mean(x, 1, { mask }))).toEqual([2, Number.NaN]);
    expect(list(masked.norm(x, 1, 1, { mask }))).toEqual([4, 0]);
    expect(list(masked.median(x, 1, { mask }))).toEqual([1, Number.NaN]);
    expect(list(masked.argmax(x, 1, { mask }))).toEqual([2, 0]);
    expect(masked.argmin(x, 1, { mask }).dtype).toBe('float32');
    expect(list(masked.logsumexp(x, 1, { mask }))[0]).toBeCloseTo(
      Math.log(Math.E + Math.E ** 3),
      5,
    );
  });

  it('fills integers with the limits of their dtype', () => {
    const bytes = tensor([[7]], { dtype: 'int8' });
    const none = tensor([[false]]);
    expect(list(masked.amax(bytes, 1, { mask: none }))).toEqual([-128]);
    expect(list(masked.amin(bytes, 1, { mask: none }))).toEqual([127]);
    expect(masked.sum(bytes, 1).dtype).toBe('int64');
  });

  it('has variances of both kinds', () => {
    expect(list(masked.var(x, 1, true, { mask }))).toEqual([2, Number.NaN]);
    expect(list(masked.var(x, 1, false, { mask }))).toEqual([1, Number.NaN]);
    expect(list(masked.std(x, [1], false, { mask, keepdim: true }))[0]).toEqual([1]);
    expect(list(masked.var(x, 1, true))).toEqual([4, 4]);
  });

  it('normalizes and accumulates along a dimension', () => {
    const row = tensor([1, 2, 1]);
    const some = tensor([true, false, true]);
    expect(list(masked.softmax(row, 0, { mask: some }))).toEqual([0.5, 0, 0.5]);
    expect(list(masked.softmin(row, 0, { mask: some }))).toEqual([0.5, 0, 0.5]);
    expect(list(masked.logSoftmax(row, 0, { mask: some }))[1]).toBe(-Infinity);
    expect(list(masked.cumsum(row, 0, { mask: some }))).toEqual([1, 1, 2]);
    expect(list(masked.cumprod(row.mul(3), 0, { mask: some }))).toEqual([3, 3, 9]);
    expect(list(masked.normalize(row, 1, 0, { mask: some }))).toEqual([0.5, 0, 0.5]);
    const bytes = tensor([200, 100], { dtype: 'uint8' });
    expect(list(masked.cumsum(bytes, 0))).toEqual([200, 44]);
    expect(masked.cumprod(bytes, 0).dtype).toBe('uint8');
    const sum = masked.logaddexp(row, row, { inputMask: some, otherMask: tensor([false]) });
    expect(list(sum)).toEqual([1, -Infinity, 1]);
  });

  it('refuses masks of another shape', () => {
    expect(() => masked.sum(x, 1, { mask: tensor([true, false]) })).toThrow();
    expect(() => masked.sum(tensor([1]), 0, { mask })).toThrow(/not broadcastable/);
  });
});
