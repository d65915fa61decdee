import { type ComputeType, computeType, type DType } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { cast, constant, type Expr, e, input, scalar, stage } from '../expr.js';
import { checkValues, decode, readAllSync } from '../read.js';
import { isContiguous, numel } from '../shape.js';
import { Tensor } from '../tensor.js';
import { reduceRows } from './reduction.js';

/** Up to here, looking at the memory directly is cheaper than a kernel and its readback. */
const FEW = 4096;

/** Whether the host can see at once, without a kernel, that a few indices all lie in [0, high). */
function plainlyInside(index: Tensor, high: number): boolean {
  const { backend, buffer } = index.storage;
  const count = numel(index.shape);
  if (!backend.map || count > FEW || !isContiguous(index.shape, index.strides)) return false;
  const memory = backend.map(buffer, index.dtype);
  const wide = index.dtype === 'int64';
  if (!wide && index.dtype !== 'int32') return false;
  // An int64 is two words, of which the upper is 0 in a small number.
  const words = new Int32Array(
    memory.buffer,
    memory.byteOffset + index.offset * (wide ? 8 : 4),
    wide ? 2 * count : count,
  );
  const step = wide ? 2 : 1;
  for (let i = 0; i < words.length; i += step) {
    const low = words[i] as number;
    if (low < 0 || low >= high || (wide && words[i + 1] !== 0)) return false;
  }
  return true;
}

/** Whether x lies outside of [scalar 0, scalar 1), and is not scalar 2 where that one is allowed too. */
const outsideOf = (x: Expr, allowed: boolean): Expr => {
  const number = (i: number) => scalar(i, x.dtype as ComputeType);
  const outside = e.or(e.lt(x, number(0)), e.ge(x, number(1)));
  return allowed ? e.and(outside, e.ne(x, number(2))) : outside;
};

/** Less than every index. */
const none = -(2 ** 31);

/** The greatest value over all indices, as one element; `value` sees the bounds as scalars. */
function greatest(index: Tensor, value: Expr, scalars: readonly number[]): Tensor {
  const axes = index.shape.map((_, d) => d);
  const { dtype } = value as { dtype: 'bool' | 'int32' };
  const result = { value: stage(0, dtype), dtype };
  return reduceRows(index, axes, true, [{ combine: 'max', value }], [result], scalars)[0] as Tensor;
}

/**
 * Checks that every index lies in [low, high), or is `other`: at once on devices that can be read at once; elsewhere the
 * next read tells.
 *
 * @throws IndexError, or another error given, with the sentence made from the first index out of range (where
 * the next read tells, from the greatest).
 */
export function checkIndexRange(
  index: Tensor,
  low: number,
  high: number,
  sentence: (bad: number) => string,
  Fault: typeof IndexError | typeof RuntimeError = IndexError,
  other?: number,
): void {
  if (numel(index.shape) === 0 || plainlyInside(index, high)) return;
  const scalars = other === undefined ? [low, high] : [low, high, other];
  const x = input(0, computeType(index.dtype));
  const outside = outsideOf(x, other !== undefined);
  if (!index.storage.backend.synchronous) {
    const told = e.where(outside, cast(x, 'int32'), constant(none, 'int32'));
    const worst = greatest(index, told, scalars);
    checkValues(worst, ([bad]) => (bad === none ? undefined : new Fault(sentence(Number(bad)))));
    worst.dispose();
    return;
  }
  const any = greatest(index, outside, scalars);
  const found = any.itemSync() !== 0;
  any.dispose();
  if (!found) return;
  for (const raw of readAllSync(index, 'checkIndexRange')) {
    const value = decode(index.dtype, raw);
    if ((value < low || value >= high) && value !== other) throw new Fault(sentence(value));
  }
}

/** @throws RuntimeError unless the index tensor is empty or has one of the given dtypes. */
export function checkIndexDtype(
  operation: string,
  index: Tensor,
  allowed: readonly DType[] = ['int64'],
): void {
  if (!allowed.includes(index.dtype) && numel(index.shape) > 0) {
    throw new RuntimeError(
      `${operation}: Expected dtype ${allowed.join(' or ')} for index, got ${index.dtype}; convert it with .to('int64')`,
    );
  }
}

/** The element of input `i`, an index tensor, as a coordinate. */
export const indexInput = (i: number, index: Tensor): Expr =>
  cast(input(i, computeType(index.dtype)), 'int32');

/** A coordinate that may count from the end, given the size of its dimension. */
export const wrapIndex = (x: Expr, size: Expr): Expr =>
  e.where(e.lt(x, constant(0, 'int32')), e.add(x, size), x);

/** A tensor outside of the graph with the same elements, of rank 1 if it has none. */
export const asVector = (t: Tensor): Tensor =>
  t.shape.length > 0 ? t : new Tensor(t.storage, t.dtype, [1], [1], t.offset);

/** A vector laid along dimension `dim` of `rank`, so that it broadcasts over the others. */
export function alongDim(vector: Tensor, dim: number, rank: number): Tensor {
  const shape = new Array<number>(rank).fill(1);
  const strides = new Array<number>(rank).fill(0);
  shape[dim] = vector.shape[0] ?? 1;
  strides[dim] = vector.strides[0] ?? 1;
  return new Tensor(vector.storage, vector.dtype, shape, strides, vector.offset);
}
