import { ones, type Tensor, tensor } from '@sconce/core';
import { expect, expectTypeOf, it } from 'vitest';
import {
  Linear,
  type Module,
  ModuleDict,
  ModuleList,
  Parameter,
  ParameterDict,
  ParameterList,
  ReLU,
  Sequential,
} from '../index.js';

const keys = (module: Module): string[] => [...module._modules.keys()];

it('Sequential takes modules, a Map, or a plain object', () => {
  const [hidden, output] = [new Linear(2, 2), new Linear(2, 1)];
  const named = new Sequential(
    new Map<string, Module>([
      ['2', hidden],
      ['act', new ReLU()],
      ['1', output],
    ]),
  );
  expect(keys(named)).toEqual(['2', 'act', '1']);
  expect(named.slice(1).length).toBe(2);
  expect(keys(named.slice(-2))).toEqual(['act', '1']);
  expect(named(ones([1, 2])).toArraySync()).toEqual(
    output(hidden(ones([1, 2])).relu()).toArraySync(),
  );
  expect(keys(new Sequential({ a: hidden, b: output }))).toEqual(['a', 'b']);
  expect(new Sequential().length).toBe(0);
  const list = new Sequential(hidden, new ReLU());
  expect(list.length).toBe(2);
  expect(list.at(-1)).toBeInstanceOf(ReLU);
  expect(list[0]).toBe(hidden);
  list.insert(1, new ReLU()).append(new ReLU()).extend([new ReLU()]);
  expect(keys(list)).toEqual(['0', '1', '2', '3', '4']);
  expect(list.pop(0)).toBe(hidden);
  expect(keys(list)).toEqual(['0', '1', '2', '3']);
  expect(() => list.at(4)).toThrow('Sequential: index 4 is out of range for 4 entries');
  expect(() => new Sequential().pop()).toThrow('out of range');
});

it('containers refuse what they do not take, and say where', () => {
  const wrong = (value: unknown): Module => value as Module;
  const relu = (x: Tensor): Tensor => x.relu();
  expect(() => new Sequential(new ReLU(), wrong(relu))).toThrow(
    'Sequential: argument 2 must be a module, got the function relu; a module that calls it is',
  );
  expect(() => new Sequential(wrong(ReLU))).toThrow(
    'argument 1 must be a module, got the class ReLU; did you mean new ReLU(...)?',
  );
  expect(() => new Sequential(wrong([new ReLU()]))).toThrow('new Sequential(...list)');
  expect(() => new Sequential(wrong(null))).toThrow('argument 1 must be a module, got null');
  expect(() => new Sequential({ a: wrong(1) })).toThrow(
    "entry 'a' must be a module, got the number",
  );
  expect(() => new ModuleList([new ReLU(), wrong(5)])).toThrow(
    'ModuleList: the entry at position 1 must be a module, got the number 5',
  );
  expect(() => new ModuleList(wrong(new ReLU()) as unknown as Module[])).toThrow(
    "ModuleList: argument 'modules' (position 1) must be an iterable, got a ReLU",
  );
  expect(() => new ModuleList().append(wrong(ones([1])))).toThrow('got a Tensor');
  expect(() => new ModuleList().extend(wrong(7) as unknown as Module[])).toThrow('expected a list');
  expect(() => new ModuleDict({ a: wrong('x') })).toThrow("ModuleDict: entry 'a' must be a module");
  expect(() => new ModuleDict(wrong(3) as unknown as Record<string, Module>)).toThrow(
    "ModuleDict: argument 'modules' (position 1) must be",
  );
  const tensors = (value: unknown): Tensor => value as Tensor;
  expect(() => new ParameterList([tensors(5)])).toThrow(
    'ParameterList: the entry at position 0 must be a Parameter or Tensor, got the number 5',
  );
  expect(() => new ParameterDict({ a: tensors(null) })).toThrow("ParameterDict: entry 'a' must be");
});

it('lists have lengths, slices, maps and types of their own', () => {
  const list = new ModuleList([new Linear(2, 3), new Linear(3, 4), new Linear(4, 5)]);
  expectTypeOf(list.at(0)).toEqualTypeOf<Linear>();
  expectTypeOf([...list]).toEqualTypeOf<Linear[]>();
  expect(list.map((layer, i) => layer.outFeatures + i)).toEqual([3, 5, 7]);
  expect(list.slice(1).map((layer) => layer.inFeatures)).toEqual([3, 4]);
  expectTypeOf(list.slice(1)).toEqualTypeOf<ModuleList<Linear>>();
  expect(list.insert(-1, new Linear(9, 9)).map((l) => l.inFeatures)).toEqual([2, 3, 9, 4]);
  expect(list.pop().inFeatures).toBe(4);
  expect(list.set(0, new Linear(7, 7)).at(0).inFeatures).toBe(7);
  expect(keys(list)).toEqual(['0', '1', '2']);
  const parameters = new ParameterList([tensor([1]), new Parameter(tensor([2, 3]))]);
  expect(parameters.append(tensor([4])).map((p) => p.numel())).toEqual([1, 2, 1]);
  expect(String(parameters)).toContain('(1): Parameter containing: [torch.float32 of size 2]');
  const dict = new ModuleDict(new Map([['z', new Linear(1, 1)]])).set('a', new Linear(2, 2));
  expect([[...dict.keys()], dict.length, dict.pop('z').inFeatures, dict.has('z')]).toEqual([
    ['z', 'a'],
    2,
    1,
    false,
  ]);
  const mixed = new Sequential(new Linear(1, 1), new ReLU());
  expectTypeOf(mixed.at(0)).toEqualTypeOf<Linear | ReLU>();
});

it('children are given once, shared layers stand under each name', () => {
  const shared = new Linear(2, 2, { bias: false });
  const net = new Sequential(shared, new ReLU(), shared);
  expect([...net.children()].length).toBe(2);
  expect([...net.parameters()].length).toBe(1);
  expect([...net.stateDict().keys()]).toEqual(['0.weight', '2.weight']);
  expect(net.length).toBe(3);
});

it('subclasses of Sequential may give something else', () => {
  class LambdaMap extends Sequential {
    override forward(x: Tensor): Tensor[] {
      return this.map((module) => module(x) as Tensor);
    }
  }
  class Twice extends Sequential {
    override forward(x: Tensor, times: number): [Tensor, number] {
      return [(super.forward(x) as Tensor).mul(times), times];
    }
  }
  const each = new LambdaMap(new ReLU(), new ReLU());
  expectTypeOf(each(ones([1]))).toEqualTypeOf<Tensor[]>();
  expect(each(tensor([-1, 2])).map((y) => y.toArraySync())).toEqual([
    [0, 2],
    [0, 2],
  ]);
  const [y, times] = new Twice(new ReLU())(tensor([1]), 3);
  expect([y.toArraySync(), times]).toEqual([[3], 3]);
  const plain = new Sequential(new ReLU());
  expectTypeOf(plain(ones([1]))).toEqualTypeOf<Tensor>();
  // @ts-expect-error a sequence takes a tensor
  expect(() => plain('x')).toThrow();
});
