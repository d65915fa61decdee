import type { ComputeType } from './dtype.js';
import { ExpressionError } from './errors.js';

/**
 * The scalar-expression language: what one element of an output is, as a tree over the elements of
 * the inputs. Every elementwise operation, the inner value of every reduction, every gather and
 * every random fill is such a tree; a backend only has to render the nodes listed here.
 *
 * Trees are hash-consed: two equal trees are the same object, so `id` alone keys a kernel cache.
 */
export interface Expr {
  readonly op: ExprOp;
  readonly dtype: ComputeType;
  readonly args: readonly Expr[];
  /** The literal of a `const`; the number of an `input`, `load`, `scalar`, `coord` or `stage`. */
  readonly value: number | bigint | boolean | undefined;
  /** Unique per distinct tree in this process. */
  readonly id: number;
}

/**
 * What a node's argument and result types must be.
 * `f` float32/float64, `i` int32/int64, `n` any number, `b` bool, `x` anything but the same in all its places.
 */
const signatures = {
  // arithmetic
  add: 'nn:n',
  sub: 'nn:n',
  mul: 'nn:n',
  div: 'ff:f',
  /** Integer division, towards zero; by zero yields 0 (checked by the operation where PyTorch raises). */
  idiv: 'ii:i',
  /** C's remainder: the sign of the dividend. Integer modulo zero yields 0. */
  fmod: 'nn:n',
  pow: 'ff:f',
  atan2: 'ff:f',
  /** NaN if either is NaN. */
  min: 'nn:n',
  max: 'nn:n',
  neg: 'n:n',
  abs: 'n:n',
  // rounding (round: half to even)
  floor: 'f:f',
  ceil: 'f:f',
  trunc: 'f:f',
  round: 'f:f',
  // transcendental
  sqrt: 'f:f',
  exp: 'f:f',
  exp2: 'f:f',
  expm1: 'f:f',
  log: 'f:f',
  log1p: 'f:f',
  log2: 'f:f',
  log10: 'f:f',
  sin: 'f:f',
  cos: 'f:f',
  tan: 'f:f',
  asin: 'f:f',
  acos: 'f:f',
  atan: 'f:f',
  sinh: 'f:f',
  cosh: 'f:f',
  tanh: 'f:f',
  asinh: 'f:f',
  acosh: 'f:f',
  atanh: 'f:f',
  sigmoid: 'f:f',
  erf: 'f:f',
  erfc: 'f:f',
  erfinv: 'f:f',
  lgamma: 'f:f',
  digamma: 'f:f',
  // comparison (xx: numbers or bools)
  eq: 'xx:b',
  ne: 'xx:b',
  lt: 'nn:b',
  le: 'nn:b',
  gt: 'nn:b',
  ge: 'nn:b',
  isnan: 'f:b',
  // bits: on bools logical, on integers bitwise
  and: 'yy:y',
  or: 'yy:y',
  xor: 'yy:y',
  not: 'y:y',
  shl: 'ii:i',
  /** Arithmetic right shift. */
  shr: 'ii:i',
  /** Logical right shift. */
  ushr: 'ii:i',
  /** High 32 bits of the product of two int32 taken as unsigned: what Philox is made of. */
  mulhi: 'jj:j',
  // choice
  where: 'bxx:x',
} as const;

/** The functions of the language, by name. */
export type ExprFunction = keyof typeof signatures;

/**
 * Every kind of node: the functions, and
 * - `const`: a literal; `scalar`: the value-th number passed at run time (never compiled in);
 * - `input`: the element of the value-th input at the current position of the iteration space;
 * - `load`: the element of the value-th input at computed coordinates: args are one int32 for each
 *   dimension of that input, then a bool `valid`, then `fill`. Where `valid` is false nothing is
 *   read and the result is `fill`; where it is true the coordinates must be in range;
 * - `coord`: the int32 coordinate along axis `value` of the iteration space; `linear`: the row-major int32 index in it;
 * - `stage`: in a reduction, the result of stage `value`;
 * - `cast`: conversion (float to integer truncates; anything to bool is `!= 0`);
 * - `bitcast`: the same bits, between int32 and float32 or int64 and float64.
 */
export type ExprOp =
  | ExprFunction
  | 'const'
  | 'scalar'
  | 'input'
  | 'load'
  | 'coord'
  | 'linear'
  | 'stage'
  | 'cast'
  | 'bitcast';

const interned = new Map<string, Expr>();

