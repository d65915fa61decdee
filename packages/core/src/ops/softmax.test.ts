import { describe, expect, it } from 'vitest';
import { logSoftmax, softmax, softmin, type Tensor, tensor } from '../index.js';

const close = (got: Tensor, want: readonly number[]): void => {
  const values = (got.toArraySync() as never[]).flat(9) as number[];
  expect(values.length).toBe(want.length);
  want.forEach((v, i) => {
    expect(values[i]).toBeCloseTo(v, 6);
  });
};

describe('softmax', () => {
  it('sums to one along any dimension, without overflow', () => {
    const x = tensor([
      [1000, 1001],
      [-5, -5],
    ]);
    const e = Math.exp(-1);
    close(softmax(x, 1), [e / (1 + e), 1 / (1 + e), 0.5, 0.5]);
    close(softmax(x, 0), [1, 1, 0, 0]);
    close(softmin(x, -1), [1 / (1 + e), e / (1 + e), 0.5, 0.5]);
    close(logSoftmax(x, 1), [-1 - Math.log1p(e), -Math.log1p(e), -Math.LN2, -Math.LN2]);
  });

  it('negates in the dtype of the tensor before it converts, as PyTorch does', () => {
    const bytes = tensor([0, 1], { dtype: 'uint8' });
    close(softmin(bytes, 0, { dtype: 'float64' }), [0, 1]);
  });

  it('takes strided, scalar and empty tensors', () => {
    const x = tensor([
      [0, 1, 2],
      [0, 1, 2],
    ]);
    expect(softmax(x.t(), 1).toArraySync()).toEqual([
      [0.5, 0.5],
      [0.5, 0.5],
      [0.5, 0.5],
    ]);
    expect(softmax(tensor(3), 0).itemSync()).toBe(1);
    expect(softmax(tensor([]).reshape(0, 2), 0).shape).toEqual([0, 2]);
  });

  it('converts first, and refuses integers otherwise', () => {
    const ints = tensor([0, 0], { dtype: 'int64' });
    const y = softmax(ints, 0, { dtype: 'float64' });
    expect(y.dtype).toBe('float64');
    expect(y.toArraySync()).toEqual([0.5, 0.5]);
    expect(() => softmax(ints, 0)).toThrow("not implemented for 'int64'");
    expect(() => softmax(ints, 1, { dtype: 'float32' })).toThrow('Dimension out of range');
  });
});
