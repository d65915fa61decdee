import {
  Device,
  gelu,
  InterpreterBackend,
  lerp,
  linear,
  type Primitive,
  registerBackend,
  type Tensor,
  tensor,
} from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { grad } from './index.js';

/** The reference device, counting what it runs. */
const ran: Primitive['kind'][] = [];
class CountingBackend extends InterpreterBackend {
  override execute(primitive: Primitive): void {
    ran.push(primitive.kind);
    super.execute(primitive);
  }
}

beforeAll(() => {
  registerBackend('counting', { open: () => new CountingBackend() });
});

const input = (...values: number[]): Tensor =>
  tensor(values, { dtype: 'float64', device: 'counting', requiresGrad: true });

/** What runs from the gradient of a result to that of its inputs. */
function kernels(output: Tensor, ...inputs: Tensor[]): { ran: string[]; grads: unknown[] } {
  const seed = output.detach().mul(0).add(1);
  ran.length = 0;
  const grads = grad(output, inputs, { gradOutputs: seed });
  return { ran: [...ran], grads: grads.map((g) => g.toArraySync()) };
}

describe('gradients of elementwise operations', () => {
  test('are one kernel, however long their formula', () => {
    expect(Device.from('counting').type).toBe('counting');
    const x = input(0.5, -1);
    const { ran: count, grads } = kernels(gelu(x), x);
    expect(count).toEqual(['map']);
    const slope = (v: number) => {
      const pdf = Math.exp(-v * v * 0.5) / Math.sqrt(2 * Math.PI);
      return pdf * v;
    };
    // The distribution function at 0.5 and -1.
    expect((grads[0] as number[])[0]).toBeCloseTo(0.6914624612740131 + slope(0.5), 12);
    expect((grads[0] as number[])[1]).toBeCloseTo(0.15865525393145707 + slope(-1), 12);
  });

  test('are one kernel for each operand', () => {
    const [x, y] = [input(3, 8), input(4, -6)];
    const { ran: count, grads } = kernels(x.hypot(y), x, y);
    expect(count).toEqual(['map', 'map']);
    expect(grads).toEqual([
      [0.6, 0.8],
      [0.8, -0.6],
    ]);
  });

  test('take the numbers of each call', () => {
    const x = input(2, 3);
    for (const p of [3, 4, -1, 2.5]) {
      const found = kernels(x.pow(p), x).grads[0] as number[];
      expect(found[0]).toBeCloseTo(p * 2 ** (p - 1), 12);
      expect(found[1]).toBeCloseTo(p * 3 ** (p - 1), 12);
    }
    for (let i = 0; i < 100; i++) {
      const found = kernels(lerp(x, x.mul(0), i / 100), x).grads[0] as number[];
      expect(found[0]).toBeCloseTo(1 - i / 100, 12);
    }
  });

  test('broadcast', () => {
    const [x, y] = [input(1, 2, 3), input(2)];
    const { ran: count, grads } = kernels(x.div(y), x, y);
    expect(count).toEqual(['map', 'map', 'reduce']);
    expect(grads).toEqual([[0.5, 0.5, 0.5], [-1.5]]);
  });
});

test('the gradient of a transposed weight becomes its grad without a copy', () => {
  const x = tensor([[1, 2, 3]], { dtype: 'float64', device: 'counting' });
  const w = tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { dtype: 'float64', device: 'counting', requiresGrad: true },
  );
  const seed = tensor([[1, 10]], { dtype: 'float64', device: 'counting' });
  const y = linear(x, w);
  ran.length = 0;
  y.backward(seed);
  expect(ran).toEqual(['matmul']);
  expect(w.grad?.toArraySync()).toEqual([
    [1, 2, 3],
    [10, 20, 30],
  ]);
});
