import type { Backend, DeviceBuffer, DType, Primitive, TypedArray } from '@sconce/core';
import { itemSize, typedArrayOver } from '@sconce/core';
import { expect, it } from 'vitest';
import { mathImports } from './math-imports.js';
import { packArguments, planWasm, renderWasm } from './plan.js';

interface Block extends DeviceBuffer {
  readonly address: number;
}

type Run = (args: number, begin: number, end: number) => void;

/** One linear memory without freeing, and every loop kernel on it, in ranges of awkward sizes. */
export class KernelBackend implements Backend {
  readonly synchronous = true;
  readonly memory: WebAssembly.Memory;
  readonly relaxed: boolean;
  #next = 1 << 16;
  readonly #compiled = new Map<number, Run[]>();
  /** Number of ranges the items of a launch are divided into. */
  ranges = 3;

  constructor(pages = 4096, relaxed = false) {
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
    this.relaxed = relaxed;
  }

  supports(_dtype: DType): boolean {
    return true;
  }
  allocate(dtype: DType, length: number): Block {
    const bytes = length * itemSize(dtype);
    const address = this.#next;
    this.#next += (bytes + 127) & ~63;
    return { address, bytes };
  }
  release(): void {}
  /** Forgets all buffers. */
  clear(): void {
    this.#next = 1 << 16;
  }
  write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void {
    const all = this.map(buffer, dtype);
    (all as Float64Array).set(data as Float64Array, offset);
  }
  map(buffer: DeviceBuffer, dtype: DType): TypedArray {
    const { address, bytes } = buffer as Block;
    return typedArrayOver(dtype, this.memory.buffer, address, bytes / itemSize(dtype));
  }
  readSync(buffer: DeviceBuffer, dtype: DType, offset: number, length: number): TypedArray {
    return this.map(buffer, dtype).slice(offset, offset + length);
  }
  async read(buffer: DeviceBuffer, dtype: DType, offset: number, length: number) {
    return this.readSync(buffer, dtype, offset, length);
  }
  async synchronize(): Promise<void> {}

  execute(primitive: Primitive): void {
    const { kind } = primitive;
    if (kind === 'matmul' || kind === 'conv' || kind === 'sort' || kind === 'linalg') {
      throw new Error('not a loop');
    }
    const plan = planWasm(primitive);
    let runs = this.#compiled.get(plan.kernel.id);
    if (!runs) {
      const bytes = renderWasm(plan.kernel, { shared: true, relaxed: this.relaxed });
      const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
        env: { memory: this.memory },
        math: mathImports as Record<string, (x: number, y: number) => number>,
      });
      runs = plan.kernel.exports.map((name) => instance.exports[name] as Run);
      this.#compiled.set(plan.kernel.id, runs);
    }
    const words = new Int32Array(this.memory.buffer);
    const pointerOf = (b: DeviceBuffer): number => (b as Block).address;
    packArguments(plan, primitive, words, 1024, pointerOf, 32768);
    expect(plan.argumentBytes).toBeLessThan(16384);
    plan.phases.forEach((phase, p) => {
      const step = Math.max(1, Math.ceil(phase.items / this.ranges));
      for (let at = 0; at < phase.items; at += step) {
        (runs[p] as Run)(1024, at, Math.min(at + step, phase.items));
      }
    });
  }
}

it('holds memory', () => {
  const backend = new KernelBackend(16);
  const buffer = backend.allocate('int16', 3);
  backend.write(buffer, 'int16', 1, Int16Array.of(5, 6));
  expect([...backend.readSync(buffer, 'int16', 0, 3)]).toEqual([0, 5, 6]);
});
