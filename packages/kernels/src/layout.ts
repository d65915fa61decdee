import { RuntimeError } from '@sconce/core';

/**
 * How the elements of an operand follow one another along the innermost dimension:
 * all the same one, one after the other, or at a distance known at run time.
 */
export type Access = 0 | 1 | 2;
export const BROADCAST = 0;
export const CONTIGUOUS = 1;
export const STRIDED = 2;

/** A group of dimensions that were merged, with the strides of every operand (in elements). */
export interface Loops {
  /** Extents, outermost first; at least one, and only the first may be 1. */
  readonly sizes: number[];
  /** `strides[operand][dimension]`. */
  readonly strides: number[][];
}

/** Number of positions in a shape. */
export function elementCount(shape: readonly number[]): number {
  let count = 1;
  for (let d = 0; d < shape.length; d++) count *= shape[d] as number;
  return count;
}

/** Whether elements lie one after the other in row-major order; strides of dimensions of size 1 do not matter. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let expected = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    const size = shape[d] as number;
    if (size !== 1) {
      if (strides[d] !== expected) return false;
      expected *= size;
    }
  }
  return true;
}

/** Whether two shapes are equal. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let d = 0; d < a.length; d++) if (a[d] !== b[d]) return false;
  return true;
}

/** Row-major strides of a shape. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = stride;
    stride *= shape[d] as number;
  }
  return strides;
}

/**
 * The strides with which an operand is walked when broadcast to `shape`: aligned at the right,
 * 0 where a dimension is missing or has size 1.
 */
export function broadcastStrides(
  shape: readonly number[],
  operandShape: readonly number[],
  operandStrides: readonly number[],
): number[] {
  const missing = shape.length - operandShape.length;
  const strides = new Array<number>(shape.length);
  for (let d = 0; d < shape.length; d++) {
    const from = d - missing;
    strides[d] = from < 0 || operandShape[from] === 1 ? 0 : (operandStrides[from] as number);
  }
  return strides;
}

/**
 * Merges the dimensions `axes` of `shape` into as few loops as possible: drops those of size 1,
 * orders them by the strides of the operands, the first operand first (unless `ordered`), and joins
 * neighbours that every operand walks as if they were one. Coordinates and row-major indices that an
 * expression names take part as operands of their own, so that nothing they need is lost.
 *
 * @param strides for each operand, its strides along all dimensions of `shape`.
 * @example
 * collapse([2, 3, 4], [0, 1, 2], [[12, 4, 1], [12, 4, 1]], false) // sizes [24], strides [[1], [1]]
 */
export function collapse(
  shape: readonly number[],
  axes: readonly number[],
  strides: readonly (readonly number[])[],
  ordered: boolean,
): Loops {
  const kept: number[] = [];
  for (const axis of axes) if (shape[axis] !== 1) kept.push(axis);
  if (!ordered) {
    // Insertion sort: few dimensions, mostly in order already.
    for (let i = 1; i < kept.length; i++) {
      for (let j = i; j > 0 && outranks(kept[j] as number, kept[j - 1] as number, strides); j--) {
        const axis = kept[j] as number;
        kept[j] = kept[j - 1] as number;
        kept[j - 1] = axis;
      }
    }
  }
  const sizes: number[] = [];
  const merged: number[][] = strides.map(() => []);
  for (const axis of kept) {
    const size = shape[axis] as number;
    const last = sizes.length - 1;
    let joins = last >= 0;
    for (let k = 0; joins && k < strides.length; k++) {
      const inner = (strides[k] as readonly number[])[axis] as number;
      joins = (merged[k] as number[])[last] === inner * size;
    }
    if (joins) {
      sizes[last] = (sizes[last] as number) * size;
      for (let k = 0; k < strides.length; k++) {
        (merged[k] as number[])[last] = (strides[k] as readonly number[])[axis] as number;
      }
    } else {
      sizes.push(size);
      for (let k = 0; k < strides.length; k++) {
        (merged[k] as number[]).push((strides[k] as readonly number[])[axis] as number);
      }
    }
  }
  if (sizes.length === 0) {
    sizes.push(1);
    for (const list of merged) list.push(0);
  }
  return { sizes, strides: merged };
}

/** Whether dimension `a` should be outside of `b`: the first operand that moves along both decides. */
function outranks(a: number, b: number, strides: readonly (readonly number[])[]): boolean {
  for (const list of strides) {
    const sa = list[a] as number;
    const sb = list[b] as number;
    if (sa !== 0 && sb !== 0 && sa !== sb) return sa > sb;
    if (sa === 0 && sb !== 0) return true;
    if (sb === 0 && sa !== 0) return false;
  }
  return false;
}

/** How an operand is walked along a dimension of the given stride. */
export const accessOf = (stride: number): Access =>
  stride === 0 ? BROADCAST : stride === 1 ? CONTIGUOUS : STRIDED;

/** @throws RuntimeError if an operand is too long to be addressed by computed coordinates, which are int32. */
export function checkAddressed(view: { readonly shape: readonly number[] }): void {
  const { shape } = view;
  for (let d = 0; d < shape.length; d++) {
    if ((shape[d] as number) > 2 ** 31) {
      throw new RuntimeError(
        `positions in a dimension of ${shape[d]} elements cannot be computed in 32 bits (at most ${2 ** 31}); split the tensor with narrow() or chunk()`,
      );
    }
  }
}
