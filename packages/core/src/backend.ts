import type { DType, TypedArray } from './dtype.js';
import type { Primitive } from './primitive.js';

/** A block of device memory, opaque to everyone but its backend. */
export interface DeviceBuffer {
  /** Bytes the block takes on the device. */
  readonly bytes: number;
}

/** How a device is to work; see `init`. */
export interface DeviceOptions {
  /**
   * Whether what the device cannot run is computed on the host, with a warning for each operation; otherwise it is an
   * error. By default false, or what the environment variable `SCONCE_FALLBACK` says (`1`).
   */
  readonly fallback?: boolean;
}

/**
 * What a device must provide: memory for typed elements, transfer, and the primitives. Nothing else
 * exists on one device and not on another; a backend may take any fast path inside `execute`.
 */
export interface Backend {
  /** Whether values can be read at once (`itemSync`, printing); false where only promises can. */
  readonly synchronous: boolean;
  /** Between how many threads work is split, where a device has threads; may be set. */
  threads?: number;

  /** Whether elements of `dtype` can be held; where not, `whyNot` gives the sentence for the error. */
  supports(dtype: DType): boolean;
  whyNot?(dtype: DType): string;

  /**
   * Uninitialised memory for `length` elements of `dtype`; length 0 is allowed.
   * @throws OutOfMemoryError that says who holds what.
   */
  allocate(dtype: DType, length: number): DeviceBuffer;
  /** Returns the memory; work already submitted may still be using it. */
  release(buffer: DeviceBuffer): void;

  /** Copies host elements in; `data` may be reused by the caller at once. */
  write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void;
  /** As `write`, in its turn, with elements that are still to arrive; absent where nothing can wait. */
  writeLater?(buffer: DeviceBuffer, dtype: DType, offset: number, data: Promise<TypedArray>): void;
  /** Copies elements out, after all work submitted before. */
  read(buffer: DeviceBuffer, dtype: DType, offset: number, length: number): Promise<TypedArray>;
  /** As `read`, at once; only on synchronous backends. */
  readSync?(buffer: DeviceBuffer, dtype: DType, offset: number, length: number): TypedArray;
  /** The memory itself as a typed array, without a copy; only where the host can address it. */
  map?(buffer: DeviceBuffer, dtype: DType): TypedArray;
  /** Adopts host memory without a copy where the device can; undefined where it cannot. */
  adopt?(data: TypedArray): DeviceBuffer | undefined;

  /** Runs or enqueues one primitive; its operands are validated already and all live on this device. */
  execute(primitive: Primitive): void;

  /**
   * Looks at elements once the work submitted before is done; an error that `check` returns is what the next read or
   * `synchronize` rejects with. Only on backends that cannot be read at once.
   */
  inspect?(
    buffer: DeviceBuffer,
    dtype: DType,
    offset: number,
    length: number,
    check: (values: TypedArray) => Error | undefined,
  ): void;

  /** Takes the options of `init`; absent where there is nothing to choose. */
  configure?(options: DeviceOptions): void;

  /** Resolves when all submitted work is done; rejects with the device's error if it failed. */
  synchronize(): Promise<void>;
}
