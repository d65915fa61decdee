import { gradcheck } from '@sconce/autograd';
import { ones, type Tensor, tensor } from '@sconce/core';
import { expect, expectTypeOf, it } from 'vitest';
import { CrossMapLRN2d, MaxPool1d, Module, Parameter } from './index.js';

class Scale extends Module {
  static override readonly stateKeys = { runningMean: 'running_mean' };
  weight = new Parameter(tensor([2, 3]));
  declare runningMean: Tensor;

  constructor() {
    super();
    this.registerBuffer('runningMean', ones([2]));
  }

  override forward(x: Tensor, times = 1): Tensor {
    return x.mul(this.weight).mul(times);
  }

  override extraRepr(): string {
    return '2';
  }
}

class Net extends Module {
  a = new Scale();
  b = new Scale();
  list = [new Scale()];
  plain = ones([1]);

  override forward(x: Tensor): Tensor {
    return this.b(this.a(x), 2);
  }
}

it('is called like a function, typed from forward', () => {
  const net = new Net();
  const y = net(tensor([1, 1]));
  expectTypeOf(y).toEqualTypeOf<Tensor>();
  expectTypeOf<Parameters<Scale>>().toEqualTypeOf<[x: Tensor, times?: number]>();
  expect(y.toArraySync()).toEqual([8, 18]);
  expect(net).toBeInstanceOf(Module);
});

it('finds parameters, buffers and submodules among its properties', () => {
  const net = new Net();
  expect([...net.namedParameters()].map(([name]) => name)).toEqual(['a.weight', 'b.weight']);
  expect([...net.namedBuffers()].map(([name]) => name)).toEqual([
    'a.running_mean',
    'b.running_mean',
  ]);
  expect([...net.namedModules()].map(([name]) => name)).toEqual(['', 'a', 'b']);
  expect([...net.stateDict().keys()]).toEqual([
    'a.weight',
    'a.running_mean',
    'b.weight',
    'b.running_mean',
  ]);
});

it('prints as PyTorch does', () => {
  expect(String(new Net())).toBe('Net(\n  (a): Scale(2)\n  (b): Scale(2)\n)');
});

it('loads a state dict, and names what does not fit', () => {
  const [from, to] = [new Net(), new Net()];
  from.a.weight.data.fill_(5);
  to.loadStateDict(from.stateDict());
  expect(to.a.weight.toArraySync()).toEqual([5, 5]);
  expect(to.loadStateDict({ 'a.weight': ones([2]) }, { strict: false }).missingKeys).toEqual([
    'a.running_mean',
    'b.weight',
    'b.running_mean',
  ]);
  expect(() => to.loadStateDict({ 'a.weight': ones([3]), zebra: ones([1]) })).toThrow(
    /Unexpected key\(s\) in state_dict: "zebra"[\s\S]*Missing key[\s\S]*size mismatch for a.weight: copying a param with shape \[3\]/,
  );
});

it('runs hooks around forward', () => {
  const net = new Scale();
  const before = net.registerForwardPreHook((_, [x]) => [(x as Tensor).add(1)]);
  const after = net.registerForwardHook((_m, _args, y) => (y as Tensor).neg());
  expect(net(tensor([0, 0])).toArraySync()).toEqual([-2, -3]);
  before.remove();
  after.remove();
  expect(net(tensor([0, 0])).toArraySync()).toEqual([0, 0]);
});

it('sets training mode everywhere, and converts dtypes in place', () => {
  const net = new Net();
  expect(net.eval().a.training).toBe(false);
  const { weight } = net.a;
  net.to('float64');
  expect(net.a.weight).toBe(weight);
  expect(weight.dtype).toBe('float64');
});

it('gives positions of maxima when asked, in the type too', () => {
  const x = tensor([[[1, 5, 2, 3]]]);
  expectTypeOf(new MaxPool1d(2)(x)).toEqualTypeOf<Tensor>();
  const [values, indices] = new MaxPool1d(2, { returnIndices: true })(x);
  expect(values.toArraySync()).toEqual([[[5, 3]]]);
  expect(indices.toArraySync()).toEqual([[[1, 3]]]);
});

it('moves and converts with toAsync, floating-point tensors only for a dtype', async () => {
  const net = new Net();
  net.a.registerBuffer('count', tensor([3], { dtype: 'int64' }));
  const { weight } = net.a;
  await net.toAsync({ device: 'reference', dtype: 'float64' });
  expect(net.a.weight).toBe(weight);
  expect([weight.dtype, String(weight.device)]).toEqual(['float64', 'reference']);
  expect(weight.toArraySync()).toEqual([2, 3]);
  expect(net.stateDict().get('a.count')?.dtype).toBe('int64');
});

it('CrossMapLRN2d: the window of PyTorch, and the gradient of that window', () => {
  const layer = new CrossMapLRN2d(3, { alpha: 3, beta: 1 });
  expect(String(layer)).toBe('CrossMapLRN2d(3, alpha=3, beta=1, k=1)');
  const x = tensor([1, 2, 3, 4, 5], { dtype: 'float64' }).reshape([1, 5, 1, 1]);
  // Channels 0-1, 0-2, 0-3, 2-4 and 3-4, the last two with channel 0.
  const sums = [5, 14, 30, 51, 42];
  const y = layer(x);
  sums.forEach((sum, i) => {
    expect(y.flatten().at(i).itemSync()).toBeCloseTo((i + 1) / (1 + sum), 12);
  });
  expect(gradcheck((t) => layer(t), [x.requiresGrad_()])).toBe(true);
  expect(() => layer(ones([3, 4]))).toThrow('expected images [n, channels, height, width]');
});
