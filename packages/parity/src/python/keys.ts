import { Device, Float } from '@sconce/core';
import { Tuple, type Value } from '../corpus/value.js';

/** A text that equal dictionary keys have in common: 1, 1.0 and True are one key, and tuples are equal by their items. */
export function keyText(key: Value): string {
  if (typeof key === 'string') return JSON.stringify(key);
  if (key instanceof Device) return JSON.stringify(key.toString());
  if (Array.isArray(key)) return `(${key.map(keyText).join(',')})`;
  if (key instanceof Float) return String(key.value);
  if (typeof key === 'boolean') return String(Number(key));
  if (key === undefined) return 'null';
  return String(key);
}

/** Whether a value may be a key: of Python's own, what cannot change. */
export const isKey = (value: Value): boolean =>
  typeof value !== 'object' ||
  value === null ||
  value instanceof Float ||
  (value instanceof Tuple ? value.every(isKey) : !Array.isArray(value) && !(value instanceof Map));

/** The key of a dictionary that is equal to this one, as it stands there; undefined if there is none. */
export function keyIn(map: ReadonlyMap<Value, Value>, key: Value): { key: Value } | undefined {
  if (map.has(key)) return { key };
  if (typeof key === 'string') return undefined;
  const text = keyText(key);
  for (const own of map.keys()) if (keyText(own) === text) return { key: own };
  return undefined;
}

/** `map[key]`, or undefined if there is no such key. */
export function valueAt(map: ReadonlyMap<Value, Value>, key: Value): Value {
  const found = keyIn(map, key);
  return found && map.get(found.key);
}

/** `map[key] = value`. */
export function setValueAt(map: Map<Value, Value>, key: Value, value: Value): void {
  if (!isKey(key)) throw new TypeError('python: the key is not hashable');
  map.set((keyIn(map, key) ?? { key }).key, value);
}

/** A dictionary of pairs; of equal keys the first stands, with the last value. */
export function dictOf(pairs: Iterable<readonly [Value, Value]>): Map<Value, Value> {
  const map = new Map<Value, Value>();
  for (const [key, value] of pairs) setValueAt(map, key, value);
  return map;
}

/** A set of values, each once. */
export const setOf = (values: Iterable<Value>): Set<Value> =>
  new Set(dictOf([...values].map((value) => [value, value] as const)).keys());
