import { type DType, isFloatingPoint, type TypedArray } from '../dtype.js';
import { NotImplementedError } from '../errors.js';
import {
  bfloat16ArrayToFloat32,
  bfloat16ToNumber,
  float16ArrayToFloat32,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
} from '../half.js';

/** The two floating dtypes that the host holds as raw bits. */
export type HalfDType = 'float16' | 'bfloat16';

export const isHalf = (dtype: DType): dtype is HalfDType =>
  dtype === 'float16' || dtype === 'bfloat16';

/** The bits of `x` rounded to float32 and then to `dtype`, the two steps of PyTorch's cast. */
export const toHalfBits = (dtype: HalfDType, x: number): number =>
  dtype === 'float16' ? numberToFloat16(Math.fround(x)) : numberToBfloat16(Math.fround(x));

/** The number that bits of `dtype` stand for. */
export const fromHalfBits = (dtype: HalfDType, bits: number): number =>
  dtype === 'float16' ? float16ToNumber(bits) : bfloat16ToNumber(bits);

/** `x` rounded to a number of `dtype`. */
export const roundToHalf = (dtype: HalfDType, x: number): number =>
  fromHalfBits(dtype, toHalfBits(dtype, x));

/** `x` rounded to a number of a floating `dtype`. */
export const roundTo = (dtype: DType, x: number): number =>
  isHalf(dtype) ? roundToHalf(dtype, x) : dtype === 'float32' ? Math.fround(x) : x;

/** Stores `next()` into every element in order, cast to `dtype` as C++ casts a double. */
export function fillWith(out: TypedArray, dtype: DType, next: () => number): void {
  if (isHalf(dtype)) {
    for (let i = 0; i < out.length; i++) out[i] = toHalfBits(dtype, next());
  } else if (out instanceof BigInt64Array) {
    const words = int64Words(out);
    for (let i = 0; i < out.length; i++) storeInt64(words, i, Math.trunc(next()));
  } else if (dtype === 'bool') {
    for (let i = 0; i < out.length; i++) out[i] = next() === 0 ? 0 : 1;
  } else {
    for (let i = 0; i < out.length; i++) out[i] = next();
  }
}

/** The 32-bit halves of int64 elements, low half first: writing these allocates no bigint. */
export const int64Words = (out: BigInt64Array): Int32Array =>
  new Int32Array(out.buffer, out.byteOffset, out.length * 2);

/** Writes an integer of magnitude up to 2^63 as element `i`. */
export function storeInt64(words: Int32Array, i: number, value: number): void {
  words[2 * i] = value;
  words[2 * i + 1] = Math.floor(value / 4294967296);
}

/** The elements as numbers: the array itself, or float32 copies of 16-bit floats. */
export function asNumbers(values: TypedArray, dtype: DType): Exclude<TypedArray, BigInt64Array> {
  if (values instanceof BigInt64Array) return Float64Array.from(values, Number);
  if (!isHalf(dtype)) return values;
  return dtype === 'float16' ? float16ArrayToFloat32(values) : bfloat16ArrayToFloat32(values);
}

/** Throws unless `dtype` is a floating dtype, as PyTorch does for samplers of real numbers. */
export function requireFloating(op: string, dtype: DType): void {
  if (isFloatingPoint(dtype)) return;
  throw new NotImplementedError(
    `${op}: not implemented for ${dtype}; sample into a floating dtype and cast with .to('${dtype}')`,
  );
}
