import { ones, type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { copyModule, Linear, Module, ModuleList, Parameter } from './index.js';

class Net extends Module {
  weight = new Parameter(ones([2]));
  fc = new Linear(2, 2);
  declare mask: Tensor;

  constructor() {
    super();
    this.registerBuffer('mask', zeros([2]));
  }
}

type Open = Record<string, unknown>;
const open = (module: Module): Open => module as unknown as Open;

describe('assigning to what is registered', () => {
  it('refuses everything but a Parameter or null over a parameter', () => {
    const net = new Net();
    const { weight } = net;
    for (const value of [ones([2]), 1, undefined, [1], new Linear(1, 1), () => 1]) {
      expect(() => {
        open(net).weight = value;
      }).toThrow(/^Net: cannot assign .* as parameter 'weight' \(Parameter or null expected/);
    }
    expect(net.weight).toBe(weight);
    expect(() => Object.assign(net, { weight: ones([2]) })).toThrow(TypeError);
    open(net).weight = null;
    expect([...net.namedParameters()].map(([name]) => name)).toEqual(['fc.weight', 'fc.bias']);
    expect(() => {
      open(net).weight = ones([2]);
    }).toThrow('cannot assign a Tensor as parameter');
    net.weight = weight;
    expect([...net.namedParameters()].map(([name]) => name)[0]).toBe('weight');
  });

  it('refuses it in layers, absent parameters too', () => {
    const layer = new Linear(2, 2, { bias: false });
    expect(() => {
      open(layer).weight = ones([2, 2]);
    }).toThrow("Linear: cannot assign a Tensor as parameter 'weight'");
    expect(() => {
      open(layer).bias = ones([2]);
    }).toThrow("Linear: cannot assign a Tensor as parameter 'bias'");
  });

  it('keeps a buffer one, and a module one', () => {
    const net = new Net();
    net.mask = ones([2]);
    expect(net.stateDict().get('mask')?.toArraySync()).toEqual([1, 1]);
    expect(() => {
      open(net).mask = 1;
    }).toThrow("Net: cannot assign the number 1 as buffer 'mask' (Tensor or null expected");
    expect(() => {
      open(net).fc = ones([1]);
    }).toThrow("Net: cannot assign a Tensor as child module 'fc' (Module or null expected)");
    open(net).fc = null;
    expect(String(net)).toBe('Net(\n  (fc): None\n)');
    expect([...net.children()]).toEqual([]);
    open(net).mask = new Parameter(ones([1]));
    expect([...net.namedBuffers()]).toEqual([]);
    expect([...net.namedParameters()].map(([name]) => name)).toEqual(['weight', 'mask']);
  });

  it('refuses registrations of another kind, and names that are taken', () => {
    const net = new Net();
    expect(() => net.registerParameter('p', ones([1]) as Parameter)).toThrow(
      "Net: cannot assign a Tensor as parameter 'p' (Parameter or null expected",
    );
    expect(() => net.registerBuffer('b', 3 as unknown as Tensor)).toThrow(
      "registerBuffer: argument 'tensor' (position 2) must be a Tensor or null, got the number 3",
    );
    expect(() => net.addModule('m', (() => 1) as unknown as Module)).toThrow('as child module');
    expect(() => net.registerBuffer('weight', ones([1]))).toThrow("'weight' already exists");
    expect(() => net.registerParameter('train', null)).toThrow("'train' already exists");
    expect(() => net.registerParameter('a.b', null)).toThrow('contain a dot');
    expect(() => net.addModule('', new Linear(1, 1))).toThrow('may not be empty');
    expect(() => net.registerBuffer(1 as unknown as string, null)).toThrow('must be a string');
  });

  it('is an error of types', () => {
    const net = new Net();
    expectTypeOf(net.weight).toEqualTypeOf<Parameter>();
    expectTypeOf<Tensor>().not.toExtend<Parameter>();
    expect(() => {
      // @ts-expect-error a tensor is no parameter
      net.weight = ones([2]);
    }).toThrow(TypeError);
    expect(() => {
      // @ts-expect-error a tensor is no parameter
      net.registerParameter('other', ones([2]));
    }).toThrow(TypeError);
  });

  it('forgets what is deleted', () => {
    const net = new Net();
    expect(Reflect.deleteProperty(net, 'weight')).toBe(true);
    expect(net._parameters.size).toBe(0);
    open(net).weight = ones([2]);
    expect([...net.parameters({ recurse: false })]).toEqual([]);
  });
});

describe('the order of parameters', () => {
  class Declared extends Module {
    b: Linear;
    a: Linear;
    constructor() {
      super();
      this.a = new Linear(1, 1, { bias: false });
      this.b = new Linear(2, 1, { bias: false });
    }
  }
  // As compilers write fields that are set rather than defined.
  class Set_ extends Module {
    constructor() {
      super();
      open(this).a = new Linear(1, 1, { bias: false });
      open(this).b = new Linear(2, 1, { bias: false });
    }
  }
  class Defined extends Module {
    a = new Linear(1, 1, { bias: false });
    b = new Linear(2, 1, { bias: false });
  }

  it('is that of assignment', () => {
    for (const type of [Declared, Set_, Defined]) {
      const names = [...new type().namedParameters()].map(([name]) => name);
      expect(names).toEqual(['a.weight', 'b.weight']);
      expect([...new type().stateDict().keys()]).toEqual(names);
      expect([...copyModule(new type()).namedParameters()].map(([name]) => name)).toEqual(names);
    }
  });

  it('is that of names which look like numbers, too', () => {
    const net = new Module();
    for (const name of ['b', '10', '2']) net.registerParameter(name, new Parameter(ones([1])));
    expect([...net._parameters.keys()]).toEqual(['b', '10', '2']);
  });
});

describe('live maps', () => {
  it('write through to the module', () => {
    const net = new Net();
    expect([...net._parameters.keys()]).toEqual(['weight']);
    expect(net._modules.get('fc')).toBe(net.fc);
    net._parameters.set('scale', new Parameter(tensor([3])));
    expect((open(net).scale as Tensor).toArraySync()).toEqual([3]);
    expect(net.getParameter('scale').toArraySync()).toEqual([3]);
    expect(net._modules.delete('fc')).toBe(true);
    expect(net.fc).toBeUndefined();
    net._buffers.clear();
    expect(net.stateDict().size).toBe(2);
    expect(() => net._parameters.set('x', ones([1]) as Parameter)).toThrow(TypeError);
    expect(net._parameters).toBeInstanceOf(Map);
  });

  it('getParameter, getBuffer, getSubmodule', () => {
    const net = new Net();
    expect(net.getParameter('fc.bias')).toBe(net.fc.bias);
    expect(net.getBuffer('mask')).toBe(net.mask);
    expect(() => net.getParameter('fc.mask')).toThrow(
      "getParameter: Linear has no parameter 'mask' (path 'fc.mask')",
    );
    expect(() => net.getBuffer('weight')).toThrow("getBuffer: Net has no buffer 'weight'");
    expect(() => net.getSubmodule('gc')).toThrow("has no submodule 'gc'");
  });
});

it('to takes floating-point dtypes only, type any', () => {
  const net = new Net();
  expect(() => net.to('int64')).toThrow('to: a module takes floating-point dtypes only, got int64');
  expect(() => net.to({ dtype: 'bool' })).toThrow(TypeError);
  net.registerBuffer('count', tensor([1], { dtype: 'int64' }));
  net.to('float64');
  expect([net.weight.dtype, net.getBuffer('count').dtype]).toEqual(['float64', 'int64']);
  expect(() => net.type('int64')).toThrow(
    'type: weight requires gradients, which int64 cannot have',
  );
  expect(() => net.to(null as unknown as 'cpu')).toThrow(
    'to: expected a dtype, a device, a tensor or',
  );
  net.type('float32');
  expect([net.weight.dtype, net.getBuffer('count').dtype]).toEqual(['float32', 'float32']);
});

it('copies deeply, and structuredClone throws', () => {
  class Listed extends Net {
    list = [new Linear(1, 1)];
    sizes = { a: [1, 2] };
  }
  const net = new Listed();
  net.weight.grad = ones([2]);
  const copy = copyModule(net);
  copy.weight.data.fill_(7);
  copy.sizes.a.push(3);
  expect(net.weight.toArraySync()).toEqual([1, 1]);
  expect(net.sizes.a).toEqual([1, 2]);
  expect(copy.list[0]).not.toBe(net.list[0]);
  expect(copy.weight.grad?.toArraySync()).toEqual([1, 1]);
  expect(copy).toBeInstanceOf(Listed);
  expect(() => structuredClone(net)).toThrow('could not be cloned');
});

it('a module that contains itself gives a sentence', () => {
  const net = new Net();
  const inner = new ModuleList([net]);
  open(net).inner = inner;
  const sentence = "Net contains itself, as 'inner.0'";
  expect(() => String(net)).toThrow(`toString: ${sentence}`);
  expect(() => net.stateDict()).toThrow(`stateDict: ${sentence}`);
  expect(() => net.loadStateDict({})).toThrow(`loadStateDict: ${sentence}`);
  expect(() => net.apply(() => {})).toThrow(`apply: ${sentence}`);
  expect([...net.namedModules()].map(([name]) => name)).toEqual(['', 'fc', 'inner']);
  expect([...net.parameters()].length).toBe(3);
  expect(net.to('float64').eval().training).toBe(false);
  const copy = copyModule(net);
  expect((open(copy).inner as ModuleList).at(0)).toBe(copy);
  const own = new Net();
  open(own).self = own;
  expect(() => String(own)).toThrow("Net contains itself, as 'self'");
});
