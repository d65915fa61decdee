import { constant, coord, e, input, type LinalgPrimitive, type View } from '@sconce/core';
import type { Argument, Lapack, WorkSize } from './lapack.js';
import { itemAddresses, type Operand, Operands } from './linalg-operands.js';
import type { RunLoop } from './loops.js';
import type { LinearMemory } from './memory.js';
import type { ThreadPool } from './threads.js';

type Call<R extends LinalgPrimitive['routine']> = Extract<LinalgPrimitive, { routine: R }>;

/** Below this many rows or columns one thread is as quick as several. */
const worthThreads = 128;

const sizes = (view: View): [number, number] => view.shape.slice(-2) as [number, number];
const address = (operand: Operand, item: number): Argument => ({ at: operand.at[item] as number });

/** The matrix with one triangle 0: the one that a factor does not have. */
function triangle(view: View, upper: boolean) {
  const rank = view.shape.length;
  const [row, column] = [coord(rank - 2), coord(rank - 1)];
  const type = view.dtype as 'float32' | 'float64';
  const kept = upper ? e.le(row, column) : e.ge(row, column);
  return e.where(kept, input(0, type), constant(0, type));
}

/** Dense matrix routines by the system's LAPACK; what it does not have is left to `otherwise`. */
export class LinalgEngine {
  readonly #lapack: Lapack | undefined;
  readonly #memory: LinearMemory;
  readonly #pool: ThreadPool;
  readonly #setThreads: (count: number) => void;
  readonly #run: RunLoop;
  readonly #otherwise: (p: LinalgPrimitive) => void;

  constructor(
    memory: LinearMemory,
    pool: ThreadPool,
    library: { lapack: Lapack | undefined; setThreads(count: number): void } | undefined,
    run: RunLoop,
    otherwise: (p: LinalgPrimitive) => void,
  ) {
    this.#memory = memory;
    this.#pool = pool;
    this.#lapack = library?.lapack;
    this.#setThreads = library?.setThreads ?? (() => {});
    this.#run = run;
    this.#otherwise = otherwise;
  }

  run(p: LinalgPrimitive): void {
    const lapack = this.#lapack;
    const views = [...p.inputs, ...p.outputs] as readonly View[];
    if (!lapack || !isKnown(p) || views.some(({ shape }) => shape.includes(0))) {
      this.#otherwise(p);
      return;
    }
    const extent = Math.max(...(p.inputs[0] as View).shape.slice(-2));
    const threads = extent < worthThreads || !lapack.threaded ? 1 : this.#pool.threads;
    this.#setThreads(threads);
    if (threads > 1) this.#pool.rest();
    const operands = new Operands(this.#run);
    try {
      new Routines(lapack, this.#memory, operands, p).run(p);
      operands.finish();
    } finally {
      operands.release();
    }
  }
}

/** Whether LAPACK has it. */
const isKnown = (p: LinalgPrimitive): boolean =>
  p.routine !== 'permutation' && (p.routine !== 'lu' || p.flags.pivot);

/** One call, matrix after matrix. */
class Routines {
  readonly #lapack: Lapack;
  readonly #memory: LinearMemory;
  readonly #operands: Operands;
  readonly #double: boolean;

  constructor(lapack: Lapack, memory: LinearMemory, operands: Operands, p: LinalgPrimitive) {
    this.#lapack = lapack;
    this.#memory = memory;
    this.#operands = operands;
    this.#double = (p.inputs[0] as View).dtype === 'float64';
  }

  run(p: LinalgPrimitive): void {
    switch (p.routine) {
      case 'cholesky':
        this.#cholesky(p);
        break;
      case 'lu':
        this.#lu(p);
        break;
      case 'luSolve':
        this.#luSolve(p);
        break;
      case 'qr':
        this.#qr(p);
        break;
      case 'householderProduct':
        this.#householderProduct(p);
        break;
      case 'householderMultiply':
        this.#householderMultiply(p);
        break;
      case 'eigh':
        this.#eigh(p);
        break;
      case 'svd':
        this.#svd(p);
        break;
      case 'triangularSolve':
        this.#triangularSolve(p);
        break;
      case 'ldl':
        this.#ldl(p);
        break;
      case 'ldlSolve':
        this.#ldlSolve(p);
        break;
    }
  }

  #call(name: string, args: readonly Argument[]): number {
    return this.#lapack.call(name, this.#double, args);
  }

  /** Calls a routine that wants working memory on each item; gives what `info` was for each. */
  #withWork(
    name: string,
    count: number,
    args: (
      item: number,
      reals: Argument,
      realCount: number,
      integers: Argument,
      integerCount: number,
    ) => Argument[],
    integers?: number,
    skip: (item: number) => number = () => 0,
  ): number[] {
    const asked: WorkSize = this.#lapack.workSize(name, this.#double, (...work) =>
      args(0, ...work),
    );
    const realBytes = Math.max(asked.reals, 1) * (this.#double ? 8 : 4);
    const integerCount = integers ?? Math.max(asked.integers, 1);
    const aligned = Math.ceil(realBytes / 8) * 8;
    const block = this.#memory.allocate(aligned + integerCount * 4);
    try {
      const [reals, wholes] = [{ at: block.pointer }, { at: block.pointer + aligned }];
      return Array.from(
        { length: count },
        (_, item) =>
          skip(item) || this.#call(name, args(item, reals, asked.reals, wholes, integerCount)),
      );
    } finally {
      this.#memory.release(block);
    }
  }

