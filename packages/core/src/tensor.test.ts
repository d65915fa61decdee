import { expect, it } from 'vitest';
import { arange, eye, full, linear, tensor, zeros } from './index.js';

it('computes elementwise with broadcasting and promotion', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(x.add(tensor([10, 20])).toArraySync()).toEqual([
    [11, 22],
    [13, 24],
  ]);
  expect(x.sub(1, { alpha: 2 }).toArraySync()).toEqual([
    [-1, 0],
    [1, 2],
  ]);
  expect(tensor([1n, 2n]).add(1.5).dtype).toBe('float32');
  expect(tensor([1n, 2n]).add(2).dtype).toBe('int64');
  expect(tensor([1n, 7n]).div(2).toArraySync()).toEqual([0.5, 3.5]);
  expect(tensor([-7n, 7n]).floorDivide(2).toArraySync()).toEqual([-4, 3]);
  expect(tensor([-7, 7]).remainder(3).toArraySync()).toEqual([2, 1]);
  expect(tensor([2n, 3n]).pow(10).toArraySync()).toEqual([1024, 59049]);
});

it('writes in place through views', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  x.select(0, 1).fill_(7);
  x.t().select(0, 0).mul_(2);
  expect(x.toArraySync()).toEqual([
    [2, 2],
    [14, 7],
  ]);
  expect(x.version).toBe(2);
  expect(() => x.expand(2, 2, 2).add_(1)).toThrow(/single memory location/);
  expect(() => tensor([1n]).add_(0.5)).toThrow(/can't be cast to the desired output type int64/);
  expect(() => tensor([1, 2]).add_(zeros([3, 2]))).toThrow(
    "add_: output with shape [2] doesn't match the broadcast shape [3, 2]",
  );
});

it('reduces', () => {
  const x = tensor([
    [1, 5, 2],
    [3, 4, 9],
  ]);
  expect(x.sum().itemSync()).toBe(24);
  expect(x.sum(0).toArraySync()).toEqual([4, 9, 11]);
  expect(x.mean(1, { keepdim: true }).shape).toEqual([2, 1]);
  const [values, indices] = x.max(1);
  expect([values.toArraySync(), indices.toArraySync()]).toEqual([
    [5, 9],
    [1, 2],
  ]);
  expect(x.argmin().itemSync()).toBe(0);
  expect(x.var(1, { correction: 0 }).toArraySync()).toEqual([
    expect.closeTo(26 / 9, 5),
    expect.closeTo(62 / 9, 5),
  ]);
  expect(x.logsumexp(1).toArraySync()).toEqual([
    expect.closeTo(5.0658, 3),
    expect.closeTo(9.0092, 3),
  ]);
  expect(() => x.max(2)).toThrow(
    'max: Dimension out of range (expected to be in range of [-2, 1], but got 2)',
  );
});

it('multiplies matrices', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(x.matmul(x.t()).toArraySync()).toEqual([
    [5, 11],
    [11, 25],
  ]);
  expect(
    x
      .unsqueeze(0)
      .expand(3, 2, 2)
      .matmul(tensor([1, 1]))
      .toArraySync(),
  ).toEqual([
    [3, 7],
    [3, 7],
    [3, 7],
  ]);
  expect(linear(x, eye(2), full([2], 10)).toArraySync()).toEqual([
    [11, 12],
    [13, 14],
  ]);
  expect(() => zeros([3, 4]).matmul(zeros([5, 6]))).toThrow(
    'matmul: [3, 4] and [5, 6] cannot be multiplied (4 != 5)',
  );
});

it('prints as PyTorch does', () => {
  expect(String(tensor([[1, 2.5]]))).toBe('tensor([[1.0000, 2.5000]])');
  expect(String(arange(3))).toBe('tensor([0, 1, 2])');
});

it('refuses disposed tensors and ragged data', () => {
  const x = tensor([1, 2]);
  x.dispose();
  expect(() => x.add(1)).toThrow(/memory was released/);
  expect(() => tensor([[1, 2], [3]])).toThrow(/expected sequence of length 2 at dim 1 \(got 1\)/);
});
