import { memoryStats, ones, RuntimeError, type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import { backward, grad } from './index.js';

const real = (data: number[] | number[][]) =>
  tensor(data, { dtype: 'float64', requiresGrad: true });
const values = (t: Tensor | null | undefined) => t?.toArraySync();

describe('backward', () => {
  test('adds to the gradients of leaves, in place', () => {
    const a = real([1, 2, 3]);
    const b = real([4, 5, 6]);
    a.mul(b).sum().backward();
    const first = a.grad as Tensor;
    expect(values(first)).toEqual([4, 5, 6]);
    expect(values(b.grad)).toEqual([1, 2, 3]);
    a.mul(b).sum().backward();
    expect(a.grad).toBe(first);
    expect(values(first)).toEqual([8, 10, 12]);
  });

  test('sums the ways a tensor is used', () => {
    const x = real([2, 3]);
    const y = x.mul(x).add(x).sub(x.mul(5));
    y.sum().backward();
    expect(values(x.grad)).toEqual([2 * 2 + 1 - 5, 2 * 3 + 1 - 5]);
  });

  test('gives both operands gradients of their own where they are equal', () => {
    const a = real([1, 2]);
    const b = real([3, 4]);
    a.add(b).backward(ones([2], { dtype: 'float64' }));
    a.grad?.mul_(10);
    expect(values(a.grad)).toEqual([10, 10]);
    expect(values(b.grad)).toEqual([1, 1]);
  });

  test('leaves the given gradient alone', () => {
    const a = real([1, 2]);
    const seed = tensor([1, 3], { dtype: 'float64' });
    a.add(1).backward(seed);
    a.add(1).backward(seed);
    expect(values(a.grad)).toEqual([2, 6]);
    expect(values(seed)).toEqual([1, 3]);
  });

  test('undoes broadcasting and keeps the dtype of the input', () => {
    const a = tensor([[1], [2]], { dtype: 'float32', requiresGrad: true });
    const b = real([1, 2, 3]);
    a.mul(b).sum().backward();
    expect(values(a.grad)).toEqual([[6], [6]]);
    expect(a.grad?.dtype).toBe('float32');
    expect(values(b.grad)).toEqual([3, 3, 3]);
  });

  test('does not overflow the stack on deep graphs', () => {
    const x = real([1]);
    let y: Tensor = x;
    for (let i = 0; i < 100_000; i++) y = y.add(0);
    y.backward();
    expect(values(x.grad)).toEqual([1]);
  });

  test('visits a graph of many paths once', () => {
    const x = real([1]);
    let y: Tensor = x;
    for (let i = 0; i < 60; i++) y = y.add(y).mul(0.5);
    y.backward();
    expect(values(x.grad)).toEqual([1]);
  });

  test('of several tensors', () => {
    const x = real([1, 2]);
    backward([x.sum(), x.mul(x)], [null, tensor([1, 10], { dtype: 'float64' })]);
    expect(values(x.grad)).toEqual([1 + 2, 1 + 40]);
  });

  test('into some inputs only', () => {
    const a = real([1, 2]);
    const b = real([3, 4]);
    const c = a.mul(b);
    c.mul(2)
      .sum()
      .backward(null, { inputs: [a, c] });
    expect(values(a.grad)).toEqual([6, 8]);
    expect(values(c.grad)).toEqual([2, 2]);
    expect(b.grad).toBeNull();
  });

  test('leaves integers out of the graph', () => {
    const x = real([3, 1, 2]);
    const { values: sorted, indices } = x.sort();
    expect([sorted.requiresGrad, indices.requiresGrad]).toEqual([true, false]);
    sorted
      .mul(tensor([1, 10, 100], { dtype: 'float64' }))
      .sum()
      .backward();
    expect(values(x.grad)).toEqual([100, 1, 10]);
  });
});

describe('what backward refuses', () => {
  test('a tensor that does not require grad', () => {
    expect(() => zeros([]).backward()).toThrow(
      'element 0 of tensors does not require grad and does not have a grad_fn',
    );
  });

  test('several elements without a gradient, and a gradient of another shape', () => {
    const a = real([1, 2]);
    expect(() => a.mul(2).backward()).toThrow(
      'grad can be implicitly created only for scalar outputs',
    );
    expect(() => a.mul(2).backward(ones([3], { dtype: 'float64' }))).toThrow(
      'Mismatch in shape: grad_output[0] has a shape of torch.Size([3]) and output[0] has a shape of torch.Size([2]).',
    );
  });

  test('a graph that was freed', () => {
    const a = real([1, 2]);
    const loss = a.mul(a).sum();
    loss.backward();
    expect(() => loss.backward()).toThrow('Trying to backward through the graph a second time');
  });

  test('a part of a graph that was freed', () => {
    const a = real([1, 2]);
    const b = a.exp();
    b.sum().backward();
    expect(() => b.mul(2).sum().backward()).toThrow(RuntimeError);
  });

  test('nothing of a graph that saved nothing, or was retained', () => {
    const a = real([1, 2]);
    const plain = a.add(1).sum();
    plain.backward();
    plain.backward();
    expect(values(a.grad)).toEqual([2, 2]);
    const product = a.mul(a).sum();
    product.backward(null, { retainGraph: true });
    product.backward();
    expect(values(a.grad)).toEqual([6, 10]);
  });

  test('an operation without a derivative, by name', async () => {
    const { op } = await import('@sconce/core');
    const strange = op('strange', 'self', (self: Tensor) => self.clone());
    expect(() => strange(real([1]))).toThrow('strange: derivative is not implemented');
    expect(values(strange(tensor([1], { dtype: 'float64' })))).toEqual([1]);
  });
});

describe('grad', () => {
  test('of leaves and of what lies between, without touching grad', () => {
    const a = real([2, 3]);
    const b = a.mul(a);
    const [da, db] = grad(b.mul(b).sum(), [a, b]);
    expect(values(db)).toEqual([8, 18]);
    expect(values(da)).toEqual([32, 108]);
    expect(a.grad).toBeNull();
  });

  test('of the output itself', () => {
    const a = real([2]);
    const b = a.mul(3);
    expect(values(grad(b, b)[0])).toEqual([1]);
  });

  test('higher derivatives', () => {
    const x = real([2]);
    const [first] = grad(x.pow(4).sum(), x, { createGraph: true });
    const [second] = grad(first as Tensor, x, { createGraph: true });
    const [third] = grad(second as Tensor, x);
    expect([first, second, third].map(values)).toEqual([[32], [48], [48]]);
    expect([first, second, third].map((t) => t?.requiresGrad)).toEqual([true, true, false]);
  });

  test('a gradient that was not recorded cannot be differentiated', () => {
    const a = real([2, 3]);
    const [g] = grad(a.pow(3).sum(), a);
    expect(() => g?.sum().backward()).toThrow('does not require grad');
  });

  test('gradient penalty: backward through a gradient', () => {
    const w = real([
      [1, 2],
      [3, 4],
    ]);
    const x = real([[0.5, -1]]);
    const [g] = grad(x.mm(w).tanh().sum(), x, { createGraph: true });
    (g as Tensor).square().sum().backward();
    // By hand: with t = tanh(x w), s = 1 - t², the gradient is g = s wᵀ, and the penalty |g|².
    const [t0, t1] = [Math.tanh(0.5 - 3), Math.tanh(1 - 4)] as const;
    const [s0, s1] = [1 - t0 * t0, 1 - t1 * t1] as const;
    const g0 = s0 * 1 + s1 * 2;
    const g1 = s0 * 3 + s1 * 4;
    const inner = 2 * (g0 * 1 + g1 * 3) * -2 * t0 * s0;
    const expected = 2 * g0 * s0 + inner * 0.5;
    const found = w.grad as Tensor;
    expect(found.select(0, 0).select(0, 0).itemSync()).toBeCloseTo(expected, 10);
  });

  test('of an input that was not used', () => {
    const a = real([1, 2]);
    const b = real([1, 2]);
    expect(() => grad(a.mul(2).sum(), [a, b])).toThrow(
      'One of the differentiated Tensors appears to not have been used in the graph',
    );
    const [da, db] = grad(a.mul(2).sum(), [a, b], { allowUnused: true });
    expect([values(da), db]).toEqual([[2, 2], null]);
  });

  test('with a gradient of the output', () => {
    const a = real([1, 2]);
    const [g] = grad(a.mul(a), a, { gradOutputs: tensor([1, 10], { dtype: 'float64' }) });
    expect(values(g)).toEqual([2, 40]);
  });
});

describe('memory', () => {
  const deep = (x: Tensor) => {
    let y = x;
    for (let i = 0; i < 20; i++) y = y.sin().mul(1.1).exp().log1p();
    return y.sum();
  };

  test('of temporaries is given back during backward', () => {
    const x = real([1, 2, 3]);
    const loss = deep(x);
    const before = memoryStats('cpu').storages;
    loss.backward();
    // What is left is the gradient of x.
    expect(memoryStats('cpu').storages - before).toBe(1);
    expect(x.grad?.numel()).toBe(3);
  });

  test('of what hooks saw is not given back', () => {
    const x = real([1, 2, 3]);
    const y = x.sin();
    const seen: Tensor[] = [];
    y.registerHook((g) => {
      seen.push(g, g.mul(2));
    });
    y.exp().sum().backward();
    expect(seen.map((t) => t.storage.disposed)).toEqual([false, false]);
  });

  test('of gradients survives the scope that backward ran in', async () => {
    const { tidy } = await import('@sconce/core');
    const x = real([1, 2]);
    for (let i = 0; i < 2; i++) tidy(() => x.mul(x).sum().backward());
    expect(values(x.grad)).toEqual([4, 8]);
    tidy(() => {
      const [g] = grad(x.exp().sum(), x);
      expect(g?.storage.disposed).toBe(false);
    });
  });
});
