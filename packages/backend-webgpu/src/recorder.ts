import type { WgslDispatch } from '@sconce/kernels';
import type { GpuBlock } from './buffers.js';
import type { Pipelines } from './pipelines.js';

/** Dispatches of one submit: enough to make its cost small, few enough that the device starts soon. */
const batchDispatches = 128;
const parameterBytes = 128 * 1024;
/** Dynamic offsets of uniform buffers are multiples of this on every device. */
const alignment = 256;
const keptBindGroups = 4096;

/**
 * Records dispatches and copies into one command buffer, which is submitted when it is full, when
 * something is read, or at the end of the current job. The parameters of its dispatches are written in one
 * piece: the queue writes them before it runs the batch and after it ran the one before.
 */
export class Recorder {
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  readonly #parameters: GPUBuffer;
  readonly #words = new Int32Array(parameterBytes / 4);
  readonly #parameterGroups = new Map<number, GPUBindGroup>();
  readonly #bindGroups = new Map<string, GPUBindGroup>();
  #usedWords = 0;
  #dispatches = 0;
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #scheduled = false;
  /** The number of the batch being recorded. */
  batch = 0;

  constructor(device: GPUDevice, pipelines: Pipelines) {
    this.#device = device;
    this.#pipelines = pipelines;
    this.#parameters = device.createBuffer({
      label: 'parameters',
      // A binding is as long as its kernel's block and must end within the buffer.
      size: parameterBytes + 65536,
      usage: 0x40 | 0x08, // UNIFORM, COPY_DST
    });
  }

  /** Whether commands not submitted yet use the block. */
  uses(block: GpuBlock): boolean {
    return block.batch === this.batch && this.#encoder !== undefined;
  }

  /** Records a dispatch over blocks in the order of its kernel's bindings. */
  dispatch(step: WgslDispatch, blocks: readonly GpuBlock[]): void {
    const bytes = Math.ceil(step.parameters.length / 64) * alignment;
    if (this.#usedWords * 4 + bytes > parameterBytes || this.#dispatches >= batchDispatches) {
      this.submit();
    }
    const pipeline = this.#pipelines.get(step.kernel);
    const offset = this.#usedWords * 4;
    this.#words.set(step.parameters, this.#usedWords);
    this.#usedWords += bytes / 4;
    this.#dispatches++;
    this.#begin();
    this.#pass ??= (this.#encoder as GPUCommandEncoder).beginComputePass();
    const pass = this.#pass;
    pass.setPipeline(pipeline.gpu);
    pass.setBindGroup(0, this.#parameterGroup(bytes), [offset]);
    let key = `${pipeline.layoutId}`;
    for (const block of blocks) {
      key += `,${block.id}`;
      block.batch = this.batch;
    }
    let group = this.#bindGroups.get(key);
    if (!group) {
      if (this.#bindGroups.size >= keptBindGroups) this.#bindGroups.clear();
      group = this.#device.createBindGroup({
        label: step.kernel.label,
        layout: pipeline.buffers,
        entries: blocks.map((block, binding) => ({ binding, resource: { buffer: block.gpu } })),
      });
      this.#bindGroups.set(key, group);
    }
    pass.setBindGroup(1, group);
    const rows = Math.ceil(step.groups / 65535);
    pass.dispatchWorkgroups(rows === 1 ? step.groups : Math.ceil(step.groups / rows), rows);
  }

  /** Records a copy between buffers. */
  copy(from: GPUBuffer, fromByte: number, to: GPUBuffer, toByte: number, bytes: number): void {
    this.#begin();
    this.#pass?.end();
    this.#pass = undefined;
    (this.#encoder as GPUCommandEncoder).copyBufferToBuffer(from, fromByte, to, toByte, bytes);
  }

  /** Sends what is recorded to the device. */
  submit(): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#pass?.end();
    if (this.#usedWords > 0) {
      this.#device.queue.writeBuffer(this.#parameters, 0, this.#words, 0, this.#usedWords);
    }
    this.#device.queue.submit([encoder.finish()]);
    this.#pass = undefined;
    this.#encoder = undefined;
    this.#usedWords = 0;
    this.#dispatches = 0;
    this.batch++;
  }

  /** Forgets bind groups, which keep their buffers alive. */
  forget(): void {
    this.#bindGroups.clear();
  }

  #begin(): void {
    if (this.#encoder) return;
    this.#encoder = this.#device.createCommandEncoder();
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.submit();
    });
  }

  #parameterGroup(bytes: number): GPUBindGroup {
    let group = this.#parameterGroups.get(bytes);
    if (!group) {
      group = this.#device.createBindGroup({
        label: 'parameters',
        layout: this.#pipelines.parameters,
        entries: [{ binding: 0, resource: { buffer: this.#parameters, size: bytes } }],
      });
      this.#parameterGroups.set(bytes, group);
    }
    return group;
  }
}
