import type { ComputeType, DType, Expr, ExprFunction } from '@sconce/core';
import { apply, cast, constant, contiguousStrides, numel } from '@sconce/core';
import fc from 'fast-check';
import type { Values } from './fixture.js';

/** A small generator of numbers, so that a case is its seed. */
export function numbers(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const floatSpecials = [
  0,
  -0,
  1,
  -1,
  0.5,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.NaN,
  1e-40,
  -1e-40,
  1e30,
  -1e30,
  1e-30,
  65504,
  100,
];
const intSpecials = [0, 1, -1, 127, -128, 255, 32767, -32768, 2 ** 31 - 1, -(2 ** 31)];

/** Elements of a dtype: mostly small, some at the edges; `tame` leaves out what is not finite or not of size about 1. */
export function randomValues(dtype: DType, count: number, seed: number, tame = false): Values {
  const next = numbers(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  return Array.from({ length: count }, () => {
    const kind = next();
    if (dtype === 'bool') return kind < 0.5;
    if (dtype === 'int64') {
      if (kind < 0.1 && !tame) return BigInt(pick(intSpecials)) * (next() < 0.5 ? 1n : 4294967311n);
      return BigInt(Math.floor(next() * 21) - 10);
    }
    if (dtype.includes('int')) {
      const value = kind < 0.1 && !tame ? pick(intSpecials) : Math.floor(next() * 21) - 10;
      return dtype === 'uint8' ? Math.abs(value) : value;
    }
    if (kind < 0.12 && !tame) return pick(floatSpecials);
    if (kind < 0.25) return Math.floor(next() * 9) - 4;
    return next() * 8 - 4;
  });
}

/** A shape of up to five dimensions of 0 to 7, or one of few dimensions with one in the hundreds. */
export const shapes: fc.Arbitrary<number[]> = fc.oneof(
  { weight: 4, arbitrary: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 5 }) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
        fc.integer({ min: 100, max: 900 }),
        fc.nat(2),
      )
      .map(([small, large, at]) => [...small.slice(0, at), large, ...small.slice(at)]),
  },
);

/** A view without its values. */
export interface Placement {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  /** Elements of the storage. */
  readonly length: number;
}

/** Lays a shape out: dimensions in any order, steps, gaps, an offset; never two positions on one element. */
export function layOut(shape: readonly number[], seed: number): Placement {
  const next = numbers(seed);
  if (next() < 0.4) {
    return { shape, strides: contiguousStrides(shape), offset: 0, length: numel(shape) };
  }
  const order = shape.map((_, d) => d);
  if (next() < 0.6) order.sort(() => next() - 0.5);
  const strides = shape.map(() => 1);
  let step = 1;
  for (const d of order.reverse()) {
    if (next() < 0.3) step *= 1 + Math.floor(next() * 3);
    strides[d] = step;
    step *= Math.max(shape[d] as number, 1);
  }
  const offset = Math.floor(next() * 6);
  const last = shape.reduce(
    (sum, size, d) => sum + Math.max(size - 1, 0) * (strides[d] as number),
    0,
  );
  return { shape, strides, offset, length: offset + last + 1 + Math.floor(next() * 3) };
}

/** Lays out an input that broadcasts to `shape`: missing, size-1 and stride-0 dimensions. */
export function layOutInput(shape: readonly number[], seed: number): Placement {
  const next = numbers(seed);
  const kept = next() < 0.25 ? shape.slice(Math.floor(next() * (shape.length + 1))) : shape;
  const repeated = kept.map(() => next() < 0.15);
  const sizes = kept.map((size, d) => (repeated[d] ? 1 : size));
  const placed = layOut(sizes, Math.floor(next() * 2 ** 31));
  // Some of the size-1 dimensions are shown as expanded ones.
  const expanded = repeated.map((yes) => yes && next() < 0.5);
  return {
    ...placed,
    shape: kept.map((size, d) => (repeated[d] && !expanded[d] ? 1 : size)),
    strides: placed.strides.map((stride, d) => (expanded[d] ? 0 : stride)),
  };
}

