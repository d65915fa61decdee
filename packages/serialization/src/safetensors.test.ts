import '@sconce/backend-cpu';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arange, ones, type Tensor, tensor, zeros } from '@sconce/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeValue } from '../test/describe.js';
import { everything } from '../test/everything.js';
import { load, openTensors, save, serialize } from './index.js';

/** A safetensors file with any header. */
function safetensors(header: unknown, data = new Uint8Array(0), length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === 'string' ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  bytes.set(data, 8 + json.length);
  return bytes;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-safetensors-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('safetensors', () => {
  it('gives back every dtype to the bit, in order', async () => {
    const { dtypes } = everything() as { dtypes: Map<string, Tensor> };
    const loaded = await load(await serialize(dtypes));
    expect(describeValue(loaded)).toEqual(describeValue(dtypes));
  });

  it('lays its bytes out as the format says, each tensor aligned', async () => {
    const bytes = await serialize(
      new Map([
        ['flag', tensor([true])],
        ['w', tensor([1, 2])],
        ['n', tensor([5n])],
      ]),
      { metadata: { by: 'test' } },
    );
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    expect(new TextDecoder().decode(bytes.subarray(8, 8 + length)).trimEnd()).toBe(
      '{"__metadata__":{"format":"pt","by":"test"},' +
        '"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[16,17]},' +
        '"w":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},' +
        '"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}',
    );
    expect([...bytes.subarray(8 + length)]).toEqual([
      5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 1,
    ]);
  });

  it('writes tied tensors once and ties them again; other views in full', async () => {
    const weight = arange(6).to('float32').reshape([2, 3]);
    const state = {
      embed: weight,
      head: weight.detach(),
      part: weight.t(),
      row: weight.select(0, 1),
    };
    const bytes = await serialize(state);
    const loaded = await load(bytes);
    expect(loaded.get('head')).toBe(loaded.get('embed'));
    expect(await loaded.get('part')?.toArray()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(await loaded.get('row')?.toArray()).toEqual([3, 4, 5]);
  });

  it('joins the names of nested models with dots', async () => {
    const gan = { generator: new Map([['w', ones([1])]]), critic: { w: zeros([2]) } };
    expect([...(await load(await serialize(gan))).keys()]).toEqual(['generator.w', 'critic.w']);
    await expect(serialize({ epoch: 3, w: ones([1]) })).rejects.toThrow(
      "save: 'epoch' is a number; safetensors holds tensors alone, a .pt file anything",
    );
  });

  const f32 = (shape: number[], from: number, to: number) => ({
    dtype: 'F32',
    shape,
    data_offsets: [from, to],
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'a cut file',
      safetensors({ a: f32([2], 0, 8) }, new Uint8Array(7)),
      /truncated: its tensors take/,
    ],
    [
      'bytes of nobody',
      safetensors({ a: f32([1], 0, 4) }, new Uint8Array(8)),
      /4 bytes at its end belong to no tensor/,
    ],
    [
      'overlap',
      safetensors({ a: f32([2], 0, 8), b: f32([2], 4, 12) }, new Uint8Array(12)),
      /'b' overlaps another one/,
    ],
    [
      'a gap',
      safetensors({ a: f32([1], 0, 4), b: f32([1], 8, 12) }, new Uint8Array(12)),
      /'b' leaves a gap before it/,
    ],
    [
      'a wrong size',
      safetensors({ a: f32([3], 0, 8) }, new Uint8Array(8)),
      /of shape \[3\] and dtype F32 takes 12 bytes, its data_offsets give 8/,
    ],
    [
      'a huge shape',
      safetensors({ a: f32([2 ** 40, 2 ** 40], 0, 8) }, new Uint8Array(8)),
      /takes .* bytes/,
    ],
    [
      'a negative shape',
      safetensors({ a: f32([-1], 0, 4) }, new Uint8Array(4)),
      /has the shape \[-1\]/,
    ],
    [
      'offsets backwards',
      safetensors({ a: f32([1], 4, 0) }, new Uint8Array(4)),
      /has the data_offsets \[4, 0\]/,
    ],
    [
      'an unknown dtype',
      safetensors({ a: { dtype: 'X9', shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4)),
      /unknown dtype 'X9'/,
    ],
    [
      'a dtype we lack',
      safetensors({ a: { dtype: 'C64', shape: [1], data_offsets: [0, 8] } }, new Uint8Array(8)),
      /'a' is of C64, which has no dtype here/,
    ],
    ['no JSON', safetensors('{"a": }'), /no valid JSON object/],
    [
      'deep nesting',
      safetensors(`{"a":${'['.repeat(200_000)}${']'.repeat(200_000)}}`),
      /lacks its dtype|no valid JSON/,
    ],
    [
      'a long header',
      safetensors('{}', new Uint8Array(0), 2n ** 31n),
      /truncated: a safetensors header/,
    ],
    [
      'an endless header',
      safetensors('{}', new Uint8Array(0), 2n ** 63n),
      /not a file of a known format/,
    ],
    [
      'metadata that is no text',
      safetensors({ __metadata__: { a: 1 } }),
      /metadata of a safetensors file must be texts/,
    ],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(load(bytes)).rejects.toThrow(message);
  });
});

describe('files in parts', () => {
  const state = new Map<string, Tensor>(
    Array.from({ length: 7 }, (_, i) => [`layer.${i}`, arange(100).add(i).to('float32')]),
  );

  it('are written, read and replaced without a moment in which neither is whole', async () => {
    const path = join(folder, 'model.safetensors');
    const index = `${path}.index.json`;
    await save(state, path, { maxShardBytes: 1000 });
    expect((await readdir(folder)).sort()).toEqual([
      'model-00001-of-00004.safetensors',
      'model-00002-of-00004.safetensors',
      'model-00003-of-00004.safetensors',
      'model-00004-of-00004.safetensors',
      'model.safetensors.index.json',
    ]);
    expect(JSON.parse(await readFile(index, 'utf8')).metadata).toEqual({ total_size: 2800 });
    expect(describeValue(await load(index))).toEqual(describeValue(state));
    await using file = await openTensors(index);
    expect(file.names).toEqual([...state.keys()]);
    expect(await (await file.rows('layer.3', 10, 12)).toArray()).toEqual([13, 14]);

    const next = new Map([...state].map(([name, t]) => [name, t.add(1)]));
    await save(next, path, { maxShardBytes: 2000 });
    expect(describeValue(await load(index))).toEqual(describeValue(next));
    expect((await readdir(folder)).filter((name) => name.endsWith('.safetensors'))).toHaveLength(2);
  });

  it('are found by what the caller gives where there is no folder', async () => {
    const path = join(folder, 'model.safetensors');
    await save(state, path, { maxShardBytes: 1000 });
    const index = new Blob([await readFile(`${path}.index.json`)]);
    await expect(load(index)).rejects.toThrow(/pass \{ shard: \(name\) => file \}/);
    const shard = async (name: string) => new Blob([await readFile(join(folder, name))]);
    expect(describeValue(await load(index, { shard }))).toEqual(describeValue(state));
  });

  it.each([
    '../secret.safetensors',
    '/etc/passwd',
    'a/b.safetensors',
    'C:\\x.safetensors',
    '..',
    'model.pt',
  ])('are not looked for at %s', async (name) => {
    const index = join(folder, 'evil.index.json');
    await writeFile(index, JSON.stringify({ weight_map: { w: name } }));
    await expect(load(index)).rejects.toThrow(/no name of a safetensors file beside the index/);
  });
});

describe('openTensors', () => {
  it('reads single tensors and rows of safetensors, .npz and .pt', async () => {
    const table = arange(40).to('float32').reshape([10, 4]);
    const state = { table, turned: table.t(), nested: { small: tensor([7n]) } };
    for (const format of ['safetensors', 'npz', 'torch'] as const) {
      const path = join(folder, `open.${format}`);
      await save(state, path, { format });
      await using file = await openTensors(path);
      expect(file.names).toEqual(['table', 'turned', 'nested.small']);
      expect(file.describe('table')).toEqual({ dtype: 'float32', shape: [10, 4] });
      expect(file.describe('nested.small')).toEqual({ dtype: 'int64', shape: [1] });
      expect(await (await file.get('nested.small')).toBigInt64Array()).toEqual(
        BigInt64Array.of(7n),
      );
      expect(await (await file.rows('table', 2, 4)).toArray()).toEqual(
        await table.narrow(0, 2, 2).toArray(),
      );
      expect(await (await file.rows('turned', 1, 2)).toArray()).toEqual(
        await table.t().narrow(0, 1, 1).toArray(),
      );
      await expect(file.rows('table', 5, 11)).rejects.toThrow(
        "rows: 'table' of shape [10, 4] has no rows 5 to 11",
      );
      expect(() => file.describe('other')).toThrow("the file has no tensor 'other'");
      expect([...(await file.load(['table'])).keys()]).toEqual(['table']);
    }
  });

  it('reads what it can of a file with dtypes we lack', async () => {
    const header = {
      odd: { dtype: 'F8_E4M3', shape: [4], data_offsets: [0, 4] },
      good: { dtype: 'F32', shape: [1], data_offsets: [4, 8] },
    };
    const file = await openTensors(
      safetensors(header, Uint8Array.of(0, 0, 0, 0, 0, 0, 0x80, 0x3f)),
    );
    expect(file.describe('odd')).toEqual({ dtype: undefined, shape: [4] });
    expect(await (await file.get('good')).toArray()).toEqual([1]);
    await expect(file.get('odd')).rejects.toThrow(/F8_E4M3, which has no dtype here/);
  });
});
