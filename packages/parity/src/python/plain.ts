import { Float, float, floatRepr } from '@sconce/core';
import { type Slice, Tuple, type Value } from '../corpus/value.js';
import { keyIn, keyText } from './keys.js';

type Plain =
  | number
  | bigint
  | boolean
  | string
  | null
  | Float
  | readonly Value[]
  | ReadonlyMap<Value, Value>
  | ReadonlySet<Value>;

/** Whether a value is Python's own (a number, string, None, container), so that its operators are Python's own. */
export const isPlain = (x: Value): x is Plain =>
  x === null || typeof x !== 'object'
    ? typeof x !== 'symbol' && typeof x !== 'function'
    : x instanceof Float || Array.isArray(x) || x instanceof Map || x instanceof Set;

const isNumber = (x: Value): x is number | boolean | Float | bigint =>
  typeof x === 'number' || typeof x === 'boolean' || typeof x === 'bigint' || x instanceof Float;

const number = (x: Value): number => (x instanceof Float ? x.value : Number(x));

const arithmetic: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '//': (a, b) => Math.floor(a / b),
  '%': (a, b) => a - Math.floor(a / b) * b,
  '**': (a, b) => a ** b,
};

const ordering: Record<string, (order: number) => boolean> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** `left operator right` of plain values. */
export function plainBinary(operator: string, left: Plain, right: Plain): Value {
  const order = ordering[operator];
  if (order) return order(compare(left, right, operator));
  if (operator === '==') return equal(left, right);
  if (operator === '!=') return !equal(left, right);
  if (isNumber(left) && isNumber(right)) return numeric(operator, left, right);
  if (left instanceof Set && right instanceof Set) return combined(operator, left, right);
  if (left instanceof Map && right instanceof Map && operator === '|') {
    return new Map([...left, ...right]);
  }
  if (operator === '+') {
    if (typeof left === 'string' && typeof right === 'string') return left + right;
    const tuples = left instanceof Tuple === right instanceof Tuple;
    if (Array.isArray(left) && Array.isArray(right) && tuples)
      return like(left, [...left, ...right]);
  }
  if (operator === '*') {
    const [sequence, times] = typeof left === 'number' ? [right, left] : [left, right];
    if (typeof sequence === 'string' && typeof times === 'number') {
      return sequence.repeat(Math.max(times, 0));
    }
    if (Array.isArray(sequence) && typeof times === 'number') {
      const copies = Array.from({ length: Math.max(times, 0) }, () => [...sequence]);
      return like(sequence, copies.flat(1));
    }
  }
  throw new TypeError(`python: unsupported operands for ${operator}`);
}

function numeric(operator: string, left: Value, right: Value): Value {
  const integers = !(left instanceof Float) && !(right instanceof Float);
  if (integers && /^([&|^]|<<|>>)$/.test(operator)) {
    const value = bitwise(operator, BigInt(left as number), BigInt(right as number));
    return typeof left === 'boolean' && typeof right === 'boolean' && /[&|^]/.test(operator)
      ? value !== 0n
      : small(value);
  }
  const compute = arithmetic[operator];
  if (!compute) throw new TypeError(`python: unsupported operands for ${operator}`);
  if (number(right) === 0 && /^(\/|\/\/|%)$/.test(operator)) {
    throw Object.assign(new RangeError('division by zero'), { name: 'ZeroDivisionError' });
  }
  const isFloat = !integers || operator === '/' || (operator === '**' && number(right) < 0);
  if (isFloat) return float(compute(number(left), number(right)));
  const exact = compute(number(left), number(right));
  if (Number.isSafeInteger(exact)) return exact;
  return exactly(operator, BigInt(left as number), BigInt(right as number));
}

function bitwise(operator: string, a: bigint, b: bigint): bigint {
  if (operator === '&') return a & b;
  if (operator === '|') return a | b;
  if (operator === '^') return a ^ b;
  return operator === '<<' ? a << b : a >> b;
}

const small = (x: bigint): number | bigint => (Number.isSafeInteger(Number(x)) ? Number(x) : x);

function exactly(operator: string, a: bigint, b: bigint): bigint {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (operator === '**') return a ** b;
  throw new TypeError(`python: ${operator} of integers past 2^53`);
}

function combined(operator: string, left: ReadonlySet<Value>, right: ReadonlySet<Value>): Value {
  const [own, other] = [left, right].map((set) => new Set([...set].map(keyText))) as [
    Set<string>,
    Set<string>,
  ];
  const kept = [...left].filter(
    (x) => operator === '|' || (operator === '&') === other.has(keyText(x)),
  );
  const added = [...right].filter((x) => !own.has(keyText(x)));
  if (operator === '&' || operator === '-') return new Set(kept);
  if (operator === '|' || operator === '^') return new Set([...kept, ...added]);
  throw new TypeError(`python: unsupported operands for ${operator}`);
}

/** Items as a list or a tuple, whichever the model is. */
export const like = (model: readonly Value[], items: readonly Value[]): Value[] =>
  model instanceof Tuple ? Tuple.from(items) : Array.from(items);

