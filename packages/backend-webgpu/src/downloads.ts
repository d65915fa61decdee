import type { DType, TypedArray } from '@sconce/core';
import type { BufferPool, GpuBlock } from './buffers.js';
import { fromWords } from './elements.js';
import { patiently } from './patience.js';
import type { Recorder } from './recorder.js';

/** Brings elements to the host. */
export class Downloads {
  readonly #recorder: Recorder;
  readonly #staging: BufferPool;

  /** @param staging gives buffers that can be mapped. */
  constructor(recorder: Recorder, staging: BufferPool) {
    this.#recorder = recorder;
    this.#staging = staging;
  }

  /**
   * Elements after all that was recorded before.
   *
   * @param urgent whether what is recorded is submitted for it now, and not with its batch.
   */
  async fetch(
    block: GpuBlock,
    dtype: DType,
    offset: number,
    length: number,
    urgent: boolean,
  ): Promise<TypedArray> {
    const staging = this.#staging.take(length * 4);
    this.#recorder.copy(block.gpu, offset * 4, staging.gpu, 0, length * 4);
    if (!urgent) await Promise.resolve();
    this.#recorder.submit();
    try {
      await patiently(staging.gpu.mapAsync(1, 0, length * 4));
      return fromWords(dtype, staging.gpu.getMappedRange(0, length * 4).slice(0));
    } finally {
      staging.gpu.unmap();
      this.#staging.give(staging);
    }
  }
}
