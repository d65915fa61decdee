import '@sconce/backend-cpu';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Tensor, tensor } from '@sconce/core';
import { Parameter } from '@sconce/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeValue } from '../test/describe.js';
import { everything } from '../test/everything.js';
import { load, save, serialize, setParameterClass } from './index.js';

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
  it.skipIf(!torchVersion)('loads what Sconce writes, the same in all', async () => {
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
  });
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
  });
});
