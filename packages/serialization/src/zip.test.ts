import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32, portable } from './io/crc32.js';
import { MemorySink, type Sink } from './io/sink.js';
import { memorySource, type Source } from './io/source.js';
import { ZipReader } from './zip/reader.js';
import { viewOf } from './zip/records.js';
import { ZipWriter } from './zip/writer.js';

const text = (content: string): Uint8Array => new TextEncoder().encode(content);

async function zipOf(
  entries: Readonly<Record<string, Uint8Array>>,
  compress = false,
): Promise<Uint8Array> {
  const sink = new MemorySink();
  const zip = new ZipWriter(sink);
  for (const [name, bytes] of Object.entries(entries)) await zip.add(name, bytes, { compress });
  await zip.finish();
  return sink.bytes();
}

const open = (bytes: Uint8Array, options = {}): Promise<ZipReader> =>
  ZipReader.open(memorySource(bytes, 'x.zip'), options);

/** Reads all there is. */
async function openAll(bytes: Uint8Array): Promise<void> {
  const zip = await open(bytes);
  for (const entry of zip.entries.values()) await zip.read(entry);
}

/** Reads an entry by name. */
async function read(zip: ZipReader, name: string): Promise<Uint8Array> {
  const entry = zip.entries.get(name);
  if (!entry) throw new Error(`no ${name}`);
  return zip.read(entry);
}

/** Places of a signature in a file. */
function find(bytes: Uint8Array, signature: number): number[] {
  const view = viewOf(bytes);
  const places: number[] = [];
  for (let i = 0; i + 4 <= bytes.length; i++)
    if (view.getUint32(i, true) === signature) places.push(i);
  return places;
}

const CENTRAL = 0x02014b50;
const END = 0x06054b50;

describe('crc32', () => {
  it('is the known one, in pieces and in JavaScript too', () => {
    const bytes = text('123456789');
    expect(crc32(bytes)).toBe(0xcbf43926);
    expect(portable(bytes)).toBe(0xcbf43926);
    expect(crc32(bytes.subarray(4), crc32(bytes.subarray(0, 4)))).toBe(0xcbf43926);
    const long = Uint8Array.from({ length: 1003 }, (_, i) => (i * i) & 255);
    expect(portable(long.subarray(11), portable(long.subarray(0, 11)))).toBe(crc32(long));
    expect(portable(new Uint8Array(0))).toBe(0);
  });
});

describe('zip files', () => {
  it.each([false, true])('come back, compressed: %s', async (compress) => {
    const entries = {
      'a/b.txt': text('hello'),
      ü: new Uint8Array(100_000).fill(7),
      empty: new Uint8Array(0),
    };
    const zip = await open(await zipOf(entries, compress));
    expect([...zip.entries.keys()]).toEqual(Object.keys(entries));
    for (const [name, bytes] of Object.entries(entries))
      expect(await read(zip, name)).toEqual(bytes);
    if (!compress)
      for (const entry of zip.entries.values()) expect((await zip.offsetOf(entry)) % 64).toBe(0);
  });

  it('are read with a comment, and with sizes before the data', async () => {
    const bytes = await zipOf({ a: text('x') });
    const commented = Uint8Array.from([...bytes, ...text('note')]);
    viewOf(commented).setUint16(bytes.length - 2, 4, true);
    expect(await read(await open(commented), 'a')).toEqual(text('x'));
  });

  it('of more than 4 GiB are written and read with 64-bit fields', async () => {
    // A file of zeros with a few pieces in it.
    const pieces: { at: number; bytes: Uint8Array }[] = [];
    let size = 0;
    const zeros = new Uint8Array(2 ** 26);
    const sink: Sink = {
      async write(bytes) {
        if (bytes !== zeros) pieces.push({ at: size, bytes: bytes.slice() });
        size += bytes.length;
      },
      async commit() {},
      async abort() {},
    };
    const zip = new ZipWriter(sink);
    const large = 2 ** 32 + 2 ** 26;
    await zip.add('before', text('first'));
    await zip.addStream('large', large, async (write) => {
      for (let at = 0; at < large; at += zeros.length) await write(zeros);
    });
    await zip.add('after', text('last'));
    await zip.finish();
    const source: Source = {
      name: 'large.zip',
      size,
      async read(offset, length) {
        const out = new Uint8Array(length);
        for (const { at, bytes } of pieces) {
          const from = Math.max(at, offset);
          const to = Math.min(at + bytes.length, offset + length);
          if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset);
        }
        return out;
      },
      async close() {},
    };
    const reader = await ZipReader.open(source);
    expect(reader.entries.get('large')).toMatchObject({ size: large, packedSize: large });
    expect(reader.entries.get('after')?.at).toBeGreaterThan(2 ** 32);
    expect(await read(reader, 'before')).toEqual(text('first'));
    expect(await read(reader, 'after')).toEqual(text('last'));
  }, 60_000);
});

