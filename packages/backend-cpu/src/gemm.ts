import type { Blas } from './blas.js';
import { noTranspose, rowMajor, transpose } from './blas.js';
import {
  blockRows,
  blockScratch,
  gemmArgumentBytes,
  gemmWords,
  packedBytes,
  tileColumns,
} from './gemm-layout.js';
import { buildGemm } from './gemm-module.js';
import type { LinearMemory } from './memory.js';
import type { ThreadPool } from './threads.js';

type Real = 'float32' | 'float64';

/** The shape of a product `C = A B` and the strides of its operands in elements; C has column stride 1. */
export interface GemmShape {
  readonly dtype: Real;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly rowA: number;
  readonly columnA: number;
  readonly rowB: number;
  readonly columnB: number;
  readonly rowC: number;
  /** Whether to add to C. */
  readonly accumulate?: boolean;
}

/** Floating-point operations that are worth waking other threads for. */
const worthSplitting = 1e6;
/** Above this a product of a batch is split itself rather than left to one thread. */
const worthSplittingEach = 2e7;
/** From how many operations on a BLAS call is worth splitting, and from how many on the library does it better. */
const worthSplittingBlas = 4e6;
const leftToBlas = 2e8;
/** Bytes of B packed at once. */
const packLimit = 2 ** 26;

const sizeOf = (dtype: Real): number => (dtype === 'float32' ? 4 : 8);

/** Whether BLAS can take a matrix in place: rows or columns contiguous and not overlapping. */
export const isBlasMatrix = (rows: number, columns: number, row: number, column: number): boolean =>
  ((column === 1 || columns === 1) && (row >= columns || rows === 1)) ||
  ((row === 1 || rows === 1) && (column >= rows || columns === 1));

/** A matrix as `cblas_gemm` takes it: whether it is transposed, and its leading dimension. */
function blasMatrix(
  rows: number,
  columns: number,
  row: number,
  column: number,
): readonly [transposition: number, leading: number] {
  if ((column === 1 || columns === 1) && (row >= columns || rows === 1)) {
    return [noTranspose, Math.max(rows === 1 ? columns : row, 1)];
  }
  return [transpose, Math.max(columns === 1 ? rows : column, 1)];
}

/** Real matrix products on the memory: by the system's BLAS where there is one, else by WebAssembly. */
export class GemmEngine {
  readonly blas: Blas | undefined;
  readonly #memory: LinearMemory;
  readonly #pool: ThreadPool;
  readonly #relaxed: boolean;
  readonly #modules: Partial<Record<Real, { items: number; packB: number; rows: number }>> = {};

  constructor(memory: LinearMemory, pool: ThreadPool, relaxed: boolean, blas: Blas | undefined) {
    this.#memory = memory;
    this.#pool = pool;
    this.#relaxed = relaxed;
    this.blas = blas;
  }

