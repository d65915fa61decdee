import { type DType, itemSize, type Storage, typedArrayOver } from '@sconce/core';
import { FileError } from '../errors.js';
import { crc32 } from './crc32.js';
import { Meter, type TransferOptions } from './progress.js';
import type { Source } from './source.js';

/** The CRC-32 that bytes must have. */
export interface Checksum {
  readonly expected: number;
  /** What messages call the bytes. */
  readonly name: string;
  /** Bytes before those of the storage, over which the checksum goes too. */
  readonly before?: Uint8Array;
}

/** A storage to be filled from a range of a file. */
export interface Fill {
  readonly storage: Storage;
  readonly source: Source;
  /** Where its bytes begin. */
  readonly offset: number;
  readonly checksum?: Checksum | undefined;
  /** Whether the elements are in the file with their most significant byte first. */
  readonly bigEndian?: boolean;
}

/** Bytes read at once. */
const chunkBytes = 8 * 2 ** 20;
/** Reads under way at a time: more of them only wait for each other's pages. */
const readAhead = 3;
/** Storages up to this size are read together with their neighbours. */
const smallBytes = 2 ** 18;
/** The most bytes between two neighbours that are read along with them. */
const gapBytes = 4096;

const bytesOf = (storage: Storage): number => storage.length * itemSize(storage.dtype);

/**
 * Fills storages from a file: large ones straight into their memory where the device and the source allow it,
 * small neighbours by one read for many.
 *
 * @throws FileError if the file ends early or a checksum is wrong.
 */
export async function fillAll(fills: readonly Fill[], options: TransferOptions): Promise<void> {
  const meter = new Meter(
    options,
    fills.reduce((sum, fill) => sum + bytesOf(fill.storage), 0),
  );
  const sources = new Map<Source, number>();
  for (const { source } of fills) if (!sources.has(source)) sources.set(source, sources.size);
  const sorted = fills
    .filter((fill) => fill.storage.length > 0)
    .map((fill) => ({ fill, file: sources.get(fill.source) as number }))
    .sort((a, b) => a.file - b.file || a.fill.offset - b.fill.offset)
    .map(({ fill }) => fill);
  await inTurn(stepsOf(sorted, meter));
  for (const { storage, checksum } of fills) {
    if (storage.length === 0 && checksum) compare(checksum, startOf(checksum));
  }
}

/** A read, and what is done with what it brought. */
interface Step {
  start(): Promise<Chunk>;
  finish(chunk: Chunk): void;
}

/** The reads that fill storages, in the order of the file. */
function* stepsOf(sorted: readonly Fill[], meter: Meter): Generator<Step> {
  for (let i = 0; i < sorted.length; ) {
    const first = sorted[i] as Fill;
    if (bytesOf(first.storage) > smallBytes) {
      yield* largeSteps(first, meter);
      i++;
    } else {
      const group = neighbours(sorted, i);
      yield smallStep(group, meter);
      i += group.length;
    }
  }
}

/** Carries out steps: reads run ahead, what is done with them comes in order. */
async function inTurn(steps: Iterator<Step>): Promise<void> {
  const under: { step: Step; chunk: Promise<Chunk> }[] = [];
  try {
    for (;;) {
      while (under.length < readAhead) {
        const { value: step, done } = steps.next();
        if (done) break;
        const chunk = step.start();
        chunk.catch(() => {}); // awaited in its turn
        under.push({ step, chunk });
      }
      const next = under.shift();
      if (!next) return;
      next.step.finish(await next.chunk);
    }
  } finally {
    // Reads that are under way still write to memory.
    await Promise.allSettled(under.map(({ chunk }) => chunk));
  }
}

/** The small storages from place `start` on that one read can bring. */
function neighbours(sorted: readonly Fill[], start: number): Fill[] {
  const first = sorted[start] as Fill;
  const group = [first];
  let end = first.offset + bytesOf(first.storage);
  for (let i = start + 1; i < sorted.length; i++) {
    const next = sorted[i] as Fill;
    const nextEnd = next.offset + bytesOf(next.storage);
    if (next.source !== first.source || next.offset - end > gapBytes) break;
    if (bytesOf(next.storage) > smallBytes || nextEnd - first.offset > chunkBytes) break;
    group.push(next);
    end = Math.max(end, nextEnd);
  }
  return group;
}

