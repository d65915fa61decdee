import type { HostView } from '../space.js';
import { cells, product } from '../space.js';

/** A matrix in row-major order, in double precision. */
export class Dense {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float64Array;

  constructor(rows: number, columns: number, data = new Float64Array(rows * columns)) {
    this.rows = rows;
    this.columns = columns;
    this.data = data;
  }

  static identity(size: number): Dense {
    const made = new Dense(size, size);
    for (let i = 0; i < size; i++) made.set(i, i, 1);
    return made;
  }

  at(i: number, j: number): number {
    return this.data[i * this.columns + j] as number;
  }

  set(i: number, j: number, value: number): void {
    this.data[i * this.columns + j] = value;
  }

  clone(): Dense {
    return new Dense(this.rows, this.columns, this.data.slice());
  }

  transposed(): Dense {
    const made = new Dense(this.columns, this.rows);
    for (let i = 0; i < this.rows; i++) {
      for (let j = 0; j < this.columns; j++) made.set(j, i, this.at(i, j));
    }
    return made;
  }

  /** Exchanges two rows, in columns `from` up to `to`. */
  swapRows(i: number, j: number, from = 0, to = this.columns): void {
    if (i === j) return;
    const { data, columns } = this;
    for (let c = from; c < to; c++) {
      const kept = data[i * columns + c] as number;
      data[i * columns + c] = data[j * columns + c] as number;
      data[j * columns + c] = kept;
    }
  }

  /** Adds `factor` times row `j` to row `i`, in columns `from` up to `to`. */
  addRow(i: number, j: number, factor: number, from = 0, to = this.columns): void {
    if (factor === 0) return;
    const { data, columns } = this;
    const [target, source] = [i * columns, j * columns];
    for (let c = from; c < to; c++) {
      data[target + c] = (data[target + c] as number) + factor * (data[source + c] as number);
    }
  }

  isFinite(): boolean {
    return this.data.every(Number.isFinite);
  }
}

/** Where the items of a batch begin in a view whose last `rank` dimensions are an item's. */
export function itemOffsets(view: HostView, rank: number): Float64Array {
  const batch = view.shape.slice(0, view.shape.length - rank);
  const offsets = new Float64Array(product(batch));
  const index = new Array<number>(batch.length).fill(0);
  let at = view.offset;
  for (let i = 0; i < offsets.length; i++) {
    offsets[i] = at;
    for (let d = batch.length - 1; d >= 0; d--) {
      at += view.strides[d] as number;
      if (++(index[d] as number) < (batch[d] as number)) break;
      at -= (view.strides[d] as number) * (batch[d] as number);
      index[d] = 0;
    }
  }
  return offsets;
}

/** Sizes and strides of the last two dimensions; a vector counts as one column. */
function plane({ shape, strides }: HostView, rank: number): [number, number, number, number] {
  const n = shape.length;
  if (rank === 1) return [shape[n - 1] as number, 1, strides[n - 1] as number, 0];
  return [shape[n - 2], shape[n - 1], strides[n - 2], strides[n - 1]] as [
    number,
    number,
    number,
    number,
  ];
}

/** Reads the matrix (or, of rank 1, the vector as a column) at an offset. */
export function readItem(view: HostView, offset: number, rank = 2): Dense {
  const [rows, columns, row, column] = plane(view, rank);
  const made = new Dense(rows, columns);
  const from = cells(view.data);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      made.data[at++] = Number(from[offset + i * row + j * column]);
    }
  }
  return made;
}

/** Writes numbers in row-major order to the matrix, vector or number at an offset. */
export function writeItem(
  view: HostView,
  offset: number,
  values: ArrayLike<number>,
  rank = 2,
): void {
  const to = view.data as unknown as (number | bigint)[];
  const convert = view.data instanceof BigInt64Array ? BigInt : (x: number) => x;
  if (rank === 0) {
    to[offset] = convert(values[0] as number);
    return;
  }
  const [rows, columns, row, column] = plane(view, rank);
  let at = 0;
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      to[offset + i * row + j * column] = convert(values[at++] as number);
    }
  }
}
