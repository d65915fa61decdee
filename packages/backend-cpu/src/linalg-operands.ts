import {
  type ComputeType,
  type Expr,
  input,
  itemSize,
  type Storage,
  type View,
} from '@sconce/core';
import type { RunLoop } from './loops.js';
import { addressOf, contiguousCopy, temporary, turned } from './matmul.js';

/** An operand as LAPACK takes it: where each item of the batch lies, and how far columns of a matrix lie apart. */
export interface Operand {
  readonly at: readonly number[];
  readonly ld: number;
}

/** The byte addresses of the items of a batch, each of the last `rank` dimensions. */
export function itemAddresses(view: View, rank: number): number[] {
  const size = itemSize(view.dtype);
  let at = [addressOf(view, size)];
  for (let d = 0; d < view.shape.length - rank; d++) {
    const step = (view.strides[d] as number) * size;
    const count = view.shape[d] as number;
    at = at.flatMap((first) => Array.from({ length: count }, (_, i) => first + i * step));
  }
  return at;
}

/** Whether matrices lie column after column, as Fortran has them. */
function inColumns({ shape, strides }: View): boolean {
  const [m, n] = shape.slice(-2) as [number, number];
  const [row, column] = strides.slice(-2) as [number, number];
  return (row === 1 || m === 1) && (n === 1 || column >= Math.max(m, 1));
}

const distance = ({ shape, strides }: View): number => {
  const [m, n] = shape.slice(-2) as [number, number];
  return n === 1 ? Math.max(m, 1) : (strides.at(-1) as number);
};

const matrix = (view: View): Operand => ({ at: itemAddresses(view, 2), ld: distance(view) });

/**
 * The operands of one call, laid out for LAPACK: views that lie otherwise are copied, results in such copies are copied back by
 * `finish`, and `release` frees the copies.
 */
export class Operands {
  readonly #run: RunLoop;
  readonly #temporaries: Storage[] = [];
  readonly #results: { readonly from: View; readonly to: View }[] = [];

  constructor(run: RunLoop) {
    this.#run = run;
  }

  #own(view: View): View {
    this.#temporaries.push(view.storage);
    return view;
  }

  /** Fresh memory for matrices of a shape, column after column. */
  #columns(like: View): View {
    const { shape } = turned(like);
    return turned(this.#own(temporary(like, like.dtype, shape)));
  }

  #copy(from: View, to: View, value?: Expr): void {
    this.#run({
      kind: 'map',
      shape: to.shape,
      inputs: [from],
      scalars: [],
      values: [value ?? input(0, from.dtype as ComputeType)],
      outputs: [to],
    });
  }

  /** Matrices that are read. */
  read(view: View): Operand {
    if (inColumns(view)) return matrix(view);
    const copy = this.#columns(view);
    this.#copy(view, copy);
    return matrix(copy);
  }

  /** Matrices that are read, as they are or transposed, whichever needs no copy. */
  readEither(view: View): Operand & { readonly transposed: boolean } {
    const other = turned(view);
    if (!inColumns(view) && inColumns(other)) return { ...matrix(other), transposed: true };
    return { ...this.read(view), transposed: false };
  }

  /** Vectors that are read. */
  readVector(view: View): Operand {
    const dense = view.strides.at(-1) === 1 || view.shape.at(-1) === 1;
    const taken = dense ? view : this.#own(contiguousCopy(view, view.dtype, this.#run));
    return { at: itemAddresses(taken, 1), ld: 1 };
  }

  /** A copy of matrices that is overwritten and then forgotten. */
  scratch(view: View): Operand {
    const copy = this.#columns(view);
    this.#copy(view, copy);
    return matrix(copy);
  }

  /** Matrices that are written. */
  write(view: View): Operand {
    return matrix(this.#target(view));
  }

  /** Matrices that hold a copy of `from` (or the elementwise `value` of it), which is then overwritten. */
  overwrite(view: View, from: View, value?: Expr): Operand {
    const target = this.#target(view);
    this.#copy(from, target, value);
    return matrix(target);
  }

  /** Vectors that are written. */
  writeVector(view: View): Operand {
    const dense = view.strides.at(-1) === 1 || view.shape.at(-1) === 1;
    let target = view;
    if (!dense) {
      target = this.#own(temporary(view, view.dtype, view.shape));
      this.#results.push({ from: target, to: view });
    }
    return { at: itemAddresses(target, 1), ld: 1 };
  }

  #target(view: View): View {
    if (inColumns(view)) return view;
    const target = this.#columns(view);
    this.#results.push({ from: target, to: view });
    return target;
  }

  /** Puts results where they belong. */
  finish(): void {
    for (const { from, to } of this.#results) this.#copy(from, to);
  }

  release(): void {
    for (const storage of this.#temporaries) storage.dispose();
  }
}
