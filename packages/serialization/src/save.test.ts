import '@sconce/autograd';
import '@sconce/backend-cpu';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  arange,
  Device,
  InterpreterBackend,
  ones,
  registerBackend,
  type Tensor,
  tensor,
  zeros,
} from '@sconce/core';
import { BatchNorm1d, Linear, Module, Sequential } from '@sconce/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addPrefix,
  FileError,
  load,
  type Progress,
  registerClass,
  save,
  saveAsync,
  serialize,
  stripPrefix,
  withPrefix,
} from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-save-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (name: string): string => join(folder, name);
const w = (value: number): { w: Tensor } => ({ w: ones([300_000]).mul(value) });
const first = async (path: string): Promise<number> =>
  (await load<{ w: Tensor }>(path)).w.select(0, 0).itemSync();

describe('where files are read from', () => {
  it.each(['safetensors', 'torch', 'torch-legacy', 'npz'] as const)(
    '%s: all of them alike',
    async (format) => {
      const state = new Map([['w', arange(12).to('float32').reshape([3, 4])]]);
      const bytes = await serialize(state, { format });
      const path = at(`source.${format}`);
      await writeFile(path, bytes);
      const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
      shared.set(bytes);
      const handle = await open(path);
      const odd = new Uint8Array(bytes.length + 3).subarray(3);
      odd.set(bytes);
      const sources = [
        path,
        pathToFileURL(path),
        handle,
        bytes,
        bytes.buffer,
        shared,
        odd,
        new DataView(bytes.buffer),
        new Blob([bytes]),
        new File([bytes], 'a'),
        new Response(bytes),
        { kind: 'file' as const, name: 'opfs', getFile: async () => new File([bytes], 'opfs') },
      ];
      for (const source of sources) {
        const loaded = await load(source);
        expect(await loaded.get('w')?.toArray()).toEqual(await state.get('w')?.toArray());
      }
      await handle.close();
    },
  );

  it('says what else was given', async () => {
    await expect(load('https://example.org/x.pt')).rejects.toThrow('pass `await fetch(url)`');
    await expect(load(new Response('', { status: 404, statusText: 'Not Found' }))).rejects.toThrow(
      'answered 404 Not Found',
    );
    await expect(load(at('missing.pt'))).rejects.toThrow(
      /^load: .*missing\.pt cannot be opened \(ENOENT/,
    );
    const unwritten = save({ w: tensor([1]) }, at('no/such/w.pt'));
    await expect(unwritten).rejects.toThrow(
      /^save: '.*no.such.w\.pt' cannot be written: there is no folder '.*such'; make it first$/,
    );
    await expect(unwritten).rejects.toBeInstanceOf(FileError);
    await expect(load(folder)).rejects.toThrow(/is a folder; pass a file in it/);
    await expect(load(new Uint8Array(0))).rejects.toThrow('the file is empty');
    await expect(load(new TextEncoder().encode('hello, world'))).rejects.toThrow(
      /not a file of a known format/,
    );
    await expect(load(new TextEncoder().encode('GGUF....'))).rejects.toThrow(/GGUF/);
    await expect(load(5 as never)).rejects.toThrow(/the source must be/);
  });
});

describe('where files are written to', () => {
  it('streams and file handles of browsers', async () => {
    let written: Uint8Array[] = [];
    let closed = false;
    const stream = (fail = false) =>
      new WritableStream<BufferSource>({
        write(chunk) {
          if (fail) throw new Error('disk full');
          written.push(new Uint8Array(chunk as ArrayBuffer));
        },
        close() {
          closed = true;
        },
      });
    await save(w(1), stream());
    expect(closed).toBe(true);
    expect((await load(new Blob(written as BlobPart[]))).get('w')?.shape).toEqual([300_000]);
    written = [];
    closed = false;
    const handle = { kind: 'file' as const, name: 'x.pt', createWritable: async () => stream() };
    await save(w(2), handle);
    expect((await load<{ w: Tensor }>(new Blob(written as BlobPart[]))).w.shape).toEqual([300_000]);
    closed = false;
    await expect(save(w(3), stream(true))).rejects.toThrow('disk full');
    expect(closed).toBe(false);
    await expect(save(w(1), 7 as never)).rejects.toThrow(/the target must be/);
  });

  it('a disk, where nothing changes until the file is whole', async () => {
    const path = at('whole.pt');
    await save(w(1), path);
    await chmod(path, 0o640);
    const controller = new AbortController();
    const seen: Progress[] = [];
    const failing = save(w(2), path, {
      signal: controller.signal,
      onProgress: (progress) => {
        seen.push(progress);
        controller.abort(new Error('enough'));
      },
    });
    await expect(Promise.all([failing])).resolves.toBeDefined(); // one piece: it was done before it could be stopped
    expect(seen).toEqual([{ bytes: 1_200_000, total: 1_200_000 }]);
    expect(await first(path)).toBe(2);
    await expect(save({ a: zeros([10]), f: new Date() }, path)).rejects.toThrow(
      /the value.f is an object of class Date/,
    );
    await expect(save(w(3), path, { signal: controller.signal })).rejects.toThrow('enough');
    expect(await first(path)).toBe(2);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
    await symlink(path, at('link.pt'));
    await save(w(4), at('link.pt'));
    expect((await lstat(at('link.pt'))).isSymbolicLink()).toBe(true);
    expect(await first(path)).toBe(4);
  });

  it('a format by the name', async () => {
    const starts: Record<string, string> = {
      'a.pt': 'PK',
      'a.pth': 'PK',
      'a.npz': 'PK',
      'a.safetensors': '',
      a: '',
    };
    for (const [name, start] of Object.entries(starts)) {
      await save({ w: ones([1]) }, at(name));
      const bytes = await readFile(at(name));
      expect(start === '' ? bytes[8] : bytes.subarray(0, 2).toString()).toBe(
        start === '' ? 0x7b : start,
      );
    }
    await save(ones([2]), at('a.npy'));
    expect((await readFile(at('a.npy'))).subarray(1, 6).toString()).toBe('NUMPY');
    await expect(save({}, at('x'), { format: 'hdf5' as never })).rejects.toThrow(
      'format hdf5 is not known (known: safetensors, torch, torch-legacy, npy, npz)',
    );
  });

  it('the endings that people give PyTorch files', async () => {
    for (const name of [
      'model.pkl',
      'm.pickle',
      'model.tar',
      'model_best.pth.tar',
      'LM.MODEL',
      'a.b.ckpt',
      'pytorch_model.bin',
      'x.PT',
      'x.pth',
    ]) {
      await save({ epoch: 3, w: ones([1]) }, at(name));
      expect((await load<{ epoch: number }>(at(name))).epoch, name).toBe(3);
      expect((await readFile(at(name))).subarray(0, 2).toString()).toBe('PK');
    }
  });

  it('and none by an ending that tells none, which is an error with the formats in it', async () => {
    const state = { w: ones([1]) };
    for (const [name, ending] of [
      ['w.h5', '.h5'],
      ['w.tar.gz', '.gz'],
      ['w.onnx', '.onnx'],
      ['loss=0.25', '.25'],
      ['w.', '.'],
    ] as const) {
      await expect(save(state, at(name))).rejects.toThrow(
        `save: the ending '${ending}' tells no format; end the name in one that does (.safetensors for 'safetensors'; .pt, .pth, .pkl, .pickle, .tar, .model, .ckpt, .bin for 'torch'; .npy for 'npy'; .npz for 'npz'), or pass the format: { format: 'torch' }`,
      );
      await expect(saveAsync(state, new URL(`file://${at(name)}`))).rejects.toThrow(FileError);
      await save(state, at(name), { format: 'torch' });
      expect((await load<{ w: Tensor }>(at(name))).w.shape).toEqual([1]);
    }
    // A folder's name is none of the file's, and a hidden file has no ending.
    await mkdir(at('run.d'));
    for (const name of ['run.d/plain', '.hidden']) {
      await save(state, at(name));
      expect((await readFile(at(name)))[8]).toBe(0x7b);
    }
  });
});

describe('progress', () => {
  it('counts every byte once, and can be stopped', async () => {
    const state = { a: zeros([6_000_000]), b: zeros([10], { dtype: 'int64' }) };
    const total = 24_000_080;
    for (const format of ['safetensors', 'torch', 'torch-legacy', 'npz'] as const) {
      const path = at(`progress.${format}`);
      const seen: number[] = [];
      const watch = { onProgress: (p: Progress) => seen.push(p.bytes, p.total) };
      await save(state, path, { format, ...watch });
      expect(seen.slice(-2)).toEqual([total, total]);
      expect(seen.length).toBeGreaterThan(6);
      seen.length = 0;
      await load(path, watch);
      if (format !== 'npz') expect(seen.slice(-2)).toEqual([total, total]);
      const controller = new AbortController();
      const stop = {
        signal: controller.signal,
        onProgress: () => controller.abort(new Error('stop')),
      };
      await expect(load(path, stop)).rejects.toThrow('stop');
      const again = new AbortController();
      const stopSave = { signal: again.signal, onProgress: () => again.abort(new Error('stop')) };
      await expect(save(state, path, { format, ...stopSave })).rejects.toThrow('stop');
      expect((await load<Map<string, Tensor>>(path)) !== undefined).toBe(true);
    }
  });
});

describe('saveAsync', () => {
  it.each(['safetensors', 'torch', 'torch-legacy', 'npz', 'npy'] as const)(
    '%s: the values of the call',
    async (format) => {
      const path = at(`async.${format}`);
      const x = arange(12).to('float32').reshape([3, 4]);
      const state = format === 'npy' ? x.t() : { x, part: x.narrow(1, 1, 2), step: tensor([1]) };
      const saving = saveAsync(state, path, { format });
      x.fill_(-1);
      await saving;
      const loaded = await load<Map<string, Tensor> | Record<string, Tensor> | Tensor>(path);
      const got =
        format === 'npy'
          ? (loaded as Tensor).t()
          : loaded instanceof Map
            ? loaded.get('x')
            : (loaded as Record<string, Tensor>).x;
      expect(await got?.toArray()).toEqual([
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
      ]);
    },
  );

  it('lets training run while it writes', async () => {
    const state = { w: zeros([16_000_000]) };
    let steps = 0;
    let done = false;
    const saving = saveAsync(state, at('large.pt')).then(() => {
      done = true;
    });
    while (!done) {
      steps++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await saving;
    // Written in eight pieces, with turns between them.
    expect(steps).toBeGreaterThan(8);
  });

  it('on devices that are read later, copies there', async () => {
    class Slow extends InterpreterBackend {
      override readonly synchronous = false as unknown as true;
      override readSync = undefined as never;
      override map = undefined as never;
      override async read(...args: Parameters<InterpreterBackend['read']>) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return InterpreterBackend.prototype.readSync.call(this, ...args);
      }
    }
    registerBackend('slow', { open: () => new Slow() });
    const x = ones([4], { device: 'slow' });
    for (const name of ['slow.pt', 'slow.safetensors', 'slow.npz']) {
      x.fill_(1);
      const saving = saveAsync({ x }, at(name));
      x.fill_(2);
      await saving;
      const loaded = await load<Map<string, Tensor> & { x?: Tensor }>(at(name));
      const back = loaded instanceof Map ? loaded.get('x') : (loaded as { x: Tensor }).x;
      expect(String(back?.device)).toBe('cpu');
      expect(await back?.toArray()).toEqual([1, 1, 1, 1]);
      const there = await load<Map<string, Tensor> & { x?: Tensor }>(at(name), {
        mapLocation: 'slow',
      });
      const tensorThere = there instanceof Map ? there.get('x') : (there as { x: Tensor }).x;
      expect(String(tensorThere?.device)).toBe('slow');
      expect(await tensorThere?.toArray()).toEqual([1, 1, 1, 1]);
    }
  });
});

describe('mapLocation', () => {
  registerBackend('gpu0', { open: () => new InterpreterBackend() });
  const deviceOf = async (bytes: Uint8Array, mapLocation?: Parameters<typeof load>[1]) =>
    String((await load<{ w: Tensor }>(bytes, mapLocation)).w.device);

  it('takes a device, a table or a function', async () => {
    const onGpu = await serialize(
      { w: ones([2]) },
      { format: 'torch', mapLocation: Device.from('cuda:1') },
    );
    await expect(load(onGpu)).rejects.toThrow(
      "load: the file's tensors were saved on 'cuda:1', and no 'cuda' is registered here; pass { mapLocation: 'cpu' } to load them on the cpu",
    );
    expect(await deviceOf(onGpu, { mapLocation: 'cpu' })).toBe('cpu');
    expect(await deviceOf(onGpu, { mapLocation: Device.from('cpu') })).toBe('cpu');
    expect(await deviceOf(onGpu, { mapLocation: { 'cuda:1': 'gpu0' } })).toBe('gpu0');
    expect(await deviceOf(onGpu, { mapLocation: new Map([['cuda:1', 'gpu0' as const]]) })).toBe(
      'gpu0',
    );
    expect(
      await deviceOf(onGpu, { mapLocation: (l) => (l === 'cuda:1' ? 'gpu0' : undefined) }),
    ).toBe('gpu0');
    await expect(load(onGpu, { mapLocation: { 'cuda:0': 'cpu' } })).rejects.toThrow(
      "saved on 'cuda:1'",
    );
    await expect(load(onGpu, { mapLocation: Device.from('cuda:0') })).rejects.toThrow(
      "mapLocation asks for 'cuda', and no 'cuda' is registered here",
    );
    const onCpu = await serialize({ w: ones([2]) }, { format: 'torch' });
    expect(await deviceOf(onCpu)).toBe('cpu');
    expect(await deviceOf(onCpu, { mapLocation: 'gpu0' })).toBe('gpu0');
    const plain = await serialize({ w: ones([2]) });
    expect(String((await load(plain, { mapLocation: 'gpu0' })).get('w')?.device)).toBe('gpu0');
  });

  it('calls what PyTorch does not know cpu, so that it can load it', async () => {
    const bytes = await serialize({ w: ones([2], { device: 'gpu0' }) }, { format: 'torch' });
    expect(await deviceOf(bytes)).toBe('cpu');
  });
});

describe('models', () => {
  it('take what fits of another, several live in one file, data-parallel names convert both ways', async () => {
    const a = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
    const b = new Sequential(new Linear(2, 3), new BatchNorm1d(3), new Linear(3, 1));
    const bytes = await serialize({ a, b });
    const both = await load(bytes);
    const warm = new Sequential(new Linear(2, 3), new BatchNorm1d(3), new Linear(3, 5));
    const result = warm.loadStateDict(withPrefix(both, 'a.'), { strict: false });
    expect(result.missingKeys).toEqual(['2.weight', '2.bias']);
    expect(warm.stateDict().get('0.weight')?.toArraySync()).toEqual(
      a.stateDict().get('0.weight')?.toArraySync(),
    );

    const parallel = addPrefix(a.stateDict());
    expect([...parallel.keys()][0]).toBe('module.0.weight');
    const target = new Sequential(new Linear(2, 3), new BatchNorm1d(3));
    target.loadStateDict(stripPrefix(await load(await serialize(parallel))));
    expect([...stripPrefix(Object.fromEntries(parallel)).keys()]).toEqual([
      ...a.stateDict().keys(),
    ]);
    expect([...stripPrefix(a.stateDict()).keys()]).toEqual([...a.stateDict().keys()]);
  });

  class Net extends Module {
    readonly hidden: number;
    fc1: Linear;
    fc2: Linear;
    constructor(hidden: number) {
      super();
      this.hidden = hidden;
      this.fc1 = new Linear(2, hidden);
      this.fc2 = new Linear(hidden, 1);
    }
    override forward(x: Tensor): Tensor {
      return this.fc2.forward(this.fc1.forward(x).relu());
    }
  }

  class Vocabulary {
    readonly words: string[];
    constructor(words: string[]) {
      this.words = words;
    }
  }

  it('are saved whole if asked for and their classes are known, by name and never as code', async () => {
    const net = new Net(5).eval();
    expect(() => registerClass('Net', Net)).toThrow(/must be a module and a name/);
    registerClass('app.Net', Net, { args: (n) => [n.hidden] });
    expect(() => registerClass('app.Vocabulary', Vocabulary)).toThrow(
      /has no stateDict and loadStateDict; pass \{ save, load \}/,
    );
    registerClass('app.Vocabulary', Vocabulary, {
      save: (v) => v.words,
      load: (words: string[]) => new Vocabulary(words),
    });
    for (const format of ['torch', 'torch-legacy'] as const) {
      const bytes = await serialize(
        { net, words: new Vocabulary(['a', 'b']), same: net },
        { format, classes: true },
      );
      const text = new TextDecoder('latin1').decode(bytes);
      expect(text).toContain('app\nNet\n');
      expect(text).not.toContain('forward');
      const loaded = await load<{ net: Net; words: Vocabulary; same: Net }>(bytes);
      expect(loaded.net).toBeInstanceOf(Net);
      expect(loaded.same).toBe(loaded.net);
      expect(loaded.net.training).toBe(false);
      expect(loaded.net.hidden).toBe(5);
      expect(loaded.words).toEqual(new Vocabulary(['a', 'b']));
      const x = ones([3, 2]);
      expect(loaded.net.forward(x).toArraySync()).toEqual(net.forward(x).toArraySync());
    }
  });

  it('are saved as their state unless asked for, whatever classes are known', async () => {
    class Other extends Net {}
    const net = new Other(3);
    const value = { epoch: 1, net, list: [net] };
    for (const format of ['torch', 'torch-legacy'] as const) {
      const before = await serialize(value, { format });
      registerClass('app.Other', Other, { args: (n) => [n.hidden] });
      expect(Buffer.compare(await serialize(value, { format }), before)).toBe(0);
      const loaded = await load<{ net: Map<string, Tensor> }>(before);
      expect([...loaded.net.keys()]).toEqual(['fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias']);
      new Other(3).loadStateDict(loaded.net);
      // What has no state is refused as before, with the way to it.
      await expect(serialize({ v: new Vocabulary([]) }, { format })).rejects.toThrow(
        'save: the value.v is an object of class Vocabulary; pass { classes: true } to save it by the name it is registered under, or save plain data of it',
      );
    }
  });
});
