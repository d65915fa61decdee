import type { DType } from '@sconce/core';
import { itemSize } from '@sconce/core';
import { f32x4, i16x8, i32, i32x4, v128 } from './opcodes.js';
import type { Value } from './values.js';
import type { Vectors } from './vectors.js';

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

/** Loads four elements and widens them to their compute type. */
export function loadValue(v: Vectors, dtype: DType, place: Place): Value {
  const { code } = v;
  const { offset = 0, distances } = place;
  const bytes = itemSize(dtype);
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
  const bytes = itemSize(dtype);
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
