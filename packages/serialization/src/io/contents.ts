import { itemSize, type Storage, Tensor, type TypedArray } from '@sconce/core';

/** Bytes handed out at once. */
const chunkBytes = 8 * 2 ** 20;

const asBytes = (elements: TypedArray): Uint8Array =>
  new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength);

/** The bytes of a storage, to be written to a file. */
export interface Contents {
  readonly bytes: number;
  /** Gives the bytes in order; a piece is valid until the promise that `use` gave has resolved. */
  forEach(use: (piece: Uint8Array) => Promise<void>): Promise<void>;
}

/** The bytes of a storage as they are when they are asked for. */
export function contentsOf(storage: Storage): Contents {
  const size = itemSize(storage.dtype);
  return {
    bytes: storage.length * size,
    async forEach(use) {
      const step = chunkBytes / size;
      for (let at = 0; at < storage.length; at += step) {
        const count = Math.min(step, storage.length - at);
        await use(asBytes(await storage.backend.read(storage.buffer, storage.dtype, at, count)));
      }
    },
  };
}

/**
 * The bytes that a storage has now, whatever is written to it later. Devices that cannot be read at once copy on
 * the device, and are read when the bytes are asked for.
 */
export function snapshotOf(storage: Storage): Contents {
  const { backend, dtype, length } = storage;
  if (!backend.readSync) {
    const copy = new Tensor(storage, dtype, [length]).detach().clone();
    const later = contentsOf(copy.storage);
    return {
      bytes: later.bytes,
      async forEach(use) {
        await later.forEach(use);
        copy.dispose();
      },
    };
  }
  const copy = asBytes(backend.readSync(storage.buffer, dtype, 0, length));
  return {
    bytes: copy.length,
    async forEach(use) {
      for (let at = 0; at < copy.length; at += chunkBytes)
        await use(copy.subarray(at, at + chunkBytes));
    },
  };
}
