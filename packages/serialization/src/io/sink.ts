import type { WholeFile } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { nodeFs, pathOfUrl } from './node.js';
import { openNodeSink } from './node-sink.js';

/** Where a file is written to, from front to back. */
export type Sink = WholeFile;

/** By structure, a file of a browser's file system that can be written (OPFS or picked by the user). */
export interface WritableFileHandleLike {
  readonly kind: 'file';
  createWritable(): Promise<WritableStream<BufferSource>>;
}

/**
 * Where files are written to: in Node a path or a `file:` URL; everywhere a file system handle or a WritableStream.
 */
export type FileTarget = string | URL | WritableFileHandleLike | WritableStream<BufferSource>;

/**
 * Opens what a user calls a file, for writing.
 *
 * @throws FileError if it is nothing that can be written here.
 */
export async function openSink(target: FileTarget): Promise<Sink> {
  if (typeof target === 'string' || target instanceof URL) {
    if (!nodeFs()) {
      throw new FileError(
        `save: there are no paths here to write ${quote(String(target))} by; pass a file handle, or use serialize()`,
      );
    }
    return openNodeSink(typeof target === 'string' ? target : pathOfUrl(target));
  }
  if (typeof target === 'object' && target !== null) {
    // What is written becomes the file when the stream is closed, and not before.
    if ('createWritable' in target) return streamSink(await attempt(target.createWritable()));
    if ('getWriter' in target) return streamSink(target);
  }
  throw new FileError('save: the target must be a path, URL, file system handle or WritableStream');
}

/** Writes what `write` produces, and makes it the file if all of it came. */
export async function writeWhole(sink: Sink, write: (sink: Sink) => Promise<void>): Promise<void> {
  try {
    await write(sink);
    await sink.commit();
  } catch (error) {
    await sink.abort();
    throw error;
  }
}

/** What browsers' file systems refuse, as an error that says the way out; others' errors stay what they are. */
function browserFailure(error: unknown): unknown {
  const { name, message } = (error ?? {}) as Partial<Error>;
  const reasons: Readonly<Record<string, string>> = {
    QuotaExceededError: 'the disk, or what this page may store, is full; make room',
    NoModificationAllowedError: 'another writer has the file open; wait until it has closed it',
    NotAllowedError: 'the user has not allowed it; ask with requestPermission',
    NotFoundError: 'the file is no longer there; ask for a new handle',
  };
  const why = reasons[name ?? ''];
  if (!why) return error;
  return new FileError(`save: the file cannot be written: ${why} (${message})`, { cause: error });
}

async function attempt<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    throw browserFailure(error);
  }
}

function streamSink(stream: WritableStream<BufferSource>): Sink {
  if (stream.locked) {
    throw new FileError('save: the stream has a writer already; release it with releaseLock()');
  }
  const writer = stream.getWriter();
  return {
    // Streams keep what they are given, and refuse shared memory.
    write: (bytes) => attempt(writer.write(bytes.slice())),
    commit: () => attempt(writer.close()),
    abort: () => writer.abort().catch(() => {}),
  };
}

/** Collects a file in memory. */
export class MemorySink implements Sink {
  readonly #parts: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;

  async write(bytes: Uint8Array): Promise<void> {
    this.#parts.push(bytes.slice() as Uint8Array<ArrayBuffer>);
    this.#size += bytes.length;
  }

  async commit(): Promise<void> {}

  async abort(): Promise<void> {}

  /** What was written. */
  bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const part of this.#parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
}
