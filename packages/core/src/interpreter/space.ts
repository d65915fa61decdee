import type { ComputeType, DType, TypedArray } from '../dtype.js';
import { computeType } from '../dtype.js';
import { bfloat16Table, float16Table, numberToBfloat16, numberToFloat16 } from '../half.js';

/** A view over the typed array that holds its elements. */
export interface HostView {
  readonly data: TypedArray;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The values of one node for a run of positions, in an array of its compute type: storing rounds and wraps. */
export type Register = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

const registerTypes = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
} as const;

/** A register for `length` values. */
export const register = (type: ComputeType, length: number): Register =>
  new registerTypes[type](length);

/** Registers and storages as the loops below see them: the element types of both sides agree. */
export const cells = (array: TypedArray): number[] => array as unknown as number[];

/** How many positions are computed at a time. */
export const BLOCK = 1024;

/** The product of sizes. */
export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/**
 * An iteration space visited in a given order of its axes (slowest first), as runs of positions.
 * Coordinates are those of the axes, whatever the order.
 */
export class Space {
  readonly sizes: readonly number[];
  readonly count: number;
  readonly #order: readonly number[];
  readonly #span: readonly number[];
  readonly #coords: Int32Array[];
  readonly #linear: Int32Array;
  #start = 0;
  #length = 0;
  #counted = false;

  /** `span`: the sizes `linear` counts in, where this space is a slice of a larger one. */
  constructor(
    sizes: readonly number[],
    order: readonly number[] = sizes.map((_, axis) => axis),
    span = sizes,
  ) {
    this.sizes = sizes;
    this.#span = span;
    this.count = product(sizes);
    this.#order = order;
    const room = Math.min(this.count, BLOCK);
    this.#coords = sizes.map(() => new Int32Array(room));
    this.#linear = new Int32Array(room);
  }

  /** Moves to the positions from `start` on, `length` of them (at most BLOCK). */
  at(start: number, length: number): this {
    this.#start = start;
    this.#length = length;
    this.#counted = false;
    return this;
  }

  get start(): number {
    return this.#start;
  }

  get length(): number {
    return this.#length;
  }

