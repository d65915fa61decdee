import type { DeviceBuffer, TypedArray } from '@sconce/core';

let nextId = 0;

/** A block of a GPU's memory, of a size class. */
export class GpuBlock implements DeviceBuffer {
  /** Unique in the process: keys bind groups. */
  readonly id: number = nextId++;
  readonly bytes: number;
  readonly gpu: GPUBuffer;
  /** The batch of commands that last used it; see `Recorder`. */
  batch = -1;
  /** The operation that first used it, for messages about its allocation. */
  usedBy: string | undefined;
  free = false;

  constructor(gpu: GPUBuffer, bytes: number) {
    this.gpu = gpu;
    this.bytes = bytes;
  }
}

/** Elements that the device cannot hold, kept in host memory where that is allowed. */
export class HostBlock implements DeviceBuffer {
  readonly data: TypedArray;
  /** Why it is not on the device, for messages: `since ...`. */
  readonly reason: string;

  constructor(data: TypedArray, reason: string) {
    this.data = data;
    this.reason = reason;
  }

  get bytes(): number {
    return this.data.byteLength;
  }

  /** Writes elements. */
  put(offset: number, elements: TypedArray): void {
    (this.data as Float64Array).set(elements as Float64Array, offset);
  }
}

/** The size of the class that holds `bytes`: quarters of powers of two, so that a quarter at most is lost. */
export function classSize(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / Math.max(step, 256)) * Math.max(step, 256);
}

/**
 * Blocks by size class. A block given back can be handed out at once although submitted work still uses
 * it: the queue runs in order, so whatever uses it next comes after.
 */
export class BufferPool {
  readonly #create: (bytes: number) => GpuBlock;
  readonly #free = new Map<number, GpuBlock[]>();
  #freeBytes = 0;
  #liveBytes = 0;

  constructor(create: (bytes: number) => GpuBlock) {
    this.#create = create;
  }

  /** Bytes in blocks that are in use. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** Bytes in blocks kept for reuse. */
  get freeBytes(): number {
    return this.#freeBytes;
  }

  take(bytes: number): GpuBlock {
    const size = classSize(bytes);
    const block = this.#free.get(size)?.pop();
    this.#liveBytes += size;
    if (!block) return this.#create(size);
    this.#freeBytes -= size;
    block.free = false;
    return block;
  }

  give(block: GpuBlock): void {
    if (block.free) return;
    block.free = true;
    block.usedBy = undefined;
    this.#liveBytes -= block.bytes;
    this.#freeBytes += block.bytes;
    const list = this.#free.get(block.bytes);
    if (list) list.push(block);
    else this.#free.set(block.bytes, [block]);
  }

  /** Whether more is kept than is worth keeping. */
  get bloated(): boolean {
    return this.#freeBytes > Math.max(256 * 2 ** 20, this.#liveBytes);
  }

  /** Destroys what is kept. No recorded but unsubmitted commands may use it. */
  trim(): void {
    for (const list of this.#free.values()) for (const block of list) block.gpu.destroy();
    this.#free.clear();
    this.#freeBytes = 0;
  }
}
