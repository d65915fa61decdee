import { FileError, quote } from '../errors.js';
import { nodeFs, pathOfUrl } from './node.js';
import { openNodeSink } from './node-sink.js';

/** Where a file is written to, from front to back. */
export interface Sink {
  /** Writes bytes, which may be changed once this has resolved. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes what was written the file. */
  commit(): Promise<void>;
  /** Leaves things as they were. */
  abort(): Promise<void>;
}

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
    const fs = nodeFs();
    if (!fs) {
      throw new FileError(
        `save: there are no paths here to write ${quote(String(target))} by; pass a file handle, or use serialize()`,
      );
    }
    return openNodeSink(fs, typeof target === 'string' ? target : pathOfUrl(target));
  }
  if (typeof target === 'object' && target !== null) {
    // What is written becomes the file when the stream is closed, and not before.
    if ('createWritable' in target) return streamSink(await target.createWritable());
    if ('getWriter' in target) return streamSink(target);
  }
  throw new FileError('save: the target must be a path, URL, file system handle or WritableStream');
}

function streamSink(stream: WritableStream<BufferSource>): Sink {
  const writer = stream.getWriter();
  return {
    // Streams keep what they are given, and refuse shared memory.
    write: (bytes) => writer.write(bytes.slice()),
    commit: () => writer.close(),
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