function node(
  op: ExprOp,
  dtype: ComputeType,
  args: readonly Expr[],
  value?: number | bigint | boolean,
): Expr {
  const shown = Object.is(value, -0) ? '-0' : value;
  const local = `${op}:${dtype}:${typeof value}:${shown}:${args.map((a) => a.id).join(',')}`;
  let found = interned.get(local);
  if (!found) {
    found = Object.freeze({ op, dtype, args: Object.freeze([...args]), value, id: interned.size });
    verifyNode(found);
    interned.set(local, found);
  }
  return found;
}

const isFloat = (t: ComputeType) => t === 'float32' || t === 'float64';
const isInt = (t: ComputeType) => t === 'int32' || t === 'int64';
const classes: Record<string, (t: ComputeType) => boolean> = {
  f: isFloat,
  i: isInt,
  j: (t) => t === 'int32',
  n: (t) => t !== 'bool',
  b: (t) => t === 'bool',
  x: () => true,
  y: (t) => isInt(t) || t === 'bool',
};

/** Checks one node against the table; a malformed tree is a bug of the operation that built it. */
function verifyNode(e: Expr): void {
  const fail = (why: string): never => {
    throw new ExpressionError(`expression ${exprKey(e)}: ${why}`);
  };
  const signature = (signatures as Record<string, string>)[e.op];
  if (signature !== undefined) {
    const [inputs = '', output = ''] = signature.split(':');
    if (e.args.length !== inputs.length)
      fail(`takes ${inputs.length} arguments, has ${e.args.length}`);
    const bound = new Map<string, ComputeType>();
    [...inputs].forEach((letter, i) => {
      const t = (e.args[i] as Expr).dtype;
      if (!classes[letter]?.(t)) fail(`argument ${i} may not be ${t}`);
      const before = bound.get(letter) ?? t;
      if (before !== t) fail(`argument ${i} is ${t}, expected ${before}`);
      bound.set(letter, t);
    });
    const expected = output === 'b' ? 'bool' : (bound.get(output) as ComputeType);
    if (e.dtype !== expected) fail(`result is ${e.dtype}, expected ${expected}`);
    return;
  }
  switch (e.op) {
    case 'const':
      if (
        e.dtype === 'bool'
          ? typeof e.value !== 'boolean'
          : e.dtype === 'int64'
            ? typeof e.value !== 'bigint'
            : typeof e.value !== 'number'
      )
        fail(`literal of the wrong kind for ${e.dtype}`);
      if (e.dtype === 'int32' && !Number.isInteger(e.value)) fail('not an integer');
      return;
    case 'load': {
      if (e.args.length < 2) fail('needs valid and fill');
      const coords = e.args.slice(0, -2);
      if (coords.some((c) => c.dtype !== 'int32')) fail('coordinates must be int32');
      if (e.args.at(-2)?.dtype !== 'bool') fail('valid must be bool');
      if (e.args.at(-1)?.dtype !== e.dtype) fail('fill must have the type of the element');
      return;
    }
    case 'coord':
    case 'linear':
      if (e.dtype !== 'int32') fail('is int32');
      return;
    case 'cast':
      if (e.args.length !== 1) fail('takes one argument');
      return;
    case 'bitcast': {
      const pair = `${e.args[0]?.dtype}>${e.dtype}`;
      if (!/^(int32>float32|float32>int32|int64>float64|float64>int64)$/.test(pair))
        fail(`cannot reinterpret ${pair}`);
      return;
    }
  }
}

/** Checks a whole tree: every node well-typed, inputs, scalars, axes and stages within the given counts. */
export function verify(
  e: Expr,
  limits: { inputs: number; scalars: number; axes: number; stages: number },
): void {
  const bound: Partial<Record<ExprOp, number>> = {
    input: limits.inputs,
    load: limits.inputs,
    scalar: limits.scalars,
    coord: limits.axes,
    stage: limits.stages,
  };
  const seen = new Set<Expr>();
  const visit = (n: Expr): void => {
    if (seen.has(n)) return;
    seen.add(n);
    verifyNode(n);
    const limit = bound[n.op];
    if (limit !== undefined && !(Number(n.value) >= 0 && Number(n.value) < limit)) {
      throw new ExpressionError(
        `expression ${exprKey(e)}: ${n.op} ${n.value} is outside the ${limit} there are`,
      );
    }
    n.args.forEach(visit);
  };
  visit(e);
}

/** A literal of the given type. */
export function constant(value: number | boolean | bigint, dtype: ComputeType): Expr {
  if (dtype === 'bool') return node('const', dtype, [], Boolean(value));
  if (dtype === 'int64') return node('const', dtype, [], BigInt(value));
  if (dtype === 'float32') return node('const', dtype, [], Math.fround(Number(value)));
  return node('const', dtype, [], Number(value));
}

