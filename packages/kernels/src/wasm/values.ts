import type { ComputeType, DType } from '@sconce/core';
import { f32, f32x4, f64, f64x2, i16x8, i32, i32x4, i64, i64x2, v128 } from './opcodes.js';
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

/** The bits of half-precision numbers (in 32-bit lanes) as float32. */
export function float16ToFloat32(v: Vectors, bits: number): number {
  return v.scoped(() => {
    const magnitude = v.shift(i32x4.shl, v.and(bits, v.i32(0x7fff)), 13);
    const sign = v.shift(i32x4.shl, v.and(bits, v.i32(0x8000)), 16);
    const normal = v.iadd(magnitude, v.i32(112 << 23));
    // A subnormal half is an integer multiple of 2^-24: let a float subtraction normalise it.
    const subnormal = v.sub(v.iadd(magnitude, v.i32(113 << 23)), v.i32(113 << 23));
    const special = v.iadd(normal, v.i32(112 << 23));
    const finite = v.select(v.op(i32x4.ltS, magnitude, v.i32(1 << 23)), subnormal, normal);
    const isSpecial = v.op(i32x4.geS, magnitude, v.i32(31 << 23));
    return v.or(sign, v.select(isSpecial, special, finite));
  });
}

/** float32 rounded to half precision, ties to even; the bits in the low half of each lane. */
export function float32ToFloat16(v: Vectors, x: number): number {
  return v.scoped(() => {
    const magnitude = v.and(x, v.i32(0x7fffffff));
    const sign = v.shift(i32x4.shrU, v.xor(x, magnitude), 16);
    const odd = v.and(v.shift(i32x4.shrU, magnitude, 13), v.i32(1));
    const rounded = v.shift(
      i32x4.shrU,
      v.iadd(v.iadd(magnitude, v.i32(0xfff - (112 << 23))), odd),
      13,
    );
    // Adding 0.5 leaves a subnormal result, rounded, in the low bits.
    const small = v.isub(v.add(magnitude, v.f32(0.5)), v.f32(0.5));
    const isSmall = v.op(i32x4.ltS, magnitude, v.i32(113 << 23));
    const isLarge = v.op(i32x4.geS, magnitude, v.i32(143 << 23));
    const isNan = v.op(i32x4.gtS, magnitude, v.i32(255 << 23));
    const large = v.select(isNan, v.i32(0x7e00), v.i32(0x7c00));
    return v.or(sign, v.select(isLarge, large, v.select(isSmall, small, rounded)));
  });
}

/** float32 rounded to bfloat16, ties to even; the bits in the low half of each lane. */
export function float32ToBfloat16(v: Vectors, x: number): number {
  return v.scoped(() => {
    const odd = v.and(v.shift(i32x4.shrU, x, 16), v.i32(1));
    const rounded = v.shift(i32x4.shrU, v.iadd(v.iadd(x, v.i32(0x7fff)), odd), 16);
    return v.select(v.op(f32x4.ne, x, x), v.i32(0x7fc0), rounded);
  });
}

/** How raw bits of a narrow dtype, one element in each 16-bit lane of the low half, become a value. */
function widenHalves(v: Vectors, dtype: DType, raw: number): Value {
  if (dtype === 'int16') return { type: 'int32', parts: [v.op(i32x4.extendLowI16x8S, raw)] };
  const bits = v.op(i32x4.extendLowI16x8U, raw);
  if (dtype === 'bfloat16') return { type: 'float32', parts: [v.shift(i32x4.shl, bits, 16)] };
  return { type: 'float32', parts: [float16ToFloat32(v, bits)] };
}

function widenBytes(v: Vectors, dtype: DType, raw: number): Value {
  if (dtype === 'int8') {
    const halves = v.op(i16x8.extendLowI8x16S, raw);
    return { type: 'int32', parts: [v.op(i32x4.extendLowI16x8S, halves)] };
  }
  const bits = v.op(i32x4.extendLowI16x8U, v.op(i16x8.extendLowI8x16U, raw));
  if (dtype === 'uint8') return { type: 'int32', parts: [bits] };
  return { type: 'bool', parts: [v.op(i32x4.ne, bits, v.i32(0))] };
}

/** Where the four elements of an operand are. */
export interface Place {
  /** Pushes the address of the first. */
  readonly push: () => void;
  /** Constant byte offset to add. */
  readonly offset?: number;
  /** Locals with the byte distances of elements 1, 2 and 3 from the first; absent where contiguous. */
  readonly distances?: readonly number[];
  /** All four are the same element. */
  readonly repeated?: boolean;
}

const bytesOf: Record<DType, number> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int8: 1,
  uint8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  bool: 1,
};

