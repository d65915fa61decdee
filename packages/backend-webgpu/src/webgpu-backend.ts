import {
  type Backend,
  type DeviceBuffer,
  type DType,
  OutOfMemoryError,
  type Primitive,
  RuntimeError,
  SconceError,
  type TypedArray,
  typedArray,
} from '@sconce/core';
import { planWgsl, Temporary, type WgslKernel, type WgslLimits } from '@sconce/kernels';
import { BufferPool, classSize, GpuBlock } from './buffers.js';
import { fromWords, toWords } from './elements.js';
import { Failures } from './failures.js';
import { inNode } from './gpu.js';
import { Patience } from './patience.js';
import { Pipelines } from './pipelines.js';
import { Recorder } from './recorder.js';

/** STORAGE, COPY_SRC and COPY_DST; MAP_READ and COPY_DST. The names are globals that Node lacks. */
const storageUsage = 0x80 | 0x04 | 0x08;
const stagingUsage = 0x01 | 0x08;

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/**
 * A GPU behind WebGPU. Every element takes four bytes there: float16 and bfloat16 are float32 rounded to
 * their values, integers and bools int32; int64 must fit in int32; float64 is not to be had.
 */
export class WebGpuBackend implements Backend {
  readonly synchronous = false;
  /** The WebGPU device itself. */
  readonly device: GPUDevice;
  readonly #name: string;
  readonly #limits: WgslLimits;
  readonly #maxBytes: number;
  readonly #failures = new Failures();
  readonly #pipelines: Pipelines;
  readonly #recorder: Recorder;
  readonly #pool: BufferPool;
  readonly #staging = new BufferPool((bytes) => this.#createBlock(bytes, stagingUsage));
  readonly #patience = inNode ? new Patience() : undefined;
  /** Checks of allocations that have not answered yet. */
  readonly #checks = new Set<Promise<void>>();

  /**
   * @param name what it is called in messages
   * @param options.tiles whether large matrices are multiplied in tiles of shared memory
   */
  constructor(device: GPUDevice, name: string, { tiles }: { tiles: boolean }) {
    this.device = device;
    this.#name = name;
    const { limits } = device;
    this.#limits = { storageBuffers: limits.maxStorageBuffersPerShaderStage, tiles };
    this.#maxBytes = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
    this.#pipelines = new Pipelines(device);
    this.#recorder = new Recorder(device, this.#pipelines);
    this.#pool = new BufferPool((bytes) => this.#createBlock(bytes, storageUsage));
    device.onuncapturederror = ({ error }) => {
      this.#failures.report(new RuntimeError(`webgpu: ${error.message}`, { cause: error }));
    };
    device.lost.then(({ reason, message }) => {
      this.#failures.lose(reason === 'destroyed' ? reason : message || reason, this.#name);
    });
  }

  supports(dtype: DType): boolean {
    return dtype !== 'float64';
  }

  whyNot(_dtype: DType): string {
    return 'webgpu has no float64; use float32, or keep this tensor on the cpu';
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    this.#failures.checkLost();
    const bytes = length * 4;
    if (classSize(bytes) > this.#maxBytes && bytes > this.#maxBytes) {
      throw new OutOfMemoryError(
        `webgpu: ${length} elements of ${dtype} need ${megabytes(bytes)}, and this device holds at most ${megabytes(this.#maxBytes)} in one tensor; split it`,
      );
    }
    return this.#pool.take(bytes);
  }

