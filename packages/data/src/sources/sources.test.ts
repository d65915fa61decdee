import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Tokenizer } from '@huggingface/tokenizers';
import { manualSeed, rand, type Tensor } from '@sconce/core';
import { encode } from 'fast-png';
import jpeg from 'jpeg-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../../../scripts/testing/garbage.js';
import {
  cachedSource,
  csvRows,
  DataLoader,
  decodeImage,
  ImageFolder,
  JsonLinesDataset,
  jsonLines,
  openSource,
  RecordDataset,
  readCifar10,
  readCifar100,
  readCsv,
  readIdx,
  readLines,
  TokenDataset,
  tokenBytes,
  tokenize,
  writeTokens,
} from '../index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-sources-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const text = (s: string) => new TextEncoder().encode(s);
const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const x of source) list.push(x);
  return list;
};

describe('bytes', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  let server: Server;
  let url: string;
  /** What the server does wrong, and how often it was asked. */
  const mood = { ranges: true, failures: 0, etag: '"a"', requests: [] as string[] };

  beforeAll(async () => {
    server = createServer((request, response) => {
      mood.requests.push(request.headers.range ?? '');
      if (mood.failures > 0) {
        mood.failures--;
        response.writeHead(503).end();
        return;
      }
      const match = /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '');
      if (request.url !== '/data.bin') response.writeHead(404).end();
      else if (!match || !mood.ranges) response.writeHead(200).end(bytes);
      else {
        const [first, last] = [Number(match[1]), Math.min(Number(match[2]), bytes.length - 1)];
        response.writeHead(206, {
          'Content-Range': `bytes ${first}-${last}/${bytes.length}`,
          ETag: mood.etag,
        });
        response.end(bytes.subarray(first, last + 1));
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.bin`;
  });
  afterAll(() => server.close());

  it('are read from files, blobs, memory and over HTTP alike', async () => {
    const path = join(folder, 'bytes.bin');
    await writeFile(path, bytes);
    for (const like of [path, new Blob([bytes]), bytes, bytes.buffer, url, new URL(url)]) {
      const source = await openSource(like);
      expect(source.size).toBe(1000);
      expect(await source.read(990, 10)).toEqual(bytes.slice(990));
      await expect(source.read(991, 10)).rejects.toThrow(/bytes 991 to 1001 are not within/);
      await source.close();
    }
    await expect(openSource(join(folder, 'none'))).rejects.toThrow(/none cannot be opened/);
  });

  it('over HTTP: failures are tried again, and what cannot work is said', async () => {
    mood.failures = 2;
    const source = await openSource(url);
    expect(await source.read(5, 3)).toEqual(bytes.slice(5, 8));
    mood.etag = '"b"';
    await expect(source.read(5, 3)).rejects.toThrow(/has changed while it was being read/);
    mood.failures = 9;
    await expect(openSource(url, { retries: 1 })).rejects.toThrow(/answers 503/);
    mood.failures = 0;
    mood.ranges = false;
    await expect(openSource(url)).rejects.toThrow(/does not answer range requests/);
    mood.ranges = true;
    await expect(openSource(`${url}x`)).rejects.toThrow(/answers 404/);
    await expect(openSource('http://127.0.0.1:1/x', { retries: 0 })).rejects.toThrow(
      /cannot be reached/,
    );
  });

  it('are cached in blocks, the ones used last', async () => {
    mood.requests = [];
    const cached = cachedSource(await openSource(url), { blockSize: 100, blocks: 2 });
    mood.requests = [];
    expect(await cached.read(90, 120)).toEqual(bytes.slice(90, 210));
    expect(await cached.read(205, 40)).toEqual(bytes.slice(205, 245));
    expect(await cached.read(995, 5)).toEqual(bytes.slice(995));
    expect(await cached.read(10, 0)).toHaveLength(0);
    expect(mood.requests).toEqual([
      'bytes=0-99',
      'bytes=100-199',
      'bytes=200-299',
      'bytes=900-999',
      'bytes=0-99',
    ]);
  });

  it('are records of one size', async () => {
    const records = await RecordDataset.open(url, { dtype: 'int16', shape: [2, 2], offset: 4 });
    expect(records.length).toBe(124);
    expect((await records.get(0)).toArraySync()).toEqual([
      [4 + 5 * 256, 6 + 7 * 256],
      [8 + 9 * 256, 10 + 11 * 256],
    ]);
    const big = await RecordDataset.open(bytes, { dtype: 'int16', shape: [], bigEndian: true });
    expect((await big.get(1)).itemSync()).toBe(2 * 256 + 3);
    const [batch] = await all(new DataLoader(records, { batchSize: 3 }));
    expect(batch?.shape).toEqual([3, 2, 2]);
    await expect(records.get(124)).rejects.toThrow(/index 124 is out of range for 124/);
    const long = RecordDataset.open(bytes, { dtype: 'uint8', shape: [10], length: 101 });
    await expect(long).rejects.toThrow(/101 records of 10 bytes do not fit 1000/);
  });
});

describe('IDX and CIFAR', () => {
  const idx = Uint8Array.from([0, 0, 11, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 1, 0, 255, 255, 0, 7]);

  it('IDX, packed or not', async () => {
    for (const bytes of [idx, new Uint8Array(gzipSync(idx))]) {
      const t = await readIdx(bytes);
      expect(t.dtype).toBe('int16');
      expect(t.toArraySync()).toEqual([
        [1, 256],
        [-1, 7],
      ]);
    }
    await expect(readIdx(idx.subarray(0, 19))).rejects.toThrow(
      /\[2, 2\] int16 takes 8 bytes, but the file has 7/,
    );
    await expect(readIdx(text('PK'))).rejects.toThrow(/not an IDX file/);
    await expect(readIdx(new Uint8Array(gzipSync(idx)).subarray(0, 30))).rejects.toThrow(
      /gzip data is damaged/,
    );
  });

  it('CIFAR-10 and CIFAR-100', async () => {
    const record = (labels: number[], value: number) => [
      ...labels,
      ...Array.from({ length: 3072 }, (_, i) => (value + i) % 256),
    ];
    const first = Uint8Array.from([...record([3], 0), ...record([9], 1)]);
    const { images, labels } = await readCifar10([first, Uint8Array.from(record([1], 2))]);
    expect(images.shape).toEqual([3, 3, 32, 32]);
    expect(labels.toArraySync()).toEqual([3, 9, 1]);
    expect(images.select(0, 2).flatten().narrow(0, 0, 3).toArraySync()).toEqual([2, 3, 4]);
    const hundred = await readCifar100([Uint8Array.from(record([4, 77], 5))]);
    expect([hundred.coarse.toArraySync(), hundred.labels.toArraySync()]).toEqual([[4], [77]]);
    await expect(readCifar10([first.subarray(1)])).rejects.toThrow(/not whole records of 3073/);
  });
});

describe('CSV', () => {
  const csv = 'name,width,height\r\n"a ""x"", y",1.5,2\r\n"two\nlines",,4\r\nc,-3e2,5\r\n';

  it('is a table with columns of numbers and text', async () => {
    const table = await readCsv(text(csv));
    expect(table.columns).toEqual(['name', 'width', 'height']);
    expect(table.get(1)).toEqual({ name: 'two\nlines', width: Number.NaN, height: 4 });
    expect(table.tensor('height', 'width').select(1, 0).toArraySync()).toEqual([2, 4, 5]);
    const { names, labels } = table.classes('name');
    expect(names).toEqual(['a "x", y', 'c', 'two\nlines']);
    expect(labels.toArraySync()).toEqual([0, 2, 1]);
    expect(() => table.tensor()).toThrow(/column 'name' holds text/);
    expect(() => table.column('depth')).toThrow(/no column 'depth'; there are 'name'/);
    const plain = await readCsv(text('1;2\n3;4\n'), { header: false, types: { 1: 'string' } });
    expect(plain.get(1)).toEqual({ 0: 3, 1: '4' });
  });

  it('refuses what is damaged', async () => {
    await expect(readCsv(text('a,b\n1\n'))).rejects.toThrow(/row 2 has 1 cells, but there are 2/);
    await expect(readCsv(text('a,b\n"1,2\n'))).rejects.toThrow(/quoted field/i);
    await expect(readCsv(text('a,a\n1,2\n'))).rejects.toThrow(/two columns are called 'a'/);
    await expect(readCsv(Uint8Array.of(97, 10, 0xff))).rejects.toThrow(/not UTF-8/);
    await expect(readCsv(text('a\nx\n'), { types: { a: 'number' } })).rejects.toThrow(
      /'x' in column 'a' is not a number/,
    );
    await expect(readCsv(text(''))).rejects.toThrow(/no rows/);
  });

  it('is read row by row where it is large', async () => {
    const rows = Array.from({ length: 30_000 }, (_, i) => `${i},"line\n${i}, ""q"""`);
    const large = text(`id,note\n${rows.join('\n')}\n`);
    const found = await all(csvRows(large, { types: { id: 'number' } }));
    expect(found).toHaveLength(30_000);
    expect(found[29_999]).toEqual({ id: 29_999, note: 'line\n29999, "q"' });
  });
});

describe('lines', () => {
  it('are read across pieces, with ends of either kind', async () => {
    const long = 'x'.repeat(400_000);
    expect(await all(readLines(text(`a\r\n\nü${long}\nend`)))).toEqual([
      'a',
      '',
      `ü${long}`,
      'end',
    ]);
    await expect(all(readLines(text(long), { maxLineLength: 1000 }))).rejects.toThrow(
      /line 1 is longer than maxLineLength/,
    );
    await expect(all(readLines(Uint8Array.of(97, 10, 0xc3)))).rejects.toThrow(
      /line 2 is not UTF-8/,
    );
  });

  it('of JSON, one after another and by index', async () => {
    const bytes = text('{"a":1}\n\n[2, "ß"]\n  \n3');
    expect(await all(jsonLines(bytes))).toEqual([{ a: 1 }, [2, 'ß'], 3]);
    const rows = await JsonLinesDataset.open(bytes);
    expect(rows.length).toBe(3);
    expect([await rows.get(2), await rows.get(1)]).toEqual([3, [2, 'ß']]);
    await expect(rows.get(3)).rejects.toThrow(/index 3 is out of range for 3 lines/);
    await rows.close();
    await expect(all(jsonLines(text('1\n{')))).rejects.toThrow(/line 2 is not JSON/);
  });
});

describe('images', () => {
  const pixels = (channels: number, of: (i: number) => number = (i) => (37 * i) % 256) =>
    Uint8Array.from({ length: 6 * channels }, (_, i) => of(i));
  const png = (data: Uint8Array | Uint16Array, channels: number, depth: 8 | 16 = 8) =>
    encode({ width: 3, height: 2, data, channels, depth });

  it('of PNG come as they are, in colour, gray and with alpha', async () => {
    const data = pixels(3);
    const image = await decodeImage(png(data, 3));
    expect([image.dtype, image.shape]).toEqual(['uint8', [3, 2, 3]]);
    expect(image.permute([1, 2, 0]).flatten().toArraySync()).toEqual([...data]);
    const gray = await decodeImage(png(pixels(1), 1));
    expect(gray.select(0, 2).flatten().toArraySync()).toEqual([...pixels(1)]);
    const one = await decodeImage(png(pixels(1), 1), { channels: 1 });
    expect(one.shape).toEqual([1, 2, 3]);
    const alpha = await decodeImage(png(pixels(4), 4), { channels: 4 });
    expect(alpha.select(0, 3).flatten().toArraySync()).toEqual(
      [3, 7, 11, 15, 19, 23].map((i) => (37 * i) % 256),
    );
    const deep = await decodeImage(png(Uint16Array.from([0, 256, 512, 65535, 3, 4]), 1, 16), {
      channels: 1,
    });
    expect(deep.flatten().toArraySync()).toEqual([0, 1, 2, 255, 0, 0]);
  });

  it('of JPEG', async () => {
    const data = new Uint8Array(16 * 16 * 4).fill(255);
    for (let i = 0; i < 16 * 16; i++) data.set([200, 100, 50], 4 * i);
    const bytes = jpeg.encode({ width: 16, height: 16, data }, 95).data;
    const image = await decodeImage(bytes);
    expect(image.shape).toEqual([3, 16, 16]);
    const middle = image.select(1, 8).select(1, 8).toArraySync() as number[];
    for (const [i, x] of [200, 100, 50].entries())
      expect(Math.abs((middle[i] as number) - x)).toBeLessThanOrEqual(3);
  });

  it('that are damaged, too large or something else are refused', async () => {
    const good = png(pixels(3), 3);
    await expect(decodeImage(good.subarray(0, good.length - 20))).rejects.toThrow(/damaged/);
    const flipped = good.slice();
    flipped[50] = (flipped[50] as number) ^ 255;
    await expect(decodeImage(flipped)).rejects.toThrow(/damaged/);
    await expect(decodeImage(good, { maxPixels: 5 })).rejects.toThrow(/3 x 2 pixels are more/);
    await expect(decodeImage(text('GIF89a'))).rejects.toThrow(/neither PNG nor JPEG/);
    await expect(decodeImage(Uint8Array.of(0xff, 0xd8, 0xff, 0))).rejects.toThrow(/damaged/);
  });

  it('in folders are found in the order of torchvision, and transformed one by one', async () => {
    const root = join(folder, 'images');
    for (const [path, value] of [
      ['dog/b.png', 2],
      ['dog/inner/c.png', 3],
      ['dog/Z.PNG', 1],
      ['cat/x.png', 0],
    ] as const) {
      await mkdir(join(root, path, '..'), { recursive: true });
      await writeFile(
        join(root, path),
        png(
          pixels(3, () => value),
          3,
        ),
      );
    }
    await writeFile(join(root, 'dog/notes.txt'), 'no image');
    await writeFile(join(root, 'readme.md'), 'no class');
    const dataset = await ImageFolder.open(root);
    expect(dataset.classes).toEqual(['cat', 'dog']);
    expect(dataset.classToIdx).toEqual({ cat: 0, dog: 1 });
    expect(dataset.targets).toEqual([0, 1, 1, 1]);
    const [batch] = await all(new DataLoader(dataset, { batchSize: 4 }));
    const [images, labels] = batch as unknown as [Tensor, Tensor];
    expect(images.amax([1, 2, 3]).toArraySync()).toEqual([0, 1, 2, 3]);
    expect(labels.toArraySync()).toEqual([0, 1, 1, 1]);

    const noisy = await ImageFolder.open(root, {
      transform: (image) => image.to('float32').add(rand([])),
    });
    const draw = async () => {
      manualSeed(2);
      const [first] = await all(new DataLoader(noisy, { batchSize: 4 }));
      return (first as unknown as [Tensor])[0].toArraySync();
    };
    expect(await draw()).toEqual(await draw());

    const broken = join(folder, 'broken');
    await mkdir(join(broken, 'a'), { recursive: true });
    await expect(ImageFolder.open(broken)).rejects.toThrow(/no file of class 'a'/);
    await writeFile(join(broken, 'a/1.png'), 'text');
    await expect((await ImageFolder.open(broken)).get(0)).rejects.toThrow(
      /a\/1\.png: decodeImage: the bytes are neither/,
    );
    await expect(ImageFolder.open(join(folder, 'nowhere'))).rejects.toThrow(/cannot be read/);
  });
});

describe('tokens', () => {
  it('are windows of a file, inputs and targets', async () => {
    const path = join(folder, 'tokens.bin');
    const pieces = [Array.from({ length: 6 }, (_, i) => i), [60_000, 6, 7, 8, 9]];
    expect(await writeTokens(path, pieces)).toBe(11);
    expect(await readFile(path)).toHaveLength(22);
    const dataset = await TokenDataset.open(path, 4, { blockSize: 5 });
    expect(dataset.length).toBe(2);
    const [x, y] = await dataset.get(1);
    expect([x.toArraySync(), y.toArraySync()]).toEqual([
      [4, 5, 60_000, 6],
      [5, 60_000, 6, 7],
    ]);
    expect(x.dtype).toBe('int64');
    const every = await TokenDataset.open(path, 4, { stride: 1 });
    expect(every.length).toBe(7);
    const [batch] = await all(new DataLoader(every, { batchSize: 7 }));
    expect((batch as unknown as [Tensor, Tensor])[1].select(0, 6).toArraySync()).toEqual([
      6, 7, 8, 9,
    ]);
    await dataset.close();
    await every.close();
    await expect(dataset.get(2)).rejects.toThrow(/index 2 is out of range for 2 windows/);
    await expect(TokenDataset.open(tokenBytes([1, 2]), 4)).rejects.toThrow(/at least 5/);
    expect(() => tokenBytes([70_000])).toThrow(/does not fit uint16; use 'uint32'/);
    const wide = await TokenDataset.open(tokenBytes([70_000, 1, 2], 'uint32'), 2, {
      format: 'uint32',
    });
    expect((await wide.get(0))[0].toArraySync()).toEqual([70_000, 1]);
    await expect(writeTokens(join(folder, 'bad.bin'), [[-1]])).rejects.toThrow(/token -1/);
    expect((await readdir(folder)).filter((name) => name.includes('bad.bin'))).toEqual([]);
    await expect(writeTokens(folder, [[1]])).rejects.toThrow(
      /^writeTokens: '.*' is a folder; name a file in it$/,
    );
    if (process.platform !== 'win32') {
      await expect(writeTokens('/dev/null', [[1]])).rejects.toThrow(/'\/dev\/null' is a device/);
    }
  });

  it('are made of text by @huggingface/tokenizers', async () => {
    const vocab = { '[UNK]': 0, hello: 1, world: 2, '!': 3 };
    const tokenizer = new Tokenizer(
      {
        version: '1.0',
        truncation: null,
        padding: null,
        added_tokens: [{ id: 0, content: '[UNK]', special: true }],
        normalizer: { type: 'Lowercase' },
        pre_tokenizer: { type: 'Whitespace' },
        post_processor: null,
        decoder: null,
        model: { type: 'WordLevel', vocab, unk_token: '[UNK]' },
      },
      { unk_token: '[UNK]' },
    );
    const lines = readLines(text('Hello world!\nworld of hello\n'));
    expect(await all(tokenize(lines, tokenizer, { separator: 9 }))).toEqual([
      [1, 2, 3, 9],
      [2, 0, 1, 9],
    ]);
  });
});

describe('files that nobody closed', () => {
  it('are closed with their datasets, without a warning', async () => {
    const path = join(folder, 'forgotten.bin');
    await writeFile(path, new Uint8Array(64));
    const warnings: string[] = [];
    const listen = (warning: Error): void => void warnings.push(warning.message);
    process.on('warning', listen);
    try {
      for (let i = 0; i < 4; i++) {
        await RecordDataset.open(path, { dtype: 'uint8', shape: [8] });
        await expect(TokenDataset.open(path, 1000)).rejects.toThrow(/are not whole/);
      }
      await collectGarbage();
    } finally {
      process.off('warning', listen);
    }
    expect(warnings).toEqual([]);
  });
});
