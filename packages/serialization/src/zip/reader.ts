import { FileError, quote } from '../errors.js';
import { crc32 } from '../io/crc32.js';
import type { Source } from '../io/source.js';
import { inflate } from './inflate.js';
import {
  CENTRAL,
  centralBytes,
  END,
  END64,
  end64Bytes,
  endBytes,
  LOCAL,
  LOCATOR64,
  large,
  localBytes,
  locator64Bytes,
  viewOf,
} from './records.js';

/** One file inside a zip file. */
export interface ZipEntry {
  readonly name: string;
  readonly compressed: boolean;
  readonly crc: number;
  /** Bytes in the zip file. */
  readonly packedSize: number;
  /** Bytes of the contents. */
  readonly size: number;
  /** Where its header begins in the zip file, and where the next one does at the latest. */
  readonly at: number;
  readonly limit: number;
  /** Bytes of the name. */
  readonly nameLength: number;
}

/** How far a zip file is trusted. */
export interface ZipOptions {
  /** Whether checksums are compared; default true. */
  verify?: boolean;
  /** The most bytes that compressed parts may unpack to, all together; default 64 times the file's size and 128 MiB. */
  maxInflated?: number;
}

/** No stream of deflate unpacks to more than this many times its size. */
const bestRatio = 1032;

/** A zip file of which single entries are read. Nothing is ever written to paths it names. */
export class ZipReader {
  readonly source: Source;
  readonly entries: ReadonlyMap<string, ZipEntry>;
  readonly verify: boolean;
  #inflatable: number;

  private constructor(source: Source, entries: ReadonlyMap<string, ZipEntry>, options: ZipOptions) {
    this.source = source;
    this.entries = entries;
    this.verify = options.verify ?? true;
    this.#inflatable = options.maxInflated ?? 2 ** 27 + 64 * source.size;
  }

  /**
   * Reads the directory of a zip file, and checks that its entries lie apart and inside the file.
   *
   * @throws FileError if it is damaged, encrypted or in several parts.
   */
  static async open(source: Source, options: ZipOptions = {}): Promise<ZipReader> {
    const directory = await findDirectory(source);
    const bytes = await source.read(directory.offset, directory.size);
    const listed = parseDirectory(source.name, bytes, directory);
    const entries = new Map<string, ZipEntry>();
    listed.sort((a, b) => a.at - b.at);
    for (const [i, entry] of listed.entries()) {
      const limit = listed[i + 1]?.at ?? directory.offset;
      if (entry.at + localBytes + entry.nameLength + entry.packedSize > limit) {
        throw overlap(source, entry.name);
      }
      if (entries.has(entry.name)) {
        throw new FileError(`${source.name}: the zip file has two entries ${quote(entry.name)}`);
      }
      entries.set(entry.name, { ...entry, limit });
    }
    return new ZipReader(source, entries, options);
  }

  /** What messages call an entry. */
  title(entry: ZipEntry): string {
    return `${this.source.name}: ${quote(entry.name)}`;
  }

  /**
   * Where the bytes of an entry begin.
   *
   * @throws FileError if its header does not agree with the directory.
   */
  async offsetOf(entry: ZipEntry): Promise<number> {
    const offset = await dataOffset(this.source, entry);
    if (offset + entry.packedSize > entry.limit) throw overlap(this.source, entry.name);
    return offset;
  }

  /**
   * The contents of an entry, checked.
   *
   * @throws FileError if they are damaged, or too large once unpacked.
   */
  async read(entry: ZipEntry): Promise<Uint8Array> {
    const packed = await this.source.read(await this.offsetOf(entry), entry.packedSize);
    const bytes = entry.compressed ? await this.#inflate(packed, entry) : packed;
    if (this.verify && crc32(bytes) !== entry.crc) {
      throw new FileError(
        `${this.title(entry)}: the checksum of its bytes is wrong, so the file is damaged; pass { verify: false } to read it all the same`,
      );
    }
    return bytes;
  }

  async #inflate(packed: Uint8Array, entry: ZipEntry): Promise<Uint8Array> {
    if (entry.size > packed.length * bestRatio) {
      throw new FileError(
        `${this.title(entry)}: ${packed.length} compressed bytes cannot hold the ${entry.size} it promises`,
      );
    }
    this.#inflatable -= entry.size;
    if (this.#inflatable < 0) {
      throw new FileError(
        `${this.title(entry)}: unpacks to ${entry.size} bytes, with which the file exceeds what it may unpack to; pass { maxInflated } if it is to be trusted`,
      );
    }
    return inflate(packed, entry.size, this.title(entry));
  }
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

async function findDirectory(source: Source): Promise<Directory> {
  const fault = (what: string): FileError =>
    new FileError(`${source.name}: not a whole zip file: ${what}`);
  const length = Math.min(source.size, endBytes + 0xffff);
  const tailOffset = source.size - length;
  const tail = await source.read(tailOffset, length);
  const view = viewOf(tail);
  let at = length - endBytes;
  // The record ends the file, after a comment whose length it gives.
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === END && at + endBytes + view.getUint16(at + 20, true) === length)
  )
    at--;
  if (at < 0) throw fault('its directory is missing, so it was cut off or is no zip file');
  const end = tailOffset + at;
  const disk = view.getUint16(at + 4, true);
  let count = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let offset = view.getUint32(at + 16, true);
  let limit = end;
  if (disk !== 0 && disk !== 0xffff) throw fault('it is one of several parts');
  const wide = count === 0xffff || size === large || offset === large || disk === 0xffff;
  const record = await end64(source, end);
  if (wide && !record) throw fault('its 64-bit directory is missing');
  if (record) {
    limit = record.at;
    // Some writers have it though 32 bits would do; then both say the same.
    if (wide) ({ count, size, offset } = record);
  }
  if (offset + size !== limit) throw fault('its directory does not lie where it must');
  if (count * centralBytes > size) throw fault('its directory is too short for its entries');
  return { offset, size, count };
}