  #writeInfo(view: View, values: readonly number[]): void {
    const words = new Int32Array(this.#memory.buffer);
    itemAddresses(view, 0).forEach((at, i) => {
      words[at >>> 2] = values[i] as number;
    });
  }

  #cholesky({ inputs: [a], outputs: [factor, info], flags: { upper } }: Call<'cholesky'>): void {
    const n = sizes(a)[0];
    const out = this.#operands.overwrite(factor, a, triangle(a, upper));
    const infos = out.at.map((_, i) =>
      this.#call('potrf', [upper ? 'U' : 'L', n, address(out, i), out.ld]),
    );
    this.#writeInfo(info, infos);
  }

  #lu({ inputs: [a], outputs: [lu, pivots, info] }: Call<'lu'>): void {
    const [m, n] = sizes(a);
    const out = this.#operands.overwrite(lu, a);
    const exchanges = this.#operands.writeVector(pivots);
    const infos = out.at.map((_, i) =>
      this.#call('getrf', [m, n, address(out, i), out.ld, address(exchanges, i)]),
    );
    this.#writeInfo(info, infos);
  }

  #luSolve({ inputs: [lu, pivots, b], outputs: [x], flags }: Call<'luSolve'>): void {
    const [n, k] = sizes(b);
    const factors = this.#operands.read(lu);
    const exchanges = this.#operands.readVector(pivots);
    const out = this.#operands.overwrite(x, b);
    const transpose = flags.adjoint ? 'T' : 'N';
    out.at.forEach((_, i) => {
      const a = address(factors, i);
      const p = address(exchanges, i);
      this.#call('getrs', [transpose, n, k, a, factors.ld, p, address(out, i), out.ld]);
    });
  }

  #qr({ inputs: [a], outputs: [packed, tau] }: Call<'qr'>): void {
    const [m, n] = sizes(a);
    const out = this.#operands.overwrite(packed, a);
    const factors = this.#operands.writeVector(tau);
    this.#withWork('geqrf', out.at.length, (i, work, count) => [
      m,
      n,
      address(out, i),
      out.ld,
      address(factors, i),
      work,
      count,
    ]);
  }

  #householderProduct({ inputs: [packed, tau], outputs: [q] }: Call<'householderProduct'>): void {
    const [m, n] = sizes(q);
    const k = tau.shape.at(-1) as number;
    const factors = this.#operands.readVector(tau);
    const out = this.#operands.overwrite(q, packed);
    this.#withWork('orgqr', out.at.length, (i, work, count) => [
      m,
      n,
      k,
      address(out, i),
      out.ld,
      address(factors, i),
      work,
      count,
    ]);
  }

  #householderMultiply({
    inputs: [packed, tau, c],
    outputs: [product],
    flags: { transpose },
  }: Call<'householderMultiply'>): void {
    const [m, p] = sizes(c);
    const k = tau.shape.at(-1) as number;
    const reflectors = this.#operands.read(packed);
    const factors = this.#operands.readVector(tau);
    const out = this.#operands.overwrite(product, c);
    this.#withWork('ormqr', out.at.length, (i, work, count) => [
      'L',
      transpose ? 'T' : 'N',
      m,
      p,
      k,
      address(reflectors, i),
      reflectors.ld,
      address(factors, i),
      address(out, i),
      out.ld,
      work,
      count,
    ]);
  }

  /** The numbers of a matrix that lies column after column, where all of it is dense. */
  #numbers(at: number, count: number): Float32Array | Float64Array {
    const Numbers = this.#double ? Float64Array : Float32Array;
    return new Numbers(this.#memory.buffer as ArrayBuffer, at, count);
  }

  /** Whether a triangle of a matrix (or all of it) is finite. */
  #isFinite(operand: Operand, item: number, m: number, n: number, part?: 'U' | 'L'): boolean {
    const size = this.#double ? 8 : 4;
    for (let j = 0; j < n; j++) {
      const first = part === 'L' ? Math.min(j, m) : 0;
      const end = part === 'U' ? Math.min(j + 1, m) : m;
      const at = (operand.at[item] as number) + (j * operand.ld + first) * size;
      if (!this.#numbers(at, end - first).every(Number.isFinite)) return false;
    }
    return true;
  }

  #fillNaN(operand: Operand, item: number, m: number, n: number): void {
    const size = this.#double ? 8 : 4;
    for (let j = 0; j < n; j++) {
      this.#numbers((operand.at[item] as number) + j * operand.ld * size, m).fill(NaN);
    }
  }

  #eigh({ inputs: [a], outputs: [values, info, vectors], flags: { upper } }: Call<'eigh'>): void {
    const n = sizes(a)[0];
    const part = upper ? 'U' : 'L';
    const matrices = vectors ? this.#operands.overwrite(vectors, a) : this.#operands.scratch(a);
    const out = this.#operands.writeVector(values);
    const wrong = (item: number): number => {
      if (this.#isFinite(matrices, item, n, n, part)) return 0;
      this.#fillNaN(matrices, item, n, n);
      this.#fillNaN(out, item, n, 1);
      return n;
    };
    const infos = this.#withWork(
      'syevd',
      out.at.length,
      (i, reals, count, wholes, wholeCount) => [
        vectors ? 'V' : 'N',
        part,
        n,
        address(matrices, i),
        matrices.ld,
        address(out, i),
        reals,
        count,
        wholes,
        wholeCount,
      ],
      undefined,
      wrong,
    );
    this.#writeInfo(info, infos);
  }

  #svd({ inputs: [a], outputs: [s, info, u, vt] }: Call<'svd'>): void {
    const [m, n] = sizes(a);
    const k = Math.min(m, n);
    const matrices = this.#operands.scratch(a);
    const values = this.#operands.writeVector(s);
    const left = u ? this.#operands.write(u) : { at: values.at, ld: 1 };
    const right = vt ? this.#operands.write(vt) : { at: values.at, ld: 1 };
    const full = u?.shape.at(-1) !== k || vt?.shape.at(-2) !== k;
    const job = u ? (full ? 'A' : 'S') : 'N';
    const wrong = (item: number): number => {
      if (this.#isFinite(matrices, item, m, n)) return 0;
      this.#fillNaN(values, item, k, 1);
      if (u) this.#fillNaN(left, item, m, u.shape.at(-1) as number);
      if (vt) this.#fillNaN(right, item, vt.shape.at(-2) as number, n);
      return -4;
    };
    const infos = this.#withWork(
      'gesdd',
      values.at.length,
      (i, reals, count, wholes) => [
        job,
        m,
        n,
        address(matrices, i),
        matrices.ld,
        address(values, i),
        address(left, i),
        left.ld,
        address(right, i),
        right.ld,
        reals,
        count,
        wholes,
      ],
      8 * k,
      wrong,
    );
    this.#writeInfo(info, infos);
  }

  #triangularSolve({ inputs: [a, b], outputs: [x], flags }: Call<'triangularSolve'>): void {
    const [n, k] = sizes(b);
    const matrices = this.#operands.readEither(a);
    const out = this.#operands.overwrite(x, b);
    const part = flags.upper !== matrices.transposed ? 'U' : 'L';
    const words = ['L', part, matrices.transposed ? 'T' : 'N', flags.unitriangular ? 'U' : 'N'];
    out.at.forEach((_, i) => {
      const args = [...words, n, k, { real: 1 }, address(matrices, i), matrices.ld];
      this.#lapack.call('trsm', this.#double, [...args, address(out, i), out.ld], false);
    });
  }

  #ldl({ inputs: [a], outputs: [ld, pivots, info] }: Call<'ldl'>): void {
    const n = sizes(a)[0];
    const out = this.#operands.overwrite(ld, a, triangle(a, false));
    const exchanges = this.#operands.writeVector(pivots);
    const infos = this.#withWork('sytrf', out.at.length, (i, work, count) => [
      'L',
      n,
      address(out, i),
      out.ld,
      address(exchanges, i),
      work,
      count,
    ]);
    this.#writeInfo(info, infos);
  }

  #ldlSolve({ inputs: [ld, pivots, b], outputs: [x] }: Call<'ldlSolve'>): void {
    const [n, k] = sizes(b);
    const factors = this.#operands.read(ld);
    const exchanges = this.#operands.readVector(pivots);
    const out = this.#operands.overwrite(x, b);
    out.at.forEach((_, i) => {
      const a = address(factors, i);
      const p = address(exchanges, i);
      this.#call('sytrs', ['L', n, k, a, factors.ld, p, address(out, i), out.ld]);
    });
  }
}
