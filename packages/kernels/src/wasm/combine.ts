import type { ComputeType } from '@sconce/core';
import { f32x4, f64x2, i32x4, i64x2, v128 } from './opcodes.js';
import { literal, perPart, type Value } from './values.js';
import type { Vectors } from './vectors.js';

/** The combinations of reductions, scans and scatters that need nothing but the two values. */
export type Combine = 'sum' | 'prod' | 'max' | 'min';

const codes: Record<Combine, Partial<Record<ComputeType, number>>> = {
  sum: {
    float32: f32x4.add,
    float64: f64x2.add,
    int32: i32x4.add,
    int64: i64x2.add,
    bool: v128.or,
  },
  prod: {
    float32: f32x4.mul,
    float64: f64x2.mul,
    int32: i32x4.mul,
    int64: i64x2.mul,
    bool: v128.and,
  },
  max: { float32: f32x4.max, float64: f64x2.max, int32: i32x4.maxS, bool: v128.or },
  min: { float32: f32x4.min, float64: f64x2.min, int32: i32x4.minS, bool: v128.and },
};

/** Combines two values of one type. */
export function combineValues(v: Vectors, how: Combine, a: Value, b: Value): Value {
  const code = codes[how][a.type];
  if (code !== undefined) return perPart(v, code, a.type, a, b);
  const better = how === 'max' ? i64x2.gtS : i64x2.ltS;
  return {
    type: a.type,
    parts: a.parts.map((p, i) => {
      const q = b.parts[i] as number;
      return v.select(v.op(better, p, q), p, q);
    }),
  };
}

const limits = {
  int32: { max: -(2 ** 31), min: 2 ** 31 - 1 },
  int64: { max: -(2n ** 63n), min: 2n ** 63n - 1n },
};

/** What leaves every value as it is. */
export function identity(v: Vectors, how: Combine, type: ComputeType): Value {
  if (how === 'sum' || how === 'prod') return literal(v, type, how === 'sum' ? 0 : 1);
  if (type === 'bool') return literal(v, type, how === 'min');
  if (type === 'int32' || type === 'int64') return literal(v, type, limits[type][how]);
  return literal(v, type, how === 'max' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY);
}

/** The value with its lanes exchanged so that combining it with itself meets every pair, in two rounds. */
export function exchangeLanes(v: Vectors, x: Value, round: 0 | 1): Value {
  const { type, parts } = x;
  const [a, b] = parts as [number, number | undefined];
  if (b !== undefined) {
    if (round === 0) return { type, parts: [b, a] };
    return { type, parts: parts.map((p) => v.shuffle(p, p, [2, 3, 0, 1])) };
  }
  return { type, parts: [v.shuffle(a, a, round === 0 ? [2, 3, 0, 1] : [1, 0, 3, 2])] };
}

/** Combines the four lanes; every lane of the result is the total. */
export function combineLanes(v: Vectors, how: Combine, x: Value): Value {
  const half = combineValues(v, how, x, exchangeLanes(v, x, 0));
  return combineValues(v, how, half, exchangeLanes(v, half, 1));
}
