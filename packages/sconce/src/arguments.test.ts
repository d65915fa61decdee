import { describe, expect, test } from 'vitest';
import * as autograd from '../../autograd/src/signatures.js';
import { parseForm } from '../../core/src/arguments.js';
import { signatures } from '../../core/src/signatures.js';
import * as data from '../../data/src/signatures.js';
import * as init from '../../init/src/signatures.js';
import * as nn from '../../nn/src/signatures.js';
import * as optim from '../../optim/src/signatures.js';
import * as serialization from '../../serialization/src/signatures.js';
import * as sconce from './index.js';

const { ones, Tensor } = sconce;

/** Takes any number of arguments, or anything at all, by what they are for. */
const open: Readonly<Record<string, string>> = {
  at: 'indices, one for each dimension',
  blockDiag: 'tensors, one after the other',
  broadcastShapes: 'shapes, one after the other',
  broadcastTensors: 'tensors, one after the other',
  cartesianProd: 'tensors, one after the other',
  einsum: 'tensors behind the equation',
  blasName: 'takes nothing',
  getNumThreads: 'takes nothing',
  setNumThreads: 'looks at its one argument itself',
  setWorkerUrl: 'looks at its one argument itself',
  canCast: 'inside of every operation, where a look would cost',
  float: 'inside of every operation, where a look would cost',
  getDefaultDevice: 'inside of every operation, where a look would cost',
  getDefaultDtype: 'inside of every operation, where a look would cost',
  isFloatingPoint: 'inside of every operation, where a look would cost',
  numel: 'inside of every operation, where a look would cost',
  promoteTypes: 'inside of every operation, where a look would cost',
  to: 'tells of its own what stands together',
  toAsync: 'tells of its own what stands together',
  toJSON: 'JSON.stringify gives it a key',
  resultType: 'operands, one after the other',
};

/** An argument that no call asks for. */
class Odd {}
const odd = Array.from({ length: 16 }, () => new Odd());

const told = /takes |\(position \d+\) must be|options must be|one array/;

