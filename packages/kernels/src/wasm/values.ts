import type { ComputeType } from '@sconce/core';
import { f32, f32x4, f64, f64x2, i32x4, i64, i64x2 } from './opcodes.js';
import type { Vectors } from './vectors.js';

/**
 * Four elements of one compute type: 32-bit types and bools (lanes of all ones or all zeros) in one vector,
 * 64-bit types in two.
 */
export interface Value {
  readonly type: ComputeType;
  /** Locals: one for 32-bit types, two for 64-bit types. */
  readonly parts: readonly number[];
}

export const isWide = (type: ComputeType): boolean => type === 'float64' || type === 'int64';

/** The instructions that move one lane of a compute type (bools as int32). */
const laneCodes = {
  float32: { extract: f32x4.extractLane, replace: f32x4.replaceLane, splat: f32x4.splat },
  int32: { extract: i32x4.extractLane, replace: i32x4.replaceLane, splat: i32x4.splat },
  bool: { extract: i32x4.extractLane, replace: i32x4.replaceLane, splat: i32x4.splat },
  float64: { extract: f64x2.extractLane, replace: f64x2.replaceLane, splat: f64x2.splat },
  int64: { extract: i64x2.extractLane, replace: i64x2.replaceLane, splat: i64x2.splat },
} as const;

/** Pushes lane `lane` of a value as a scalar. */
export function pushLane(v: Vectors, value: Value, lane: number): void {
  const { extract } = laneCodes[value.type];
  if (isWide(value.type)) v.code.get(value.parts[lane >> 1] as number).lane(extract, lane & 1);
  else v.code.get(value.parts[0] as number).lane(extract, lane);
}

/** Builds a value from four scalars, each pushed by `push(lane)`. */
export function fromLanes(v: Vectors, type: ComputeType, push: (lane: number) => void): Value {
  const { replace, splat } = laneCodes[type];
  const parts: number[] = [];
  const perPart = isWide(type) ? 2 : 4;
  for (let part = 0; part < 4 / perPart; part++) {
    const local = v.fresh();
    push(part * perPart);
    v.code.op(splat).set(local);
    for (let lane = 1; lane < perPart; lane++) {
      v.code.get(local);
      push(part * perPart + lane);
      v.code.lane(replace, lane).set(local);
    }
    parts.push(local);
  }
  return { type, parts };
}

/** Pops a scalar and repeats it in all lanes. */
export function splat(v: Vectors, type: ComputeType): Value {
  v.code.op(laneCodes[type].splat);
  const local = v.take();
  return { type, parts: isWide(type) ? [local, local] : [local] };
}

/** The same literal in all lanes. */
export function literal(v: Vectors, type: ComputeType, value: number | bigint | boolean): Value {
  switch (type) {
    case 'float32':
      return { type, parts: [v.f32(Number(value))] };
    case 'int32':
      return { type, parts: [v.i32(Number(value))] };
    case 'bool':
      return { type, parts: [v.i32(value ? -1 : 0)] };
    case 'float64': {
      const local = v.f64(Number(value));
      return { type, parts: [local, local] };
    }
    case 'int64': {
      const local = v.i64(BigInt(value));
      return { type, parts: [local, local] };
    }
  }
}

/** Applies an instruction part by part. */
export function perPart(v: Vectors, code: number, type: ComputeType, ...args: Value[]): Value {
  const [a, b, c] = args as [Value, Value | undefined, Value | undefined];
  return { type, parts: a.parts.map((p, i) => v.op(code, p, b?.parts[i], c?.parts[i])) };
}

/** A mask of 32-bit lanes as one or two vectors of masks as wide as `type`. */
export function widenMask(v: Vectors, mask: number, type: ComputeType): readonly number[] {
  if (!isWide(type)) return [mask];
  return [v.op(i64x2.extendLowI32x4S, mask), v.op(i64x2.extendHighI32x4S, mask)];
}

/** Two vectors of 64-bit masks as one of 32-bit lanes. */
export function narrowMask(v: Vectors, masks: readonly number[]): Value {
  const [low, high] = masks as [number, number | undefined];
  if (high === undefined) return { type: 'bool', parts: [low] };
  return { type: 'bool', parts: [v.shuffle(low, high, [0, 2, 4, 6])] };
}

/** `mask ? a : b`. */
export function select(v: Vectors, mask: Value, a: Value, b: Value): Value {
  const masks = widenMask(v, mask.parts[0] as number, a.type);
  return {
    type: a.type,
    parts: masks.map((m, i) => v.select(m, a.parts[i] as number, b.parts[i] as number)),
  };
}

