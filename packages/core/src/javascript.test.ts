import assert from 'node:assert';
import { inspect } from 'node:util';
import v8 from 'node:v8';
import { describe, expect, it, test } from 'vitest';
import { arange, linalg, ones, tensor, zeros } from './index.js';

describe('deep comparisons', () => {
  it('are by elements in vitest', () => {
    expect(ones([2])).toEqual(ones([2]));
    expect(ones([2, 2])).toStrictEqual(zeros([2, 2]).add_(1));
    expect({ a: [ones([2, 3])] }).not.toEqual({ a: [zeros([2, 3])] });
    expect(tensor(1)).toEqual(tensor(1));
    expect(tensor(1)).not.toEqual(tensor(2));
    expect(ones([2])).not.toEqual(ones([2], { dtype: 'float64' }));
    expect(ones([4])).not.toEqual(ones([2, 2]));
    expect(tensor([Number.NaN])).toEqual(tensor([Number.NaN]));
    expect(tensor([1n, 2n ** 60n])).not.toEqual(tensor([1n, 2n ** 60n + 1n]));
    expect(() => expect(ones([2])).toEqual(zeros([2]))).toThrow('tensor([1., 1.])');
    const many = arange(5000);
    expect(many).toEqual(arange(5000));
  });

  it('are by elements in node:assert', () => {
    assert.deepStrictEqual(ones([2]), ones([2]));
    assert.deepEqual([ones([2])], [zeros([2]).add_(1)]);
    for (const compare of [assert.deepStrictEqual, assert.deepEqual]) {
      expect(() => compare(ones([2]), zeros([2]))).toThrow(assert.AssertionError);
      expect(() => compare(tensor([true]), tensor([false]))).toThrow(assert.AssertionError);
    }
    assert.notDeepStrictEqual(ones([2]), zeros([2]));
  });
});

test('tensors are refused by what copies objects', () => {
  const refusal = 'Symbol(Tensor: copy it with t.clone(), send t.toTypedArray() and t.shape)';
  expect(() => structuredClone(ones([2]))).toThrow(refusal);
  expect(() => structuredClone({ deep: [tensor(1)] })).toThrow(refusal);
  expect(() => v8.serialize(ones([2]))).toThrow(refusal);
  const { port1 } = new MessageChannel();
  expect(() => port1.postMessage(ones([2]))).toThrow(refusal);
  port1.close();
});

test('JSON has nested numbers, and strings for what it has none for', () => {
  const text = (x: unknown) => JSON.stringify(x);
  expect(
    text(
      tensor([
        [1, 2],
        [3, 4.5],
      ]),
    ),
  ).toBe('[[1,2],[3,4.5]]');
  expect(text({ loss: tensor(3) })).toBe('{"loss":3}');
  expect(text(tensor([Number.NaN, Infinity, -Infinity]))).toBe('["NaN","Infinity","-Infinity"]');
  expect(text(tensor([2n ** 60n, 5n, -(2n ** 63n)]))).toBe(
    '["1152921504606846976",5,"-9223372036854775808"]',
  );
  expect(text(tensor([true, false]))).toBe('[true,false]');
  expect(text(zeros([0, 2]))).toBe('[]');
  expect(text(tensor([1.5], { dtype: 'bfloat16' }))).toBe('[1.5]');
  expect(text(arange(4).reshape(2, 2).t())).toBe('[[0,2],[1,3]]');
});

describe('iteration', () => {
  it('gives views along the first dimension', () => {
    const x = zeros([2, 3]);
    for (const row of x) row.add_(1);
    expect(x.toArraySync()).toEqual([
      [1, 1, 1],
      [1, 1, 1],
    ]);
    const [first, ...rest] = arange(3);
    expect([first?.itemSync(), rest.map((t) => t.shape)]).toEqual([0, [[], []]]);
    expect([...zeros([0, 3])]).toEqual([]);
    expect(Array.from(arange(2), (t) => t.itemSync())).toEqual([0, 1]);
  });

  it('is refused where there is no dimension', () => {
    expect(() => [...tensor(1)]).toThrow(TypeError);
    expect(() => {
      for (const _ of tensor(1)) break;
    }).toThrow('not iterable');
  });

  it('shows no methods as keys', () => {
    const keys: string[] = [];
    for (const key in ones([1])) keys.push(key);
    expect(keys).not.toContain('add');
  });
});

test('several results print under the names of PyTorch', () => {
  const x = tensor([
    [1, 5],
    [4, 2],
  ]);
  const text = 'torch.return_types.max(\nvalues=tensor([4., 5.]),\nindices=tensor([1, 0]))';
  expect(String(x.max(0))).toBe(text);
  expect(inspect(x.max(0))).toBe(text);
  expect(inspect({ best: x.max(0) })).toContain('torch.return_types.max(');
  const names = [x.sort(), x.topk(1), x.median(0), x.kthvalue(1), x.cummax(0), x.mode()];
  expect(names.map((r) => String(r).split('(')[0]?.slice('torch.return_types.'.length))).toEqual([
    'sort',
    'topk',
    'median',
    'kthvalue',
    'cummax',
    'mode',
  ]);
  expect(String(linalg.slogdet(tensor([[1]])))).toBe(
    'torch.return_types.linalg_slogdet(\nsign=tensor(1.),\nlogabsdet=tensor(0.))',
  );
  const { values } = x.max(0);
  const [first, second] = x.max(0);
  expect([values, first, second].map((t) => t.shape)).toEqual([[2], [2], [2]]);
  expect(x.max(0).map((t) => t.shape)).toEqual([[2], [2]]);
});
