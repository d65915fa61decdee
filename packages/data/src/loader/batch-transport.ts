import {
  Device,
  type DType,
  empty,
  fromTypedArray,
  keepStorage,
  numel,
  Storage,
  Tensor,
  type TypedArray,
  typedArray,
} from '@sconce/core';
import { type BatchTarget, hostView } from '../host.js';
import type { Leaf, Request, Tree } from './protocol.js';

/**
 * In a worker: puts the tensors of one batch into the slots the loader offers, which lie in its own memory, or where
 * none fits into memory that is handed over. Either way the loader gets them without a copy by serialisation.
 */
export class SlotTarget implements BatchTarget {
  readonly leaves: Leaf[] = [];
  readonly transfer: ArrayBuffer[] = [];
  readonly #slots: Request['slots'];

  constructor(slots: Request['slots']) {
    this.#slots = slots;
  }

  write(
    dtype: DType,
    shape: readonly number[],
    _device: unknown,
    fill: (data: TypedArray) => void,
  ): LeafMark {
    const number = this.leaves.length;
    const slot = this.#slots[number];
    const count = numel(shape);
    if (slot && slot.dtype === dtype && slot.data.length >= count) {
      fill(slot.data.subarray(0, count));
      this.leaves.push({ slot: number, data: undefined, dtype, shape });
    } else {
      const data = typedArray(dtype, count);
      fill(data);
      this.transfer.push(data.buffer as ArrayBuffer);
      this.leaves.push({ slot: -1, data, dtype, shape });
    }
    return new LeafMark(number);
  }

  /** A value with its tensors written. @throws TypeError at what cannot be sent. */
  async encode(value: unknown): Promise<Tree> {
    if (value instanceof LeafMark) return ['tensor', value.number];
    if (value instanceof Tensor) {
      const dense = value.isContiguous() ? value : value.contiguous();
      const data = hostView(dense) ?? (await dense.toTypedArray());
      const mark = this.write(value.dtype, value.shape, value.device, (to) =>
        (to as Float32Array).set(data as Float32Array),
      );
      return ['tensor', mark.number];
    }
    if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
      // A copy of its own: what the array is part of may be in use.
      const data = (value as TypedArray).slice();
      if (data.buffer instanceof ArrayBuffer) this.transfer.push(data.buffer);
      return ['array', this.leaves.push({ slot: -1, data, dtype: 'uint8', shape: [] }) - 1];
    }
    if (Array.isArray(value)) {
      const list: Tree[] = [];
      for (const x of value) list.push(await this.encode(x));
      return ['list', list];
    }
    if (typeof value === 'function' || typeof value === 'symbol')
      throw new TypeError(
        `DataLoader: a batch holds a ${typeof value}, which cannot be sent from a worker; let collateFn leave it out`,
      );
    if (value !== null && typeof value === 'object' && isPlain(value)) {
      const object: Record<string, Tree> = {};
      for (const [key, x] of Object.entries(value)) object[key] = await this.encode(x);
      return ['object', object];
    }
    return ['value', value];
  }
}

const isPlain = (value: object): boolean => {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** Stands for a tensor that is written already. */
class LeafMark {
  readonly number: number;
  constructor(number: number) {
    this.number = number;
  }
}

/** Memory of this thread that a worker writes one tensor into. */
export interface Slot {
  readonly dtype: DType;
  readonly tensor: Tensor;
  readonly mapped: TypedArray;
  readonly length: number;
}

/** A slot for `length` elements; undefined where threads cannot share the memory of tensors. */
export function openSlot(dtype: DType, length: number): Slot | undefined {
  const { backend } = Device.from('cpu');
  if (!backend.map || !backend.adopt || length === 0) return undefined;
  if (typeof SharedArrayBuffer === 'undefined') return undefined;
  const tensor = empty([length], { dtype, device: 'cpu' });
  const mapped = backend.map(tensor.storage.buffer, dtype);
  if (!(mapped.buffer instanceof SharedArrayBuffer)) {
    tensor.dispose();
    return undefined;
  }
  // No tidy() may give the memory back while a worker writes to it.
  keepStorage(tensor.storage);
  return { dtype, tensor, mapped, length };
}

/** The tensor of a leaf: on the memory of its slot, or over the array that was handed over. */
function tensorOf(leaf: Leaf, slots: readonly (Slot | undefined)[]): Tensor {
  const { dtype, shape, data } = leaf;
  const slot = slots[leaf.slot];
  if (!slot) return fromTypedArray(data as TypedArray, shape, { dtype, device: 'cpu' });
  const { device, backend } = slot.tensor.storage;
  const buffer = backend.adopt?.(slot.mapped);
  if (!buffer) throw new Error('DataLoader: the memory of a slot was released');
  return new Tensor(new Storage(device, dtype, numel(shape), buffer), dtype, shape);
}

/** Puts a batch together again; the slots belong to its tensors from here on. */
export function decodeBatch(
  tree: Tree,
  leaves: readonly Leaf[],
  slots: readonly (Slot | undefined)[],
): unknown {
  const build = (node: Tree): unknown => {
    switch (node[0]) {
      case 'tensor':
        return tensorOf(leaves[node[1]] as Leaf, slots);
      case 'array':
        return (leaves[node[1]] as Leaf).data;
      case 'list':
        return node[1].map(build);
      case 'object':
        return Object.fromEntries(Object.entries(node[1]).map(([key, x]) => [key, build(x)]));
      case 'value':
        return node[1];
    }
  };
  try {
    return build(tree);
  } finally {
    releaseSlots(slots);
  }
}

/** Gives slots back; only when no worker can be writing to them. */
export function releaseSlots(slots: readonly (Slot | undefined)[]): void {
  for (const slot of slots) slot?.tensor.dispose();
}
