import {
  type Backend,
  type DeviceBuffer,
  type DType,
  itemSize,
  type Primitive,
  type TypedArray,
  typedArray,
  typedArrayOver,
} from '@sconce/core';
import { mathImports } from '@sconce/kernels';
import { type Blas, blasItems, openBlas } from './blas.js';
import { ConvEngine, sequence } from './conv.js';
import { hasRelaxedSimd, hasSimd } from './engine.js';
import { Fallback } from './fallback.js';
import { GemmEngine } from './gemm.js';
import { LinalgEngine } from './linalg.js';
import { type LoopPrimitive, Loops } from './loops.js';
import { runMatmul } from './matmul.js';
import { type CpuBuffer, LinearMemory } from './memory.js';
import { useHugePages } from './native.js';
import { runSort } from './sort.js';
import { ThreadPool } from './threads.js';

/** What runs primitives by compiled kernels. */
interface Compiled {
  readonly loops: Loops;
  readonly gemm: GemmEngine;
  readonly conv: ConvEngine;
  readonly linalg: LinalgEngine;
}

/**
 * The CPU: tensors in one WebAssembly memory, generated SIMD kernels on a thread pool, matrix products and
 * linear algebra by the system's BLAS and LAPACK where there are any.
 *
 * @example registerBackend('cpu', { open: () => new CpuBackend() });
 */
export class CpuBackend implements Backend {
  readonly synchronous = true;
  /** @internal */
  readonly memory = new LinearMemory();
  /** @internal */
  readonly pool = new ThreadPool(this.memory, {
    scripts: { sequence, blasItems },
    math: mathImports,
  });
  readonly #compiled: Compiled | undefined;
  readonly #fallback = new Fallback(this.memory);
  readonly #runLoop = (p: LoopPrimitive): void => (this.#compiled as Compiled).loops.run(p);

  constructor() {
    this.pool.announce();
    useHugePages(this.memory);
    if (!canCompile()) return;
    const relaxed = hasRelaxedSimd();
    const gemm = new GemmEngine(this.memory, this.pool, relaxed, openBlas(this.memory, this.pool));
    this.#compiled = {
      loops: new Loops(this.memory, this.pool, relaxed),
      gemm,
      conv: new ConvEngine(this.memory, this.pool, gemm),
      linalg: new LinalgEngine(this.memory, this.pool, gemm.blas, this.#runLoop, (p) =>
        this.#fallback.run(p),
      ),
    };
  }

  /** The BLAS in use, if any. */
  get blas(): Blas | undefined {
    return this.#compiled?.gemm.blas;
  }

  get threads(): number {
    return this.pool.threads;
  }

  set threads(count: number) {
    this.pool.threads = count;
  }

  supports(_dtype: DType): boolean {
    return true;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    return this.memory.allocate(length * itemSize(dtype));
  }

  release(buffer: DeviceBuffer): void {
    this.memory.release(buffer as CpuBuffer);
  }

  write(buffer: DeviceBuffer, dtype: DType, offset: number, data: TypedArray): void {
    const target = this.#view(buffer, dtype, offset, data.length);
    (target as Float64Array).set(data as Float64Array);
  }

  readSync(buffer: DeviceBuffer, dtype: DType, offset: number, length: number): TypedArray {
    // A copy in memory of its own: shared memory may change, and many interfaces refuse it.
    const copy = typedArray(dtype, length);
    (copy as Float64Array).set(this.#view(buffer, dtype, offset, length) as Float64Array);
    return copy;
  }

  async read(
    buffer: DeviceBuffer,
    dtype: DType,
    offset: number,
    length: number,
  ): Promise<TypedArray> {
    return this.readSync(buffer, dtype, offset, length);
  }

  map(buffer: DeviceBuffer, dtype: DType): TypedArray {
    return this.memory.map(buffer as CpuBuffer, dtype);
  }

  adopt(data: TypedArray): DeviceBuffer | undefined {
    return this.memory.adopt(data);
  }

  execute(p: Primitive): void {
    const compiled = this.#compiled;
    if (compiled === undefined) this.#fallback.run(p);
    else if (p.kind === 'matmul') runMatmul(p, compiled.gemm, this.#runLoop);
    else if (p.kind === 'conv') compiled.conv.run(p, this.#runLoop);
    else if (p.kind === 'sort') runSort(p, this.memory);
    else if (p.kind === 'linalg') compiled.linalg.run(p);
    else compiled.loops.run(p);
  }

  async synchronize(): Promise<void> {
    // Every primitive is done when `execute` returns.
  }

  #view(buffer: DeviceBuffer, dtype: DType, offset: number, length: number): TypedArray {
    const at = (buffer as CpuBuffer).pointer + offset * itemSize(dtype);
    return typedArrayOver(dtype, this.memory.buffer, at, length);
  }
}

/** Whether modules can be compiled: a page's policy may forbid it, and an old engine lacks SIMD. */
function canCompile(): boolean {
  try {
    if (!hasSimd()) return false;
    new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    return true;
  } catch {
    return false;
  }
}
