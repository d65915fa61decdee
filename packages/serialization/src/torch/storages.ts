import { Device, type DType, itemSize, Storage } from '@sconce/core';
import { FileError, quote } from '../errors.js';
import { type MapLocation, placeFor } from '../location.js';
import { GlobalNode, type Node, type PersistentNode, TupleNode } from '../pickle/nodes.js';
import { dtypeOfStorage, isStorageClass, untyped, wayOfStorage } from './dtypes.js';

/** What a pickle says of a storage whose bytes lie elsewhere in the file. */
export interface StorageRef {
  readonly key: string;
  /** Undefined for a storage of bytes, whose dtype the tensor tells, and for a foreign one. */
  readonly dtype: DType | undefined;
  /** The class of a storage whose dtype we have not. */
  readonly foreign: string | undefined;
  /** Elements, or bytes for one of bytes. */
  readonly length: number;
  readonly location: string;
  /** Where an old file's view of a storage lies in it. */
  readonly view: { readonly offset: number; readonly length: number } | undefined;
}

/** Reads a persistent id: ('storage', class, key, location, length) and in old files a view. */
export function parseRef(title: string, node: PersistentNode): StorageRef {
  const fault = (why: string): FileError =>
    new FileError(`${title}: malformed storage reference: ${why}`);
  const { id } = node;
  if (!(id instanceof TupleNode) || id.items[0] !== 'storage')
    throw fault('it is no tuple that begins with "storage"');
  const [, type, key, location, length, view] = id.items;
  if (!(type instanceof GlobalNode)) throw fault('it has no class');
  if (typeof key !== 'string' && typeof key !== 'number') throw fault('it has no key');
  if (typeof location !== 'string') throw fault('it has no location');
  if (!isCount(length))
    throw fault(`its length is ${typeof length === 'number' ? length : 'no whole number'}`);
  const dtype = dtypeOfStorage(type.name);
  if (!isStorageClass(type.name)) throw fault(`${quote(type.name)} is no class of storages`);
  return {
    key: String(key),
    dtype,
    foreign: dtype || untyped.has(type.name) ? undefined : type.name,
    length,
    location,
    view: parseView(view ?? null, length, fault),
  };
}

function parseView(
  node: Node,
  whole: number,
  fault: (why: string) => FileError,
): StorageRef['view'] {
  if (node === null) return undefined;
  const [, offset, length] = node instanceof TupleNode ? node.items : [];
  if (!isCount(offset) || !isCount(length) || offset + length > whole)
    throw fault('its view lies outside');
  return { offset, length };
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

/** A storage that tensors of the file use, to be filled. */
export interface UsedStorage {
  readonly key: string;
  readonly storage: Storage;
}

/** The storages of a file: one for each key, made when a tensor first asks for it. */
export class StorageTable {
  readonly #title: string;
  readonly #refs = new Map<string, StorageRef>();
  readonly #devices = new Map<string, Device | Error>();
  readonly #made = new Map<string, Storage>();
  readonly #byNode = new Map<PersistentNode, StorageRef>();
  readonly #bytesOf: (key: string) => number;

  /**
   * @param bytesOf how many bytes the file has under a key; throws if there is none.
   * @throws FileError if references are malformed or contradict each other.
   */
  constructor(title: string, nodes: readonly PersistentNode[], bytesOf: (key: string) => number) {
    this.#title = title;
    this.#bytesOf = bytesOf;
    for (const node of nodes) {
      const ref = parseRef(title, node);
      const known = this.#refs.get(ref.key);
      if (
        known &&
        (known.dtype !== ref.dtype ||
          known.foreign !== ref.foreign ||
          known.length !== ref.length ||
          known.location !== ref.location)
      ) {
        throw new FileError(
          `${title}: the file refers to storage ${quote(ref.key)} in two ways that contradict each other`,
        );
      }
      this.#refs.set(ref.key, ref);
      this.#byNode.set(node, ref);
    }
  }

  /** Makes the devices ready that the storages go to. */
  async prepare(map: MapLocation | undefined): Promise<void> {
    for (const { location } of this.#refs.values()) {
      if (this.#devices.has(location)) continue;
      // What is missing matters only if a tensor that is read lies there.
      const device = await placeFor(location, map).catch((error: Error) => error);
      this.#devices.set(location, device);
    }
  }

  /** The reference of a node. */
  ref(node: PersistentNode): StorageRef {
    return this.#byNode.get(node) as StorageRef;
  }

  /**
   * The storage of a reference, as one of `dtype` if the reference leaves that open.
   *
   * @throws FileError if the file has fewer or more bytes for it, or it is used with two dtypes.
   */
  get(ref: StorageRef, asked?: DType): Storage {
    if (ref.foreign !== undefined) {
      throw new FileError(
        `${this.#title}: storages of class ${quote(ref.foreign)} have no dtype here; save ${wayOfStorage(ref.foreign)} in Python, or read the other tensors with openTensors`,
      );
    }
    const dtype = ref.dtype ?? asked ?? 'uint8';
    const known = this.#made.get(ref.key);
    if (known) {
      if (known.dtype === dtype) return known;
      throw new FileError(
        `${this.#title}: storage ${quote(ref.key)} is used as ${known.dtype} and as ${dtype}; tensors of two dtypes cannot share memory here`,
      );
    }
    const size = itemSize(dtype);
    const length = ref.dtype ? ref.length : ref.length / size;
    const bytes = this.#bytesOf(ref.key);
    if (!Number.isInteger(length) || length * size !== bytes) {
      throw new FileError(
        `${this.#title}: storage ${quote(ref.key)} is to have ${length} elements of ${dtype}, the file holds ${bytes} bytes for it`,
      );
    }
    const device = this.#devices.get(ref.location);
    if (!(device instanceof Device)) throw device as Error;
    const storage = new Storage(device, dtype, length);
    this.#made.set(ref.key, storage);
    return storage;
  }

  /** The storages that tensors use. */
  *used(): Generator<UsedStorage> {
    for (const [key, storage] of this.#made) yield { key, storage };
  }
}
