import { builtinModule, RuntimeError, takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';
import { openHttp } from './http-source.js';

/** Bytes that are read piece by piece: a file, a `Blob`, an address that answers range requests, memory. */
export interface ByteSource {
  /** How many bytes there are. */
  readonly size: number;
  /** The bytes from `offset` on. @throws RuntimeError if there are not as many. */
  read(offset: number, length: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** What can be opened: a path (Node) or address, a `Blob` or `File`, bytes, or a source that is open already. */
export type SourceLike = string | URL | Blob | ArrayBuffer | Uint8Array | ByteSource;

/** Options of `openSource`. */
export interface OpenOptions {
  /** How often a failed request is repeated; default 2. */
  retries?: number;
  /** Headers of requests, for authorisation and the like. */
  headers?: Readonly<Record<string, string>>;
}

/**
 * Opens what bytes are read from. Close it in the end, unless it was open already.
 *
 * @param source a string with `http://` or `https://` is an address; another one is a path in Node and an address in a browser.
 * @throws RuntimeError if there is no such file, or a server does not answer range requests.
 * @example const source = await openSource('https://example.org/tokens.bin');
 */
export async function openSource(
  source: SourceLike,
  options: OpenOptions = {},
): Promise<ByteSource> {
  takes('openSource', signatures.openSource, arguments);
  if (source instanceof Uint8Array) return bytesSource(source);
  if (source instanceof ArrayBuffer) return bytesSource(new Uint8Array(source));
  if (typeof Blob !== 'undefined' && source instanceof Blob) return blobSource(source);
  if (typeof source !== 'string' && !(source instanceof URL)) return source as ByteSource;
  const text = String(source);
  if (/^https?:/i.test(text)) return openHttp(text, options);
  const fs = builtinModule<typeof import('node:fs')>('node:fs');
  const urls = builtinModule<typeof import('node:url')>('node:url');
  if (!fs || !urls) return openHttp(String(new URL(text, globalThis.location?.href)), options);
  return openFile(fs, text.startsWith('file:') ? urls.fileURLToPath(text) : text);
}

/** Whether a source was open before, and so is not ours to close. */
export const isOpen = (source: SourceLike): source is ByteSource =>
  typeof (source as Partial<ByteSource>).read === 'function';

/** @throws RuntimeError if a piece is not within a source. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (!(Number.isSafeInteger(offset) && offset >= 0 && length >= 0 && offset + length <= size))
    throw new RuntimeError(
      `read: bytes ${offset} to ${offset + length} are not within ${name}, which has ${size}`,
    );
}

function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(offset, length) {
      checkRange('the bytes', bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    close: async () => {},
  };
}

function blobSource(blob: Blob): ByteSource {
  return {
    size: blob.size,
    async read(offset, length) {
      checkRange('the blob', blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    close: async () => {},
  };
}

async function openFile(fs: typeof import('node:fs'), path: string): Promise<ByteSource> {
  const file = await fs.promises.open(path, 'r').catch((error: Error) => {
    throw new RuntimeError(`openSource: ${path} cannot be opened (${error.message})`);
  });
  const { size } = await file.stat();
  const source: ByteSource = {
    size,
    async read(offset, length) {
      checkRange(path, size, offset, length);
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length; ) {
        const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0)
          throw new RuntimeError(`read: ${path} has become shorter than ${size} bytes`);
        done += bytesRead;
      }
      return bytes;
    },
    async close() {
      forgotten.unregister(source);
      await file.close();
    },
  };
  forgotten.register(source, file, source);
  return source;
}

/** Closes the files of datasets that were dropped without `close`; Node warns of files that the collector finds open. */
const forgotten = new FinalizationRegistry<{ close(): Promise<void> }>((file) => {
  file.close().catch(() => {});
});

/** Options of `cachedSource`. */
export interface CacheOptions {
  /** Bytes read at once; default 256 KiB. */
  blockSize?: number;
  /** Blocks that are kept; default 64. */
  blocks?: number;
}

/**
 * A source that reads whole blocks and keeps those used last: what small windows of a large file want.
 *
 * @example const source = cachedSource(await openSource('tokens.bin'));
 */
export function cachedSource(source: ByteSource, options: CacheOptions = {}): ByteSource {
  takes('cachedSource', signatures.cachedSource, arguments);
  const { blockSize = 262144, blocks = 64 } = options;
  for (const [name, value] of Object.entries({ blockSize, blocks }))
    if (!Number.isInteger(value) || value < 1)
      throw new ValueError(`cachedSource: ${name} should be a positive integer, got ${value}`);
  const kept = new Map<number, Promise<Uint8Array>>();
  const block = (number: number): Promise<Uint8Array> => {
    const start = number * blockSize;
    const found = kept.get(number) ?? source.read(start, Math.min(blockSize, source.size - start));
    // The order of a map is the order of use.
    kept.delete(number);
    kept.set(number, found);
    found.catch(() => kept.delete(number));
    if (kept.size > blocks) kept.delete(kept.keys().next().value as number);
    return found;
  };
  return {
    size: source.size,
    async read(offset, length) {
      checkRange('the source', source.size, offset, length);
      const result = new Uint8Array(length);
      const first = Math.floor(offset / blockSize);
      const last = Math.floor((offset + Math.max(length - 1, 0)) / blockSize);
      for (let number = first; number <= last; number++) {
        const bytes = await block(number);
        const start = Math.max(offset - number * blockSize, 0);
        const part = bytes.subarray(
          start,
          Math.min(offset + length - number * blockSize, bytes.length),
        );
        result.set(part, number * blockSize + start - offset);
      }
      return result;
    },
    close: () => source.close(),
  };
}

/** All bytes of a source, in pieces. */
export async function* chunksOf(
  source: SourceLike,
  chunkSize = 262144,
): AsyncGenerator<Uint8Array> {
  const open = await openSource(source);
  try {
    for (let at = 0; at < open.size; at += chunkSize)
      yield await open.read(at, Math.min(chunkSize, open.size - at));
  } finally {
    if (!isOpen(source)) await open.close();
  }
}

/** All bytes of a source; unpacked if they are gzip. @throws RuntimeError if there are more than `limit`. */
export async function readAllBytes(source: SourceLike, limit = 2 ** 31): Promise<Uint8Array> {
  const open = await openSource(source);
  try {
    if (open.size > limit)
      throw new RuntimeError(`read: ${open.size} bytes are more than the limit of ${limit}`);
    const bytes = await open.read(0, open.size);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? await gunzip(bytes, limit) : bytes;
  } finally {
    if (!isOpen(source)) await open.close();
  }
}

async function gunzip(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('gzip'));
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of stream as unknown as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > limit) break;
      parts.push(part);
    }
  } catch (error) {
    throw new RuntimeError(`read: the gzip data is damaged (${(error as Error).message})`);
  }
  if (size > limit)
    throw new RuntimeError(`read: gzip data unpacks to more than the limit of ${limit} bytes`);
  const result = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
