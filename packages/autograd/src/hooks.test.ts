import { type Tensor, tensor } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import { grad } from './index.js';

const real = (data: number[]) => tensor(data, { dtype: 'float32', requiresGrad: true });
const values = (t: Tensor | null | undefined) => t?.toArraySync();

describe('tensor hooks', () => {
  test('replace the gradient of a result', () => {
    const a = real([2, 3]);
    const b = a.mul(a);
    b.registerHook((g) => g.mul(10));
    b.sum().backward();
    expect(values(a.grad)).toEqual([40, 60]);
  });

  test('run in the order of registration, once for the whole gradient, until removed', () => {
    const a = real([1]);
    const b = a.mul(2);
    const log: [string, unknown][] = [];
    const first = b.registerHook((g) => {
      log.push(['first', values(g)]);
      return g.mul(2);
    });
    b.registerHook((g) => {
      log.push(['second', values(g)]);
    });
    const y = b.add(b.mul(3)).sum();
    y.backward(null, { retainGraph: true });
    expect(log).toEqual([
      ['first', [4]],
      ['second', [8]],
    ]);
    expect(values(a.grad)).toEqual([16]);
    first.remove();
    y.backward();
    expect(log.slice(2)).toEqual([['second', [4]]]);
  });

  test('on leaves see what is added to grad', () => {
    const a = real([1, 2]);
    a.registerHook((g) => g.neg());
    a.mul(3).sum().backward();
    a.mul(3).sum().backward();
    expect(values(a.grad)).toEqual([-6, -6]);
    expect(values(grad(a.mul(3).sum(), a)[0])).toEqual([-3, -3]);
  });

  test('on a tensor that is then overwritten belong to its old value', () => {
    const a = real([1, 2]);
    const b = a.mul(2);
    const seen: unknown[] = [];
    b.registerHook((g) => {
      seen.push(values(g));
    });
    b.mul_(5);
    b.sum().backward();
    expect(seen).toEqual([[5, 5]]);
  });

  test('must keep the shape, and need a tensor that requires grad', () => {
    const a = real([1, 2]);
    const b = a.mul(2);
    b.registerHook((g) => g.sum());
    expect(() => b.sum().backward()).toThrow('has changed the size of value');
    expect(() => a.detach().registerHook(() => {})).toThrow(
      "cannot register a hook on a tensor that doesn't require gradient",
    );
  });
});

describe('retainGrad', () => {
  test('keeps and accumulates the gradient of a result, after its hooks', () => {
    const a = real([2, 3]);
    const b = a.mul(a);
    b.retainGrad();
    b.registerHook((g) => g.mul(3));
    const y = b.sum();
    y.backward(null, { retainGraph: true });
    y.backward();
    expect(values(b.grad)).toEqual([6, 6]);
    expect(values(a.grad)).toEqual([24, 36]);
  });

  test('before and after an in-place operation is that of the newest value', () => {
    const a = real([2, 3]);
    const before = a.mul(a);
    before.retainGrad();
    before.mul_(2);
    before.sum().backward();
    expect(values(before.grad)).toEqual([1, 1]);
    const after = a.mul(a);
    after.mul_(2);
    after.retainGrad();
    after.sum().backward();
    expect(values(after.grad)).toEqual([1, 1]);
  });

  test('does nothing on a leaf and is refused without gradients', () => {
    const a = real([1]);
    a.retainGrad();
    expect(a.grad).toBeNull();
    expect(() => a.detach().retainGrad()).toThrow(
      "can't retain_grad on Tensor that has requires_grad=False",
    );
  });
});

describe('nodes', () => {
  test('are named and linked as in PyTorch', () => {
    const a = real([1, 2]);
    const y = a.mul(2).add(1).sum();
    expect(y.gradFn?.name).toBe('SumBackward0');
    const add = y.gradFn?.nextFunctions[0];
    expect(add?.name).toBe('AddBackward0');
    const mul = add?.nextFunctions[0];
    expect(mul?.name).toBe('MulBackward0');
    expect(mul?.nextFunctions[0]?.name).toBe('AccumulateGrad');
    expect(`${a.pow(2)}`).toContain('grad_fn=<PowBackward0>');
  });

  test('call hooks before and after they run', () => {
    const a = real([1, 2]);
    const b = a.mul(3);
    const log: unknown[] = [];
    b.gradFn?.registerPrehook((outputs) => {
      log.push(['before', outputs.map(values)]);
      return outputs.map((g) => g?.mul(2) ?? null);
    });
    b.gradFn?.registerHook((inputs, outputs) => {
      log.push(['after', inputs.map(values), outputs.map(values)]);
      return inputs.map((g) => g?.add(1) ?? null);
    });
    b.sum().backward();
    expect(log).toEqual([
      ['before', [[1, 1]]],
      ['after', [[6, 6], undefined], [[2, 2]]],
    ]);
    expect(values(a.grad)).toEqual([7, 7]);
  });
});
