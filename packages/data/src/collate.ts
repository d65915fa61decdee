import {
  Float,
  getDefaultDevice,
  getDefaultDtype,
  stack,
  Tensor,
  type TypedArray,
  takes,
  tensor,
  typedArrayDtype,
} from '@sconce/core';
import { type BatchTarget, hostView, stackRows, tensorTarget } from './host.js';
import * as signatures from './signatures.js';

/** What a batch of samples of type T becomes: tensors get a first dimension, containers keep their form. */
export type Collated<T> = T extends Tensor | number | boolean | bigint | TypedArray | Float
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { [K in keyof T]: Collated<T[K]> }
      : T extends object
        ? { [K in keyof T]: Collated<T[K]> }
        : T[];

/**
 * Puts samples together: tensors and typed arrays are stacked, numbers become a tensor (int64 if all are whole, the
 * default float otherwise; `float(2)` is always a float), arrays and objects are collated element by element, strings
 * stay a list.
 *
 * @throws TypeError if samples differ in kind, length or keys, or are null or undefined.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
 * @example defaultCollate([{ x: new Float32Array(3), y: 1 }, { x: new Float32Array(3), y: 0 }]).x.shape // [2, 3]
 */
export function defaultCollate<T>(batch: readonly T[]): Collated<T> {
  takes('defaultCollate', signatures.defaultCollate, arguments);
  return collateInto(batch, tensorTarget) as Collated<T>;
}

/** How tensors or typed arrays of one place in the samples become one. */
export type Join = (rows: readonly (Tensor | TypedArray)[], target: BatchTarget) => unknown;

const joinEqual: Join = (rows, target) =>
  rows[0] instanceof Tensor
    ? (stackRows(rows as Tensor[], target) ?? stack(rows as Tensor[]))
    : arrays(rows as TypedArray[], target);

/** As `defaultCollate`, with the tensors where `target` says. */
export function collateInto(
  batch: readonly unknown[],
  target: BatchTarget,
  join: Join = joinEqual,
): unknown {
  const [first] = batch;
  if (batch.length === 0) throw new TypeError('defaultCollate: expected at least one sample');
  if (first instanceof Tensor) {
    same(batch, 'a tensor', (x) => x instanceof Tensor);
    return join(batch as Tensor[], target);
  }
  if (first instanceof Float) {
    same(batch, 'a number', isNumber);
    return numbers(batch.map(plain), target, true);
  }
  if (ArrayBuffer.isView(first)) {
    same(batch, 'a typed array', (x) => x?.constructor === first.constructor);
    return join(batch as TypedArray[], target);
  }
  switch (typeof first) {
    case 'number': {
      same(batch, 'a number', isNumber);
      const floats = batch.some((x) => x instanceof Float || !Number.isInteger(x));
      return numbers(batch.map(plain), target, floats);
    }
    case 'boolean':
      same(batch, 'a boolean', (x) => typeof x === 'boolean');
      return target.write('bool', [batch.length], getDefaultDevice(), (data) => {
        for (const [i, x] of batch.entries()) (data as Uint8Array)[i] = x ? 1 : 0;
      });
    case 'bigint':
      same(batch, 'a bigint', (x) => typeof x === 'bigint');
      return target.write('int64', [batch.length], getDefaultDevice(), (data) => {
        for (const [i, x] of batch.entries()) (data as BigInt64Array)[i] = x as bigint;
      });
    case 'string':
      same(batch, 'a string', (x) => typeof x === 'string');
      return [...batch];
  }
  if (Array.isArray(first)) {
    if (batch.some((x) => !Array.isArray(x) || x.length !== first.length)) {
      throw new TypeError(
        'defaultCollate: each element in list of batch should be of equal size; pad them (padCollate), or pass a collateFn',
      );
    }
    return first.map((_, i) =>
      collateInto(
        batch.map((x) => (x as unknown[])[i]),
        target,
        join,
      ),
    );
  }
  if (first !== null && typeof first === 'object') {
    same(batch, 'an object', (x) => x !== null && typeof x === 'object' && !Array.isArray(x));
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        collateInto(
          batch.map((x, i) => {
            if (!Object.hasOwn(x as object, key))
              throw new TypeError(`defaultCollate: sample ${i} of the batch has no '${key}'`);
            return (x as Record<string, unknown>)[key];
          }),
          target,
          join,
        ),
      ]),
    );
  }
  throw new TypeError(
    `defaultCollate: batch must contain tensors, numbers, strings, arrays or objects; found ${kindOf(first)}`,
  );
}

const isNumber = (x: unknown): boolean => typeof x === 'number' || x instanceof Float;
const plain = (x: unknown): number => (x instanceof Float ? x.value : (x as number));

const kindOf = (x: unknown): string =>
  x === null
    ? 'null'
    : Array.isArray(x)
      ? 'an array'
      : x instanceof Tensor
        ? 'a tensor'
        : ArrayBuffer.isView(x)
          ? x.constructor.name
          : typeof x;

function same(
  batch: readonly unknown[],
  kind: string,
  test: (x: object | undefined) => boolean,
): void {
  const at = batch.findIndex((x) => !test(x as object));
  if (at >= 0)
    throw new TypeError(
      `defaultCollate: sample 0 of the batch is ${kind}, but sample ${at} is ${kindOf(batch[at])}; all must be of one kind`,
    );
}

function numbers(values: readonly number[], target: BatchTarget, floats: boolean): unknown {
  const dtype = floats ? getDefaultDtype() : 'int64';
  return target.write(dtype, [values.length], getDefaultDevice(), (data) => {
    if (data instanceof BigInt64Array) for (const [i, x] of values.entries()) data[i] = BigInt(x);
    else if (dtype === 'float32' || dtype === 'float64') (data as Float64Array).set(values);
    else {
      const converted = tensor(values as number[], { dtype, device: 'cpu' });
      (data as Uint16Array).set(hostView(converted) as Uint16Array);
    }
  });
}

function arrays(batch: readonly TypedArray[], target: BatchTarget): unknown {
  const first = batch[0] as TypedArray;
  const dtype = typedArrayDtype('defaultCollate', first);
  for (const [i, x] of batch.entries()) {
    if (x.length === first.length) continue;
    throw new TypeError(
      `defaultCollate: expected ${first.constructor.name}(${first.length}) as in sample 0 of the batch, but sample ${i} has length ${x.length}; pad them (padCollate), or pass a collateFn`,
    );
  }
  return target.write(dtype, [batch.length, first.length], getDefaultDevice(), (data) => {
    for (const [i, x] of batch.entries())
      (data as Float32Array).set(x as Float32Array, i * first.length);
  });
}

/** What a sample of type T becomes where samples are not batched. */
export type Converted<T> = T extends TypedArray
  ? Tensor
  : T extends Tensor | string | number | boolean | bigint | null | undefined
    ? T
    : T extends object
      ? { [K in keyof T]: Converted<T[K]> }
      : T;

/**
 * A sample as it is, with typed arrays made tensors; what `DataLoader` does with `batchSize: null`.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.default_convert
 */
export function defaultConvert<T>(sample: T): Converted<T> {
  takes('defaultConvert', signatures.defaultConvert, arguments);
  const convert = (x: unknown): unknown => {
    if (x instanceof Tensor || x === null || typeof x !== 'object') return x;
    if (ArrayBuffer.isView(x)) return tensor(x as TypedArray);
    if (Array.isArray(x)) return x.map(convert);
    if (Object.getPrototypeOf(x) !== Object.prototype) return x;
    return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, convert(value)]));
  };
  return convert(sample) as Converted<T>;
}