  /** The coordinates of the current positions along an axis. */
  coords(axis: number): Int32Array {
    if (!this.#counted) this.#count();
    return this.#coords[axis] as Int32Array;
  }

  #count(): void {
    this.#counted = true;
    const at = this.sizes.map(() => 0);
    let rest = this.#start;
    for (let d = this.#order.length - 1; d >= 0; d--) {
      const axis = this.#order[d] as number;
      const size = this.sizes[axis] as number;
      at[axis] = rest % size;
      rest = Math.floor(rest / size);
    }
    for (let i = 0; i < this.#length; i++) {
      for (let axis = 0; axis < at.length; axis++) {
        (this.#coords[axis] as Int32Array)[i] = at[axis] as number;
      }
      for (let d = this.#order.length - 1; d >= 0; d--) {
        const axis = this.#order[d] as number;
        const next = (at[axis] as number) + 1;
        at[axis] = next === this.sizes[axis] ? 0 : next;
        if (at[axis] !== 0) break;
      }
    }
  }

  /** The row-major index of the current positions, whatever the order. */
  linear(): Int32Array {
    const out = this.#linear.fill(0);
    for (let axis = 0; axis < this.sizes.length; axis++) {
      const c = this.coords(axis);
      const size = this.#span[axis] as number;
      for (let i = 0; i < this.#length; i++) out[i] = (out[i] as number) * size + (c[i] as number);
    }
    return out;
  }

  /** Whether a view's elements lie one after the other in the order of visit. */
  follows(strides: readonly number[]): boolean {
    let step = 1;
    for (let d = this.#order.length - 1; d >= 0; d--) {
      const axis = this.#order[d] as number;
      const size = this.sizes[axis] as number;
      if (size !== 1 && strides[axis] !== step) return false;
      step *= size;
    }
    return true;
  }

  /** The element offsets of the current positions in a view of this shape. */
  offsets(strides: readonly number[], offset: number, out: Int32Array): Int32Array {
    out.fill(offset, 0, this.#length);
    for (let axis = 0; axis < this.sizes.length; axis++) {
      const stride = strides[axis] as number;
      if (stride === 0) continue;
      const c = this.coords(axis);
      for (let i = 0; i < this.#length; i++) {
        out[i] = (out[i] as number) + (c[i] as number) * stride;
      }
    }
    return out;
  }
}

/** Strides that repeat a view over a larger shape, aligned from the right. */
export function broadcastStrides(view: HostView, rank: number): number[] {
  const missing = rank - view.shape.length;
  return Array.from({ length: rank }, (_, axis) =>
    axis < missing || view.shape[axis - missing] === 1
      ? 0
      : (view.strides[axis - missing] as number),
  );
}

/** The values of the patterns a dtype stores, where those are not numbers. */
const patterns = (dtype: DType): Float32Array | undefined =>
  dtype === 'float16' ? float16Table() : dtype === 'bfloat16' ? bfloat16Table() : undefined;

const encoders: Partial<Record<DType, (value: number) => number>> = {
  float16: numberToFloat16,
  bfloat16: numberToBfloat16,
};

/** Widens the elements at `offsets` into a register. */
export function gather(view: HostView, offsets: Int32Array, count: number, out: Register): void {
  const from = cells(view.data);
  const to = cells(out);
  const values = patterns(view.dtype);
  if (values) {
    for (let i = 0; i < count; i++) to[i] = values[from[offsets[i] as number] as number] as number;
  } else for (let i = 0; i < count; i++) to[i] = from[offsets[i] as number] as number;
}

/** Narrows a register into the elements at `offsets`. */
export function spread(view: HostView, offsets: Int32Array, count: number, values: Register): void {
  const from = cells(values);
  const to = cells(view.data);
  const encode = encoders[view.dtype];
  if (encode) {
    for (let i = 0; i < count; i++) to[offsets[i] as number] = encode(from[i] as number);
  } else for (let i = 0; i < count; i++) to[offsets[i] as number] = from[i] as number;
}

/** Whether the elements of a dtype are held just as their compute type is. */
const heldAsComputed = (dtype: DType): boolean => dtype === computeType(dtype);

/** Widens `count` elements one after the other into a register. */
export function copyIn(view: HostView, start: number, count: number, out: Register): void {
  if (heldAsComputed(view.dtype)) {
    (out as Float64Array).set(view.data.subarray(start, start + count) as Float64Array);
    return;
  }
  const from = cells(view.data);
  const to = cells(out);
  const values = patterns(view.dtype);
  if (values) for (let i = 0; i < count; i++) to[i] = values[from[start + i] as number] as number;
  else for (let i = 0; i < count; i++) to[i] = from[start + i] as number;
}

/** Narrows a register into `count` elements one after the other. */
export function copyOut(view: HostView, start: number, count: number, values: Register): void {
  if (heldAsComputed(view.dtype)) {
    (view.data as Float64Array).set(values.subarray(0, count) as Float64Array, start);
    return;
  }
  const from = cells(values);
  const to = cells(view.data);
  const encode = encoders[view.dtype];
  if (encode) for (let i = 0; i < count; i++) to[start + i] = encode(from[i] as number);
  else for (let i = 0; i < count; i++) to[start + i] = from[i] as number;
}

/** Stores a register at the current positions of a space into a view of its shape. */
export function store(space: Space, view: HostView, values: Register): void {
  if (space.follows(view.strides)) copyOut(view, view.offset + space.start, space.length, values);
  else {
    const offsets = space.offsets(view.strides, view.offset, new Int32Array(space.length));
    spread(view, offsets, space.length, values);
  }
}

/** All elements of a view in row-major order, widened to a compute type. */
export function dense(view: HostView): Register {
  const count = product(view.shape);
  const out = register(computeType(view.dtype), count);
  const space = new Space(view.shape);
  const block = register(computeType(view.dtype), Math.min(BLOCK, count));
  if (space.follows(view.strides)) {
    copyIn(view, view.offset, count, out);
    return out;
  }
  const offsets = new Int32Array(Math.min(BLOCK, count));
  for (let start = 0; start < count; start += BLOCK) {
    const length = Math.min(BLOCK, count - start);
    space.at(start, length).offsets(view.strides, view.offset, offsets);
    gather(view, offsets, length, block);
    (out as Float64Array).set(block.subarray(0, length) as Float64Array, start);
  }
  return out;
}

/** Writes values in row-major order to all elements of a view. */
export function fillFrom(view: HostView, values: Register): void {
  const space = new Space(view.shape);
  for (let start = 0; start < space.count; start += BLOCK) {
    const length = Math.min(BLOCK, space.count - start);
    store(space.at(start, length), view, values.subarray(start, start + length));
  }
}
