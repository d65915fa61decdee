import '@sconce/backend-cpu';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { manualSeed, randn, type Tensor, tensor } from '@sconce/core';
import { functional, Linear, Parameter, ReLU, Sequential } from '@sconce/nn';
import { Adagrad, Adam, AdamW, MultiStepLR, NAdam, RMSprop, SGD } from '@sconce/optim';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeValue } from '../test/describe.js';
import { everything } from '../test/everything.js';
import { claims, torchFile } from '../test/pickles.js';
import {
  load,
  type SavedObject,
  type StateDict,
  save,
  serialize,
  setParameterClass,
} from './index.js';
import { MemorySink } from './io/sink.js';
import { PickleWriter } from './pickle/writer.js';
import { ZipWriter } from './zip/writer.js';

const exec = promisify(execFile);
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

beforeAll(() => {
  setParameterClass({
    is: (t) => t instanceof Parameter,
    make: (t, grad) => new Parameter(t, grad),
  });
});
afterAll(() => setParameterClass(undefined));

/** As loading gives it: a whole float is a number like any other. */
const asLoaded = (described: unknown): unknown =>
  JSON.parse(JSON.stringify(described).replace('{"float":"2"}', '{"int":"2"}'));

describe.each(['torch', 'torch-legacy'] as const)('%s', (format) => {
  it('gives back what was saved: values, bits, strides, sharing', async () => {
    const value = everything();
    const loaded = await load<unknown>(await serialize(value, { format }));
    expect(describeValue(loaded)).toEqual(asLoaded(describeValue(value)));
    // And once more, so that what was loaded saves alike.
    const again = await load<unknown>(await serialize(loaded, { format }));
    expect(describeValue(again)).toEqual(asLoaded(describeValue(value)));
  });

  it('writes the bytes that PyTorch was seen to read', async () => {
    const golden = here(`../test/golden/everything.${format}.pt`);
    const bytes = await serialize(everything(), { format });
    if (process.env.SCONCE_WRITE_GOLDEN) {
      await writeFile(golden, bytes);
      await writeFile(`${golden}.json`, JSON.stringify(describeValue(everything())));
    }
    expect(Buffer.compare(await readFile(golden), bytes)).toBe(0);
    expect(JSON.parse(await readFile(`${golden}.json`, 'utf8'))).toEqual(
      describeValue(everything()),
    );
  });

  it('keeps lists that contain themselves, and objects that stand in two places', async () => {
    const loop: unknown[] = ['x'];
    loop.push(loop);
    const shared = { a: 1 };
    const [list, one, two] = await load<[unknown[], object, object]>(
      await serialize([loop, shared, shared], { format }),
    );
    expect(list[1]).toBe(list);
    expect(one).toEqual({ a: 1 });
    expect(two).toBe(one);
  });
});

const python = '/usr/bin/python3';
const torchVersion = existsSync(python)
  ? await exec(python, ['-c', 'import torch; print(torch.__version__)']).then(
      ({ stdout }) => stdout.trim(),
      () => undefined,
    )
  : undefined;