function smallStep(group: readonly Fill[], meter: Meter): Step {
  const { source, offset } = group[0] as Fill;
  const end = group.reduce((most, fill) => Math.max(most, fill.offset + bytesOf(fill.storage)), 0);
  return {
    start: async () => ({ bytes: await source.read(offset, end - offset), inPlace: false }),
    finish({ bytes }) {
      for (const fill of group) {
        const start = fill.offset - offset;
        const own = bytes.subarray(start, start + bytesOf(fill.storage));
        if (fill.checksum) compare(fill.checksum, crc32(own, startOf(fill.checksum)));
        upload(fill, 0, own);
        meter.add(own.length);
      }
    },
  };
}

/** One storage, chunk by chunk. */
function* largeSteps(fill: Fill, meter: Meter): Generator<Step> {
  const total = bytesOf(fill.storage);
  let crc = fill.checksum ? startOf(fill.checksum) : 0;
  for (let start = 0; start < total; start += chunkBytes) {
    const length = Math.min(chunkBytes, total - start);
    yield {
      start: () => fetchChunk(fill, start, length),
      finish({ bytes, inPlace }) {
        if (fill.checksum) crc = crc32(bytes, crc);
        if (inPlace) mend(fill, bytes);
        else upload(fill, start, bytes);
        if (fill.checksum && start + length === total) compare(fill.checksum, crc);
        meter.add(length);
      },
    };
  }
}

interface Chunk {
  readonly bytes: Uint8Array;
  /** Whether the bytes are the storage's own memory. */
  readonly inPlace: boolean;
}

async function fetchChunk(fill: Fill, start: number, length: number): Promise<Chunk> {
  const { source, storage } = fill;
  const target = source.readInto ? mapped(storage, start, length) : undefined;
  if (!target || !source.readInto) {
    return { bytes: await source.read(fill.offset + start, length), inPlace: false };
  }
  await source.readInto(target, fill.offset + start);
  return { bytes: target, inPlace: true };
}

/** Part of a storage's memory, where the host can address it. */
function mapped(storage: Storage, start: number, length: number): Uint8Array | undefined {
  const all = storage.backend.map?.(storage.buffer, storage.dtype);
  if (!all) return undefined;
  return new Uint8Array(all.buffer, all.byteOffset + start, length);
}

/** Writes the bytes of a whole storage, as they stand in a file. */
export function writeBytes(fill: Pick<Fill, 'storage' | 'bigEndian'>, bytes: Uint8Array): void {
  if (bytes.length > 0) upload(fill, 0, bytes);
}

/** Writes bytes of the file to part of a storage. */
function upload(fill: Pick<Fill, 'storage' | 'bigEndian'>, start: number, bytes: Uint8Array): void {
  const { storage } = fill;
  const size = itemSize(storage.dtype);
  const owned = needsMending(fill) || bytes.byteOffset % size !== 0 ? bytes.slice() : bytes;
  mend(fill, owned);
  const elements = typedArrayOver(
    storage.dtype,
    owned.buffer,
    owned.byteOffset,
    owned.length / size,
  );
  storage.backend.write(storage.buffer, storage.dtype, start / size, elements);
}

const needsMending = (fill: Pick<Fill, 'storage' | 'bigEndian'>): boolean =>
  (fill.bigEndian === true && itemSize(fill.storage.dtype) > 1) || fill.storage.dtype === 'bool';

/** Brings bytes as they stand in a file to what memory must hold: byte order, and bools that are 0 or 1. */
function mend(fill: Pick<Fill, 'storage' | 'bigEndian'>, bytes: Uint8Array): void {
  const { dtype } = fill.storage;
  if (dtype === 'bool') for (let i = 0; i < bytes.length; i++) bytes[i] = bytes[i] === 0 ? 0 : 1;
  else if (fill.bigEndian) swapBytes(bytes, dtype);
}

function swapBytes(bytes: Uint8Array, dtype: DType): void {
  const size = itemSize(dtype);
  for (let at = 0; at < bytes.length; at += size) {
    for (let i = at, j = at + size - 1; i < j; i++, j--) {
      const low = bytes[i] as number;
      bytes[i] = bytes[j] as number;
      bytes[j] = low;
    }
  }
}

const startOf = ({ before }: Checksum): number => (before ? crc32(before) : 0);

function compare({ expected, name }: Checksum, actual: number): void {
  if (actual === expected) return;
  throw new FileError(
    `${name}: the checksum of its bytes is wrong, so the file is damaged; pass { verify: false } to read it all the same`,
  );
}
