import { Float } from '@sconce/core';
import { Tuple, type Value } from '../corpus/value.js';
import { pythonError } from './evaluator.js';
import { dictOf, keyIn, setOf, setValueAt, valueAt } from './keys.js';
import { PyFunction } from './objects.js';
import { compare, equal, plainBinary } from './plain.js';

type Methods<T> = Readonly<Record<string, (self: T, ...args: Value[]) => Value>>;

const items = (x: Value): Value[] =>
  x instanceof Map ? [...x.keys()] : typeof x === 'string' ? [...x] : [...(x as Iterable<Value>)];

const dictMethods: Methods<Map<Value, Value>> = {
  keys: (self) => [...self.keys()],
  values: (self) => [...self.values()],
  items: (self) => [...self].map((pair) => Tuple.of(...pair)),
  get: (self, key, otherwise = null) => (keyIn(self, key) ? valueAt(self, key) : otherwise),
  setdefault: (self, key, value = null) => {
    if (!keyIn(self, key)) setValueAt(self, key, value);
    return valueAt(self, key);
  },
  pop: (self, key, ...otherwise) => {
    const found = keyIn(self, key);
    if (!found && otherwise.length > 0) return otherwise[0];
    if (!found) throw pythonError('KeyError', String(key));
    const value = self.get(found.key);
    self.delete(found.key);
    return value;
  },
  popitem: (self) => {
    const last = [...self].at(-1);
    if (!last) throw pythonError('KeyError', 'popitem(): dictionary is empty');
    self.delete(last[0]);
    return Tuple.of(...last);
  },
  update: (self, other = []) => {
    const pairs =
      other instanceof Map ? other : items(other).map((p) => items(p) as [Value, Value]);
    for (const [key, value] of pairs) setValueAt(self, key, value);
    return null;
  },
  copy: (self) => dictOf(self),
  clear: (self) => {
    self.clear();
    return null;
  },
};

const sequenceMethods: Methods<Value[]> = {
  count: (self, item) => self.filter((own) => equal(own, item)).length,
  index: (self, item) => {
    const at = self.findIndex((own) => equal(own, item));
    if (at < 0) throw pythonError('ValueError', `${String(item)} is not in list`);
    return at;
  },
};

const listMethods: Methods<Value[]> = {
  ...sequenceMethods,
  append: (self, item) => {
    self.push(item);
    return null;
  },
  extend: (self, more) => {
    self.push(...items(more));
    return null;
  },
  insert: (self, at, item) => {
    self.splice(at as number, 0, item);
    return null;
  },
  pop: (self, at = -1) => {
    if (self.length === 0) throw pythonError('IndexError', 'pop from empty list');
    return self.splice(at as number, 1)[0];
  },
  remove: (self, item) => {
    self.splice(sequenceMethods.index?.(self, item) as number, 1);
    return null;
  },
  reverse: (self) => {
    self.reverse();
    return null;
  },
  sort: (self) => {
    self.sort((a, b) => compare(a, b));
    return null;
  },
  copy: (self) => [...self],
  clear: (self) => {
    self.length = 0;
    return null;
  },
};

const setMethods: Methods<Set<Value>> = {
  add: (self, item) => {
    for (const own of setOf([...self, item])) self.add(own);
    return null;
  },
  discard: (self, item) => {
    for (const own of self) if (equal(own, item)) self.delete(own);
    return null;
  },
  union: (self, other) => plainBinary('|', self, setOf(items(other))),
  intersection: (self, other) => plainBinary('&', self, setOf(items(other))),
  difference: (self, other) => plainBinary('-', self, setOf(items(other))),
  copy: (self) => new Set(self),
};

const textMethods: Methods<string> = {
  upper: (self) => self.toUpperCase(),
  lower: (self) => self.toLowerCase(),
  strip: (self) => self.trim(),
  split: (self, by = null) => (by === null ? self.trim().split(/\s+/) : self.split(by as string)),
  splitlines: (self) => self.split('\n'),
  join: (self, parts) => items(parts).join(self),
  replace: (self, from, to) => self.replaceAll(from as string, to as string),
  startswith: (self, head) =>
    Array.isArray(head) ? head.some((h) => self.startsWith(h)) : self.startsWith(head as string),
  endswith: (self, tail) =>
    Array.isArray(tail) ? tail.some((t) => self.endsWith(t)) : self.endsWith(tail as string),
  find: (self, part) => self.indexOf(part as string),
  count: (self, part) => self.split(part as string).length - 1,
};

const numberMethods: Methods<number | Float> = {
  is_integer: (self) => self instanceof Float && Number.isInteger(self.value),
};

function methodsOf(object: Value): Methods<never> | undefined {
  if (object instanceof Map) return dictMethods as Methods<never>;
  if (object instanceof Tuple) return sequenceMethods as Methods<never>;
  if (Array.isArray(object)) return listMethods as Methods<never>;
  if (object instanceof Set) return setMethods as Methods<never>;
  if (typeof object === 'string') return textMethods as Methods<never>;
  if (typeof object === 'number' || object instanceof Float) return numberMethods as Methods<never>;
  return undefined;
}

/** A method of one of Python's own values, bound to it; undefined if it has none of that name. */
export function plainMethod(object: Value, name: string): PyFunction | undefined {
  const methods = methodsOf(object);
  if (!methods || !Object.hasOwn(methods, name)) return undefined;
  const method = methods[name] as (self: Value, ...args: Value[]) => Value;
  return new PyFunction((args, kwargs) => {
    const named = object instanceof Map && name === 'update' && kwargs.size > 0;
    if (kwargs.size > 0 && !named) throw new TypeError(`python: ${name} takes no named arguments`);
    const result = method(object, ...args);
    if (named) method(object, kwargs);
    return result;
  });
}