  release(buffer: DeviceBuffer): void {
    this.#pool.give(this.#block(buffer));
    if (this.#pool.bloated) this.#trim();
  }

  write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void {
    this.#failures.checkLost();
    if (data.length === 0) return;
    const block = this.#block(buffer);
    // The queue writes at once; commands recorded before must see the old contents.
    if (this.#recorder.uses(block)) this.#recorder.submit();
    const words = toWords(dtype, data);
    this.device.queue.writeBuffer(
      block.gpu,
      offset * 4,
      words.buffer as ArrayBuffer,
      words.byteOffset,
      words.byteLength,
    );
  }

  async read(
    buffer: DeviceBuffer,
    dtype: DType,
    offset: number,
    length: number,
  ): Promise<TypedArray> {
    this.#failures.checkLost();
    if (length === 0) return typedArray(dtype, 0);
    const block = this.#block(buffer);
    const staging = this.#staging.take(length * 4);
    this.#recorder.copy(block.gpu, offset * 4, staging.gpu, 0, length * 4);
    this.#recorder.submit();
    try {
      await this.#patiently(staging.gpu.mapAsync(1, 0, length * 4));
      await this.#settled();
      return fromWords(dtype, staging.gpu.getMappedRange(0, length * 4).slice(0));
    } catch (error) {
      await this.#settled();
      throw error;
    } finally {
      staging.gpu.unmap();
      this.#staging.give(staging);
    }
  }

  execute(primitive: Primitive): void {
    this.#failures.checkLost();
    const temporaries = new Map<DeviceBuffer, GpuBlock>();
    const blockOf = (buffer: DeviceBuffer): GpuBlock => {
      if (!(buffer instanceof Temporary)) return this.#block(buffer);
      let block = temporaries.get(buffer);
      if (!block) {
        block = this.#pool.take(buffer.bytes);
        temporaries.set(buffer, block);
      }
      return block;
    };
    for (const step of planWgsl(primitive, this.#limits)) {
      if (step.kind === 'dispatch') {
        const blocks = step.buffers.map(blockOf);
        for (const block of blocks) block.usedBy ??= step.kernel.label;
        this.#recorder.dispatch(step, blocks);
      } else {
        const from = blockOf(step.from).gpu;
        const to = blockOf(step.to).gpu;
        const bytes = step.length * 4;
        this.#recorder.copy(from, step.fromElement * 4, to, step.toElement * 4, bytes);
      }
    }
    for (const block of temporaries.values()) this.#pool.give(block);
  }

  async synchronize(): Promise<void> {
    this.#failures.checkLost();
    this.#recorder.submit();
    await this.#patiently(this.device.queue.onSubmittedWorkDone());
    await this.#settled();
  }

  /**
   * Compiles the kernels of some primitives beside other work, so that running them first does not wait.
   *
   * @throws RuntimeError if one cannot be compiled.
   */
  async warmup(primitives: readonly Primitive[]): Promise<void> {
    const kernels: WgslKernel[] = [];
    for (const primitive of primitives) {
      for (const step of planWgsl(primitive, this.#limits)) {
        if (step.kind === 'dispatch') kernels.push(step.kernel);
      }
    }
    await this.#pipelines.prepare([...new Set(kernels)]);
  }

  /** Bytes in buffers that tensors hold, and in buffers kept for reuse. */
  get memory(): { readonly live: number; readonly kept: number } {
    return { live: this.#pool.liveBytes, kept: this.#pool.freeBytes };
  }

  /** Ends the device and frees its memory. */
  destroy(): void {
    this.device.destroy();
  }

  #block(buffer: DeviceBuffer): GpuBlock {
    if (buffer instanceof GpuBlock) return buffer;
    throw new SconceError('webgpu: the buffer belongs to another backend');
  }

  #createBlock(bytes: number, usage: number): GpuBlock {
    this.device.pushErrorScope('out-of-memory');
    const size = Math.min(bytes, this.device.limits.maxBufferSize);
    const block = new GpuBlock(this.device.createBuffer({ size, usage }), bytes);
    const held = this.#pool.liveBytes;
    const check = this.device.popErrorScope().then(
      (error) => {
        if (!error) return;
        // Room for whoever tries again.
        this.#trim();
        const name = block.usedBy ? `'${block.usedBy}'` : 'an allocation';
        this.#failures.report(
          new OutOfMemoryError(
            `webgpu: ${name} could not get ${megabytes(bytes)}; tensors on '${this.#name}' hold ${megabytes(held)}. Free tensors with dispose() or tidy(), or use smaller batches`,
            { cause: error },
          ),
        );
      },
      () => {}, // the device is lost, which is reported by itself
    );
    this.#checks.add(check);
    void check.then(() => this.#checks.delete(check));
    return block;
  }

  #patiently<T>(promise: Promise<T>): Promise<T> {
    return this.#patience ? this.#patience.wait(promise) : promise;
  }

  /** Waits until errors of what was done so far are known, and throws the first. */
  async #settled(): Promise<void> {
    await Promise.all(this.#checks);
    this.#failures.check();
  }

  #trim(): void {
    this.#recorder.submit();
    this.#recorder.forget();
    this.#pool.trim();
  }
}
