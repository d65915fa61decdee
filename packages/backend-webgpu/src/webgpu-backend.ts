import {
  areDeterministicAlgorithmsEnabled,
  autogradEngine,
  type Backend,
  type DeviceBuffer,
  type DeviceOptions,
  type DType,
  HostStep,
  inputsOf,
  NotImplementedError,
  OutOfMemoryError,
  outputsOf,
  type Primitive,
  RuntimeError,
  SconceError,
  type TypedArray,
  typedArray,
} from '@sconce/core';
import {
  mostPositions,
  planWgsl,
  positionsOf,
  runInPieces,
  Temporary,
  type WgslKernel,
  type WgslLimits,
  type WgslStep,
} from '@sconce/kernels';
import { BufferPool, classSize, GpuBlock, HostBlock } from './buffers.js';
import { Downloads } from './downloads.js';
import { toWords } from './elements.js';
import { Failures } from './failures.js';
import { Fallback } from './fallback.js';
import { Order } from './order.js';
import { patiently } from './patience.js';
import { Pipelines } from './pipelines.js';
import { Recorder } from './recorder.js';

/** STORAGE, COPY_SRC and COPY_DST; MAP_READ and COPY_DST. The names are globals that Node lacks. */
const storageUsage = 0x80 | 0x04 | 0x08;
const stagingUsage = 0x01 | 0x08;

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

