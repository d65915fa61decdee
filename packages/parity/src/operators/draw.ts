import { type DType, isFloatingPoint, numel } from '@sconce/core';
import { layOut, layOutInput, numbers, type Placement } from '../conformance/random.js';

/** What elements are like: of size about 1, positive, within (0, 1), whole with many equal ones, or one of the first `below` positions. */
export type Elements = 'tame' | 'positive' | 'unit' | 'ties' | { readonly below: number };

/** A tensor of a case, the same on every device. */
export interface Operand extends Placement {
  readonly dtype: DType;
  readonly values: readonly number[];
}

/** Gives the tensor of the n-th operand. */
export type Reader<T> = (operand: number) => T;

/** Random choices from one seed; `size` bounds the dimensions, so that a case can be tried smaller. */
export class Draw {
  readonly next: () => number;
  readonly size: number;
  readonly operands: Operand[] = [];
  readonly #held: readonly DType[];

  constructor(seed: number, size: number, held: readonly DType[]) {
    this.next = numbers(seed);
    this.size = size;
    this.#held = held;
  }

  /** A whole number from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)] as T;
  }

  /** A dtype of a kind that the device holds; mostly the usual one. */
  dtype(kind: 'float' | 'integer' | 'numeric' | 'any'): DType {
    if (this.chance(0.5)) return kind === 'integer' ? 'int64' : 'float32';
    return this.pick(
      this.#held.filter((dtype) => {
        if (kind === 'any') return true;
        if (dtype === 'bool') return false;
        return kind === 'numeric' || isFloatingPoint(dtype) === (kind === 'float');
      }),
    );
  }

  /** A size of a dimension; now and then 0 or 1. */
  extent(least = 0): number {
    if (least === 0 && this.chance(0.04)) return 0;
    return this.int(Math.max(least, 1), Math.max(least, Math.min(this.size, 7)));
  }

  /** A shape of `low` to `high` dimensions, each at least `least`; sometimes with one long dimension. */
  shape(low = 0, high = 4, least = 0): number[] {
    const rank = this.int(low, high);
    const shape = Array.from({ length: rank }, () => this.extent(least));
    if (rank > 0 && rank < 4 && this.size > 7 && this.chance(0.15)) {
      shape[this.int(0, rank - 1)] = this.int(33, 300);
    }
    return shape;
  }

  /** A dimension of a shape, counted from the front or the end. */
  dim(shape: readonly number[]): number {
    if (shape.length === 0) return 0;
    const d = this.int(0, shape.length - 1);
    return this.chance(0.3) ? d - shape.length : d;
  }

  /** None, one or several dimensions. */
  dims(shape: readonly number[]): number | number[] | undefined {
    const kind = this.next();
    if (kind < 0.25) return undefined;
    if (kind < 0.6) return this.dim(shape);
    return shape.map((_, d) => d).filter(() => this.chance(0.5));
  }

  /** A tensor of that very shape, in any layout; what is written to has no two positions on one element. */
  tensor(
    dtype: DType,
    shape: readonly number[],
    elements: Elements = 'tame',
    use: 'read' | 'written' = 'read',
  ): number {
    const seed = Math.floor(this.next() * 2 ** 31);
    const placed = this.#place(shape, seed, use);
    const values = Array.from({ length: placed.length }, () => this.#element(dtype, elements));
    return this.operands.push({ ...placed, dtype, values }) - 1;
  }

  #place(shape: readonly number[], seed: number, use: 'read' | 'written'): Placement {
    if (use === 'written' || this.chance(0.6)) return layOut(shape, seed);
    if (this.chance(0.4)) return this.#windows(shape);
    const placed = layOutInput(shape, seed);
    // Of those that broadcast, the ones that show the whole shape.
    return placed.shape.length === shape.length && placed.shape.every((n, d) => n === shape[d])
      ? placed
      : layOut(shape, seed);
  }

  /** Windows that overlap: strides shorter than what lies behind them. */
  #windows(shape: readonly number[]): Placement {
    const strides = shape.map(() => this.int(0, 3));
    const offset = this.int(0, 5);
    const last = shape.reduce(
      (n, size, d) => n + Math.max(size - 1, 0) * (strides[d] as number),
      0,
    );
    return { shape, strides, offset, length: offset + last + 1 };
  }

  /** A tensor that broadcasts to a shape. */
  broadcasting(dtype: DType, shape: readonly number[], elements: Elements = 'tame'): number {
    const kept = this.chance(0.3) ? shape.slice(this.int(0, shape.length)) : shape;
    return this.tensor(
      dtype,
      kept.map((size) => (this.chance(0.15) ? 1 : size)),
      elements,
    );
  }

  /** Positions below `size`, as an index tensor. */
  index(shape: readonly number[], size: number): number {
    return this.tensor('int64', size === 0 ? shape.map(() => 0) : shape, { below: size });
  }

  #element(dtype: DType, elements: Elements): number {
    if (typeof elements === 'object') return this.int(0, Math.max(elements.below - 1, 0));
    if (dtype === 'bool') return this.int(0, 1);
    if (!isFloatingPoint(dtype)) {
      const low = elements === 'tame' || elements === 'ties' ? (dtype === 'uint8' ? 0 : -9) : 1;
      return this.int(low, 9);
    }
    if (elements === 'ties') return this.int(-3, 3) / 2;
    if (elements === 'unit') return 0.02 + 0.96 * this.next();
    if (elements === 'positive') return 0.1 + 4 * this.next();
    return this.chance(0.1) ? this.int(-2, 2) : this.next() * 6 - 3;
  }

  /** Elements of a shape drawn so far. */
  numel(operand: number): number {
    return numel((this.operands[operand] as Operand).shape);
  }
}
