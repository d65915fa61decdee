import { Float, float, floatRepr } from '@sconce/core';
import { Tuple, type Value } from '../corpus/value.js';

type Plain = number | bigint | boolean | string | null | Float | readonly Value[];

/** Whether a value is Python's own (a number, string, None, list), so that its operators are Python's own. */
export const isPlain = (x: Value): x is Plain =>
  x === null || typeof x !== 'object' || x instanceof Float
    ? typeof x !== 'symbol' && typeof x !== 'function'
    : Array.isArray(x);

const isNumber = (x: Plain): x is number | boolean | Float | bigint =>
  typeof x === 'number' || typeof x === 'boolean' || typeof x === 'bigint' || x instanceof Float;

const number = (x: Plain): number => (x instanceof Float ? x.value : Number(x));

const arithmetic: Record<string, (a: number, b: number) => number> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '//': (a, b) => Math.floor(a / b),
  '%': (a, b) => a - Math.floor(a / b) * b,
  '**': (a, b) => a ** b,
};

const comparisons: Record<string, (a: number, b: number) => boolean> = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** `left operator right` of plain values. */
export function plainBinary(operator: string, left: Plain, right: Plain): Value {
  if (isNumber(left) && isNumber(right)) {
    const compare = comparisons[operator];
    if (compare) return compare(number(left), number(right));
    const compute = arithmetic[operator];
    if (compute) {
      const isFloat =
        left instanceof Float ||
        right instanceof Float ||
        operator === '/' ||
        (operator === '**' && number(right) < 0);
      if (isFloat) return float(compute(number(left), number(right)));
      const exact = compute(number(left), number(right));
      if (Number.isSafeInteger(exact)) return exact;
      return exactly(operator, BigInt(Math.trunc(number(left))), BigInt(Math.trunc(number(right))));
    }
  }
  if (operator === '+' && Array.isArray(left) && Array.isArray(right)) return [...left, ...right];
  if (operator === '*' && Array.isArray(left) && typeof right === 'number') {
    return Array.from({ length: right }, () => left).flat(1);
  }
  if (operator === '==') return left === right;
  if (operator === '!=') return left !== right;
  throw new TypeError(`python: unsupported operands for ${operator}`);
}

function exactly(operator: string, a: bigint, b: bigint): bigint {
  if (operator === '+') return a + b;
  if (operator === '-') return a - b;
  if (operator === '*') return a * b;
  if (operator === '**') return a ** b;
  throw new TypeError(`python: ${operator} of integers past 2^53`);
}

/** `operator operand` of a plain value. */
export function plainUnary(operator: string, operand: Plain): Value {
  if (operator === 'not') return !truth(operand);
  if (typeof operand === 'bigint') return operator === '-' ? -operand : operand;
  if (operand instanceof Float) return operator === '-' ? float(-operand.value) : operand;
  if (operator === '-') return -number(operand);
  if (operator === '~') return ~number(operand);
  return number(operand);
}

/** Python's truth of a plain value. */
export function truth(x: Value): boolean {
  if (x instanceof Float) return x.value !== 0;
  if (Array.isArray(x)) return x.length > 0;
  return Boolean(x);
}

/** `range(stop)`, `range(start, stop)`, `range(start, stop, step)`. */
export function range([a, b, step = 1]: readonly number[]): number[] {
  const [start, stop] = b === undefined ? [0, a as number] : [a as number, b];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return Array.from({ length }, (_, i) => start + i * step);
}

/** `str(x)` of a plain value. */
export function str(x: Plain): string {
  if (typeof x === 'string') return x;
  return repr(x);
}

function repr(x: Value): string {
  if (x === null) return 'None';
  if (typeof x === 'boolean') return x ? 'True' : 'False';
  if (x instanceof Float) return floatRepr(x.value);
  if (typeof x === 'string') return `'${x}'`;
  if (x instanceof Tuple) return `(${x.map(repr).join(', ')}${x.length === 1 ? ',' : ''})`;
  if (Array.isArray(x)) return `[${x.map(repr).join(', ')}]`;
  return String(x);
}
