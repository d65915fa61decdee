import { expect, test } from 'vitest';
import * as core from './index.js';
import { tensor, zeros } from './index.js';

const bytes = (values: number[]) => tensor(values, { dtype: 'uint8' });

test('numbers wrap around into the dtype of a narrow tensor before they are compared or divided', () => {
  const x = bytes([1, 200]);
  expect(x.ge(-1).toArraySync()).toEqual([false, false]);
  expect(x.clampMax(-1).toArraySync()).toEqual([1, 200]);
  expect(x.maximum(tensor(-1, { dtype: 'int8' })).toArraySync()).toEqual([255, 255]);
  expect(core.remainder(-2, bytes([130])).toArraySync()).toEqual([124]);
  expect(tensor([100, -100], { dtype: 'int8' }).lt(200).toArraySync()).toEqual([false, true]);
  expect(tensor([5], { dtype: 'int16' }).gt(tensor(65540n)).toArraySync()).toEqual([true]);
});

test('a number that does not fit is not written', () => {
  const x = bytes([1, 2]);
  const mask = tensor([true, false]);
  const overflow = /value cannot be converted to type uint8 without overflow/;
  expect(() => x.fill_(300)).toThrow(overflow);
  expect(() => x.fill_(Number.NaN)).toThrow(overflow);
  expect(() => x.maskedFill(mask, -1.5)).toThrow(overflow);
  expect(() => core.where(mask, x, 300)).toThrow(overflow);
  expect(() => core.full([1], 300, { dtype: 'uint8' })).toThrow(overflow);
  expect(() => zeros([1]).fill_(1e300)).toThrow(core.RuntimeError);
  expect(x.fill_(-1).toArraySync()).toEqual([255, 255]);
});

test('a fraction is true where a bool is written', () => {
  expect(tensor([false]).fill_(0.5).toArraySync()).toEqual([true]);
  expect(core.full([1], 0.25, { dtype: 'bool' }).toArraySync()).toEqual([true]);
});

test('what cannot be written is said before what is not implemented', () => {
  expect(() => tensor([1n]).bitwiseXor_(1.5)).toThrow(/can't be cast to the desired output type/);
});

test('einsum counts repeated labels, and takes lists of labels', () => {
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  expect(core.einsum('c,bb', tensor([1, 10]), x).toArraySync()).toEqual([5, 50]);
  expect(core.einsum(x, [0, 1], x, [1, 2], [2, 0]).toArraySync()).toEqual(
    x.matmul(x).T.toArraySync(),
  );
  expect(core.einsum(x, ['...', 3], [3, '...']).toArraySync()).toEqual(x.T.toArraySync());
  expect(() => core.einsum(x, [0, 99])).toThrow('within [0, 52)');
});

test('alpha scales in the dtype of the result', () => {
  const half = tensor([2.5], { dtype: 'float16' });
  expect(half.add(tensor(3, { dtype: 'uint8' }), { alpha: -1 }).toArraySync()).toEqual([-0.5]);
  const other = tensor(0.5, { dtype: 'float16' });
  expect(core.rsub(tensor([2], { dtype: 'int16' }), other, { alpha: 1.5 }).dtype).toBe('float16');
});

test('what bools do not have is refused by name', () => {
  const x = tensor([true]);
  expect(() => x.pow(x)).toThrow('"pow_cpu" not implemented for \'bool\'');
  expect(() => x.addcmul(x, x)).toThrow(core.NotImplementedError);
});

test('no index is in range of nothing', () => {
  const index = tensor([0n]);
  expect(() => zeros([0]).indexAdd(0, index, tensor([1]))).toThrow(core.IndexError);
  expect(() => zeros([0]).gather(0, index)).toThrow(core.RuntimeError);
});

test('the middle of an odd number of steps is reached from the end', () => {
  const edges = core.linspace(-0.44, 0.56, 5, { dtype: 'float64' });
  expect(edges.select(0, 2).itemSync()).toBe(0.56 - 0.25 * 2);
  expect(core.logspace(1, 2, 1).toArraySync()).toEqual([10]);
});

test('an operation that a dtype does not have says so, whatever it is made of', () => {
  const x = tensor([[1n, 2n]]);
  expect(() => core.cdist(x, x)).toThrow('only supports floating-point dtypes, X1 got: int64');
  const halves = core.op('halves', 'self', (self: core.Tensor) =>
    core.reduceOne(self, [0], false, 'sum', self.dtype, (e) => core.apply('sqrt', e)),
  );
  expect(() => halves(tensor([1n]))).toThrow('"halves_cpu" not implemented for \'int64\'');
  expect(() => halves(tensor([1n]))).toThrow(core.NotImplementedError);
  core.operations.delete('halves');
});