/** Loads four elements and widens them to their compute type. */
export function loadValue(v: Vectors, dtype: DType, place: Place): Value {
  const { code } = v;
  const { offset = 0, distances } = place;
  const bytes = bytesOf[dtype];
  const lane = (instruction: number, k: number): void => {
    place.push();
    if (k > 0 && distances) code.get(distances[k - 1] as number).op(i32.add);
    code.memory(instruction, offset);
  };
  const gather = (first: number, next: number, from: number, count: number): number => {
    const local = v.fresh();
    lane(first, from);
    code.set(local);
    for (let k = 1; k < count; k++) {
      place.push();
      code.get((distances as number[])[from + k - 1] as number).op(i32.add);
      code.get(local).memoryLane(next, k, offset).set(local);
    }
    return local;
  };
  const plain = (instruction: number): number => {
    lane(instruction, 0);
    return v.take();
  };
  switch (bytes) {
    case 8: {
      const type = dtype as 'float64' | 'int64';
      if (place.repeated) {
        const local = plain(v128.load64Splat);
        return { type, parts: [local, local] };
      }
      if (distances) {
        return {
          type,
          parts: [
            gather(v128.load64Zero, v128.load64Lane, 0, 2),
            gather(v128.load64Zero, v128.load64Lane, 2, 2),
          ],
        };
      }
      const low = plain(v128.load);
      place.push();
      code.memory(v128.load, offset + 16);
      return { type, parts: [low, v.take()] };
    }
    case 4: {
      const type = dtype as 'float32' | 'int32';
      if (place.repeated) return { type, parts: [plain(v128.load32Splat)] };
      if (distances) return { type, parts: [gather(v128.load32Zero, v128.load32Lane, 0, 4)] };
      return { type, parts: [plain(v128.load)] };
    }
    case 2: {
      const raw = place.repeated
        ? plain(v128.load16Splat)
        : distances
          ? gather(v128.load16Splat, v128.load16Lane, 0, 4)
          : plain(v128.load64Zero);
      return widenHalves(v, dtype, raw);
    }
    default: {
      const raw = place.repeated
        ? plain(v128.load8Splat)
        : distances
          ? gather(v128.load8Splat, v128.load8Lane, 0, 4)
          : plain(v128.load32Zero);
      return widenBytes(v, dtype, raw);
    }
  }
}

/** The raw elements of a value as they are stored: packed into the low bytes of one vector (two for 64 bits). */
function pack(v: Vectors, dtype: DType, value: Value): readonly number[] {
  const [a] = value.parts as [number];
  switch (dtype) {
    case 'float64':
    case 'int64':
      return value.parts;
    case 'float32':
    case 'int32':
      return [a];
    case 'float16':
    case 'bfloat16':
    case 'int16': {
      const bits =
        dtype === 'float16'
          ? float32ToFloat16(v, a)
          : dtype === 'bfloat16'
            ? float32ToBfloat16(v, a)
            : a;
      v.code.get(bits).get(bits).shuffle([0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0]);
      return [v.take()];
    }
    default: {
      const bits = dtype === 'bool' ? v.and(a, v.i32(1)) : a;
      v.code.get(bits).get(bits).shuffle([0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      return [v.take()];
    }
  }
}

const storeLane: Record<number, number> = {
  1: v128.store8Lane,
  2: v128.store16Lane,
  4: v128.store32Lane,
  8: v128.store64Lane,
};

/**
 * Narrows a value and stores it: all four elements, or as many as the local `remaining` says,
 * or with `remaining` -1 the first one only.
 */
export function storeValue(
  v: Vectors,
  dtype: DType,
  value: Value,
  place: Place,
  remaining: number | undefined,
): void {
  const { code } = v;
  const { offset = 0, distances } = place;
  const bytes = bytesOf[dtype];
  v.scope(() => {
    const parts = pack(v, dtype, value);
    const one = (k: number): void => {
      place.push();
      if (distances && k > 0) code.get(distances[k - 1] as number).op(i32.add);
      const at = offset + (distances ? 0 : k * bytes);
      code.get(parts[bytes === 8 ? k >> 1 : 0] as number);
      code.memoryLane(storeLane[bytes] as number, bytes === 8 ? k & 1 : k, at);
    };
    const all = (): void => {
      if (distances) {
        for (let k = 0; k < 4; k++) one(k);
      } else if (bytes >= 4) {
        parts.forEach((part, i) => {
          place.push();
          code.get(part).memory(v128.store, offset + 16 * i);
        });
      } else {
        place.push();
        code.get(parts[0] as number);
        code.memoryLane(bytes === 2 ? v128.store64Lane : v128.store32Lane, 0, offset);
      }
    };
    if (remaining === undefined) all();
    else if (remaining < 0) one(0);
    else {
      code.get(remaining).i32(4).op(i32.geS);
      code.if(all, () => {
        one(0);
        for (const k of [1, 2]) {
          code.get(remaining).i32(k).op(i32.gtS);
          code.if(() => one(k));
        }
      });
    }
    return [];
  });
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