describe('real PyTorch', () => {
  // Without PyTorch the test above stands for it: its golden files are those that this one was run on.
  it.skipIf(!torchVersion)(
    'loads what Sconce writes, the same in all',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sconce-torch-'));
      try {
        const files: string[] = [];
        for (const format of ['torch', 'torch-legacy'] as const) {
          const file = join(folder, `everything.${format}.pt`);
          await save(everything(), file, { format });
          await writeFile(`${file}.json`, JSON.stringify(describeValue(everything())));
          files.push(file);
        }
        const { dtypes, views } = everything() as {
          dtypes: Map<string, Tensor>;
          views: Map<string, Tensor>;
        };
        // NumPy has no bfloat16, and gives each array memory of its own.
        dtypes.delete('bfloat16');
        const transposed = views.get('transposed') as Tensor;
        const own = new Map([...dtypes, ['transposed', transposed]]);
        for (const [name, value] of [
          ['arrays.npz', own],
          ['packed.npz', own],
          ['one.npy', transposed],
        ] as const) {
          const file = join(folder, name);
          await save(value, file, { compress: name.startsWith('packed') });
          await writeFile(`${file}.json`, JSON.stringify(describeValue(value)));
          files.push(file);
        }
        const script = here('../scripts/compare_with_torch.py');
        const { stdout } = await exec(python, [script, ...files]);
        expect(stdout.match(/27 tensors and 95 values are the same/g)).toHaveLength(2);
        expect(stdout.match(/10 tensors and 10 values are the same/g)).toHaveLength(2);
        expect(stdout.match(/1 tensors and 0 values are the same/g)).toHaveLength(1);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );
});

describe('a training that Sconce began', () => {
  const kinds = { SGD, Adam, AdamW, RMSprop, Adagrad, NAdam };

  it.skipIf(!torchVersion)(
    'goes on in real PyTorch with the same numbers',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sconce-torch-'));
      try {
        const paths: string[] = [];
        for (const [kind, Optimizer] of Object.entries(kinds)) {
          manualSeed(4);
          const model = new Sequential(new Linear(4, 6), new ReLU(), new Linear(6, 2));
          const options = { lr: 0.02, ...(kind === 'SGD' && { momentum: 0.9 }) };
          const optimizer = new Optimizer(model.parameters(), options);
          const scheduler = new MultiStepLR(optimizer, [4, 9, 9], { gamma: 0.5 });
          const [x, y] = [randn([16, 4]), randn([16, 2])];
          const losses: number[] = [];
          const rates: number[] = [];
          const steps = (count: number) => {
            for (let i = 0; i < count; i++) {
              const loss = functional.mseLoss(model.forward(x) as Tensor, y);
              optimizer.zeroGrad();
              loss.backward();
              optimizer.step();
              scheduler.step();
              losses.push(loss.itemSync());
              rates.push((optimizer.paramGroups[0] as { lr: number }).lr);
            }
          };
          steps(6);
          const path = join(folder, `${kind}.pt`);
          const saved = await load<object>(
            await serialize({ model, optimizer, scheduler }, { format: 'torch' }),
          );
          losses.length = 0;
          rates.length = 0;
          steps(5);
          const rest = { kind, x, y, losses, rates, after: model.stateDict() };
          await save({ ...saved, ...rest }, path);
          paths.push(path);
        }
        const { stdout } = await exec(python, [here('../scripts/resume_in_torch.py'), ...paths]);
        expect(stdout.trim().split('\n')).toEqual(
          Object.keys(kinds).map((kind) =>
            expect.stringMatching(`^${kind}: 5 more steps are the same in PyTorch`),
          ),
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    60_000,
  );
});

describe('parameters', () => {
  it('load as such where the class is known, and otherwise as tensors that require gradients', async () => {
    const bytes = await serialize(new Parameter(tensor([1, 2])), { format: 'torch' });
    expect(await load<Tensor>(bytes)).toBeInstanceOf(Parameter);
    setParameterClass(undefined);
    const plain = await load<Tensor>(bytes);
    expect(plain).not.toBeInstanceOf(Parameter);
    expect(plain.requiresGrad).toBe(true);
    setParameterClass({ is: (t) => t instanceof Parameter, make: (t, g) => new Parameter(t, g) });
  }, 120_000);
});

describe('files of other versions of PyTorch', () => {
  /** A tensor as a newer or older PyTorch pickles it; `storage` writes the reference. */
  function tensorPickle(
    name: string,
    storage: (out: PickleWriter) => void,
    rest: (out: PickleWriter) => void,
  ) {
    const out = new PickleWriter();
    out.global('torch._utils', name);
    out.mark();
    storage(out);
    rest(out);
    out.tuple();
    out.reduce();
    return out.finish();
  }

  function reference(
    out: PickleWriter,
    type: [string, string],
    length: number,
    view?: [number, number],
  ) {
    out.mark();
    out.text('storage');
    out.global(...type);
    out.text('0');
    out.text('cpu');
    out.int(length);
    if (view) {
      out.mark();
      out.text('view');
      for (const n of view) out.int(n);
      out.tuple();
    }
    out.tuple();
    out.persistentId();
  }

  function geometry(out: PickleWriter, offset: number, size: number) {
    out.int(offset);
    out.int(size);
    out.tupleOf(1);
    out.int(1);
    out.tupleOf(1);
  }

  const six = { 0: new Uint8Array(Float32Array.of(0, 1, 2, 3, 4, 5).buffer) };

  it('reads storages of bytes, whose dtype the tensor tells (2.1 and later)', async () => {
    const pickle = tensorPickle(
      '_rebuild_tensor_v3',
      (out) => reference(out, ['torch.storage', 'UntypedStorage'], 24),
      (out) => {
        geometry(out, 1, 4);
        out.bool(false);
        out.none();
        out.global('torch', 'float32');
      },
    );
    expect(await (await load<Tensor>(await torchFile(pickle, six))).toArray()).toEqual([
      1, 2, 3, 4,
    ]);
  });

  const viewed = (offset: number, size: number) =>
    tensorPickle(
      '_rebuild_tensor',
      (out) => reference(out, ['torch', 'FloatStorage'], 6, [2, 3]),
      (out) => geometry(out, offset, size),
    );

  it('reads views of storages (0.4 and earlier), and keeps tensors inside of them', async () => {
    expect(await (await load<Tensor>(await torchFile(viewed(1, 2), six))).toArray()).toEqual([
      3, 4,
    ]);
    await expect(load(await torchFile(viewed(1, 3), six))).rejects.toThrow(
      /does not fit its view of a storage/,
    );
  });

  it('reads the other byte order', async () => {
    const sink = new MemorySink();
    const zip = new ZipWriter(sink);
    await zip.add('model/data.pkl', claims([{ length: 6, shape: [6] }]));
    await zip.add('model/byteorder', new TextEncoder().encode('big'));
    const swapped = six[0].slice();
    for (let i = 0; i < 24; i += 4) swapped.subarray(i, i + 4).reverse();
    await zip.add('model/data/0', swapped, { compress: true });
    await zip.add('model/.data/serialization_id', new TextEncoder().encode('1'));
    await zip.finish();
    const [tensor] = await load<Tensor[]>(sink.bytes());
    expect(await tensor?.toArray()).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('reads whole models as what the caller makes of their classes', async () => {
    const out = new PickleWriter();
    out.mark();
    out.text('module');
    out.global('app', 'Net');
    out.text('/home/me/net.py');
    out.text('class Net: ...');
    out.tuple();
    out.persistentId();
    out.emptyTuple();
    out.newObject();
    out.emptyDict();
    out.mark();
    out.text('hidden');
    out.int(3);
    out.setItems();
    out.build();
    const file = await torchFile(out.finish());
    await expect(load(file)).rejects.toThrow(/the file names 'app.Net'/);
    const classes =
      (name: string) =>
      ({ state }: SavedObject) => ({ name, state });
    expect(await load(file, { classes })).toEqual({ name: 'app.Net', state: { hidden: 3 } });
    await expect(load(file, { classes: () => undefined })).rejects.toThrow(
      /the file names 'app.Net'/,
    );
  });

  it.skipIf(!torchVersion)(
    'reads a whole model that PyTorch pickled',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sconce-torch-'));
      try {
        const script = `
import sys, torch, warnings
warnings.simplefilter('ignore')
model = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.BatchNorm1d(1))
torch.nn.init.constant_(model[0].weight, 0.5)
torch.save(model, sys.argv[1] + '/new.pt')
torch.save(model, sys.argv[1] + '/old.pt', _use_new_zipfile_serialization=False)
`;
        await exec(python, ['-c', script, folder]);
        type Saved = { _parameters: StateDict; _buffers: StateDict; _modules: Map<string, Saved> };
        const classes = (name: string) =>
          name.startsWith('torch.nn.modules.') ? ({ state }: SavedObject) => state : undefined;
        for (const name of ['new.pt', 'old.pt']) {
          const model = await load<Saved>(join(folder, name), { classes });
          const linear = model._modules.get('0');
          expect(await linear?._parameters.get('weight')?.toArray()).toEqual([[0.5, 0.5]]);
          expect(await model._modules.get('1')?._buffers.get('running_var')?.toArray()).toEqual([
            1,
          ]);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    120_000,
  );

  it.skipIf(!torchVersion)(
    'reads the arrays and numbers of NumPy that checkpoints hold',
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'sconce-torch-'));
      try {
        const script = `
import sys, torch, numpy as np
value = {'best': np.float64(0.5), 'single': np.float32(0.25), 'n': np.int64(3), 'big': np.int64(2**62), 'flag': np.bool_(True),
  'array': np.arange(6, dtype='>f4').reshape(2, 3), 'fortran': np.asfortranarray(np.arange(6, dtype='i2').reshape(2, 3)), 'empty': np.zeros((0, 2))}
for protocol in range(2, 6): torch.save(value, f'{sys.argv[1]}/{protocol}.pt', pickle_protocol=protocol)
`;
        await exec(python, ['-c', script, folder]);
        for (const protocol of [2, 3, 4, 5]) {
          const value = await load<Record<string, Tensor>>(join(folder, `${protocol}.pt`));
          const { array, fortran, empty, ...numbers } = value;
          expect(numbers).toEqual({ best: 0.5, single: 0.25, n: 3, big: 2n ** 62n, flag: true });
          expect([array?.dtype, fortran?.dtype, empty?.dtype]).toEqual([
            'float32',
            'int16',
            'float64',
          ]);
          for (const each of [array, fortran]) {
            expect(await each?.toArray()).toEqual([
              [0, 1, 2],
              [3, 4, 5],
            ]);
          }
          expect(empty?.shape).toEqual([0, 2]);
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  it('says what a TorchScript program and a plain pickle are', async () => {
    const sink = new MemorySink();
    const zip = new ZipWriter(sink);
    await zip.add('net/data.pkl', claims([]));
    await zip.add('net/constants.pkl', claims([]));
    await zip.finish();
    await expect(load(sink.bytes())).rejects.toThrow(
      /this is a TorchScript program; save its weights in Python/,
    );
    await expect(load(claims([]))).rejects.toThrow(/a pickle, but not one that torch.save wrote/);
  }, 120_000);
});