describe('zip files that lie', () => {
  it.each<
    [string, (bytes: Uint8Array, view: DataView, central: number[], end: number) => void, RegExp]
  >([
    [
      'about where an entry is',
      (_, view, [, second = 0]) => view.setUint32(second + 42, 5, true),
      /does not begin where the directory says|overlaps/,
    ],
    [
      'by putting two entries in one place',
      (_, view, [first = 0, second = 0]) =>
        view.setUint32(second + 42, view.getUint32(first + 42, true), true),
      /does not begin where the directory says|overlaps another part/,
    ],
    [
      'by an entry that covers the next',
      (_, view, [first = 0]) => {
        view.setUint32(first + 20, 100, true);
        view.setUint32(first + 24, 100, true);
      },
      /overlaps another part of the file/,
    ],
    [
      'about the size of a stored entry',
      (_, view, [first = 0]) => view.setUint32(first + 24, 4, true),
      /has sizes 4 and 5 though it is not compressed/,
    ],
    [
      'about its name',
      (bytes, _, [first = 0]) => {
        bytes[first + 46] = 98;
      },
      /does not begin where the directory says/,
    ],
    ['by encryption', (_, view, [first = 0]) => view.setUint16(first + 8, 1, true), /is encrypted/],
    [
      'by another method',
      (_, view, [first = 0]) => view.setUint16(first + 10, 14, true),
      /is packed by method 14/,
    ],
    [
      'by several parts',
      (_, view, __, end) => view.setUint16(end + 4, 1, true),
      /one of several parts/,
    ],
    [
      'about how many entries there are',
      (_, view, __, end) => view.setUint16(end + 10, 1, true),
      /has more than 1 entries/,
    ],
    [
      'about more entries',
      (_, view, __, end) => view.setUint16(end + 10, 9, true),
      /breaks off after 2|too short/,
    ],
    [
      'about where the directory is',
      (_, view, __, end) => view.setUint32(end + 16, 3, true),
      /does not lie where it must/,
    ],
    [
      'about a place beyond the end',
      (_, view, [first = 0]) => view.setUint32(first + 42, 0x7fffffff, true),
      /lies outside of the file/,
    ],
    [
      'about 64-bit fields',
      (_, view, __, end) => view.setUint32(end + 16, 0xffffffff, true),
      /64-bit directory is missing/,
    ],
  ])('%s', async (_, change, message) => {
    const bytes = await zipOf({ a: text('hello'), c: text('world') });
    const end = find(bytes, END).at(-1) as number;
    change(bytes, viewOf(bytes), find(bytes, CENTRAL), end);
    await expect(openAll(bytes)).rejects.toThrow(message);
  });

  it('by two entries of one name', async () => {
    const sink = new MemorySink();
    const zip = new ZipWriter(sink);
    await zip.add('a', text('1'));
    await zip.add('a', text('2'));
    await zip.finish();
    await expect(open(sink.bytes())).rejects.toThrow(/two entries 'a'/);
  });

  it('about what an entry unpacks to', async () => {
    const bytes = await zipOf({ a: new Uint8Array(10_000) }, true);
    const [central = 0] = find(bytes, CENTRAL);
    const sized = (size: number): Uint8Array => {
      const copy = bytes.slice();
      viewOf(copy).setUint32(central + 24, size, true);
      return copy;
    };
    await expect(read(await open(sized(9_999)), 'a')).rejects.toThrow(
      /unpacks to more than its 9999 bytes/,
    );
    await expect(read(await open(sized(10_001)), 'a')).rejects.toThrow(
      /unpacks to 10000 bytes instead of 10001/,
    );
    await expect(read(await open(sized(2 ** 31)), 'a')).rejects.toThrow(
      /compressed bytes cannot hold the 2147483648 it promises/,
    );
    await expect(read(await open(bytes, { maxInflated: 9_999 }), 'a')).rejects.toThrow(
      /pass \{ maxInflated \}/,
    );
    expect(await read(await open(bytes, { maxInflated: 10_000 }), 'a')).toHaveLength(10_000);
  });

  it('by a stream that goes on, or is none', async () => {
    const bomb = deflateRawSync(new Uint8Array(2 ** 24));
    const sink = new MemorySink();
    const zip = new ZipWriter(sink);
    await zip.add('bomb', bomb);
    await zip.add(
      'noise',
      Uint8Array.from({ length: 100 }, (_, i) => (i * 73) & 255),
    );
    await zip.finish();
    const bytes = sink.bytes();
    const view = viewOf(bytes);
    for (const central of find(bytes, CENTRAL)) {
      view.setUint16(central + 10, 8, true);
      view.setUint32(central + 24, 1000, true);
    }
    const reader = await open(bytes);
    await expect(read(reader, 'bomb')).rejects.toThrow(/unpacks to more than its 1000 bytes/);
    await expect(read(reader, 'noise')).rejects.toThrow(/its compressed data is damaged/);
  });

  it('at every length it is cut to', async () => {
    const bytes = await zipOf({ a: text('hello') });
    for (let length = 0; length < bytes.length; length++) {
      await expect(open(bytes.subarray(0, length))).rejects.toThrow(
        /not a whole zip file|truncated/,
      );
    }
  });
});