/** What a call throws, now or later. */
async function thrown(call: () => unknown): Promise<unknown> {
  try {
    const result = call();
    if (result instanceof Promise) await result;
    else if (result !== null && typeof result === 'object' && 'next' in result) {
      await (result as Iterator<unknown>).next();
    }
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A value of a kind, for calls that are right up to their options. */
function sample(kind: string): unknown {
  const first = kind.split('|')[0] as string;
  if (kind.endsWith('[]')) return [];
  if (first.startsWith("'")) return first.slice(1, -1);
  const values: Readonly<Record<string, unknown>> = {
    T: ones([2, 2]),
    S: 1,
    n: 1,
    i: 1n,
    b: true,
    s: 'a',
    D: 'float32',
    f: () => 0,
    I: [],
    N: null,
  };
  return first in values ? values[first] : {};
}

const snake = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type Call = (...args: unknown[]) => unknown;

/** Holds a call against its signature: an unknown option, one in snake case, an argument too many. */
async function walk(call: Call, signature: string | undefined): Promise<void> {
  const surplus = await thrown(() => call(...odd));
  expect(surplus).toBeInstanceOf(TypeError);
  expect((surplus as TypeError).message).toMatch(told);
  const form = signature
    ?.split(' | ')
    .map(parseForm)
    .find(({ options }) => options !== undefined);
  if (!form?.options) return;
  const args = form.parameters.map(({ kind }) => sample(kind.text));
  const unknown = await thrown(() => call(...args, { zzzzzz: 1 }));
  expect(unknown).toBeInstanceOf(TypeError);
  expect((unknown as TypeError).message).toMatch(
    /unknown option 'zzzzzz'|options stand behind|must be/,
  );
  for (const key of form.options.keys()) {
    if (snake(key) === key) continue;
    const error = await thrown(() => call(...args, { [snake(key)]: 1 }));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toContain(`did you mean ${key}?`);
  }
}

const texts: Readonly<Record<string, string | undefined>> = signatures;
const isClass = (x: Call) => /^class\b/.test(Function.prototype.toString.call(x));

describe('functions of the tensor library look at their arguments', () => {
  const namespaces = { linalg: sconce.linalg, special: sconce.special, masked: sconce.masked };
  const all = Object.entries({ '': sconce, ...namespaces }).flatMap(([space, module]) =>
    Object.entries(module as Record<string, unknown>).map(([name, value]) => {
      const whole = `${space}.${name}`;
      return [whole in texts ? whole : name, value] as const;
    }),
  );
  const functions = all.filter(
    (entry): entry is readonly [string, Call] =>
      typeof entry[1] === 'function' && !isClass(entry[1] as Call) && !(entry[0] in open),
  );
  test.each(functions)('%s', async (name, fn) => walk(fn, texts[name]));
});

describe('methods of tensors look at their arguments', () => {
  const names = Object.getOwnPropertyNames(Tensor.prototype).filter(
    (name) =>
      name !== 'constructor' &&
      !(name in open) &&
      typeof Object.getOwnPropertyDescriptor(Tensor.prototype, name)?.value === 'function',
  );
  test.each(names)('%s', async (name) => {
    const x = ones([2, 2]);
    const own = texts[`Tensor_${name}`];
    const behind = texts[name]
      ?.split(' | ')
      .map((form) => form.replace(/^\w+:\S+ ?/, ''))
      .join(' | ');
    const call: Call = (...args) => (x as unknown as Record<string, Call>)[name]?.(...args);
    await walk((...args) => call(...args), own ?? behind);
  });
});

const packages = { autograd, data, init, nn, optim, serialization };

/** What a package has written down for a name. */
function written(space: keyof typeof packages, name: string): string | undefined {
  return (packages[space] as Readonly<Record<string, string | undefined>>)[name];
}

/** The text of a class: its own, or that of the nearest class above it that has one. */
function constructorText(space: keyof typeof packages, type: Call): string | undefined {
  for (let at: unknown = type; typeof at === 'function'; at = Object.getPrototypeOf(at)) {
    const text = written(space, at.name.replace(/^Loader$/, 'DataLoader'));
    if (text !== undefined) return text;
  }
  return undefined;
}

/** Everything in a module and the namespaces in it. */
function everything(module: object, path: string): [string, Call][] {
  return Object.entries(module).flatMap(([name, value]): [string, Call][] => {
    if (typeof value === 'function') return [[`${path}.${name}`, value as Call]];
    const inside = value !== null && typeof value === 'object' && !('at' in value);
    return inside && Object.prototype.toString.call(value) === '[object Module]'
      ? everything(value as object, `${path}.${name}`)
      : [];
  });
}

/** Constructors and functions that take anything, by what they are for. */
const openToo: Readonly<Record<string, string>> = {
  'nn.Identity': 'whatever it is constructed with',
  'nn.Sequential': 'modules, one after the other',
  'nn.HookHandle': 'made by the library',
  'nn.Hooks': 'made by the library',
  'nn.Parameter': 'a tensor, whose own check tells more',
  'optim.FusedUpdate': 'made by the library',
  'data.Dataset': 'a base: what is constructed is of its heirs',
  'data.IterableDataset': 'a base: what is constructed is of its heirs',
  'data.DataWorkerError': 'made by the library',
  'data.TensorDataset': 'tensors, one after the other',
  'data.CsvTable': 'made by the library',
  'data.JsonLinesDataset': 'made by the library',
  'data.RecordDataset': 'opened by open',
  'data.TokenDataset': 'opened by open',
  'data.ImageFolder': 'opened by open',
  'data.transforms.Transform': 'a base: what is constructed is of its heirs',
  'data.transforms.tuple': 'used by the library',
  'nn.functional.reduced': 'used by the library',
  'nn.utils.parametrize.ParametrizationList': 'made by the library',
};

describe.each([
  ['nn', sconce.nn],
  ['optim', sconce.optim],
  ['data', sconce.data],
] as const)('%s looks at arguments', (space, module) => {
  const all = everything(module, space).filter(([path]) => !(path in openToo));
  test.each(all)('%s', async (path, value) => {
    const name = path.split('.').at(-1) as string;
    if (isClass(value)) {
      const make: Call = (...args) => Reflect.construct(value, args);
      await walk(make, constructorText(space, value));
      return;
    }
    const own = path.startsWith('nn.init.') ? 'init' : space;
    await walk(value, written(own, name) ?? texts[name]);
  });
});

describe('calling a layer', () => {
  const { nn: layers, randn } = sconce;
  type Any = (...args: unknown[]) => unknown;

  test('refuses what its forward does not take', () => {
    const [x, linear] = [randn([2, 2]), new layers.Linear(2, 2)];
    const call = linear as unknown as Any;
    expect(() => call(x, x)).toThrow('Linear takes one argument (input), got 2');
    expect(() => call(null)).toThrow(
      "Linear: argument 'input' (position 1) must be a Tensor, got null",
    );
    expect(() => (new layers.ReLU() as unknown as Any)(x, true)).toThrow('ReLU takes one argument');
    expect(() => (new layers.MSELoss() as unknown as Any)(x)).toThrow(
      "MSELoss: argument 'target' (position 2) must be a Tensor, got undefined",
    );
  });

  test('leaves classes of users alone', () => {
    class Scaled extends layers.Linear {
      readonly factor: number;
      constructor(options: { size: number }, factor = 2, ...more: string[]) {
        super(options.size, options.size, { bias: more.length === 0 });
        this.factor = factor;
      }
      override forward(input: sconce.Tensor): sconce.Tensor {
        return super.forward(input).mul(this.factor);
      }
    }
    const layer = new Scaled({ size: 2 }, 3, 'a', 'b');
    expect(layer.bias).toBeNull();
    expect((layer as unknown as Any)(randn([2, 2]), 'ignored')).toBeInstanceOf(Tensor);
    class Net extends layers.Module {
      override forward(...all: unknown[]): number {
        return all.length;
      }
    }
    expect((new Net() as unknown as Any)(1, 2, 3)).toBe(3);
  });
});

describe('a wrong call is answered with the right one', () => {
  const { nn: layers, optim: optimizers, randn, tensor } = sconce;
  const F = layers.functional;
  const x = ones([2, 3]);
  const w = ones([4]);
  const wrong = (fn: unknown) => fn as (...args: unknown[]) => unknown;
  const make =
    (type: unknown) =>
    (...args: unknown[]) =>
      Reflect.construct(type as new () => unknown, args);
  const method =
    (name: string) =>
    (...args: unknown[]) =>
      (x as unknown as Record<string, Call>)[name]?.(...args);
  const params = () => [new layers.Parameter(ones([2]))];

  test.each<[string, () => unknown, string]>([
    [
      'new Conv2d(1, 1, 3, 2, 1)',
      () => make(layers.Conv2d)(1, 1, 3, 2, 1),
      'Conv2d takes stride and padding as options: { stride: 2, padding: 1 }',
    ],
    [
      'new Linear(1, 1, false)',
      () => make(layers.Linear)(1, 1, false),
      'Linear takes bias as an option: { bias: false }',
    ],
    [
      'new MaxPool2d(3, 2)',
      () => make(layers.MaxPool2d)(3, 2),
      'MaxPool2d takes stride as an option: { stride: 2 }',
    ],
    [
      'new SGD(params, 0.1)',
      () => make(optimizers.SGD)(params(), 0.1),
      'SGD takes lr as an option: { lr: 0.1 }',
    ],
    [
      '{ weight_decay: 0.1 }',
      () => make(optimizers.SGD)(params(), { weight_decay: 0.1 }),
      "SGD: unknown option 'weight_decay'; did you mean weightDecay?",
    ],
    [
      '{ requires_grad: true }',
      () => wrong(tensor)([1], { requires_grad: true }),
      "tensor: unknown option 'requires_grad'; did you mean requiresGrad?",
    ],
    [
      'sum(1, true)',
      () => method('sum')(1, true),
      'sum takes keepdim as an option: { keepdim: true }',
    ],
    [
      'dropout(x, 0.5, false)',
      () => wrong(F.dropout)(x, 0.5, false),
      'dropout takes training as an option: { training: false }',
    ],
    [
      "new MSELoss('sum')",
      () => make(layers.MSELoss)('sum'),
      "MSELoss takes reduction as an option: { reduction: 'sum' }",
    ],
    [
      "pad(x, [1, 1], 'reflect')",
      () => wrong(F.pad)(x, [1, 1], 'reflect'),
      "pad takes mode as an option: { mode: 'reflect' }",
    ],
    [
      "{ mod: 'linear' }",
      () => wrong(F.interpolate)(x, { mod: 'linear' }),
      "interpolate: unknown option 'mod'; did you mean mode?",
    ],
    [
      "lr: '0.1'",
      () => make(optimizers.SGD)(params(), { lr: '0.1' }),
      "SGD: option 'lr' must be a number, got the string '0.1'",
    ],
    ['randn(2, 3)', () => wrong(randn)(2, 3), 'randn: sizes are one array: randn([2, 3])'],
    [
      'histc(w, { bins: 10 })',
      () => wrong(sconce.histc)(w, { bins: 10 }),
      'histc takes bins by position: histc(x, 10)',
    ],
    ['zeros(3)', () => wrong(sconce.zeros)(3), 'zeros: sizes are one array: zeros([3])'],
    [
      "ones(2, 3, { dtype: 'int64' })",
      () => wrong(ones)(2, 3, { dtype: 'int64' }),
      "ones: sizes are one array: ones([2, 3], { dtype: 'int64' })",
    ],
    ['x.sum(0, 1)', () => method('sum')(0, 1), "sum: 'dim' is one array: sum([0, 1])"],
    ['cat(a, b)', () => wrong(sconce.cat)(x, x), 'cat: tensors are one array: cat([a, b])'],
    [
      'x.sum({ keepdim: true })',
      () => method('sum')({ keepdim: true }),
      "sum: options stand behind 'dim': sum(undefined, { keepdim: true })",
    ],
    [
      'xs.map(relu)',
      () => [x, x].map(wrong(F.relu)),
      'relu was given an element, its index and the array, as map does; write (x) => relu(x)',
    ],
    [
      'new ReLU(true)',
      () => make(layers.ReLU)(true),
      'ReLU takes inplace as an option: { inplace: true }',
    ],
    [
      'new MultiheadAttention(4, 2, 0.1, false)',
      () => make(layers.MultiheadAttention)(4, 2, 0.1, false),
      'MultiheadAttention takes dropout and bias as options: { dropout: 0.1, bias: false }',
    ],
    [
      'x.std(1, true, true)',
      () => method('std')(1, true, true),
      'std takes unbiased and keepdim as options: { unbiased: true, keepdim: true }',
    ],
    [
      '{ params, weight_decay: 0.1 }',
      () => make(optimizers.SGD)([{ params: params(), weight_decay: 0.1 }], { lr: 0.1 }),
      "SGD: unknown option 'weight_decay' of a group; did you mean weightDecay?",
    ],
    [
      "{ params, lr: '0.1' }",
      () => make(optimizers.SGD)([{ params: params(), lr: '0.1' }]),
      "SGD: option 'lr' of a group must be a number, got the string '0.1'",
    ],
    [
      'backward({ retain_graph: true })',
      () => method('backward')({ retain_graph: true }),
      "backward: unknown option 'retain_graph'; did you mean retainGraph?",
    ],
    [
      'randint(5)',
      () => wrong(sconce.randint)(5),
      "randint: argument 'shape' (position 2) must be an array of numbers, got undefined",
    ],
    ['new Sigmoid(1)', () => make(layers.Sigmoid)(1), 'Sigmoid takes no arguments, got 1'],
    [
      'new StepLR(optimizer, 3, 0.5)',
      () => make(optimizers.StepLR)(make(optimizers.SGD)(params()), 3, 0.5),
      'StepLR takes gamma as an option: { gamma: 0.5 }',
    ],
    [
      'new Adam(params, null)',
      () => make(optimizers.Adam)(params(), null),
      'Adam: options must be an object of lr, betas, eps, weightDecay, amsgrad, maximize, foreach, fused or capturable, got null',
    ],
    ['x.add_(2, 5)', () => method('add_')(2, 5), 'add_ takes alpha as an option: { alpha: 5 }'],
    [
      'x.exp(1, 2)',
      () => method('exp')(1, 2),
      'exp: options must be an object of out, got the number 1',
    ],
    [
      "x.softmax(0, 'int65')",
      () => method('softmax')(0, { dtype: 'int65' }),
      "softmax: option 'dtype' must be a dtype such as 'float32', got the string 'int65'",
    ],
    [
      'x.sum(null, class instance)',
      () => method('sum')(0, new Odd()),
      'sum: options must be an object of keepdim, dtype or out, got a Odd',
    ],
    [
      'x.gather(0, null)',
      () => method('gather')(0, null),
      "gather: argument 'index' (position 2) must be a Tensor, got null",
    ],
    [
      "x.sum('1')",
      () => method('sum')('1'),
      "sum: argument 'dim' (position 1) must be a number, null or an array of numbers, got the string '1'",
    ],
    [
      'zeros([2, , 3])',
      // biome-ignore lint/suspicious/noSparseArray: the hole is what is tried
      () => wrong(sconce.zeros)([2, , 3]),
      "zeros: argument 'shape' (position 1) must be an array of numbers, got an array",
    ],
    [
      'new DataLoader(list, 32)',
      () => make(sconce.data.DataLoader)([1, 2], 32),
      'DataLoader takes batchSize as an option: { batchSize: 32 }',
    ],
    [
      '{ batch_size: 2 }',
      () => make(sconce.data.DataLoader)([1, 2], { batch_size: 2 }),
      "DataLoader: unknown option 'batch_size'; did you mean batchSize?",
    ],
  ])('%s', (_, call, message) => {
    expect(call).toThrow(TypeError);
    expect(call).toThrow(message);
  });

  test('groups keep what users remember of them', () => {
    const optimizer = new optimizers.SGD([{ params: params(), name: 'head' } as never], {
      lr: 0.1,
    });
    expect((optimizer.paramGroups[0] as unknown as { name: string }).name).toBe('head');
  });

  test('a word that is not known is a ValueError, with the nearest that is', () => {
    expect(() => wrong(F.gelu)(x, { approximate: 'tahn' })).toThrow("'tahn'");
    expect(() => make(layers.Conv2d)(1, 1, 3, { paddingMode: 'zero' })).toThrow(
      "Conv2d: option 'paddingMode' must be 'circular', 'reflect', 'replicate' or 'zeros', got the string 'zero'; did you mean 'zeros'?",
    );
  });

  test.each([2.5, Number.NaN, 2 ** 53, -1, Number.POSITIVE_INFINITY])(
    'a size of %d is refused',
    (size) => {
      for (const fn of [sconce.zeros, ones, sconce.empty, sconce.rand, randn]) {
        expect(() => fn([2, size])).toThrow(/zeros|ones|empty|rand/);
      }
      expect(() => x.expand([size, 2, 3])).toThrow(/expand|a tensor of shape/);
      if (size !== -1) expect(() => x.view([size])).toThrow(/view/);
      if (size !== -1) expect(() => x.sum(size)).toThrow(/sum/);
      if (size !== -1) expect(() => x.permute([size, 0])).toThrow(/permute/);
    },
  );
});
