import { takes } from './arguments.js';
import type { Device } from './device.js';
import { type DType, type TypedArray, typedArray } from './dtype.js';
import { RuntimeError, SconceError, ValueError } from './errors.js';
import { bfloat16ToNumber, float16ToNumber } from './half.js';
import { type Attempt, attempt, attempting } from './replay.js';
import { isContiguous, numel, span } from './shape.js';
import { signatures } from './signatures.js';
import type { NestedArray, Tensor } from './tensor.js';

/** The elements of a strided view in row-major order, from the elements of its span. */
function gatherLogical(t: Tensor, raw: TypedArray): TypedArray {
  const count = numel(t.shape);
  if (isContiguous(t.shape, t.strides)) return raw;
  const out = typedArray(t.dtype, count);
  // Bits are moved: numbers may lose what a NaN carries.
  const [from, to] = [asIntegers(raw), asIntegers(out)];
  const rank = t.shape.length;
  const position = new Array<number>(rank).fill(0);
  let at = 0;
  for (let i = 0; i < count; i++) {
    to[i] = from[at] as never;
    for (let d = rank - 1; d >= 0; d--) {
      at += t.strides[d] as number;
      if (++(position[d] as number) < (t.shape[d] as number)) break;
      at -= (t.strides[d] as number) * (t.shape[d] as number);
      position[d] = 0;
    }
  }
  return out;
}

/** The same bits as integers, of an array of floats. */
function asIntegers(data: TypedArray): TypedArray {
  const { buffer, byteOffset, length } = data;
  if (data instanceof Float32Array) return new Int32Array(buffer, byteOffset, length);
  if (data instanceof Float64Array) return new BigInt64Array(buffer, byteOffset, length);
  return data;
}

/** All elements in row-major order, copied to the host. */
export async function readAll(t: Tensor): Promise<TypedArray> {
  if (numel(t.shape) === 0) return typedArray(t.dtype, 0);
  const { backend, buffer } = t.storage;
  const raw = await backend.read(buffer, t.dtype, t.offset, span(t.shape, t.strides));
  return gatherLogical(t, raw);
}

/** Thrown to leave a function that needs values which are still on the device. */
class PendingRead extends SconceError {
  override name = 'PendingRead';
  // Private, so that nothing that shows errors walks through it to the device.
  readonly #tensor: Tensor;
  constructor(tensor: Tensor, message: string) {
    super(message);
    this.#tensor = tensor;
  }

  get tensor(): Tensor {
    return this.#tensor;
  }
}

/** Whether values of `t` can be had at once, here and now. */
export const canRead = (t: Tensor): boolean =>
  t.storage.backend.synchronous || attempt !== undefined;

/**
 * Whether a tensor can be brought from one device to another without waiting: the former can be read at once, or the latter
 * takes what is still to come.
 */
export const canMove = (from: Device, to: Device): boolean =>
  from === to || from.backend.synchronous || to.backend.writeLater !== undefined;

/**
 * Runs a synchronous function that needs values from a device which gives them asynchronously only: results whose
 * shape depends on values (`nonzero`, `maskedSelect`, `unique`), `itemSync`, `to('cpu')`.
 *
 * The function is left where a value is missing and repeated when it has arrived. What it did to tensors, gradients, optimizers
 * and random generators that existed before is taken back first, so that it happens once; what it does to other objects is not. On
 * devices that read at once it runs once.
 *
 * @throws whatever `fn` throws; TypeError if it is async; RuntimeError if it has to be repeated after something that cannot be
 * taken back.
 * @example const chosen = await withReads(() => x.maskedSelect(x.gt(0)));
 */
export async function withReads<T>(fn: () => T): Promise<T> {
  takes('withReads', signatures.withReads, arguments);
  const values: TypedArray[] = [];
  for (;;) {
    const run: Attempt = {
      values,
      next: 0,
      noted: new WeakSet(),
      undo: [],
      after: [],
      final: undefined,
    };
    let pending: Tensor;
    try {
      const result = attempting(run, fn);
      for (const action of run.after) action();
      if (result instanceof Promise) {
        // What becomes of it is of no interest.
        result.catch(() => {});
        throw new TypeError(
          'withReads: takes a synchronous function, got one that returns a promise; await inside of it instead: `await x.toAsync(device)`, `await x.item()`',
        );
      }
      return result;
    } catch (error) {
      if (!(error instanceof PendingRead)) {
        for (const action of run.after) action();
        throw error;
      }
      pending = error.tensor;
      for (const undo of run.undo.reverse()) undo();
      if (run.final !== undefined) {
        throw new RuntimeError(
          `withReads: the function has to be repeated, since it reads a value of device '${pending.device}' that has not arrived, but ${run.final} before that cannot be; read first, or leave it to a call of its own: \`const value = await x.item()\``,
        );
      }
    }
    values.push(await readAll(pending));
  }
}

