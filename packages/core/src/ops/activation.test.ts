import { describe, expect, it } from 'vitest';
import {
  celu,
  elu,
  gelu,
  glu,
  hardshrink,
  hardswish,
  hardtanh,
  leakyRelu,
  logsigmoid,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  silu,
  softplus,
  softshrink,
  type Tensor,
  tensor,
  threshold,
} from '../index.js';

const xs = [-4, -1.5, -0.25, 0, 0.25, 1.5, 30];
const x = (): Tensor => tensor(xs, { dtype: 'float64' });
const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

function same(got: Tensor, want: (v: number) => number): void {
  const values = got.toArraySync() as number[];
  xs.forEach((v, i) => {
    expect(values[i]).toBeCloseTo(want(v), 12);
  });
}

describe('activations', () => {
  it('are the functions of their names', () => {
    same(relu(x()), (v) => Math.max(v, 0));
    same(relu6(x()), (v) => Math.min(Math.max(v, 0), 6));
    same(hardtanh(x(), { minVal: -0.5, maxVal: 2 }), (v) => Math.min(Math.max(v, -0.5), 2));
    same(leakyRelu(x(), { negativeSlope: 0.2 }), (v) => (v > 0 ? v : 0.2 * v));
    same(elu(x(), { alpha: 2 }), (v) => (v > 0 ? v : 2 * Math.expm1(v)));
    same(celu(x(), { alpha: 2 }), (v) => (v > 0 ? v : 2 * Math.expm1(v / 2)));
    same(selu(x()), (v) => 1.0507009873554805 * (v > 0 ? v : 1.6732632423543772 * Math.expm1(v)));
    same(silu(x()), (v) => v * sigmoid(v));
    same(mish(x()), (v) => v * Math.tanh(Math.log1p(Math.exp(v))));
    same(hardswish(x()), (v) => (v * Math.min(Math.max(v + 3, 0), 6)) / 6);
    same(logsigmoid(x()), (v) => -Math.log1p(Math.exp(-v)));
    same(softplus(x(), { beta: 2 }), (v) => (v > 10 ? v : Math.log1p(Math.exp(2 * v)) / 2));
    same(hardshrink(x()), (v) => (Math.abs(v) <= 0.5 ? 0 : v));
    same(softshrink(x(), { lambd: 1 }), (v) => Math.sign(v) * Math.max(Math.abs(v) - 1, 0));
    same(threshold(x(), 0.1, 20), (v) => (v > 0.1 ? v : 20));
    same(gelu(x(), { approximate: 'tanh' }), (v) => {
      const inner = Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3);
      return 0.5 * v * (1 + Math.tanh(inner));
    });
  });

  it('keep NaN', () => {
    const nan = tensor([Number.NaN]);
    for (const f of [relu, relu6, silu, elu, gelu, hardswish]) {
      expect(f(nan).itemSync()).toBeNaN();
    }
  });

  it('write in place on request, and as a method', () => {
    const t = tensor([-1, 2]);
    expect(relu(t, { inplace: true })).toBe(t);
    expect(t.toArraySync()).toEqual([0, 2]);
    expect(t.version).toBe(1);
    expect(tensor([-1, 2]).relu_().toArraySync()).toEqual([0, 2]);
  });

  it('take integers where PyTorch does, and say so elsewhere', () => {
    const ints = tensor([-3, 2, 9], { dtype: 'int64' });
    expect(relu(ints).toArraySync()).toEqual([0, 2, 9]);
    expect(relu6(ints).toArraySync()).toEqual([0, 2, 6]);
    expect(() => silu(ints)).toThrow(`"silu_cpu" not implemented for 'int64'`);
    expect(() => softshrink(x(), { lambd: -1 })).toThrow('greater or equal to 0');
  });
});

describe('prelu', () => {
  it('has one weight, or one a channel', () => {
    const t = tensor([
      [-1, -1],
      [2, -4],
    ]);
    expect(prelu(t, tensor([0.5])).toArraySync()).toEqual([
      [-0.5, -0.5],
      [2, -2],
    ]);
    expect(prelu(t, tensor([0.5, 3])).toArraySync()).toEqual([
      [-0.5, -3],
      [2, -12],
    ]);
    expect(() => prelu(t, tensor([1, 2, 3]))).toThrow('Mismatch of parameter numbers');
  });
});

describe('glu', () => {
  it('gates the first half by the second', () => {
    const got = glu(tensor([[1, 2, 0, 100]])).toArraySync() as number[][];
    expect(got[0]).toEqual([0.5, 2]);
    expect(() => glu(tensor([[1, 2, 3]]))).toThrow(
      'Halving dimension must be even, but dimension 1 is size 3',
    );
  });
});