/** Conversion between compute types. */
export function convert(v: Vectors, x: Value, to: ComputeType): Value {
  const from = x.type;
  if (from === to) return x;
  const [a, b] = x.parts as [number, number];
  const one = (local: number): Value => ({ type: to, parts: [local] });
  const two = (low: number, high: number): Value => ({ type: to, parts: [low, high] });
  const swapped = (): number => v.shuffle(a, a, [2, 3, 0, 1]);
  if (to === 'bool') {
    const zero = literal(v, from, 0);
    const ne = { float32: f32x4.ne, int32: i32x4.ne, float64: f64x2.ne, int64: i64x2.ne, bool: 0 }[
      from
    ];
    return narrowMask(
      v,
      x.parts.map((p, i) => v.op(ne, p, zero.parts[i])),
    );
  }
  if (from === 'bool') {
    const unit = literal(v, to, 1);
    return {
      type: to,
      parts: widenMask(v, a, to).map((m, i) => v.and(m, unit.parts[i] as number)),
    };
  }
  switch (`${from}>${to}`) {
    case 'float32>int32': {
      // NaN and what is out of range become the least integer, as on the machines PyTorch runs on.
      const inside = v.op(f32x4.lt, v.op(f32x4.abs, a), v.f32(2 ** 31));
      return one(v.select(inside, v.op(i32x4.truncSatF32x4S, a), v.i32(-(2 ** 31))));
    }
    case 'float32>float64':
      return two(v.op(f64x2.promoteLowF32x4, a), v.op(f64x2.promoteLowF32x4, swapped()));
    case 'float32>int64':
      return convert(v, convert(v, x, 'float64'), to);
    case 'float64>int64': {
      const whole = fromLanes(v, to, (lane) => {
        pushLane(v, x, lane);
        v.code.op(i64.truncSatF64S);
      });
      const least = v.i64(-(2n ** 63n));
      return {
        type: to,
        parts: x.parts.map((p, i) => {
          const inside = v.op(f64x2.lt, v.op(f64x2.abs, p), v.f64(2 ** 63));
          return v.select(inside, whole.parts[i] as number, least);
        }),
      };
    }
    case 'float64>float32':
      return one(
        v.shuffle(v.op(f32x4.demoteF64x2Zero, a), v.op(f32x4.demoteF64x2Zero, b), [0, 1, 4, 5]),
      );
    case 'float64>int32': {
      const whole = v.shuffle(
        v.op(i32x4.truncSatF64x2SZero, a),
        v.op(i32x4.truncSatF64x2SZero, b),
        [0, 1, 4, 5],
      );
      const [low, high] = [a, b].map((p) => {
        const above = v.op(f64x2.gt, p, v.f64(-(2 ** 31) - 1));
        return v.and(above, v.op(f64x2.lt, p, v.f64(2 ** 31)));
      }) as [number, number];
      const inside = v.shuffle(low, high, [0, 2, 4, 6]);
      return one(v.select(inside, whole, v.i32(-(2 ** 31))));
    }
    case 'int32>float32':
      return one(v.op(f32x4.convertI32x4S, a));
    case 'int32>float64':
      return two(v.op(f64x2.convertLowI32x4S, a), v.op(f64x2.convertLowI32x4S, swapped()));
    case 'int32>int64':
      return two(v.op(i64x2.extendLowI32x4S, a), v.op(i64x2.extendHighI32x4S, a));
    case 'int64>int32':
      return one(v.shuffle(a, b, [0, 2, 4, 6]));
    case 'int64>float32':
    case 'int64>float64':
      return fromLanes(v, to, (lane) => {
        pushLane(v, x, lane);
        v.code.op(to === 'float32' ? f32.convertI64S : f64.convertI64S);
      });
  }
  throw new Error(`cannot convert ${from} to ${to}`);
}

/** A value whose first lane is lane `lane` of another. */
export function exchangeTo(v: Vectors, x: Value, lane: number): Value {
  if (lane === 0) return x;
  if (isWide(x.type)) {
    const part = x.parts[lane >> 1] as number;
    const moved = lane & 1 ? v.shuffle(part, part, [2, 3, 2, 3]) : part;
    return { type: x.type, parts: [moved, moved] };
  }
  const [a] = x.parts as [number];
  return { type: x.type, parts: [v.shuffle(a, a, [lane, lane, lane, lane])] };
}
