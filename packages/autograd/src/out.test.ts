import './install.js';
import {
  add,
  aminmax,
  arange,
  cat,
  empty,
  eq,
  gather,
  max,
  mm,
  sort,
  sum,
  tensor,
  zeros,
} from '@sconce/core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { noGrad } from './modes.js';

const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
afterEach(() => warn.mockClear());

const a = tensor([
  [1, 2],
  [3, 4],
]);

describe('out', () => {
  it('receives the result, whatever its strides, and is returned', () => {
    const out = zeros([2, 2]).T;
    expect(mm(a, a, { out })).toBe(out);
    expect(out.toArraySync()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(out.strides).toEqual([1, 2]);
    expect(out.version).toBe(1);
    const base = zeros([2, 4]);
    add(a, 1, { out: base.slice(1, 0, 4, 2) });
    expect(base.toArraySync()).toEqual([
      [2, 0, 3, 0],
      [4, 0, 5, 0],
    ]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('is resized: silently if empty, with a warning if not', () => {
    const none = empty([0]);
    expect(add(a, a, { out: none }).shape).toEqual([2, 2]);
    expect(warn).not.toHaveBeenCalled();
    const other = empty([5]);
    expect(sum(a, 0, { out: other }).toArraySync()).toEqual([4, 6]);
    expect(other.shape).toEqual([2]);
    expect(warn.mock.calls).toEqual([
      [
        'sum: an output with one or more elements was resized since it had shape [5], which does not match the required output shape [2]; resize it to zero elements with out.resize_(0) to say that this is meant',
      ],
    ]);
  });

  it('may be an operand', () => {
    const m = a.clone();
    expect(mm(m, m, { out: m }).toArraySync()).toEqual([
      [7, 10],
      [15, 22],
    ]);
    const v = tensor([3, 1, 2]);
    const [values] = sort(v, 0, { out: [v, empty([0], { dtype: 'int64' })] });
    expect(values).toBe(v);
    expect(v.toArraySync()).toEqual([1, 2, 3]);
    const row = tensor([1, 2]);
    expect(add(row, a, { out: row }).toArraySync()).toEqual([
      [2, 4],
      [4, 6],
    ]);
    expect(cat([v, v], 0, { out: v }).toArraySync()).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it('takes several results as a tuple or by name', () => {
    const values = empty([0]);
    const indices = empty([0], { dtype: 'int64' });
    const best = max(a, 1, { out: [values, indices] });
    expect(best.values).toBe(values);
    expect(best[1]).toBe(indices);
    expect(indices.toArraySync()).toEqual([1, 1]);
    const range = aminmax(a, { out: { min: empty([0]), max: values.resize_(0) } });
    expect(range.max).toBe(values);
    expect(range.min.toArraySync()).toBe(1);
    expect(() => sort(a, 0, { out: [values] as never })).toThrow(
      'sort: expected out to be a tuple of 2 Tensors',
    );
  });

  it('has the dtype of the result, or one that this casts to', () => {
    const longs = empty([0], { dtype: 'int64' });
    expect(eq(a, 2, { out: empty([0]) }).toArraySync()).toEqual([
      [0, 1],
      [0, 0],
    ]);
    expect(() => add(a, a, { out: longs })).toThrow(
      "add: result type float32 can't be cast to the desired output type int64; give an out of dtype float32",
    );
    expect(() => mm(a, a, { out: empty([2, 2], { dtype: 'float64' }) })).toThrow(
      'mm: Expected out tensor to have dtype float32, but got float64 instead',
    );
    expect(() => max(a, 1, { out: [empty([0]), empty([0])] })).toThrow(
      'max: Expected out tensor to have dtype int64, but got float32 instead',
    );
  });

  it('is left as it was where the call is refused', () => {
    const out = tensor([7]);
    expect(() => max(a, 1, { out: [out, out] })).toThrow('int64');
    expect(() => gather(a, 0, tensor([[5n]]), { out })).toThrow('out of bounds');
    expect(out.toArraySync()).toEqual([7]);
    expect(warn).not.toHaveBeenCalled();
  });

  it('is not for tensors that require grad', () => {
    const x = a.clone().requiresGrad_();
    const message =
      "functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad";
    expect(() => mm(x, a, { out: empty([0]) })).toThrow(`mm: ${message}`);
    expect(() => add(a, a, { out: empty([2, 2]).requiresGrad_() })).toThrow(`add: ${message}`);
    noGrad(() => {
      expect(mm(x, a, { out: empty([0]) }).toArraySync()).toEqual([
        [7, 10],
        [15, 22],
      ]);
    });
  });

  it('says dtype and device for what is made of nothing', () => {
    expect(arange(3, { out: empty([0]) }).dtype).toBe('float32');
    expect(() => zeros([2], { dtype: 'int64', out: empty([0]) })).toThrow(
      'zeros: dtype int64 does not match dtype of out parameter (float32)',
    );
  });
});