/** The element of input `index` at the current position. */
export const input = (index: number, dtype: ComputeType): Expr => node('input', dtype, [], index);

/** The `index`-th number passed at run time. */
export const scalar = (index: number, dtype: ComputeType): Expr => node('scalar', dtype, [], index);

/** The coordinate along `axis` of the iteration space. */
export const coord = (axis: number): Expr => node('coord', 'int32', [], axis);

/** The row-major index in the iteration space (outputs of up to 2^31 elements). */
export const linearIndex = (): Expr => node('linear', 'int32', []);

/** In a reduction, the result of an earlier stage. */
export const stage = (index: number, dtype: ComputeType): Expr => node('stage', dtype, [], index);

/** The element of input `index` at computed coordinates; `fill` where `valid` is false. */
export function load(
  index: number,
  dtype: ComputeType,
  coords: readonly Expr[],
  valid: Expr = constant(true, 'bool'),
  fill: Expr = constant(0, dtype),
): Expr {
  return node('load', dtype, [...coords, valid, fill], index);
}

/** Conversion; the same type gives the argument itself. */
export function cast(x: Expr, dtype: ComputeType): Expr {
  return x.dtype === dtype ? x : node('cast', dtype, [x]);
}

/** The bits of `x` as another type of the same width. */
export const bitcast = (x: Expr, dtype: ComputeType): Expr => node('bitcast', dtype, [x]);

/** Applies one function of the language; numbers among the arguments become literals of the right type. */
export function apply(name: ExprFunction, ...args: readonly (Expr | number | boolean)[]): Expr {
  const typed = args.filter((a): a is Expr => typeof a === 'object');
  const reference = (name === 'where' ? typed.slice(1)[0] : typed[0]) ?? typed[0];
  if (!reference)
    throw new ExpressionError(`expression ${name}: needs at least one typed argument`);
  const exprs = args.map((a) => (typeof a === 'object' ? a : constant(a, reference.dtype)));
  const output = signatures[name].split(':')[1];
  return node(name, output === 'b' ? 'bool' : reference.dtype, exprs);
}

type Operand = Expr | number | boolean;
type Fn1 = (x: Expr) => Expr;
type Fn2 = (a: Operand, b: Operand) => Expr;

const fn = <F>(name: ExprFunction): F => ((...args: Operand[]) => apply(name, ...args)) as F;

/**
 * The functions of the language as builders.
 *
 * @example
 * // silu: x * sigmoid(x)
 * const x = input(0, 'float32');
 * e.mul(x, e.sigmoid(x));
 */
export const e = Object.fromEntries(
  (Object.keys(signatures) as ExprFunction[]).map((name) => [name, fn(name)]),
) as unknown as {
  readonly [K in Exclude<
    ExprFunction,
    'where'
  >]: (typeof signatures)[K] extends `${infer I}:${string}`
    ? I extends `${string}${infer R}`
      ? R extends ''
        ? Fn1
        : Fn2
      : never
    : never;
} & { readonly where: (condition: Expr, a: Operand, b: Operand) => Expr };

/** Every node of a tree once, arguments before what uses them. */
export function nodesOf(root: Expr): Expr[] {
  const seen = new Set<Expr>();
  const order: Expr[] = [];
  const visit = (n: Expr): void => {
    if (seen.has(n)) return;
    seen.add(n);
    n.args.forEach(visit);
    order.push(n);
  };
  visit(root);
  return order;
}

/** Whether a node of that kind is part of the tree. */
export const uses = (root: Expr, op: ExprOp): boolean => nodesOf(root).some((n) => n.op === op);

const keys = new WeakMap<Expr, string>();

/** The tree as text that is equal in every process: keys caches that outlive one, and names it in errors. */
export function exprKey(root: Expr): string {
  let key = keys.get(root);
  if (key === undefined) {
    const order = nodesOf(root);
    // Shared parts appear once, by number: written out, trees of random functions would be endless.
    const number = new Map(order.map((n, i) => [n, i]));
    key = order
      .map(({ op, dtype, value, args }) => {
        const shown = value === undefined ? '' : ` ${Object.is(value, -0) ? '-0' : value}`;
        return `${op} ${dtype}${shown}${args.map((a) => ` #${number.get(a)}`).join('')}`;
      })
      .join('; ');
    keys.set(root, key);
  }
  return key;
}
