import type { ComputeType, Expr, ExprFunction } from '@sconce/core';
import type { Callable } from './code.js';
import { float32Functions } from './math.js';
import { f32, f32x4, f64, f64x2, i32, i32x4, i64, i64x2, v128 } from './opcodes.js';
import {
  convert,
  fromLanes,
  isWide,
  literal,
  narrowMask,
  perPart,
  pushLane,
  select,
  type Value,
} from './values.js';
import type { Vectors } from './vectors.js';

/** Gives the imported JavaScript function of a name (float64 to float64, of one or two arguments). */
export type ImportedMath = (name: string) => Callable;

type Codes = Partial<Record<ComputeType, number>>;

/** Functions that are one instruction. */
const direct: Partial<Record<ExprFunction, Codes>> = {
  add: { float32: f32x4.add, float64: f64x2.add, int32: i32x4.add, int64: i64x2.add },
  sub: { float32: f32x4.sub, float64: f64x2.sub, int32: i32x4.sub, int64: i64x2.sub },
  mul: { float32: f32x4.mul, float64: f64x2.mul, int32: i32x4.mul, int64: i64x2.mul },
  div: { float32: f32x4.div, float64: f64x2.div },
  min: { float32: f32x4.min, float64: f64x2.min, int32: i32x4.minS },
  max: { float32: f32x4.max, float64: f64x2.max, int32: i32x4.maxS },
  neg: { float32: f32x4.neg, float64: f64x2.neg, int32: i32x4.neg, int64: i64x2.neg },
  abs: { float32: f32x4.abs, float64: f64x2.abs, int32: i32x4.abs, int64: i64x2.abs },
  floor: { float32: f32x4.floor, float64: f64x2.floor },
  ceil: { float32: f32x4.ceil, float64: f64x2.ceil },
  trunc: { float32: f32x4.trunc, float64: f64x2.trunc },
  round: { float32: f32x4.nearest, float64: f64x2.nearest },
  sqrt: { float32: f32x4.sqrt, float64: f64x2.sqrt },
  and: { int32: v128.and, int64: v128.and, bool: v128.and },
  or: { int32: v128.or, int64: v128.or, bool: v128.or },
  xor: { int32: v128.xor, int64: v128.xor, bool: v128.xor },
  not: { int32: v128.not, int64: v128.not, bool: v128.not },
};

/** Comparisons, which give masks. */
const compare: Partial<Record<ExprFunction, Codes>> = {
  eq: { float32: f32x4.eq, float64: f64x2.eq, int32: i32x4.eq, int64: i64x2.eq, bool: i32x4.eq },
  ne: { float32: f32x4.ne, float64: f64x2.ne, int32: i32x4.ne, int64: i64x2.ne, bool: i32x4.ne },
  lt: { float32: f32x4.lt, float64: f64x2.lt, int32: i32x4.ltS, int64: i64x2.ltS },
  le: { float32: f32x4.le, float64: f64x2.le, int32: i32x4.leS, int64: i64x2.leS },
  gt: { float32: f32x4.gt, float64: f64x2.gt, int32: i32x4.gtS, int64: i64x2.gtS },
  ge: { float32: f32x4.ge, float64: f64x2.ge, int32: i32x4.geS, int64: i64x2.geS },
};

/** Applies a comparison. */
export function comparison(v: Vectors, name: ExprFunction, a: Value, b: Value): Value {
  const code = compare[name]?.[a.type];
  if (code === undefined) throw new Error(`${name} does not compare ${a.type}`);
  return narrowMask(
    v,
    a.parts.map((p, i) => v.op(code, p, b.parts[i])),
  );
}

const shifts: Partial<Record<ExprFunction, Record<'int32' | 'int64', number>>> = {
  shl: { int32: i32x4.shl, int64: i64x2.shl },
  shr: { int32: i32x4.shrS, int64: i64x2.shrS },
  ushr: { int32: i32x4.shrU, int64: i64x2.shrU },
};
const laneShifts: Partial<Record<ExprFunction, Record<'int32' | 'int64', number>>> = {
  shl: { int32: i32.shl, int64: i64.shl },
  shr: { int32: i32.shrS, int64: i64.shrS },
  ushr: { int32: i32.shrU, int64: i64.shrU },
};

