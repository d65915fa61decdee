import * as core from '@sconce/core';
import { scalarTensor, type Tensor, tensor } from '@sconce/core';
import './index.js';
import { expect, test } from 'vitest';

type Fn = (self: Tensor | core.Scalar, other: Tensor | core.Scalar) => Tensor;

const { add, sub, mul, div, trueDivide, floorDivide, remainder, pow, xlogy, floatPower } = core;

/** The operations of which PyTorch takes a number in front. */
const functions: Readonly<Record<string, Fn>> = {
  add,
  sub,
  mul,
  div,
  trueDivide,
  floorDivide,
  remainder,
  pow,
  xlogy,
  floatPower,
  xlog1py: core.special.xlog1py,
};

test.each(Object.entries(functions))('%s takes a number in front of a tensor', (_, run) => {
  const x = tensor([0.5, 2, 3.5]).requiresGrad_();
  const y = tensor([0.5, 2, 3.5]).requiresGrad_();
  const a = run(2, x);
  const b = run(scalarTensor(2), y);
  expect(a.dtype).toBe(b.dtype);
  expect(a.toArraySync()).toEqual(b.toArraySync());
  if (!b.requiresGrad) return;
  a.sum().backward();
  b.sum().backward();
  expect(x.grad?.toArraySync()).toEqual(y.grad?.toArraySync());
});

test('a number in front promotes as a number', () => {
  const x = tensor([1, 2, 3], { dtype: 'int8' });
  expect(mul(3, x).dtype).toBe('int8');
  expect(sub(core.float(3), x).dtype).toBe('float32');
  expect(pow(2, x).toArraySync()).toEqual([2, 4, 8]);
  expect(core.bitwiseAnd(3, x).dtype).toBe('int8');
});