/** The 64-bit record of the directory, where a locator before the last record points to one. */
async function end64(
  source: Source,
  end: number,
): Promise<(Directory & { readonly at: number }) | undefined> {
  const { size } = source;
  if (end < locator64Bytes + end64Bytes) return undefined;
  const locator = viewOf(await source.read(end - locator64Bytes, locator64Bytes));
  if (locator.getUint32(0, true) !== LOCATOR64) return undefined;
  const at = whole(locator.getBigUint64(8, true), size);
  if (at + end64Bytes > end - locator64Bytes) return undefined;
  const record = viewOf(await source.read(at, end64Bytes));
  if (record.getUint32(0, true) !== END64) return undefined;
  return {
    at,
    count: whole(record.getBigUint64(32, true), size),
    size: whole(record.getBigUint64(40, true), size),
    offset: whole(record.getBigUint64(48, true), size),
  };
}

/** A 64-bit number; one that no place in the file can have becomes one past its end. */
const whole = (value: bigint, fileSize: number): number =>
  value > BigInt(fileSize) ? fileSize + 1 : Number(value);

const overlap = (source: Source, name: string): FileError =>
  new FileError(`${source.name}: the zip entry ${quote(name)} overlaps another part of the file`);

/** An entry as the directory lists it. */
type Listed = Omit<ZipEntry, 'limit'>;

function parseDirectory(file: string, bytes: Uint8Array, { count, offset }: Directory): Listed[] {
  const view = viewOf(bytes);
  const listed: Listed[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + centralBytes > bytes.length || view.getUint32(at, true) !== CENTRAL) {
      throw new FileError(
        `${file}: not a whole zip file: its directory breaks off after ${i} entries`,
      );
    }
    const nameLength = view.getUint16(at + 28, true);
    const extraLength = view.getUint16(at + 30, true);
    const next = at + centralBytes + nameLength + extraLength + view.getUint16(at + 32, true);
    if (next > bytes.length) {
      throw new FileError(
        `${file}: not a whole zip file: its directory breaks off after ${i} entries`,
      );
    }
    const nameAt = at + centralBytes;
    const name = decodeName(bytes.subarray(nameAt, nameAt + nameLength));
    const flags = view.getUint16(at + 8, true);
    const method = view.getUint16(at + 10, true);
    if (flags & 1) throw new FileError(`${file}: the zip entry ${quote(name)} is encrypted`);
    if (method !== 0 && method !== 8) {
      throw new FileError(
        `${file}: the zip entry ${quote(name)} is packed by method ${method}; only stored and deflated ones can be read`,
      );
    }
    const sizes = wideFields(
      bytes.subarray(nameAt + nameLength, nameAt + nameLength + extraLength),
      [view.getUint32(at + 24, true), view.getUint32(at + 20, true), view.getUint32(at + 42, true)],
    );
    const [size, packedSize, place] = sizes as [number, number, number];
    if (method === 0 && size !== packedSize) {
      throw new FileError(
        `${file}: the zip entry ${quote(name)} has sizes ${size} and ${packedSize} though it is not compressed`,
      );
    }
    if (place > offset || packedSize > offset) {
      throw new FileError(`${file}: the zip entry ${quote(name)} lies outside of the file`);
    }
    const crc = view.getUint32(at + 16, true);
    listed.push({ name, nameLength, compressed: method === 8, crc, size, packedSize, at: place });
    at = next;
  }
  if (at !== bytes.length) {
    throw new FileError(
      `${file}: not a whole zip file: its directory has more than ${count} entries`,
    );
  }
  return listed;
}

/** Fields of 32 bits, those that are full replaced in order by the 64-bit ones of the extra field 1. */
function wideFields(extra: Uint8Array, fields: readonly number[]): number[] {
  if (!fields.includes(large)) return [...fields];
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length; ) {
    const length = view.getUint16(at + 2, true);
    const end = at + 4 + length;
    if (view.getUint16(at, true) === 1 && end <= extra.length) {
      let next = at + 4;
      return fields.map((field) => {
        if (field !== large || next + 8 > end) return field;
        next += 8;
        return Number(view.getBigUint64(next - 8, true));
      });
    }
    at = end;
  }
  return [...fields];
}

async function dataOffset(source: Source, { at, name, nameLength }: Listed): Promise<number> {
  const bytes = await source.read(at, localBytes + nameLength);
  const header = viewOf(bytes);
  const own = decodeName(bytes.subarray(localBytes));
  const begins = header.getUint32(0, true) === LOCAL && header.getUint16(26, true) === nameLength;
  if (!begins || own !== name) {
    throw new FileError(
      `${source.name}: the zip entry ${quote(name)} does not begin where the directory says`,
    );
  }
  return at + localBytes + nameLength + header.getUint16(28, true);
}

const utf8 = new TextDecoder('utf-8');
const decodeName = (bytes: Uint8Array): string => utf8.decode(bytes);