/** Applies a function of the expression language to four elements. */
export function applyFunction(
  v: Vectors,
  name: ExprFunction,
  args: readonly Value[],
  exprs: readonly Expr[],
  math: ImportedMath,
): Value {
  const [a, b, c] = args as [Value, Value, Value];
  const type = name === 'where' ? b.type : a.type;
  const code = direct[name]?.[type];
  if (code !== undefined) return perPart(v, code, type, ...args);
  if (compare[name]) return comparison(v, name, a, b);
  switch (name) {
    case 'where':
      return select(v, a, b, c);
    case 'isnan':
      return comparison(v, 'ne', a, a);
    case 'min':
    case 'max': {
      const better = a.parts.map((p, i) =>
        v.op(name === 'max' ? i64x2.gtS : i64x2.ltS, p, b.parts[i] as number),
      );
      return {
        type,
        parts: better.map((m, i) => v.select(m, a.parts[i] as number, b.parts[i] as number)),
      };
    }
    case 'shl':
    case 'shr':
    case 'ushr': {
      const amount = exprs[1] as Expr;
      if (amount.op === 'const') {
        const instruction = shifts[name]?.[type as 'int32'] as number;
        const count = Number(amount.value) & (isWide(type) ? 63 : 31);
        return { type, parts: a.parts.map((p) => v.shift(instruction, p, count)) };
      }
      return byLanes(v, type, args, () => v.code.op(laneShifts[name]?.[type as 'int32'] as number));
    }
    case 'mulhi': {
      const [x, y] = [a.parts[0] as number, b.parts[0] as number];
      const low = v.op(i64x2.extmulLowI32x4U, x, y);
      const high = v.op(i64x2.extmulHighI32x4U, x, y);
      return { type, parts: [v.shuffle(low, high, [1, 3, 5, 7])] };
    }
    case 'idiv':
      return integerDivision(v, type as 'int32' | 'int64', a, b, false);
    case 'fmod':
      if (type === 'int32' || type === 'int64') return integerDivision(v, type, a, b, true);
      break;
    default:
  }
  if (type === 'float32') {
    const formula = float32Functions[name];
    if (formula) {
      const slow = (f: string, ...xs: number[]): number =>
        throughFloat64(
          v,
          xs.map((x) => ({ type: 'float32', parts: [x] })),
          math(f),
        ).parts[0] as number;
      return {
        type,
        parts: v.scope(() => [formula({ v, slow }, a.parts[0] as number, b?.parts[0] as number)]),
      };
    }
    return throughFloat64(v, args, math(name));
  }
  if (type === 'float64') return byLanes(v, type, args, () => v.code.call(math(name)));
  throw new Error(`${name} is not defined on ${type}`);
}

/** Applies a scalar instruction sequence lane by lane. */
function byLanes(v: Vectors, type: ComputeType, args: readonly Value[], apply: () => void): Value {
  return fromLanes(v, type, (lane) => {
    for (const x of args) pushLane(v, x, lane);
    apply();
  });
}

/** Applies a float64 function to float32 lanes. */
function throughFloat64(v: Vectors, args: readonly Value[], target: Callable): Value {
  return fromLanes(v, 'float32', (lane) => {
    for (const x of args) {
      pushLane(v, x, lane);
      v.code.op(f64.promoteF32);
    }
    v.code.call(target).op(f32.demoteF64);
  });
}

/** Quotient or remainder towards zero; 0 for a divisor of 0, and never a trap. */
function integerDivision(
  v: Vectors,
  type: 'int32' | 'int64',
  a: Value,
  b: Value,
  remainder: boolean,
): Value {
  // A divisor of 0 or -1 could trap: divide by 1 instead and repair.
  const zero = literal(v, type, 0);
  const minusOne = literal(v, type, -1);
  const isZero = comparison(v, 'eq', b, zero);
  const isMinusOne = comparison(v, 'eq', b, minusOne);
  const risky: Value = {
    type: 'bool',
    parts: [v.or(isZero.parts[0] as number, isMinusOne.parts[0] as number)],
  };
  const divisor = select(v, risky, literal(v, type, 1), b);
  let result: Value;
  if (type === 'int32') {
    // The quotient of two int32 truncated from float64 is exact.
    const wide = [a, divisor].map((x) => convert(v, x, 'float64')) as [Value, Value];
    const quotient = perPart(v, f64x2.div, 'float64', ...wide);
    const [low, high] = quotient.parts.map((p) => v.op(i32x4.truncSatF64x2SZero, p)) as [
      number,
      number,
    ];
    const q = v.shuffle(low, high, [0, 1, 4, 5]);
    const [x, y] = [a.parts[0] as number, divisor.parts[0] as number];
    result = { type, parts: [remainder ? v.isub(x, v.op(i32x4.mul, q, y)) : q] };
  } else {
    result = byLanes(v, type, [a, divisor], () => v.code.op(remainder ? i64.remS : i64.divS));
  }
  if (remainder) return result; // anything modulo 1 is 0, the answer for 0 and -1 as well
  const negated = perPart(v, type === 'int32' ? i32x4.neg : i64x2.neg, type, a);
  return select(v, isZero, zero, select(v, isMinusOne, negated, result));
}
