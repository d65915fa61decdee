import { FileError, quote } from '../errors.js';
import { nodeFs, pathOfUrl } from './node.js';
import { openNodeFile, openNodeHandle } from './node-file.js';

/** Bytes that can be read at any place: a file, a Blob, memory. */
export interface Source {
  /** What messages call it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** The bytes of a range inside the source; they may be its own memory and must not be changed. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** Reads a range straight into memory; only where that saves a copy. */
  readInto?(target: Uint8Array, offset: number): Promise<void>;
  /** Another file that lies beside this one. */
  sibling?(name: string): Promise<Source>;
  close(): Promise<void>;
}

/** An open file of Node's `fs/promises`. */
export interface FileHandleLike {
  readonly fd: number;
  stat(): Promise<{ readonly size: number }>;
  read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<{ readonly bytesRead: number }>;
}

/** A file of a browser's file system (OPFS or picked by the user). */
export interface FileSystemHandleLike {
  readonly kind: 'file';
  readonly name: string;
  getFile(): Promise<Blob>;
}

/**
 * Where files are read from: in Node a path, a `file:` URL or an open handle; everywhere a `Blob` or `File`, a
 * `Response`, a file system handle, an ArrayBuffer or a typed array.
 */
export type FileSource =
  | string
  | URL
  | Blob
  | Response
  | ArrayBufferLike
  | ArrayBufferView
  | FileHandleLike
  | FileSystemHandleLike;

/**
 * Opens what a user calls a file.
 *
 * @throws FileError if it is nothing that can be read here.
 */
export async function openSource(source: FileSource): Promise<Source> {
  if (typeof source === 'string' || source instanceof URL) return openPath(source);
  if (ArrayBuffer.isView(source)) {
    return memorySource(new Uint8Array(source.buffer, source.byteOffset, source.byteLength));
  }
  if (isBuffer(source)) return memorySource(new Uint8Array(source));
  if (source instanceof Blob) return blobSource(source, (source as { name?: string }).name);
  if (typeof Response !== 'undefined' && source instanceof Response) return fetched(source);
  if (typeof source === 'object' && source !== null) {
    if ('getFile' in source) return blobSource(await source.getFile(), source.name);
    if ('fd' in source && 'read' in source) return openNodeHandle(source);
  }
  throw new FileError(
    'load: the source must be a path, URL, Blob, File, Response, file handle, ArrayBuffer or typed array',
  );
}

const isBuffer = (x: unknown): x is ArrayBufferLike =>
  x instanceof ArrayBuffer ||
  (typeof SharedArrayBuffer !== 'undefined' && x instanceof SharedArrayBuffer);

async function openPath(path: string | URL): Promise<Source> {
  const url = typeof path === 'string' ? path : path.href;
  if (/^https?:/i.test(url)) {
    throw new FileError(`load: ${quote(url)} is on the network; pass \`await fetch(url)\``);
  }
  const fs = nodeFs();
  if (!fs) {
    throw new FileError(
      `load: there are no paths here to open ${quote(url)} by; pass a File, Blob or \`await fetch(url)\``,
    );
  }
  return openNodeFile(fs, typeof path === 'string' ? path : pathOfUrl(path));
}

/** Bytes in memory as a source. */
export function memorySource(bytes: Uint8Array, name = 'the given bytes'): Source {
  return {
    name,
    size: bytes.byteLength,
    async read(offset, length) {
      checkRange(name, bytes.byteLength, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    async close() {},
  };
}

function blobSource(blob: Blob, name = 'the given Blob'): Source {
  return {
    name,
    size: blob.size,
    async read(offset, length) {
      checkRange(name, blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    async close() {},
  };
}

async function fetched(response: Response): Promise<Source> {
  const name = response.url || 'the given Response';
  if (!response.ok) {
    throw new FileError(`load: ${quote(name)} answered ${response.status} ${response.statusText}`);
  }
  return memorySource(new Uint8Array(await response.arrayBuffer()), name);
}

/** @throws FileError if a range is not inside the source. */
export function checkRange(name: string, size: number, offset: number, length: number): void {
  if (offset >= 0 && length >= 0 && offset + length <= size) return;
  throw new FileError(
    `${name}: truncated: bytes ${offset} to ${offset + length} are needed, the file has ${size}`,
  );
}
