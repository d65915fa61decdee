import '@sconce/autograd';
import '@sconce/backend-cpu';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Tensor } from '@sconce/core';
import { Linear, Parameter, ReLU, Sequential } from '@sconce/nn';
import { SGD } from '@sconce/optim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claims, opcodes, torchFile } from '../test/pickles.js';
import {
  FileError,
  load,
  ModuleState,
  openTensors,
  serialize,
  setParameterClass,
  stripPrefix,
  Tuple,
  TupleMap,
} from './index.js';
import { PickleWriter } from './pickle/writer.js';

/** Files that PyTorch 2.15 wrote: `scripts/make_torch_files.py` says how. */
const at = (name: string): string =>
  fileURLToPath(new URL(`../test/torch/${name}`, import.meta.url));

beforeAll(() => {
  setParameterClass({ is: (t) => t instanceof Parameter, make: (t, g) => new Parameter(t, g) });
});
afterAll(() => setParameterClass(undefined));

const value = (t: Tensor | undefined): unknown => t?.detach().toArraySync();

describe('models that were saved whole', () => {
  it.each(['model.pt', 'model.legacy.pt', 'model.proto3.pt', 'model.proto4.pt', 'model.proto5.pt'])(
    '%s loads as its state, and says what it is',
    async (name) => {
      const state = await load<ModuleState>(at(name));
      expect(state).toBeInstanceOf(ModuleState);
      expect(state.className).toBe('__main__.Net');
      expect(state.training).toBe(true);
      const keys = (await readFile(at('model.keys.txt'), 'utf8')).trim().split('\n');
      expect(keys).toContain('items.1');
      expect([...state.keys()]).toEqual(keys);
      expect(value(state.get('fc.weight'))).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(value(state.get('block.bn.running_mean'))).toEqual([0.25, 0.75]);
      expect(value(state.get('block.bn.num_batches_tracked'))).toBe(0);
      expect(value(state.get('scale'))).toBe(0.5);
      expect(state.get('scale')?.requiresGrad).toBe(false);
      // What is shared is shared again.
      expect(state.get('tied.weight')).toBe(state.get('fc.weight'));
      expect(state.get('same.bn.weight')).toBe(state.get('block.bn.weight'));
      expect(state.get('fc.weight')).toBeInstanceOf(Parameter);
      expect([...state.modules]).toEqual([
        ['', { className: '__main__.Net', training: true }],
        ['fc', { className: 'torch.nn.modules.linear.Linear', training: true }],
        ['block', { className: '__main__.Block', training: false }],
        ['block.bn', { className: 'torch.nn.modules.batchnorm.BatchNorm1d', training: false }],
        ['tied', { className: 'torch.nn.modules.linear.Linear', training: true }],
        ['same', { className: '__main__.Block', training: false }],
        ['same.bn', { className: 'torch.nn.modules.batchnorm.BatchNorm1d', training: false }],
        ['items', { className: 'torch.nn.modules.container.ParameterList', training: true }],
      ]);
      const model = new Linear(2, 2);
      model.loadStateDict(
        new Map([...state].filter(([k]) => k.startsWith('fc.')).map(([k, t]) => [k.slice(3), t])),
      );
      expect(value(model.bias as Tensor)).toEqual([5, 6]);
      // And is saved as the state dict that it is.
      const again = await load<Map<string, Tensor>>(await serialize(state, { format: 'torch' }));
      expect([again.constructor, [...again.keys()]]).toEqual([Map, keys]);
    },
  );

  it('in DataParallel, with the prefix that it gives', async () => {
    const state = await load<ModuleState>(at('parallel.pt'));
    expect(state.className).toBe('torch.nn.parallel.data_parallel.DataParallel');
    expect(state.modules.get('module')?.className).toBe('__main__.Net');
    const keys = (await readFile(at('model.keys.txt'), 'utf8')).trim().split('\n');
    expect([...state.keys()]).toEqual(keys.map((key) => `module.${key}`));
    expect([...stripPrefix(state).keys()]).toEqual(keys);
  });

  it('inside of checkpoints, with optimizers and schedulers, which load as theirs', async () => {
    type Saved = { epoch: number; model: ModuleState } & Record<
      'optimizer' | 'optimizer_state' | 'scheduler' | 'scheduler_state',
      object
    >;
    const saved = await load<Saved>(at('checkpoint.pt'));
    expect(saved.epoch).toBe(3);
    const plain = (x: unknown) =>
      JSON.stringify(x, (_, v: unknown) =>
        v !== null && typeof v === 'object' && 'toArraySync' in v ? value(v as Tensor) : v,
      );
    expect(plain(saved.optimizer)).toBe(plain(saved.optimizer_state));
    expect(saved.scheduler).toMatchObject({ step_size: 2, last_epoch: 0 });
    expect(saved.scheduler).toEqual(saved.scheduler_state);
    const model = new Sequential(new Linear(2, 1), new ReLU());
    model.loadStateDict(saved.model);
    expect(value(model.stateDict().get('0.weight'))).toEqual([[0, -1.5]]);
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    optimizer.loadStateDict(saved.optimizer as never);
    expect((optimizer.paramGroups[0] as { momentum: number }).momentum).toBe(0.5);
  });

  it('are read tensor by tensor too', async () => {
    await using file = await openTensors(at('model.pt'));
    expect(file.names).toEqual((await readFile(at('model.keys.txt'), 'utf8')).trim().split('\n'));
    expect(file.describe('fc.weight')).toEqual({ dtype: 'float32', shape: [2, 2] });
    expect(value(await file.get('tied.weight'))).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  /** A module by hand; texts stand for keys, and lists for what stands under them. */
  function module(out: PickleWriter, name: string, parts: Record<string, () => void> = {}): void {
    const dict = (content?: () => void) => {
      out.emptyDict();
      if (!content) return;
      out.mark();
      content();
      out.setItems();
    };
    out.global('app', name);
    out.emptyTuple();
    out.newObject();
    dict(() => {
      for (const part of ['_parameters', '_buffers', '_modules']) {
        out.text(part);
        dict(parts[part]);
      }
      for (const [key, write] of Object.entries(parts)) {
        if (key.startsWith('_')) continue;
        out.text(key);
        write();
      }
    });
    out.build();
  }

  it('execute nothing, whatever they hold beside their state', async () => {
    const out = new PickleWriter();
    module(out, 'Net', {
      command: () => {
        out.global('os', 'system');
        out.text('touch /tmp/owned');
        out.tupleOf(1);
        out.reduce();
      },
    });
    const state = await load<ModuleState>(await torchFile(out.finish()));
    expect([state.size, state.className, state.training]).toEqual([0, 'app.Net', true]);
    // Outside of a module the name is refused as ever.
    const beside = new PickleWriter();
    beside.emptyList();
    beside.mark();
    module(beside, 'Net');
    beside.global('os', 'system');
    beside.appends();
    await expect(load(await torchFile(beside.finish()))).rejects.toThrow(/names 'os.system'/);
  });

  it('may not be what they are not', async () => {
    const written = async (write: (out: PickleWriter) => void) => {
      const out = new PickleWriter();
      write(out);
      return torchFile(out.finish(), { 0: new Uint8Array(16) });
    };
    const holding = (part: string, write: (out: PickleWriter) => void) =>
      written((out) =>
        module(out, 'Net', {
          [part]: () => {
            out.text('x');
            write(out);
          },
        }),
      );
    await expect(load(await holding('_parameters', (out) => out.int(5)))).rejects.toThrow(
      /a tensor is missing where one must be/,
    );
    await expect(load(await holding('_modules', (out) => out.emptyDict()))).rejects.toThrow(
      /the module 'x' has not the properties of a module/,
    );
    // A class that only looks like one: it has no modules.
    const half = await written((out) => {
      out.global('app', 'Half');
      out.emptyTuple();
      out.newObject();
      out.emptyDict();
      out.mark();
      out.text('_parameters');
      out.emptyDict();
      out.setItems();
      out.build();
    });
    await expect(load(half)).rejects.toThrow(/the file names 'app.Half'/);
    const nested = opcodes(
      'capp\nNet\n)\x81q\x00}(X\x0b\0\0\0_parameters}X\x08\0\0\0_buffers}X\x08\0\0\0_modules}X\x01\0\0\0xh\x00sub.',
    );
    await expect(load(await torchFile(nested))).rejects.toThrow(/the module 'x' contains itself/);
  });
});

describe('values that PyTorch 2.15 saves', () => {
  it('load as what they are', async () => {
    type Values = Record<'buffer' | 'parameter' | 'attributed' | 'grad', Tensor> & {
      negated: Tensor[];
      tuples: TupleMap;
      ordered: TupleMap;
      devices: unknown[];
      dtypes: string[];
      size: Tuple;
      layout: string;
    };
    const v = await load<Values>(at('values.pt'));
    // torch.tensor([1+2j, 3-4j]).conj().imag is a view with the sign to be turned.
    expect(v.negated.map(value)).toEqual([[-2, 4], [4]]);
    expect([value(v.buffer), value(v.attributed)]).toEqual([[4], [3]]);
    expect(v.parameter).toBeInstanceOf(Parameter);
    expect([v.grad.requiresGrad, v.grad.isLeaf]).toEqual([true, true]);
    expect(v.tuples.get(Tuple.of(0, 1))).toBe('a');
    expect(v.tuples.get(Tuple.of<unknown>('x', Tuple.of(2, null)))).toBe('b');
    expect(v.tuples.has(Tuple.of(1, 0))).toBe(false);
    expect(v.tuples.get(Tuple.of(2, 3))).toBe('c');
    expect([v.ordered.get(Tuple.of(1, 1)), v.ordered.get('plain')]).toEqual([1, 2]);
    expect(v.devices.map(String)).toEqual(['cpu', 'cuda', 'cuda:1', 'mps', 'meta']);
    expect(v.dtypes).toEqual(['float32', 'int64', 'bool']);
    expect([v.size, v.layout]).toEqual([Tuple.of(2, 3), 'torch.strided']);
    const again = await load<Values>(await serialize(v, { format: 'torch' }));
    expect(again.tuples.get(Tuple.of<unknown>('x', Tuple.of(2, null)))).toBe('b');
    expect(again.negated.map(value)).toEqual([[-2, 4], [4]]);
    expect(again.devices.map(String)).toEqual(['cpu', 'cuda', 'cuda:1', 'mps', 'meta']);
  });

  it('keep equal tuples one key, as Python does', () => {
    const map = new TupleMap<number>([
      [Tuple.of(1, 2), 1],
      [Tuple.of(1, 2), 2],
      ['(1,2)', 3],
    ]);
    expect([...map.values()]).toEqual([2, 3]);
    expect(map.delete(Tuple.of(1, 2))).toBe(true);
    expect([map.size, map.has(Tuple.of(1, 2)), map.get('(1,2)')]).toEqual([1, false, 3]);
    map.set(Tuple.of(1, 2), 4).clear();
    expect(map.has(Tuple.of(1, 2))).toBe(false);
  });

  it.each([
    [
      'uint16',
      'tensors of dtype torch.uint16 have no dtype here; save x.to(torch.int32) in Python, or read the other tensors with openTensors',
    ],
    ['uint32', 'tensors of dtype torch.uint32 have no dtype here; save x.to(torch.int64)'],
    ['uint64', 'tensors of dtype torch.uint64 have no dtype here; save x.to(torch.int64)'],
    [
      'float8_e4m3fn',
      'tensors of dtype torch.float8_e4m3fn have no dtype here; save x.to(torch.float32)',
    ],
    ['float8_e5m2', 'tensors of dtype torch.float8_e5m2 have no dtype here'],
    ['float8_e8m0fnu', 'tensors of dtype torch.float8_e8m0fnu have no dtype here'],
    ['float4', 'tensors of dtype torch.float4_e2m1fn_x2 have no dtype here'],
    [
      'complex32',
      'tensors of dtype torch.complex32 have no dtype here; save torch.view_as_real(x)',
    ],
    [
      'complex64',
      "storages of class 'torch.ComplexFloatStorage' have no dtype here; save torch.view_as_real(x)",
    ],
    ['complex64.legacy', "storages of class 'torch.ComplexFloatStorage' have no dtype here"],
    ['sparse', 'the file has a sparse tensor; save x.to_dense()'],
    ['csr', 'the file has a sparse tensor; save x.to_dense()'],
    ['quantized', 'the file has a quantized tensor; save x.dequantize()'],
    ['nested', 'the file has a nested tensor; save x.unbind()'],
    ['jagged', 'the file has a nested tensor; save x.unbind()'],
    ['meta', "the file has a tensor of the device 'meta', which has no elements"],
    ['lazy', 'a parameter of a lazy module that has no shape yet; run the model once'],
    ['generator', 'a random generator; save generator.get_state()'],
    ['subclass', "the file names '__main__.Marked'"],
  ])('or are refused by name: %s', async (name, message) => {
    const loading = load(at(`refused.${name}.pt`));
    await expect(loading).rejects.toThrow(FileError);
    await expect(loading).rejects.toThrow(message);
  });

  it('of which the others can be read', async () => {
    for (const name of ['uint16', 'complex64']) {
      await using file = await openTensors(at(`refused.${name}.pt`));
      expect(file.names).toEqual(['x', 'ok']);
      expect(file.describe('x').dtype).toBeUndefined();
      expect(value(await file.get('ok'))).toEqual([1]);
      await expect(file.get('x')).rejects.toThrow(/have no dtype here/);
    }
  });

  it('of a class of the caller become what the caller says', async () => {
    const marked = await load<Tensor>(at('refused.subclass.pt'), {
      classes: { '__main__.Marked': ({ args }) => args[0] },
    });
    expect(value(marked)).toEqual([1, 2]);
  });
});

describe('marks of a tensor', () => {
  const sixteen = { 0: new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer) };
  const marked = async (write: (out: PickleWriter) => void, type = 'FloatStorage') => {
    const out = new PickleWriter();
    out.global('torch._utils', '_rebuild_tensor_v2');
    out.mark();
    out.mark();
    out.text('storage');
    out.global('torch', type);
    out.text('0');
    out.text('cpu');
    out.int(type === 'BoolStorage' ? 16 : 4);
    out.tuple();
    out.persistentId();
    out.int(0);
    out.int(2);
    out.tupleOf(1);
    out.int(2);
    out.tupleOf(1);
    out.bool(true);
    out.none();
    write(out);
    out.tuple();
    out.reduce();
    return torchFile(out.finish(), sixteen);
  };
  const marks = (entries: [string, boolean | number][], type?: string) =>
    marked((out) => {
      out.emptyDict();
      out.mark();
      for (const [key, flag] of entries) {
        out.text(key);
        if (typeof flag === 'number') out.int(flag);
        else out.bool(flag);
      }
      out.setItems();
    }, type);

  it('turn its sign, through its strides, and leave it a leaf', async () => {
    const turned = await load<Tensor>(await marks([['neg', true]]));
    expect([value(turned), turned.requiresGrad, turned.isLeaf]).toEqual([[-1, -3], true, true]);
    const plain = await load<Tensor>(
      await marks([
        ['neg', false],
        ['conj', false],
      ]),
    );
    expect(value(plain)).toEqual([1, 3]);
    expect(value(await load<Tensor>(await marked((out) => out.none())))).toEqual([1, 3]);
  });

  it('are refused by name if they are not understood', async () => {
    for (const [file, message] of [
      [
        await marks([['conj', true]]),
        /the mark 'conj', which is not understood; save x\.resolve_conj/,
      ],
      [
        await marks([
          ['neg', false],
          ['zero', true],
        ]),
        /the mark 'zero'/,
      ],
      [await marks([['neg', 1]]), /the mark 'neg'/],
      [await marked((out) => out.text('neg')), /the marks of a tensor are no dictionary/],
      [await marks([['neg', true]], 'BoolStorage'), /cannot|bools is said to be negated/],
    ] as const) {
      await expect(load(file)).rejects.toThrow(message);
    }
  });

  it('and what has the keys of a tensor is none', async () => {
    const file = await torchFile(
      opcodes("ctorch._utils\n_rebuild_parameter\n((dS'storage'\nI1\nsS'strides'\nI2\nsI01\nNtR."),
    );
    await expect(load(file)).rejects.toThrow(/a tensor is missing where one must be/);
    const list = await torchFile(claims([{}]), sixteen);
    expect(value((await load<Tensor[]>(list))[0])).toEqual([1, 2, 3, 4]);
  });
});
