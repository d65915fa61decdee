import { expect, test } from 'vitest';
import {
  add,
  Device,
  mul,
  runFused,
  type Tensor,
  tensor,
  traceElementwise,
  where,
} from './index.js';

const cpu = Device.from('cpu');
const x = tensor([1, -2, 3], { dtype: 'float32' });
const y = tensor([[10], [20]], { dtype: 'float64' });

test('a chain of elementwise operations becomes one expression, with promotion and broadcasting', () => {
  const fn = (a: Tensor, b: Tensor) => where(a.gt(0), a.mul(b).add(0.5), b.neg());
  const map = traceElementwise((a, b) => fn(a as Tensor, b as Tensor), [x, y]);
  expect(map?.dtype).toBe('float64');
  expect(map?.scalars).toEqual([0, 0.5]);
  expect(map && runFused(map, [x, y], cpu).toArraySync()).toEqual(fn(x, y).toArraySync());
});

test('what is not elementwise, uses other tensors, or not all, is not traced', () => {
  const trace = (fn: (a: Tensor) => unknown) => traceElementwise((a) => fn(a as Tensor), [x]);
  expect(trace((a) => a.sum().mul(2).add(1))).toBeUndefined();
  expect(trace((a) => a.view(3, 1).mul(2).add(1))).toBeUndefined();
  expect(trace((a) => add(mul(a, x), 1))).toBeUndefined();
  expect(trace((a) => a.clone().add_(1).mul(2))).toBeUndefined();
  expect(trace((a) => a.neg())).toBeUndefined();
  expect(traceElementwise((a) => (a as Tensor).neg().exp(), [x, y])).toBeUndefined();
  // Nothing of it stays behind.
  expect(x.neg().exp().toArraySync()).toHaveLength(3);
});
