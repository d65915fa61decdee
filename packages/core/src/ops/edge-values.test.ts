import { expect, test } from 'vitest';
import * as core from '../index.js';
import { float, tensor, zeros } from '../index.js';

// Values of PyTorch 1.13.

test('arithmetic of two numbers is a zero-dimensional tensor', () => {
  expect(core.add(2, 3).dtype).toBe('int64');
  expect(core.add(2.5, 2.5).dtype).toBe('float64');
  expect(core.mul(2.5, 2).dtype).toBe('float32');
  expect(core.div(2, 4).toArraySync()).toBe(0.5);
  expect(core.floorDivide(float(7), 2).toArraySync()).toBe(3);
  expect(() => core.pow(2, 3)).toThrow(TypeError);
});

test('integer powers wrap around for every exponent', () => {
  expect(
    tensor([3], { dtype: 'int64' })
      .pow(tensor([100n]))
      .eq(tensor([-2984622845537545263n]))
      .itemSync(),
  ).toBe(1);
  expect(
    tensor([2], { dtype: 'uint8' })
      .pow(tensor([200], { dtype: 'uint8' }))
      .itemSync(),
  ).toBe(0);
  expect(tensor([3], { dtype: 'int32' }).pow(255).itemSync()).toBe(
    Number(BigInt.asIntN(32, 3n ** 255n)),
  );
});

test('the sign of NaN is 0', () => {
  expect(tensor([Number.NaN, -0, -2]).sign().toArraySync()).toEqual([0, 0, -1]);
  expect(tensor([Number.NaN, 3]).sgn().toArraySync()).toEqual([0, 1]);
});

test('arange of integers counts by the whole parts', () => {
  expect(core.arange(0.1, -7.9, -4, { dtype: 'int64' }).toArraySync()).toEqual([0, -4]);
  expect(core.arange(-0.5, 3.7, 1, { dtype: 'int64' }).toArraySync()).toEqual([0, 1, 2]);
  expect(core.arange(-0.5, 3.7, 1, { dtype: 'int32' }).toArraySync()).toEqual([0, 1, 2, 3, 4]);
  expect(() => core.arange(0, 5, 0.5, { dtype: 'int64' })).toThrow('step must be nonzero');
});

test('a maximum of nothing is refused where PyTorch refuses it', () => {
  const x = zeros([5, 0, 5]);
  expect(() => x.amax()).toThrow(core.RuntimeError);
  expect(() => x.amax(1)).toThrow('Expected reduction dim 1 to have non-zero size');
  expect(() => x.argmax()).toThrow(core.IndexError);
  expect(() => x.max(1)).toThrow(core.IndexError);
  expect(() => x.aminmax()).toThrow('no identity');
  expect(x.amax(0).shape).toEqual([0, 5]);
});

test('weights of a covariance are checked, and take part in promotion', () => {
  const x = tensor([[1, 2, 4]]).to('bfloat16');
  expect(core.cov(x, { aweights: tensor([1, 2, 1]) }).dtype).toBe('float32');
  expect(() => core.cov(x, { fweights: tensor([1, 2, 1]) })).toThrow('integral dtype');
  expect(() => core.cov(x, { fweights: tensor([1n, -2n, 1n]) })).toThrow('negative');
});

test('nextafter of bfloat16 moves by one of its own units', () => {
  const x = tensor([1, 0, -1]).to('bfloat16');
  const next = core.nextafter(x, tensor([2, 2, 2]).to('bfloat16'));
  expect(next.to('float32').toArraySync()).toEqual([1 + 2 ** -7, 2 ** -133, -1 + 2 ** -8]);
});

test('bools are limited by bool tensors and by integers, not by plain bools', () => {
  const x = tensor([true, false]);
  expect(x.clampMin(tensor([true])).toArraySync()).toEqual([true, true]);
  expect(x.clamp(0, 1).dtype).toBe('int64');
  expect(x.clampMax(0).dtype).toBe('int64');
  expect(() => x.clamp(false, true)).toThrow('clamp: "clamp_cpu" not implemented for \'bool\'');
  expect(() => x.clamp(true)).toThrow('clampMin: "clamp_min_cpu" not implemented for \'bool\'');
  expect(() => x.clampMax(false)).toThrow('clampMax: "clamp_max_scalar_cpu" not implemented');
  expect(() => x.clampMax_(false)).toThrow('"clamp_max_scalar_cpu" not implemented');
  expect(() => x.clamp(tensor([false]), tensor([true]))).toThrow('"clamp_cpu" not implemented');
  expect(x.toArraySync()).toEqual([true, false]);
});