/** As `readAll`, at once; `instead` is the method that can wait, where there is one. */
export function readAllSync(
  t: Tensor,
  operation: string,
  instead = operation.endsWith('Sync') ? `${operation.slice(0, -4)}()` : undefined,
): TypedArray {
  const { backend } = t.storage;
  if (numel(t.shape) === 0 && canRead(t)) return typedArray(t.dtype, 0);
  if (!backend.readSync) {
    const message = `${operation}: device '${t.device}' can only be read asynchronously; use ${instead ? `\`await t.${instead}\`, or ` : ''}\`await withReads(() => ...)\` around what needs the value`;
    if (!attempt) throw new RuntimeError(message);
    const known = attempt.values[attempt.next++];
    if (!known) throw new PendingRead(t, message);
    return known;
  }
  const length = span(t.shape, t.strides);
  return gatherLogical(t, backend.readSync(t.storage.buffer, t.dtype, t.offset, length));
}

/**
 * Raises what `check` finds wrong with the elements of `t` in row-major order: at once where the device can be read at
 * once; elsewhere it is what the next read of that device, or `synchronize`, rejects with, and nothing waits for it.
 */
export function checkValues(t: Tensor, check: (values: TypedArray) => Error | undefined): void {
  if (numel(t.shape) === 0) return;
  const { backend, buffer } = t.storage;
  if (backend.inspect) {
    backend.inspect(buffer, t.dtype, t.offset, span(t.shape, t.strides), (raw) =>
      check(gatherLogical(t, raw)),
    );
    return;
  }
  const error = check(readAllSync(t, 'checkValues'));
  if (error) throw error;
}

/** One raw element as the number it stands for. */
export function decode(dtype: DType, raw: number | bigint): number {
  switch (dtype) {
    case 'float16':
      return float16ToNumber(raw as number);
    case 'bfloat16':
      return bfloat16ToNumber(raw as number);
    case 'int64': {
      const value = Number(raw);
      if (!Number.isSafeInteger(value)) {
        throw new ValueError(
          `int64 value ${raw} does not fit a JavaScript number exactly; use toBigInt64Array()`,
        );
      }
      return value;
    }
    default:
      return raw as number;
  }
}

function checkOne(t: Tensor): void {
  const count = numel(t.shape);
  if (count !== 1) {
    throw new RuntimeError(
      `item: a Tensor with ${count} elements cannot be converted to Scalar (shape [${t.shape.join(', ')}])`,
    );
  }
}

/** The only element of `t` as a number; of a bool tensor 0 or 1. */
export async function readOne(t: Tensor): Promise<number> {
  checkOne(t);
  return decode(t.dtype, (await readAll(t))[0] as number | bigint);
}

/** As `readOne`, at once. */
export function readOneSync(t: Tensor): number {
  checkOne(t);
  return decode(t.dtype, readAllSync(t, 'itemSync')[0] as number | bigint);
}

/** More would end the process rather than throw: engines give arrays of numbers less memory than they ask for. */
const mostNested = 2 ** 27;

/** Row-major elements as nested arrays of the tensor's shape, each as `value` makes it. */
function nest<T>(t: Tensor, data: TypedArray, value: (raw: number | bigint) => T): NestedArray<T> {
  if (data.length > mostNested) {
    throw new RuntimeError(
      `toArray: ${data.length} elements are too many for arrays of JavaScript numbers (at most ${mostNested}); use toTypedArray()`,
    );
  }
  let next = 0;
  const level = (d: number): NestedArray<T> => {
    if (d === t.shape.length) return value(data[next++] as number | bigint);
    return Array.from({ length: t.shape[d] as number }, () => level(d + 1));
  };
  return level(0);
}

const plain = (dtype: DType, raw: number | bigint): number | boolean => {
  const v = decode(dtype, raw);
  return dtype === 'bool' ? v !== 0 : v;
};

/** Row-major elements as nested arrays of the tensor's shape; bools as booleans. */
export const toNested = (t: Tensor, data: TypedArray): NestedArray =>
  nest(t, data, (raw) => plain(t.dtype, raw));

/** The same with strings for what JSON has no numbers for. */
export const toJson = (t: Tensor, data: TypedArray): NestedArray<number | boolean | string> =>
  nest(t, data, (raw) => {
    if (typeof raw === 'bigint' && !Number.isSafeInteger(Number(raw))) return String(raw);
    const value = plain(t.dtype, raw);
    return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  });
