import type { Backend, DeviceBuffer } from './backend.js';
import type { Device } from './device.js';
import type { DType } from './dtype.js';
import { RuntimeError } from './errors.js';
import { type Lease, release, track } from './memory.js';
import { gradMode } from './mode-scope.js';
import { attempt } from './replay.js';

/** What `structuredClone` and `postMessage` name when they refuse a tensor. */
const uncloneable = Symbol('Tensor: copy it with t.clone(), send t.toTypedArray() and t.shape');

/** Counts the in-place writes that autograd must notice. */
export interface VersionCounter {
  version: number;
}

/**
 * A block of memory on one device that tensors view. In-place operations bump `version`, which is
 * how autograd notices that a value it saved has changed.
 */
export class Storage {
  /** @internal A symbol cannot be cloned, and comes first: a tensor sent to a worker is refused by this name. */
  readonly cloning = uncloneable;
  readonly device: Device;
  readonly backend: Backend;
  readonly dtype: DType;
  /** Elements, of which views may use any part. */
  readonly length: number;
  // Not a plain field, so that deep comparisons do not count writes.
  #version = 0;
  /** Whether it was made under `inferenceMode`, so that autograd may not use it. */
  readonly inference: boolean = gradMode.inference;
  readonly #lease: Lease;

  /** @throws RuntimeError if the device cannot hold `dtype`; OutOfMemoryError. */
  constructor(device: Device, dtype: DType, length: number, buffer?: DeviceBuffer) {
    this.device = device;
    this.backend = device.backend;
    if (!this.backend.supports(dtype)) {
      throw new RuntimeError(
        this.backend.whyNot?.(dtype) ?? `device '${device}' does not support dtype ${dtype}`,
      );
    }
    this.dtype = dtype;
    this.length = length;
    this.#lease = track(this, this.backend, buffer ?? this.backend.allocate(dtype, length));
    if (attempt !== undefined) attempt.noted.add(this);
  }

  get version(): number {
    return this.#version;
  }

  set version(version: number) {
    this.#version = version;
  }

  /** @throws RuntimeError after `dispose`. */
  get buffer(): DeviceBuffer {
    const { buffer } = this.#lease;
    if (!buffer) {
      throw new RuntimeError(
        'a tensor was used after its memory was released by dispose() or tidy(); clone() or keep() what must outlive them',
      );
    }
    return buffer;
  }

  get disposed(): boolean {
    return this.#lease.buffer === undefined;
  }

  /** Returns the memory now rather than when the collector notices; every view of it becomes unusable. */
  dispose(): void {
    release(this.#lease);
  }
}
