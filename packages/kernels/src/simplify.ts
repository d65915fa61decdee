import { apply, type ComputeType, constant, type Expr, type ExprFunction } from '@sconce/core';
import { rebuild } from './rewrite.js';

/** Rewrites trees to cheaper ones with the same values, IEEE special cases included. */
const simplified = new WeakMap<Expr, Expr>();

/**
 * Folds constants and drops operations that change nothing.
 * Floats keep every special value: `x + 0` goes only where the zero is negative, `x * 0` never.
 *
 * @example simplify(e.mul(x, constant(1, 'float32'))) === x
 */
export function simplify(root: Expr): Expr {
  const known = simplified.get(root);
  if (known) return known;
  const args = root.args.map(simplify);
  const changed = args.some((a, i) => a !== root.args[i]);
  const rebuilt = changed ? rebuild(root, args) : root;
  const result = rewrite(rebuilt);
  simplified.set(root, result);
  simplified.set(result, result);
  return result;
}

const isConst = (e: Expr | undefined, value?: number | boolean): boolean =>
  e?.op === 'const' &&
  (value === undefined ||
    Object.is(e.value, value) ||
    (typeof e.value === 'bigint' && typeof value === 'number' && e.value === BigInt(value)));

function rewrite(e: Expr): Expr {
  const [a, b, c] = e.args as [Expr, Expr, Expr];
  const integer = e.dtype === 'int32' || e.dtype === 'int64';
  switch (e.op) {
    case 'add':
      if (integer ? isConst(b, 0) : isConst(b, -0)) return a;
      if (integer ? isConst(a, 0) : isConst(a, -0)) return b;
      break;
    case 'sub':
      if (isConst(b, 0)) return a;
      break;
    case 'mul':
      if (isConst(b, 1)) return a;
      if (isConst(a, 1)) return b;
      if (integer && isConst(b, 0)) return b;
      if (integer && isConst(a, 0)) return a;
      break;
    case 'div':
      if (isConst(b, 1)) return a;
      if (b.op === 'const') {
        // Division by a power of two is exact as a multiplication.
        const inverse = 1 / Number(b.value);
        if (
          isPowerOfTwo(Number(b.value)) &&
          Math.abs(inverse) > 1e-30 &&
          Math.abs(inverse) < 1e30
        ) {
          return apply('mul', a, constant(inverse, e.dtype));
        }
      }
      break;
    case 'idiv':
      if (isConst(b, 1)) return a;
      break;
    case 'pow':
      if (isConst(b, 1)) return a;
      if (isConst(b, 2)) return apply('mul', a, a);
      break;
    case 'neg':
      if (a.op === 'neg') return a.args[0] as Expr;
      break;
    case 'not':
      if (a.op === 'not') return a.args[0] as Expr;
      break;
    case 'and':
      if (isConst(a, true)) return b;
      if (isConst(b, true)) return a;
      if (isConst(a, false)) return a;
      if (isConst(b, false)) return b;
      break;
    case 'or':
      if (isConst(a, false)) return b;
      if (isConst(b, false)) return a;
      if (isConst(a, true)) return a;
      if (isConst(b, true)) return b;
      break;
    case 'where':
      if (isConst(a, true)) return b;
      if (isConst(a, false)) return c;
      if (b === c) return b;
      break;
    case 'cast':
      // Widening first changes nothing about a later conversion to the same type.
      if (a.op === 'cast' && a.dtype !== 'bool' && (a.args[0] as Expr).dtype === e.dtype) {
        if (holds(e.dtype, a.dtype)) return a.args[0] as Expr;
      }
      break;
    default:
  }
  return fold(e);
}

/** Whether every value of type `a` comes back unchanged from a visit to type `b`. */
function holds(a: ComputeType, b: ComputeType): boolean {
  if (a === 'bool') return true;
  if (a === 'int32') return b === 'int64' || b === 'float64';
  return a === 'float32' && b === 'float64';
}

function isPowerOfTwo(x: number): boolean {
  if (x === 0 || !Number.isFinite(x)) return false;
  const exponent = Math.log2(Math.abs(x));
  return Number.isInteger(exponent) && 2 ** exponent === Math.abs(x);
}

const floats: Partial<Record<ExprFunction, (a: number, b: number) => number | boolean>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  neg: (a) => -a,
  abs: (a) => Math.abs(a),
  sqrt: (a) => Math.sqrt(a),
  floor: (a) => Math.floor(a),
  ceil: (a) => Math.ceil(a),
  trunc: (a) => Math.trunc(a),
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
  isnan: (a) => Number.isNaN(a),
};

const int32s: Partial<Record<ExprFunction, (a: number, b: number) => number | boolean>> = {
  add: (a, b) => (a + b) | 0,
  sub: (a, b) => (a - b) | 0,
  mul: (a, b) => Math.imul(a, b),
  neg: (a) => -a | 0,
  min: (a, b) => Math.min(a, b),
  max: (a, b) => Math.max(a, b),
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
  not: (a) => ~a,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

const bools: Partial<Record<ExprFunction, (a: boolean, b: boolean) => boolean>> = {
  and: (a, b) => a && b,
  or: (a, b) => a || b,
  xor: (a, b) => a !== b,
  not: (a) => !a,
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
};

/** Computes a function of literals now, where JavaScript gives the bits the device would give. */
function fold(e: Expr): Expr {
  if (e.args.length === 0 || e.args.some((a) => a.op !== 'const')) return e;
  const from = (e.args[0] as Expr).dtype;
  const values = e.args.map((a) => a.value);
  const name = e.op as ExprFunction;
  if (e.op === 'cast') return foldCast(values[0] as number | bigint | boolean, e);
  if (from === 'float32' || from === 'float64') {
    const f = floats[name];
    // One operation on float32 values rounded from float64 is the float32 operation.
    if (f) return constant(f(Number(values[0]), Number(values[1])), e.dtype);
  } else if (from === 'int32') {
    const f = int32s[name];
    if (f) return constant(f(Number(values[0]), Number(values[1])), e.dtype);
  } else if (from === 'bool') {
    const f = bools[name];
    if (f) return constant(f(Boolean(values[0]), Boolean(values[1])), e.dtype);
  }
  return e;
}

function foldCast(value: number | bigint | boolean, e: Expr): Expr {
  if (e.dtype === 'bool') {
    return constant(
      typeof value === 'bigint' ? value !== 0n : value !== 0 && value !== false,
      'bool',
    );
  }
  const isInteger = typeof value !== 'number' || Number.isInteger(value);
  if (e.dtype === 'int32') {
    if (typeof value === 'bigint') return constant(Number(BigInt.asIntN(32, value)), 'int32');
    const whole = Math.trunc(Number(value));
    return Math.abs(whole) < 2 ** 31 ? constant(whole + 0, 'int32') : e;
  }
  if (e.dtype === 'int64') {
    if (!isInteger && !(Math.abs(value as number) < 2 ** 53)) return e;
    return constant(typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value))), 'int64');
  }
  if (typeof value === 'bigint' && (value > 2n ** 53n || value < -(2n ** 53n))) return e;
  return constant(Number(value), e.dtype);
}

/** The distinct nodes of some trees, arguments before their users. */
export function schedule(roots: readonly Expr[]): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    for (const a of e.args) visit(a);
    order.push(e);
  };
  for (const root of roots) visit(root);
  return order;
}