/** Python's `==` of plain values; others are equal to themselves. */
export function equal(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) {
    // biome-ignore lint/suspicious/noDoubleEquals: a bigint may be equal to a number
    return (a instanceof Float ? a.value : a) == (b instanceof Float ? b.value : b);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a instanceof Tuple !== b instanceof Tuple || a.length !== b.length) return false;
    return a.every((x, i) => equal(x, b[i]));
  }
  if (a instanceof Map && b instanceof Map) {
    return (
      a.size === b.size &&
      [...a].every(([k, v]) => {
        const found = keyIn(b, k);
        return found !== undefined && equal(v, b.get(found.key));
      })
    );
  }
  if (a instanceof Set && b instanceof Set) {
    const keys = new Set([...b].map(keyText));
    return a.size === b.size && [...a].every((x) => keys.has(keyText(x)));
  }
  return (a ?? null) === (b ?? null);
}

/** Which of two plain values comes first: negative, zero or positive; NaN where neither does. */
export function compare(a: Value, b: Value, operator = '<'): number {
  if (isNumber(a) && isNumber(b))
    return number(a) - number(b) || (number(a) === number(b) ? 0 : NaN);
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    const at = a.findIndex((x, i) => i >= b.length || !equal(x, b[i]));
    if (at < 0) return a.length - b.length;
    return at >= b.length ? 1 : compare(a[at], b[at], operator);
  }
  throw new TypeError(`python: unsupported operands for ${operator}`);
}

/** `item in container` of plain values. */
export function contains(container: Plain, item: Value): boolean {
  if (typeof container === 'string') return container.includes(item as string);
  if (container instanceof Map) return keyIn(container, item) !== undefined;
  if (container instanceof Set) return [...container].some((x) => equal(x, item));
  if (Array.isArray(container)) return container.some((x) => equal(x, item));
  throw new TypeError('python: the value is no container');
}

/** `operator operand` of a plain value. */
export function plainUnary(operator: string, operand: Plain): Value {
  if (operator === 'not') return !truth(operand);
  if (!isNumber(operand)) throw new TypeError(`python: unsupported operand for ${operator}`);
  if (typeof operand === 'bigint') {
    return operator === '-' ? -operand : operator === '~' ? ~operand : operand;
  }
  if (operand instanceof Float) {
    if (operator === '~') throw new TypeError('python: unsupported operand for ~');
    return operator === '-' ? float(-operand.value) : operand;
  }
  if (operator === '-') return -number(operand) || 0;
  if (operator === '~') return -number(operand) - 1;
  return number(operand);
}

/** Python's truth of a plain value. */
export function truth(x: Value): boolean {
  if (x instanceof Float) return x.value !== 0;
  if (Array.isArray(x)) return x.length > 0;
  if (x instanceof Map || x instanceof Set) return x.size > 0;
  return Boolean(x);
}

/** `range(stop)`, `range(start, stop)`, `range(start, stop, step)`. */
export function range([a, b, step = 1]: readonly number[]): number[] {
  const [start, stop] = b === undefined ? [0, a as number] : [a as number, b];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length }, (_, i) => start + i * step);
}

/** `sequence[slice]` of a list, a tuple or a string. */
export function sliced(sequence: readonly Value[] | string, slice: Slice): Value {
  const step = slice.step ?? 1;
  if (step === 0) throw new TypeError('python: slice step cannot be zero');
  const { length } = sequence;
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const bound = (at: number | null, otherwise: number) =>
    at === null ? otherwise : Math.min(Math.max(at < 0 ? at + length : at, low), high);
  const indices = range([
    bound(slice.start, step > 0 ? low : high),
    bound(slice.stop, step > 0 ? high : low),
    step,
  ]);
  const items = indices.map((i) => sequence[i]);
  return typeof sequence === 'string' ? items.join('') : like(sequence, items);
}

/** `sequence[index]` of a list, a tuple or a string. */
export function itemAt(sequence: readonly Value[] | string, index: number): Value {
  const at = index < 0 ? index + sequence.length : index;
  if (at < 0 || at >= sequence.length) {
    throw Object.assign(new RangeError('list index out of range'), { name: 'IndexError' });
  }
  return sequence[at];
}

/** `str(x)` of a plain value. */
export const str = (x: Value): string => (typeof x === 'string' ? x : repr(x));

/** `repr(x)` of a plain value; what it holds besides as `other` says. */
export function repr(x: Value, other: (value: Value) => string = String): string {
  const all = (items: Iterable<Value>) => [...items].map((item) => repr(item, other)).join(', ');
  if (x === null || x === undefined) return 'None';
  if (typeof x === 'boolean') return x ? 'True' : 'False';
  if (x instanceof Float) return floatRepr(x.value);
  if (typeof x === 'string') return x.includes("'") && !x.includes('"') ? `"${x}"` : quotedText(x);
  if (x instanceof Tuple) return `(${all(x)}${x.length === 1 ? ',' : ''})`;
  if (Array.isArray(x)) return `[${all(x)}]`;
  if (x instanceof Map) {
    return `{${[...x].map(([k, v]) => `${repr(k, other)}: ${repr(v, other)}`).join(', ')}}`;
  }
  if (x instanceof Set) return x.size === 0 ? 'set()' : `{${all(x)}}`;
  return typeof x === 'object' ? other(x) : String(x);
}

const quotedText = (x: string): string =>
  `'${x.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n').replaceAll('\t', '\\t')}'`;
