import {
  Device,
  type DType,
  decode,
  Float,
  formatShape,
  numel,
  Tensor,
  type TypedArray,
} from '@sconce/core';
import {
  elements,
  fieldNames,
  PackedValue,
  type TensorData,
  Tuple,
  type Value,
} from '../corpus/value.js';
import { camelCase } from '../mapping/names.js';
import { valueAt } from '../python/keys.js';
import { beyond32Bits } from '../report/holding.js';
import { close, type Tolerance, toleranceOf } from './tolerance.js';

/** How a case wants its result compared. */
export interface Comparison {
  /** Only shapes and dtypes: the values are not defined. */
  readonly shapeOnly?: boolean;
  /** Equal elements in the input: positions may differ where values agree. */
  readonly ties?: boolean;
  /** Overrides the tolerance of the dtype. */
  readonly tolerance?: Tolerance;
}

/** A result with its elements read back. */
export interface Read {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Reads every tensor in a result; settles promises in it. */
export async function readBack(value: Value): Promise<Value> {
  const settled = await value;
  if (settled instanceof Tensor) {
    return {
      dtype: settled.dtype,
      shape: settled.shape,
      data: await settled.toTypedArray(),
    } satisfies Read;
  }
  if (Array.isArray(settled)) return Promise.all(settled.map(readBack));
  if (settled === null || typeof settled !== 'object') return settled;
  if (settled instanceof Float || settled instanceof Device) return settled;
  if (settled instanceof Map) {
    const entries = await Promise.all(
      [...settled].map(async ([k, v]) => [k, await readBack(v)] as const),
    );
    return new Map(entries);
  }
  if (ArrayBuffer.isView(settled)) return settled;
  const entries = await Promise.all(
    Object.entries(settled).map(async ([k, v]) => [k, await readBack(v)] as const),
  );
  return Object.fromEntries(entries);
}

/** Whether a value is a tensor that was read. */
export const isRead = (x: Value): x is Read =>
  typeof x === 'object' && x !== null && 'dtype' in x && 'data' in x && 'shape' in x;

/** Whether an expected value is a tensor. */
export const isExpectedTensor = (x: Value): x is TensorData =>
  typeof x === 'object' && x !== null && 'bytes' in x && 'dtype' in x;

/** A part of a result and what PyTorch gave there, or why there is no such part. */
export interface Leaf {
  readonly place: string;
  readonly actual: Value;
  readonly expected: Value;
  readonly how: Comparison;
  /** Set where the containers already differ. */
  readonly problem?: string;
}

/**
 * A result beside what PyTorch gave, taken apart to tensors and plain values.
 *
 * @param actual a result with its tensors read.
 * @param expected a decoded value with its tensors as data.
 */
export function leaves(
  actual: Value,
  expected: Value,
  how: Comparison = {},
  place = 'result',
): Leaf[] {
  if (isExpectedTensor(expected)) return [{ place, actual, expected, how }];
  if (expected instanceof PackedValue) return packedLeaves(actual, expected, how, place);
  if (Array.isArray(expected)) return listLeaves(actual, expected, how, place);
  if (expected instanceof Map) return mapLeaves(actual, expected, how, place);
  return [{ place, actual, expected, how }];
}

/** The difference between a result and what PyTorch gave, or undefined if there is none that matters; arguments as of `leaves`. */
export function difference(
  actual: Value,
  expected: Value,
  how: Comparison = {},
  place = 'result',
): string | undefined {
  for (const leaf of leaves(actual, expected, how, place)) {
    const found = leafDifference(leaf);
    if (found) return found;
  }
  return undefined;
}

/** The difference at one place, or undefined if there is none that matters. */
export function leafDifference(leaf: Leaf): string | undefined {
  const { actual, expected, how, place, problem } = leaf;
  if (problem !== undefined) return problem;
  if (isExpectedTensor(expected)) return tensorDifference(actual, expected, how, place);
  if (expected instanceof Float) {
    const value = actual instanceof Float ? actual.value : actual;
    if (typeof value !== 'number') return `${place}: ${show(actual)}, expected ${expected.value}`;
    const tolerance = how.tolerance ?? toleranceOf('float32');
    return close(value, expected.value, tolerance)
      ? undefined
      : `${place}: ${value}, expected ${expected.value}`;
  }
  if (typeof expected === 'number' || typeof expected === 'bigint') {
    const value = actual instanceof Float ? actual.value : actual;
    // biome-ignore lint/suspicious/noDoubleEquals: an integer may come as a number or as a bigint
    return (typeof value === 'number' || typeof value === 'bigint') && value == expected
      ? undefined
      : `${place}: ${show(actual)}, expected ${expected}`;
  }
  const own = actual instanceof Device ? actual.toString() : (actual ?? null);
  return Object.is(own, expected)
    ? undefined
    : `${place}: ${show(actual)}, expected ${show(expected)}`;
}

function tensorDifference(
  actual: Value,
  expected: TensorData,
  how: Comparison,
  place: string,
): string | undefined {
  if (!isRead(actual)) return `${place}: ${show(actual)}, expected a tensor`;
  if (actual.dtype !== expected.dtype) {
    return `${place}: dtype ${actual.dtype}, expected ${expected.dtype}`;
  }
  if (actual.shape.join() !== expected.shape.join()) {
    return `${place}: shape ${formatShape(actual.shape)}, expected ${formatShape(expected.shape)}`;
  }
  if (how.shapeOnly) return undefined;
  const { dtype } = expected;
  const wanted = elements(expected);
  if (how.ties && dtype === 'int64') return undefined;
  const tolerance = how.tolerance ?? toleranceOf(dtype);
  let worst: string | undefined;
  let wrong = 0;
  let beyond = 0;
  const count = numel(expected.shape);
  for (let i = 0; i < count; i++) {
    const a = actual.data[i] as number | bigint;
    const e = wanted[i] as number | bigint;
    if (a === e) continue;
    if (dtype !== 'int64') {
      const [x, y] = [decode(dtype, a), decode(dtype, e)];
      if (close(x, y, tolerance)) continue;
      worst ??= `element ${i} is ${x}, expected ${y}`;
    } else {
      worst ??= `element ${i} is ${a}, expected ${e}`;
      if (BigInt.asIntN(32, e as bigint) !== e) beyond++;
    }
    wrong++;
  }
  return (
    worst &&
    `${place}: ${wrong} of ${count} elements differ${wrong === beyond ? `, ${beyond32Bits}` : ''} (${dtype} ${formatShape(expected.shape)}): ${worst}`
  );
}

function listLeaves(
  actual: Value,
  expected: readonly Value[],
  how: Comparison,
  place: string,
): Leaf[] {
  const list = asList(actual, expected);
  const found = list ? `${list.length} values` : show(actual);
  if (list?.length !== expected.length) {
    const problem = `${place}: ${found}, expected ${expected.length} values`;
    return [{ place, actual, expected, how, problem }];
  }
  return expected.flatMap((item, i) => leaves(list[i], item, how, `${place}[${i}]`));
}

/** A result as a list: an array, an object with the named tuple's fields, or one tensor for a tuple of one. */
function asList(actual: Value, expected: readonly Value[]): readonly Value[] | undefined {
  if (Array.isArray(actual)) return actual;
  if (typeof actual !== 'object' || actual === null || isRead(actual)) return undefined;
  const names = expected instanceof Tuple ? fieldNames.get(expected) : undefined;
  const record = actual as Record<string, Value>;
  const byName = names?.map((name) => record[camelCase(name)] ?? record[name.toLowerCase()]);
  if (byName?.every((x) => x !== undefined)) return byName;
  const values = Object.values(record);
  return values.length === expected.length ? values : undefined;
}

function mapLeaves(
  actual: Value,
  expected: ReadonlyMap<Value, Value>,
  how: Comparison,
  place: string,
): Leaf[] {
  const entries =
    actual instanceof Map
      ? actual
      : new Map(Object.entries((actual ?? {}) as object) as [Value, Value][]);
  return [...expected].flatMap(([key, value]) => {
    const name = String(key);
    return leaves(valueAt(entries, key) ?? entries.get(name), value, how, `${place}.${name}`);
  });
}

function packedLeaves(
  actual: Value,
  expected: PackedValue,
  how: Comparison,
  place: string,
): Leaf[] {
  const record = (actual ?? {}) as Record<string, Value>;
  const names = ['data', 'batchSizes', 'sortedIndices', 'unsortedIndices'];
  return names.flatMap((name, i) =>
    leaves(record[name] ?? null, expected.fields[i] ?? null, how, `${place}.${name}`),
  );
}

function show(x: Value): string {
  if (isRead(x)) return `a tensor of shape ${formatShape(x.shape)}`;
  if (isExpectedTensor(x)) return `a tensor of shape ${formatShape(x.shape)}`;
  if (x instanceof Float) return `float ${x.value}`;
  if (Array.isArray(x)) return `${x.length} values`;
  if (typeof x === 'object' && x !== null) return `an object (${Object.keys(x).join(', ')})`;
  return String(x);
}
