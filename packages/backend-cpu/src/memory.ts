import {
  autogradEngine,
  collect,
  type DeviceBuffer,
  type DType,
  itemSize,
  OutOfMemoryError,
  type TypedArray,
  typedArrayOver,
} from '@sconce/core';
import { Allocation, Allocator } from './allocator.js';

const page = 65536;
/** What lies below belongs to the thread pool; no tensor starts at address 0. */
const reserved = page;

/** A tensor's memory on the CPU: a stretch of the one WebAssembly memory. */
export class CpuBuffer extends Allocation implements DeviceBuffer {
  /** @internal The buffers that lie on the same memory, this one included; undefined while it is the only one. */
  sharers: { count: number } | undefined = undefined;
  /** @internal */
  released = false;
}

/** Whether memory can be shared between threads here: always in Node, in browsers on cross-origin isolated pages. */
export function canShareMemory(): boolean {
  const { crossOriginIsolated } = globalThis as { crossOriginIsolated?: boolean };
  return typeof SharedArrayBuffer !== 'undefined' && crossOriginIsolated !== false;
}

/** The one WebAssembly memory that all tensors on the CPU live in; it grows on demand up to 4 GiB. */
export class LinearMemory {
  readonly memory: WebAssembly.Memory;
  readonly shared: boolean;
  /** The most pages it can have. */
  readonly maximum: number;
  readonly #allocator: Allocator;
  #buffer: ArrayBufferLike;
  /** Which buffer an array given out by `map` lies on. */
  readonly #owners = new WeakMap<TypedArray, CpuBuffer>();

  /** @param maximum Pages of 64 KiB; less where the platform refuses. */
  constructor(maximum = 65536) {
    this.shared = canShareMemory();
    let pages = maximum;
    let memory: WebAssembly.Memory | undefined;
    while (!memory) {
      try {
        memory = new WebAssembly.Memory({ initial: 1, maximum: pages, shared: this.shared });
      } catch (error) {
        // Phones refuse to reserve 4 GiB of addresses.
        if (pages <= 2048) throw error;
        pages >>>= 1;
      }
    }
    this.memory = memory;
    this.maximum = pages;
    this.#buffer = memory.buffer;
    this.#allocator = new Allocator(reserved, (end) => this.#reach(end));
  }

  /** The memory as it is now; another object after growth. */
  get buffer(): ArrayBufferLike {
    return this.#buffer;
  }

  #reach(end: number): boolean {
    // Kernels may read, and ignore, up to 64 bytes past the end of an operand.
    const missing = Math.ceil((end + 64) / page) - this.#buffer.byteLength / page;
    if (missing <= 0) return true;
    if (end + 64 > this.maximum * page) return false;
    try {
      this.memory.grow(missing);
    } catch {
      return false;
    }
    this.#buffer = this.memory.buffer;
    return true;
  }

  /**
   * Uninitialised memory; while the memory is full, what the collector can give back is tried first.
   *
   * @throws OutOfMemoryError that says what is held.
   */
  allocate(bytes: number): CpuBuffer {
    // Sizes past the whole memory are not the allocator's to count.
    const possible = bytes <= this.maximum * page;
    let found = possible ? this.#allocator.allocate(bytes, CpuBuffer) : undefined;
    if (!found && possible) {
      collect();
      found = this.#allocator.allocate(bytes, CpuBuffer);
    }
    if (!found) throw new OutOfMemoryError(this.#explain(bytes));
    return found;
  }

  release(buffer: CpuBuffer): void {
    buffer.released = true;
    if (buffer.sharers && --buffer.sharers.count > 0) return;
    this.#allocator.release(buffer);
  }

  /** The elements of a buffer, in place. */
  map(buffer: CpuBuffer, dtype: DType): TypedArray {
    const array = typedArrayOver(
      dtype,
      this.#buffer,
      buffer.pointer,
      Math.floor(buffer.bytes / itemSize(dtype)),
    );
    this.#owners.set(array, buffer);
    return array;
  }

  /** Another buffer for an array that `map` gave out, if its memory is still held. */
  adopt(data: TypedArray): CpuBuffer | undefined {
    const owner = this.#owners.get(data);
    if (!owner || owner.released) return undefined;
    owner.sharers ??= { count: 1 };
    owner.sharers.count++;
    const buffer = new CpuBuffer(owner.pointer, owner.bytes, owner.origin);
    buffer.sharers = owner.sharers;
    return buffer;
  }

  #explain(bytes: number): string {
    const usage = this.#allocator.usage();
    let total = 0;
    let count = 0;
    for (const u of usage) {
      total += u.bytes * u.count;
      count += u.count;
    }
    const top = usage.slice(0, 4).map((u) => `${u.count} of ${formatBytes(u.bytes)}`);
    const rest = usage.length > 4 ? ', ...' : '';
    const graphs = autogradEngine()?.held?.();
    const free = this.maximum * page - total;
    const pieces =
      free >= bytes
        ? `; what is free is in pieces too small (the largest has ${formatBytes(this.#allocator.largestFree(this.maximum * page))})`
        : '';
    return (
      `out of memory on cpu: ${formatBytes(bytes)} asked for, but ${formatBytes(total)} of ` +
      `${formatBytes(this.maximum * page)} are held by ${count} tensors (${top.join(', ')}${rest}) that are still in use${pieces}; ` +
      `${graphs ? `${graphs}; ` : ''}use smaller batches, run inference under noGrad(), or release tensors with tidy() or dispose()`
    );
  }
}

/** A number of bytes as people read it: `1.5 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let i = 0;
  let value = bytes;
  while (value >= 1024 && i < units.length - 1) {
    value /= 1024;
    i++;
  }
  return `${Number(value.toPrecision(3))} ${units[i]}`;
}