const unaryFloat: readonly ExprFunction[] = [
  'neg',
  'abs',
  'floor',
  'ceil',
  'trunc',
  'round',
  'sqrt',
  'exp',
  'exp2',
  'expm1',
  'log',
  'log1p',
  'log2',
  'log10',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'sigmoid',
  'erf',
  'erfc',
  'erfinv',
  'lgamma',
  'digamma',
];
const arithmetic: readonly ExprFunction[] = ['add', 'sub', 'mul', 'min', 'max'];
const comparisons: readonly ExprFunction[] = ['eq', 'ne', 'lt', 'le', 'gt', 'ge'];
const bits: readonly ExprFunction[] = ['and', 'or', 'xor'];
const integers: readonly ExprFunction[] = ['idiv', 'fmod', 'shl', 'shr', 'ushr'];

/** Instructions of which a tree is built: numbers that choose a function and its arguments. */
export type Recipe = readonly (readonly [number, number, number, number])[];

export const recipes = (maxLength: number): fc.Arbitrary<Recipe> =>
  // Unbiased: towards small numbers it would choose the same few functions.
  fc.array(fc.noBias(fc.tuple(fc.nat(9999), fc.nat(9999), fc.nat(9999), fc.nat(9999))), {
    minLength: 1,
    maxLength,
    size: 'max',
  });

/**
 * Builds expressions over the leaves. Every instruction adds a node made of earlier ones (so nodes are
 * shared, as in real kernels); returns all that were added, the last being the largest.
 */
export function buildExpressions(
  recipe: Recipe,
  leaves: readonly Expr[],
  types: readonly ComputeType[],
  int64Bits: 32 | 64,
): Expr[] {
  const pool = new Map<ComputeType, Expr[]>(types.map((type) => [type, []]));
  const add = (node: Expr) => pool.get(node.dtype)?.push(node);
  for (const leaf of leaves) add(leaf);
  for (const type of types) {
    for (const value of type === 'bool' ? [true] : [2, -3]) add(constant(value, type));
  }
  const added: Expr[] = [];
  const frequent = [...types, 'float32', 'float32', 'int32'] as const;
  for (const [choice, x, y, z] of recipe) {
    // The latest nodes come first, so that trees grow deep.
    const take = (type: ComputeType, k: number): Expr => {
      const list = pool.get(type) as Expr[];
      return list[list.length - 1 - (k % list.length)] as Expr;
    };
    const type = frequent[x % frequent.length] as ComputeType;
    const a = take(type, y);
    const b = take(type, z);
    const of = (list: readonly ExprFunction[]) =>
      list[Math.floor(choice / 10) % list.length] as ExprFunction;
    const isFloat = type.startsWith('float');
    const kind = choice % 10;
    let node: Expr;
    if (kind === 0) node = cast(a, types[z % types.length] as ComputeType);
    else if (kind === 1) node = apply('where', take('bool', x), a, b);
    else if (type === 'bool') node = kind < 4 ? apply('not', a) : apply(of(bits), a, b);
    else if (kind === 2) node = apply(of(comparisons), a, b);
    else if (kind < 5) node = apply(of(arithmetic), a, b);
    else if (isFloat) {
      if (kind < 9) node = apply(of(unaryFloat), a);
      else node = apply(of(['div', 'pow', 'atan2', 'fmod', 'div']), a, b);
    } else if (kind < 7) node = apply(of(bits), a, b);
    else if (kind < 9) {
      const name = of(integers);
      // Counts beyond the width mean different things to different machines.
      const count = apply('and', b, type === 'int64' ? int64Bits - 1 : 31);
      node = apply(name, a, name.startsWith('sh') || name === 'ushr' ? count : b);
    } else node = apply(of(['neg', 'abs', 'not']), a);
    add(node);
    added.push(node);
  }
  return added;
}
