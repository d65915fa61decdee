import { Device, Float, Tensor } from '@sconce/core';
import { isParameter } from '../src/parameter.js';
import { Tuple } from '../src/torch/tuple.js';

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** A value as `scripts/compare_with_torch.py` reads it. */
export function describeValue(value: unknown, storages = new Map<object, number>()): unknown {
  const inner = (item: unknown) => describeValue(item, storages);
  const pairs = (entries: Iterable<[unknown, unknown]>) =>
    [...entries].map(([key, item]) => [inner(key), inner(item)]);
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'bigint') return { int: String(value) };
  if (typeof value === 'number') {
    const whole = Number.isSafeInteger(value) && !Object.is(value, -0);
    return whole ? { int: String(value) } : { float: floatText(value) };
  }
  if (value instanceof Float) return { float: floatText(value.value) };
  if (value instanceof Uint8Array) return { bytes: base64(value) };
  if (value instanceof Tuple) return { tuple: value.map(inner) };
  if (Array.isArray(value)) return { list: value.map(inner) };
  if (value instanceof Map) return { ordered: pairs(value) };
  if (value instanceof Set) return { set: [...value].map(inner) };
  if (value instanceof Device) return { device: String(value) };
  if (value instanceof Tensor) return { tensor: describeTensor(value, storages) };
  return {
    dict: Object.entries(value as object).map(([key, item]) => [
      inner(/^\d+$/.test(key) ? Number(key) : key),
      inner(item),
    ]),
  };
}

const floatText = (x: number): string =>
  Object.is(x, -0) ? '-0.0' : String(x).replace('Infinity', 'inf').toLowerCase();

function describeTensor(tensor: Tensor, storages: Map<object, number>): object {
  const storage = storages.get(tensor.storage) ?? storages.size;
  storages.set(tensor.storage, storage);
  const elements = tensor.detach().toTypedArraySync();
  return {
    dtype: tensor.dtype,
    shape: tensor.shape,
    strides: tensor.strides,
    offset: tensor.offset,
    requires_grad: tensor.requiresGrad,
    parameter: isParameter(tensor),
    storage,
    data: base64(new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength)),
  };
}