  #module(dtype: Real): { items: number; packB: number; rows: number } {
    const known = this.#modules[dtype];
    if (known) return known;
    const bytes = buildGemm({
      dtype,
      shared: this.#memory.shared,
      relaxed: this.#relaxed,
      unroll: 1,
    });
    const names = ['items', 'packB', 'rows'];
    const [items, packB, rows] = this.#pool.addModule(new WebAssembly.Module(bytes), names) as [
      number,
      number,
      number,
    ];
    const made = { items, packB, rows };
    this.#modules[dtype] = made;
    return made;
  }

  /** Whether operands with these strides must be copied first. */
  needsCopy(rows: number, columns: number, row: number, column: number): boolean {
    return this.blas !== undefined && !isBlasMatrix(rows, columns, row, column);
  }

  /** One product at these addresses. */
  single(s: GemmShape, a: number, b: number, c: number): void {
    const flops = 2 * s.m * s.n * s.k;
    if (this.blas) {
      const alone = flops < worthSplittingBlas || flops > leftToBlas || this.#pool.threads === 1;
      if (alone) this.#callBlas(this.blas, s, a, b, c);
      else this.#splitBlas(this.blas, s, a, b, c);
    } else if (flops < worthSplitting || this.#pool.threads === 1) {
      this.#items(s, Uint32Array.of(a, b, c), 1);
    } else this.#split(s, a, b, c);
  }

  /** Products of one shape; `table` holds the addresses of A, B and C of each. */
  batch(s: GemmShape, table: Uint32Array): void {
    const count = table.length / 3;
    const flops = 2 * s.m * s.n * s.k;
    if (
      count === 1 ||
      flops >= worthSplittingEach ||
      (this.blas && flops * count < worthSplitting)
    ) {
      for (let i = 0; i < table.length; i += 3) {
        this.single(s, table[i] as number, table[i + 1] as number, table[i + 2] as number);
      }
    } else this.#items(s, table, count);
  }

  #callBlas(blas: Blas, s: GemmShape, a: number, b: number, c: number): void {
    const [transA, lda] = blasMatrix(s.m, s.k, s.rowA, s.columnA);
    const [transB, ldb] = blasMatrix(s.k, s.n, s.rowB, s.columnB);
    const { base } = blas;
    const gemm = s.dtype === 'float32' ? blas.sgemm : blas.dgemm;
    const threads = 2 * s.m * s.n * s.k < worthSplittingBlas ? 1 : this.#pool.threads;
    blas.setThreads(threads);
    if (threads > 1) this.#pool.rest();
    const ldc = Math.max(s.rowC, s.n);
    const beta = s.accumulate ? 1 : 0;
    gemm(
      rowMajor,
      transA,
      transB,
      s.m,
      s.n,
      s.k,
      1,
      base + a,
      lda,
      base + b,
      ldb,
      beta,
      base + c,
      ldc,
    );
  }

  /**
   * One product split between our own threads, one piece each. The library's threads would wait long for a core
   * on which one of ours still spins; that pays for large products only.
   */
  #splitBlas(blas: Blas, s: GemmShape, a: number, b: number, c: number): void {
    const pool = this.#pool;
    const block = this.#memory.allocate(gemmArgumentBytes + 64);
    try {
      const words = new Int32Array(this.#memory.buffer);
      const table = block.pointer + gemmArgumentBytes;
      const extent = Math.max(s.m, s.n);
      const piece = Math.ceil(extent / pool.threads / 8) * 8;
      const split = s.m >= s.n ? { rows: piece } : { columns: piece };
      this.writeArguments(words, block.pointer, s, { table, ...split });
      words.set([a, b, c], table >>> 2);
      blas.setThreads(1);
      pool.run(blas.items, block.pointer, Math.ceil(extent / piece), 1);
    } finally {
      this.#memory.release(block);
    }
  }

  /** The number of the task that computes whole products, and the bytes of working memory each thread needs for it. */
  itemsTask(s: GemmShape): { task: number; scratch: number } {
    if (this.blas) {
      this.blas.setThreads(1);
      return { task: this.blas.items, scratch: 0 };
    }
    const scratch = blockScratch(s.dtype, s.k) + packedBytes(s.dtype, s.k, s.n);
    return { task: this.#module(s.dtype).items, scratch: Math.ceil(scratch / 64) * 64 };
  }

  /** Writes the argument block that the tasks read. */
  writeArguments(
    words: Int32Array,
    address: number,
    s: GemmShape,
    more: Partial<Record<keyof typeof gemmWords, number>>,
  ): void {
    const at = address >>> 2;
    words.fill(0, at, at + gemmArgumentBytes / 4);
    // The shape is the first eight words.
    const shape = [s.m, s.n, s.k, s.rowA, s.columnA, s.rowB, s.columnB, s.rowC];
    for (let i = 0; i < shape.length; i++) words[at + i] = shape[i] as number;
    words[at + gemmWords.accumulate] = s.accumulate ? 1 : 0;
    words[at + gemmWords.double] = s.dtype === 'float64' ? 1 : 0;
    for (const name in more) {
      const word = name as keyof typeof gemmWords;
      words[at + gemmWords[word]] = more[word] as number;
    }
  }

  #items(s: GemmShape, table: Uint32Array, count: number): void {
    const { task, scratch } = this.itemsTask(s);
    const threads = this.#pool.threads;
    const memory = this.#memory;
    const head = Math.ceil((gemmArgumentBytes + table.byteLength) / 64) * 64;
    const block = memory.allocate(head + threads * scratch);
    try {
      const words = new Int32Array(memory.buffer);
      const tableAt = block.pointer + gemmArgumentBytes;
      words.set(table, tableAt >>> 2);
      this.writeArguments(words, block.pointer, s, {
        table: tableAt,
        scratch: block.pointer + head,
        scratchStride: scratch,
      });
      const flops = 2 * s.m * s.n * s.k * count;
      if (flops < worthSplitting) this.#pool.task(task)(block.pointer, 0, count, 0);
      else
        this.#pool.run(task, block.pointer, count, Math.max(1, Math.floor(count / (threads * 4))));
    } finally {
      memory.release(block);
    }
  }

  /** One product split between threads: B packed by all, then blocks of rows. */
  #split(s: GemmShape, a: number, b: number, c: number): void {
    const { dtype, m, n, k } = s;
    const { packB, rows } = this.#module(dtype);
    const pool = this.#pool;
    const size = sizeOf(dtype);
    const width = tileColumns(dtype);
    const slice = Math.max(width, Math.floor(packLimit / (k * size) / width) * width);
    const scratch = Math.ceil(blockScratch(dtype, k) / 64) * 64;
    // Few rows make smaller blocks, so that every thread has some.
    const share = Math.ceil(m / (pool.threads * 2) / 4) * 4;
    const blockOf = Math.min(blockRows, Math.max(16, share));
    const head = gemmArgumentBytes + 64;
    const block = this.#memory.allocate(
      head + pool.threads * scratch + packedBytes(dtype, k, Math.min(n, slice)),
    );
    try {
      const words = new Int32Array(this.#memory.buffer);
      const table = block.pointer + gemmArgumentBytes;
      for (let j = 0; j < n; j += slice) {
        const columns = Math.min(slice, n - j);
        this.writeArguments(words, block.pointer, s, {
          n: columns,
          table,
          scratch: block.pointer + head,
          scratchStride: scratch,
          packed: block.pointer + head + pool.threads * scratch,
          rows: blockOf,
        });
        words.set([a, b + j * s.columnB * size, c + j * size], table >>> 2);
        pool.run(packB, block.pointer, Math.ceil(columns / width), 8);
        pool.run(rows, block.pointer, Math.ceil(m / blockOf), 1);
      }
    } finally {
      this.#memory.release(block);
    }
  }
}
