import { environment, RuntimeError } from '@sconce/core';
import { gemmWords } from './gemm-layout.js';
import { Lapack } from './lapack.js';
import type { LinearMemory } from './memory.js';
import { baseAddress, findKoffi, type Koffi, type Library, platform } from './native.js';
import type { ThreadPool } from './threads.js';
import type { Task, WorkerTools } from './worker.js';

/** `cblas_?gemm`: order, transposition of A and B, m, n, k, alpha, A, lda, B, ldb, beta, C, ldc; addresses as numbers. */
export type Gemm = (
  order: number,
  transA: number,
  transB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  beta: number,
  c: number,
  ldc: number,
) => void;

export const rowMajor = 101;
export const noTranspose = 111;
export const transpose = 112;

/** A BLAS of the system, called on the WebAssembly memory without copying. */
export interface Blas {
  /** Its file and, where it says so, what it is. */
  readonly name: string;
  /** Where the WebAssembly memory begins in the process. */
  readonly base: number;
  readonly sgemm: Gemm;
  readonly dgemm: Gemm;
  /** Number of the pool's task that computes the items of a block of `gemmWords`, each on one thread. */
  readonly items: number;
  /** The LAPACK that comes with it. */
  readonly lapack: Lapack | undefined;
  /** Sets how many threads the library itself may use. */
  setThreads(count: number): void;
}

/** Under which names libraries are looked for; the plain `libblas` counts only if it is one of the fast ones. */
const candidates: Record<string, readonly string[]> = {
  linux: [
    'libopenblas.so.0',
    'libopenblas.so',
    'libmkl_rt.so.2',
    'libmkl_rt.so.1',
    'libmkl_rt.so',
    'libblis.so.4',
    'libblis.so',
    'libblas.so.3',
  ],
  darwin: [
    '/System/Library/Frameworks/Accelerate.framework/Accelerate',
    '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
    '/usr/local/opt/openblas/lib/libopenblas.dylib',
  ],
  win32: ['libopenblas.dll', 'openblas.dll', 'mkl_rt.2.dll', 'mkl_rt.1.dll', 'mkl_rt.dll'],
};

/** Ways to set the number of threads, which also tell the fast libraries from the reference one. */
const threadSetters = [
  'void openblas_set_num_threads(int count)',
  'void MKL_Set_Num_Threads(int count)',
  'void bli_thread_set_num_threads(int64_t count)',
];

const gemmDeclaration = (prefix: 's' | 'd', real: 'float' | 'double'): string =>
  `void cblas_${prefix}gemm(int order, int transA, int transB, int m, int n, int k, ${real} alpha, ` +
  `intptr_t a, int lda, intptr_t b, int ldb, ${real} beta, intptr_t c, int ldc)`;

/**
 * Opens the BLAS that `SCONCE_BLAS` names (`off`: none), or the first one the system has; undefined if there is none.
 *
 * @throws RuntimeError if the one that `SCONCE_BLAS` names cannot be opened.
 */
export function openBlas(memory: LinearMemory, pool: ThreadPool): Blas | undefined {
  const wanted = environment('SCONCE_BLAS') ?? '';
  if (/^(off|none|0|false)$/i.test(wanted)) return undefined;
  const found = findKoffi();
  if (!found) {
    if (wanted === '') return undefined;
    throw new RuntimeError(
      `SCONCE_BLAS=${wanted}: the package koffi, which calls it, is not installed`,
    );
  }
  const { koffi, path } = found;
  shortenSpinning();
  const names = wanted === '' ? (candidates[platform()] ?? []) : [wanted];
  for (const name of names) {
    try {
      const library = koffi.load(name);
      const setter = findSetter(library);
      if (!setter && wanted === '' && name.startsWith('libblas')) continue;
      const sgemm = library.func(gemmDeclaration('s', 'float')) as unknown as Gemm;
      const dgemm = library.func(gemmDeclaration('d', 'double')) as unknown as Gemm;
      const base = baseAddress(koffi, memory);
      const declarations = [gemmDeclaration('s', 'float'), gemmDeclaration('d', 'double')];
      const items = pool.addScript('blasItems', {
        path,
        name,
        declarations,
        base,
        words: gemmWords,
      });
      if (items === undefined) continue;
      let current = -1;
      const setThreads = (count: number) => {
        if (count !== current) setter?.(count as never);
        current = count;
      };
      const lapack = Lapack.open(koffi, library, memory, base);
      return { name: describe(library, name), base, sgemm, dgemm, items, lapack, setThreads };
    } catch (error) {
      if (wanted !== '') {
        throw new RuntimeError(
          `SCONCE_BLAS=${wanted} cannot be opened: ${(error as Error).message}`,
        );
      }
    }
  }
  return undefined;
}