/** How a backend uses its device. */
export interface WebGpuOptions extends DeviceOptions {
  /** Whether large matrices are multiplied in tiles of shared memory; by default on GPUs. */
  readonly tiles: boolean;
  /** Buffers that one kernel may use, at most those the device takes, which is the default. */
  readonly storageBuffers?: number;
  /** Bytes of the largest tensor, at most those of the device, which is the default. */
  readonly tensorBytes?: number;
}

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
  readonly #downloads: Downloads;
  /** Checks of allocations and of values that have not answered yet. */
  readonly #checks = new Set<Promise<void>>();
  readonly #order = new Order((error) => this.#failures.note(error as Error, this.#steps));
  /** How many steps may have failed by themselves so far: those on the host, and checks of values. */
  #steps = 0;
  readonly #fallback: Fallback;
  /** Whether there ever were tensors in host memory. */
  #hostBlocks = false;

  /**
   * @param name what it is called in messages
   */
  constructor(device: GPUDevice, name: string, options: WebGpuOptions) {
    this.device = device;
    this.#name = name;
    const { limits } = device;
    const { tiles, storageBuffers = Number.POSITIVE_INFINITY } = options;
    this.#limits = {
      storageBuffers: Math.min(storageBuffers, limits.maxStorageBuffersPerShaderStage),
      tiles,
    };
    this.#maxBytes = Math.min(
      limits.maxStorageBufferBindingSize,
      limits.maxBufferSize,
      options.tensorBytes ?? Number.POSITIVE_INFINITY,
    );
    this.#fallback = new Fallback(name, options.fallback);
    this.#pipelines = new Pipelines(device);
    this.#recorder = new Recorder(device, this.#pipelines);
    const staging = new BufferPool((bytes) => this.#createBlock(bytes, stagingUsage));
    this.#downloads = new Downloads(this.#recorder, staging);
    this.#pool = new BufferPool((bytes) => this.#createBlock(bytes, storageUsage));
    device.onuncapturederror = ({ error }) => {
      this.#failures.report(new RuntimeError(`webgpu: ${error.message}`, { cause: error }));
    };
    device.lost.then(({ reason, message }) => {
      this.#failures.lose(reason === 'destroyed' ? reason : message || reason, this.#name);
    });
  }

  supports(dtype: DType): boolean {
    return dtype !== 'float64' || this.#fallback.allowed;
  }

  whyNot(_dtype: DType): string {
    return `webgpu has no float64; use float32, or keep this tensor on the cpu; ${this.#fallback.option} has the host compute what needs it`;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    this.#failures.checkLost();
    const bytes = length * 4;
    if (dtype === 'float64') return this.#onHost(dtype, length, 'since it has no float64');
    if (classSize(bytes) > this.#maxBytes && bytes > this.#maxBytes) {
      const most = `${megabytes(this.#maxBytes)} in one tensor`;
      if (this.#fallback.allowed)
        return this.#onHost(dtype, length, `since it holds at most ${most}`);
      throw new OutOfMemoryError(
        `webgpu: ${length} elements of ${dtype} need ${megabytes(bytes)}, and this device holds at most ${most}; split it, or keep such tensors and what is computed with them on the host with ${this.#fallback.option}`,
      );
    }
    return this.#pool.take(bytes);
  }

  release(buffer: DeviceBuffer): void {
    if (buffer instanceof HostBlock) return;
    const block = this.#block(buffer);
    if (this.#order.holding) this.#order.act(() => this.#release(block));
    else this.#release(block);
  }

  write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void {
    this.#failures.checkLost();
    if (data.length === 0) return;
    if (buffer instanceof HostBlock) {
      const kept = this.#order.holding ? data.slice() : data;
      this.#order.act(() => buffer.put(offset, kept));
      return;
    }
    const block = this.#block(buffer);
    let words = toWords(dtype, data);
    // Dawn takes no shared memory.
    const shared = !(words.buffer instanceof ArrayBuffer);
    if (shared || (this.#order.holding && words === data)) words = words.slice();
    this.#order.act(() => this.#write(block, offset, words));
  }

  writeLater(buffer: DeviceBuffer, dtype: DType, offset: number, data: Promise<TypedArray>): void {
    this.#failures.checkLost();
    const block = this.#place(buffer);
    // It may fail before its turn comes, and is looked at only then.
    data.catch(() => {});
    this.#order.hold(async () => {
      this.#steps++;
      const elements = await data;
      if (block instanceof HostBlock) block.put(offset, elements);
      else this.#write(block, offset, toWords(dtype, elements));
    });
  }

  async read(
    buffer: DeviceBuffer,
    dtype: DType,
    offset: number,
    length: number,
  ): Promise<TypedArray> {
    this.#failures.checkLost();
    if (length === 0) return typedArray(dtype, 0);
    const block = this.#place(buffer);
    return this.#order.begin(async () => {
      const before = this.#steps;
      try {
        return await this.#fetch(block, dtype, offset, length);
      } finally {
        // What is wrong with the device says more than what became of the read.
        await this.#settled(before);
      }
    });
  }

  inspect(
    buffer: DeviceBuffer,
    dtype: DType,
    offset: number,
    length: number,
    check: (values: TypedArray) => Error | undefined,
  ): void {
    const block = this.#place(buffer);
    let step = 0;
    const looked = this.#order.begin(() => {
      step = ++this.#steps;
      return this.#fetch(block, dtype, offset, length, false);
    });
    this.#expect(
      looked.then(
        (values) => {
          const error = check(values);
          if (error) this.#failures.note(error, step);
        },
        (error: Error) => this.#failures.note(error, step),
      ),
    );
  }

  execute(primitive: Primitive): void {
    this.#failures.checkLost();
    const { kind } = primitive;
    if (kind === 'map' || kind === 'reduce' || kind === 'scan' || kind === 'scatter') {
      // Kernels count in 32 bits.
      if (positionsOf(primitive) > mostPositions) {
        runInPieces(primitive, mostPositions, (piece) => this.execute(piece));
        return;
      }
    }
    const steps = this.#plan(primitive);
    if (!steps) this.#computeOnHost(primitive);
    else if (this.#order.holding) this.#order.act(() => this.#run(steps));
    else this.#run(steps);
  }

  configure({ fallback }: DeviceOptions): void {
    if (fallback !== undefined) this.#fallback.allowed = fallback;
  }

  async synchronize(): Promise<void> {
    this.#failures.checkLost();
    await this.#order.begin(async () => {
      const before = this.#steps;
      this.#recorder.submit();
      await patiently(this.device.queue.onSubmittedWorkDone());
      await this.#settled(before);
    });
  }

  /**
   * Compiles the kernels of some primitives beside other work, so that running them first does not wait.
   *
   * @throws RuntimeError if one cannot be compiled.
   */
  async warmup(primitives: readonly Primitive[]): Promise<void> {
    const kernels: WgslKernel[] = [];
    for (const primitive of primitives) {
      if (primitive.kind === 'linalg') continue;
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

  /** Whether the host computes what the device cannot. */
  get fallback(): boolean {
    return this.#fallback.allowed;
  }

  /** Ends the device and frees its memory. */
  destroy(): void {
    this.device.destroy();
  }

  #onHost(dtype: DType, length: number, reason: string): HostBlock {
    this.#hostBlocks = true;
    return new HostBlock(typedArray(dtype, length), reason);
  }

  #place(buffer: DeviceBuffer): GpuBlock | HostBlock {
    return buffer instanceof HostBlock ? buffer : this.#block(buffer);
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
        const graphs = autogradEngine()?.held?.();
        const name = block.usedBy ? `'${block.usedBy}'` : 'an allocation';
        this.#failures.report(
          new OutOfMemoryError(
            `webgpu: ${name} could not get ${megabytes(bytes)}; tensors on '${this.#name}' hold ${megabytes(held)}. Free tensors with dispose() or tidy(), or use smaller batches${graphs ? `. ${graphs}` : ''}`,
            { cause: error },
          ),
        );
      },
      () => {}, // the device is lost, which is reported by itself
    );
    this.#expect(check);
    return block;
  }

  /** What a primitive is on the device; undefined if the host is to compute it. */
  #plan(primitive: Primitive): WgslStep[] | undefined {
    // Dense matrix routines are sequences of small steps that depend on one another: the host is the place for them.
    if (primitive.kind === 'linalg') return undefined;
    const unheld = this.#hostBlocks
      ? [...inputsOf(primitive), ...outputsOf(primitive)].find(
          ({ storage }) => storage.buffer instanceof HostBlock,
        )
      : undefined;
    if (unheld) return this.#fallback.use(primitive, (unheld.storage.buffer as HostBlock).reason);
    try {
      const deterministic = areDeterministicAlgorithmsEnabled();
      return planWgsl(primitive, deterministic ? { ...this.#limits, deterministic } : this.#limits);
    } catch (error) {
      if (!(error instanceof NotImplementedError)) throw error;
      return this.#fallback.use(primitive, error.message);
    }
  }

  #run(steps: readonly WgslStep[]): void {
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
    for (const step of steps) {
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

  /** Computes a primitive on the host, in its turn: its operands come down, what it wrote goes up. */
  #computeOnHost(primitive: Primitive): void {
    const work = new HostStep(primitive);
    const blocks = work.parts.map(({ buffer }) => this.#place(buffer));
    this.#order.hold(async () => {
      this.#steps++;
      const values = await Promise.all(
        work.parts.map(({ dtype, start, length, read }, i) =>
          read && length > 0
            ? this.#fetch(blocks[i] as GpuBlock | HostBlock, dtype, start, length)
            : undefined,
        ),
      );
      const after = work.run(values);
      work.parts.forEach(({ dtype, start, length, written }, i) => {
        if (!written || length === 0) return;
        const block = blocks[i] as GpuBlock | HostBlock;
        const elements = after[i] as TypedArray;
        if (block instanceof HostBlock) block.put(start, elements);
        else this.#write(block, start, toWords(dtype, elements, true));
      });
    });
  }

  #release(block: GpuBlock): void {
    this.#pool.give(block);
    if (this.#pool.bloated) this.#trim();
  }

  #write(block: GpuBlock, offset: number, words: Float32Array | Int32Array): void {
    // The queue writes at once; commands recorded before must see the old contents.
    if (this.#recorder.uses(block)) this.#recorder.submit();
    const { buffer, byteOffset, byteLength } = words;
    this.device.queue.writeBuffer(
      block.gpu,
      offset * 4,
      buffer as ArrayBuffer,
      byteOffset,
      byteLength,
    );
  }

  /** Elements after all that was recorded before. */
  async #fetch(
    place: GpuBlock | HostBlock,
    dtype: DType,
    offset: number,
    length: number,
    urgent = true,
  ): Promise<TypedArray> {
    this.#failures.checkLost();
    if (place instanceof HostBlock) return place.data.slice(offset, offset + length);
    return this.#downloads.fetch(place, dtype, offset, length, urgent);
  }

  #expect(check: Promise<void>): void {
    this.#checks.add(check);
    void check.then(() => this.#checks.delete(check));
  }

  /** Waits until errors of what was done so far are known, and throws the first of those before a step. */
  async #settled(before: number): Promise<void> {
    await Promise.all(this.#checks);
    this.#failures.check(before);
  }

  #trim(): void {
    this.#recorder.submit();
    this.#recorder.forget();
    this.#pool.trim();
  }
}
