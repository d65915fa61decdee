import type { DType, View } from '@sconce/core';
import { numel } from '@sconce/core';
import { positions } from './check.js';
import type { Fixture } from './fixture.js';
import { layOut, numbers } from './random.js';

/** A matrix as rows. */
export type Rows = number[][];

export const made = (m: number, n: number, at: (i: number, j: number) => number): Rows =>
  Array.from({ length: m }, (_, i) => Array.from({ length: n }, (__, j) => at(i, j)));

const get = (a: Rows, i: number, j: number): number => a[i]?.[j] as number;

export const identity = (n: number): Rows => made(n, n, (i, j) => Number(i === j));

export const transposed = (a: Rows, columns = a[0]?.length ?? 0): Rows =>
  made(columns, a.length, (i, j) => get(a, j, i));

export const times = (a: Rows, b: Rows, columns = b[0]?.length ?? 0): Rows =>
  made(a.length, columns, (i, j) =>
    b.reduce((sum, row, k) => sum + get(a, i, k) * (row[j] as number), 0),
  );

/** Triangles with the diagonal; the last with ones on it, as LU leaves them out. */
export const upper = (a: Rows): Rows => a.map((row, i) => row.map((x, j) => (i <= j ? x : 0)));
export const lower = (a: Rows): Rows => a.map((row, i) => row.map((x, j) => (i >= j ? x : 0)));
export const unitLower = (a: Rows, columns: number): Rows =>
  made(a.length, columns, (i, j) => (i > j ? get(a, i, j) : Number(i === j)));

/** The greatest difference of two matrices; NaN counts as infinite. */
export function distance(a: Rows, b: Rows): number {
  let worst = a.length === b.length ? 0 : Infinity;
  a.forEach((row, i) => {
    row.forEach((x, j) => {
      const difference = Math.abs(x - get(b, i, j));
      if (!(difference <= worst)) worst = Number.isNaN(difference) ? Infinity : difference;
    });
  });
  return worst;
}

/** Operands of one call on a device: batches of matrices of one dtype, in layouts by a seed. */
export class Stack {
  readonly #fixture: Fixture;
  readonly dtype: 'float32' | 'float64';
  readonly #batch: readonly number[];
  readonly #next: () => number;
  readonly #outputs: { readonly view: View; readonly before: readonly (number | bigint)[] }[] = [];

  constructor(
    fixture: Fixture,
    dtype: 'float32' | 'float64',
    batch: readonly number[],
    seed: number,
  ) {
    this.#fixture = fixture;
    this.dtype = dtype;
    this.#batch = batch;
    this.#next = numbers(seed);
  }

  get count(): number {
    return numel(this.#batch);
  }

  /** A number of size about 1. */
  random(): number {
    // As the device will hold it, so that what is computed from it here is what it computes with.
    return Math.fround(this.#next() * 4 - 2);
  }

  #place(shape: readonly number[], dtype: DType, values: readonly number[] | undefined): View {
    const placed = layOut([...this.#batch, ...shape], Math.floor(this.#next() * 2 ** 31));
    // What lies between the elements must stay.
    const all = Array.from({ length: placed.length }, (_, i) => (i % 5) + 7);
    const { strides, offset } = placed;
    const view = { shape: placed.shape, strides, offset, dtype };
    if (values) {
      positions(view as View).forEach((at, i) => {
        all[at] = values[i] as number;
      });
    }
    return this.#fixture.view(dtype, placed.shape, all, { strides, offset });
  }

  /** One matrix for each item of the batch. */
  input(items: readonly Rows[], m: number, n: number): View {
    return this.#place(
      [m, n],
      this.dtype,
      items.flatMap((rows) => rows.flat()),
    );
  }

  /** One vector for each item of the batch. */
  vectors(items: readonly (readonly number[])[], n: number, dtype: DType = this.dtype): View {
    return this.#place([n], dtype, items.flat());
  }

  output(shape: readonly number[], dtype: DType = this.dtype): View {
    const view = this.#place(shape, dtype, undefined);
    const before = Array.from({ length: view.storage.length }, (_, i) => (i % 5) + 7);
    this.#outputs.push({ view, before });
    return view;
  }

  async matrices(view: View): Promise<Rows[]> {
    const [m, n] = view.shape.slice(-2) as [number, number];
    const all = (await this.#fixture.read(view)).map(Number);
    return Array.from({ length: this.count }, (_, b) =>
      made(m, n, (i, j) => all[b * m * n + i * n + j] as number),
    );
  }

  async vectorsOf(view: View): Promise<number[][]> {
    const n = view.shape.at(-1) as number;
    const all = (await this.#fixture.read(view)).map(Number);
    return Array.from({ length: this.count }, (_, b) => all.slice(b * n, (b + 1) * n));
  }

  /** @throws Error if something was written outside of an output. */
  async checkRest(): Promise<void> {
    for (const { view, before } of this.#outputs) {
      const inside = new Set(positions(view));
      const after = await this.#fixture.stored(view);
      const at = after.findIndex(
        (value, i) => !inside.has(i) && Number(value) !== Number(before[i]),
      );
      if (at >= 0) throw new Error(`storage ${at}, outside of the view, became ${after[at]}`);
    }
  }
}