/**
 * OpenBLAS's threads spin for 2^26 cycles after each product unless told otherwise, and ours would share cores with them.
 * It reads its setting when it is loaded.
 */
function shortenSpinning(): void {
  const { env } =
    (globalThis as { process?: { env: Record<string, string | undefined> } }).process ?? {};
  if (env) env.OPENBLAS_THREAD_TIMEOUT ??= '17';
}

function findSetter(library: Library): ((count: never) => unknown) | undefined {
  for (const declaration of threadSetters) {
    try {
      return library.func(declaration);
    } catch {
      // another library
    }
  }
  return undefined;
}

function describe(library: Library, name: string): string {
  try {
    return `${name} (${(library.func('str openblas_get_config()') as () => string)().split(' ').slice(0, 2).join(' ')})`;
  } catch {
    return name;
  }
}

/** The script of the task behind `Blas.items`. */
export function blasItems({ memory, options, require }: WorkerTools): Task | undefined {
  const { path, name, declarations, base, words } = options as {
    path: string;
    name: string;
    declarations: string[];
    base: number;
    words: typeof gemmWords;
  };
  if (!require) return undefined;
  const library = (require(path) as Koffi).load(name);
  const [sgemm, dgemm] = declarations.map((d) => library.func(d)) as unknown as [Gemm, Gemm];
  let heap = new Int32Array(memory.buffer);
  return (args, begin, end, thread) => {
    const at = args >>> 2;
    if (at + 32 > heap.length) heap = new Int32Array(memory.buffer);
    const word = (i: number): number => heap[at + i] as number;
    const table = word(words.table) >>> 2;
    if (table + end * 3 > heap.length) heap = new Int32Array(memory.buffer);
    // A matrix is passed as it is if its columns are contiguous, transposed if its rows are.
    const matrix = (
      row: number,
      column: number,
      rows: number,
      columns: number,
    ): [number, number] =>
      column === 1 || columns === 1
        ? [111, Math.max(row, columns, 1)]
        : [112, Math.max(column, rows, 1)];
    const [m, n, k] = [word(words.m), word(words.n), word(words.k)];
    const [rowA, rowC, columnB] = [word(words.rowA), word(words.rowC), word(words.columnB)];
    const [transA, lda] = matrix(rowA, word(words.columnA), m, k);
    const [transB, ldb] = matrix(word(words.rowB), columnB, k, n);
    const ldc = Math.max(rowC, n, 1);
    const double = word(words.double) === 1;
    const gemm = double ? dgemm : sgemm;
    const size = double ? 8 : 4;
    const beta = word(words.accumulate);
    const a = base + thread * word(words.threadA);
    const b = base + thread * word(words.threadB);
    const c = base + thread * word(words.threadC);
    const [rows, columns] = [word(words.rows), word(words.columns)];
    const split = rows > 0 || columns > 0;
    for (let i = begin; i < end; i++) {
      const item = split ? table : table + i * 3;
      const firstRow = rows > 0 ? i * rows : 0;
      const firstColumn = columns > 0 ? i * columns : 0;
      gemm(
        101,
        transA,
        transB,
        rows > 0 ? Math.min(rows, m - firstRow) : m,
        columns > 0 ? Math.min(columns, n - firstColumn) : n,
        k,
        1,
        a + ((heap[item] as number) >>> 0) + firstRow * rowA * size,
        lda,
        b + ((heap[item + 1] as number) >>> 0) + firstColumn * columnB * size,
        ldb,
        beta,
        c + ((heap[item + 2] as number) >>> 0) + (firstRow * rowC + firstColumn) * size,
        ldc,
      );
    }
  };
}
