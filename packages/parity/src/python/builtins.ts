import { Float, float } from '@sconce/core';
import { Slice, Tuple, type Value } from '../corpus/value.js';
import { type Evaluator, pythonError, withItems } from './evaluator.js';
import { dictOf, setOf } from './keys.js';
import { PyFunction, PyType } from './objects.js';
import { compare, isPlain, range, str } from './plain.js';

/** Names of our errors that an error of Python's goes by. */
const errors: Readonly<Record<string, readonly string[]>> = {
  RuntimeError: ['RuntimeError', 'NotImplementedError', 'LinAlgError'],
  NotImplementedError: ['NotImplementedError'],
  ValueError: ['ValueError'],
  TypeError: ['TypeError'],
  AttributeError: ['AttributeError', 'MissingFeature'],
  IndexError: ['IndexError', 'RangeError'],
  KeyError: ['KeyError'],
  LookupError: ['KeyError', 'IndexError', 'RangeError'],
  AssertionError: ['AssertionError'],
  ZeroDivisionError: ['ZeroDivisionError'],
  StopIteration: ['StopIteration'],
};

/** What Python has by itself, by name. */
export function builtins(evaluator: Evaluator): Record<string, Value> {
  const { world } = evaluator;
  const items = (value: Value) => evaluator.items(value);
  const fn = (call: (...args: Value[]) => Value) => new PyFunction((args) => call(...args));

  /** A number, also that of one-element tensors. */
  const number = (x: Value): number => {
    const plain = isPlain(x) ? x : evaluator.call(world.attribute(x, 'item'), []);
    return Number(plain instanceof Float ? plain.value : plain);
  };

  const dict = (from: Value, named: ReadonlyMap<string, Value>): Value => {
    const pairs =
      from instanceof Map
        ? [...from]
        : items(from ?? []).map((pair) => items(pair) as [Value, Value]);
    return dictOf([...pairs, ...named]);
  };

  const types = [
    new PyType(
      'int',
      (x) => Number.isInteger(x) || typeof x === 'bigint' || x === true || x === false,
      ([x, base]) => (typeof x === 'string' ? parsedInteger(x, base) : whole(number(x ?? 0))),
    ),
    new PyType(
      'float',
      (x) => x instanceof Float,
      ([x]) => float(typeof x === 'string' ? floatOf(x) : number(x ?? 0)),
    ),
    new PyType(
      'bool',
      (x) => typeof x === 'boolean',
      ([x]) => evaluator.truth(x ?? false),
    ),
    new PyType(
      'str',
      (x) => typeof x === 'string',
      ([x]) => (x === undefined ? '' : x instanceof Error ? x.message : evaluator.format(x, '')),
    ),
    new PyType(
      'list',
      (x) => Array.isArray(x) && !(x instanceof Tuple),
      ([x]) => withItems(evaluator.itemsOrPromise(x ?? []), (all) => [...all]),
    ),
    new PyType(
      'tuple',
      (x) => x instanceof Tuple,
      ([x]) => Tuple.from(items(x ?? [])),
    ),
    new PyType(
      'dict',
      (x) => x instanceof Map,
      ([x], kwargs) => dict(x, kwargs),
    ),
    new PyType(
      'set',
      (x) => x instanceof Set,
      ([x]) => setOf(items(x ?? [])),
    ),
    new PyType(
      'frozenset',
      (x) => x instanceof Set,
      ([x]) => setOf(items(x ?? [])),
    ),
    new PyType(
      'slice',
      (x) => x instanceof Slice,
      (args) => {
        const [a, b, c] = args as (number | null)[];
        return args.length === 1
          ? new Slice(null, a ?? null, null)
          : new Slice(a ?? null, b ?? null, c ?? null);
      },
    ),
    new PyType(
      'object',
      () => true,
      () => new Map(),
    ),
    new PyType(
      'Exception',
      (x) => x instanceof Error,
      ([text]) => pythonError('Exception', str(text ?? '')),
    ),
    ...Object.entries(errors).map(
      ([name, names]) =>
        new PyType(
          name,
          (x) => x instanceof Error && names.includes(x.name),
          ([text]) => pythonError(name, str(text ?? '')),
        ),
    ),
  ];

  const isInstance = (x: Value, type: Value): boolean => {
    if (Array.isArray(type)) return type.some((one) => isInstance(x, one));
    return type instanceof PyType ? type.holds(x) : world.isInstance(x, type);
  };

  const sorted = (of: Value, kwargs: ReadonlyMap<string, Value>): Value[] => {
    const key = kwargs.get('key') ?? null;
    const keyed = items(of).map((item) => [
      key === null ? item : evaluator.call(key, [item]),
      item,
    ]);
    const sign = evaluator.truth(kwargs.get('reverse') ?? false) ? -1 : 1;
    return keyed.sort(([a], [b]) => sign * compare(a, b)).map(([, item]) => item);
  };

  const extreme = (sign: number) => (args: Value[], kwargs: ReadonlyMap<string, Value>) => {
    const all = args.length > 1 ? args : items(args[0]);
    const key = kwargs.get('key') ?? null;
    if (all.length === 0 && kwargs.has('default')) return kwargs.get('default');
    if (all.length === 0) throw pythonError('ValueError', 'arg is an empty sequence');
    const keys = all.map((item) => (key === null ? item : evaluator.call(key, [item])));
    let best = 0;
    keys.forEach((own, i) => {
      const better =
        isPlain(own) && isPlain(keys[best])
          ? sign * compare(own, keys[best]) > 0
          : evaluator.truth(evaluator.binary(sign > 0 ? '>' : '<', own, keys[best]));
      if (better) best = i;
    });
    return all[best];
  };

  return {
    ...Object.fromEntries(types.map((type) => [type.name, type])),
    range: fn((...args) => range(args as number[])),
    len: fn((x) => (x instanceof Map || x instanceof Set ? x.size : items(x).length)),
    zip: fn((...lists) => {
      const all = lists.map(items);
      const length = all.length === 0 ? 0 : Math.min(...all.map((list) => list.length));
      return Array.from({ length }, (_, i) => Tuple.of(...all.map((list) => list[i])));
    }),
    enumerate: new PyFunction(([of, start], kwargs) => {
      const first = (start ?? kwargs.get('start') ?? 0) as number;
      return items(of).map((item, i) => Tuple.of(first + i, item));
    }),
    map: fn((call, ...lists) => {
      const all = lists.map(items);
      const length = Math.min(...all.map((list) => list.length));
      return Array.from({ length }, (_, i) =>
        evaluator.call(
          call,
          all.map((list) => list[i]),
        ),
      );
    }),
    filter: fn((test, of) =>
      items(of).filter((item) =>
        evaluator.truth(test === null ? item : evaluator.call(test, [item])),
      ),
    ),
    reversed: fn((of) => items(of).reverse()),
    sorted: new PyFunction(([of], kwargs) => sorted(of, kwargs)),
    sum: new PyFunction(([of, start], kwargs) =>
      items(of).reduce<Value>(
        (total, item) => evaluator.binary('+', total, item),
        start ?? kwargs.get('start') ?? 0,
      ),
    ),
    min: new PyFunction(extreme(-1)),
    max: new PyFunction(extreme(1)),
    any: fn((of) => items(of).some((item) => evaluator.truth(item))),
    all: fn((of) => items(of).every((item) => evaluator.truth(item))),
    abs: fn((x) => {
      if (!isPlain(x)) return evaluator.call(world.attribute(x, 'abs'), []);
      if (x instanceof Float) return float(Math.abs(x.value));
      return typeof x === 'bigint' ? (x < 0n ? -x : x) : Math.abs(Number(x));
    }),
    round: fn((x, digits) => rounded(number(x), (digits ?? null) as number | null, x)),
    pow: fn((a, b) => evaluator.binary('**', a, b)),
    divmod: fn((a, b) => Tuple.of(evaluator.binary('//', a, b), evaluator.binary('%', a, b))),
    repr: fn((x) => evaluator.repr(x)),
    format: fn((x, spec) => evaluator.format(x, (spec ?? '') as string)),
    print: fn(() => null),
    type: fn(
      (x) =>
        types.find((type) => type.name !== 'object' && type.holds(x)) ??
        world.attribute(x, '__class__'),
    ),
    isinstance: fn(isInstance),
    callable: fn((x) => x instanceof PyFunction || typeof x === 'function'),
    hasattr: fn((object, name) => world.hasAttribute(object, name as string)),
    getattr: fn((object, name, ...otherwise) =>
      otherwise.length > 0 && !world.hasAttribute(object, name as string)
        ? otherwise[0]
        : world.attribute(object, name as string),
    ),
    setattr: fn((object, name, value) => {
      world.setAttribute(object, name as string, value);
      return null;
    }),
    // Loops take lists; an iterator is one that is used up from its start.
    iter: fn((of) => items(of)),
    next: fn((of, ...otherwise) => {
      const list = items(of);
      if (list.length > 0) return Array.isArray(of) ? (of as Value[]).shift() : list[0];
      if (otherwise.length > 0) return otherwise[0];
      throw pythonError('StopIteration', '');
    }),
  };
}

const whole = (x: number): number | bigint => {
  const value = Math.trunc(x);
  return Number.isSafeInteger(value) || !Number.isFinite(value) ? value : BigInt(value);
};

function parsedInteger(text: string, base: Value): number {
  const value = Number.parseInt(text, (base ?? 10) as number);
  if (Number.isNaN(value)) throw pythonError('ValueError', `invalid literal for int(): '${text}'`);
  return value;
}

/** `float(text)`. */
const floatOf = (text: string): number =>
  ({ inf: Infinity, '-inf': -Infinity, nan: Number.NaN })[text.toLowerCase()] ?? Number(text);

/** `round(x, digits)`: halves go to the even neighbour; an int unless digits are given. */
function rounded(x: number, digits: number | null, given: Value): Value {
  const even = (y: number): number => {
    const down = Math.floor(y);
    const rest = y - down;
    return rest > 0.5 || (rest === 0.5 && down % 2 !== 0) ? down + 1 : down;
  };
  if (digits === null) return even(x);
  const value = Number(x.toFixed(Math.max(digits, 0)));
  return given instanceof Float ? float(value) : even(x);
}
