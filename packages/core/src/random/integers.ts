import type { DType, TypedArray } from '../dtype.js';
import { RuntimeError, ValueError } from '../errors.js';
import { type FloatDType, integerRange, isFloatDType, largestFloat } from '../number-ranges.js';
import type { Mt19937 } from './mt19937.js';
import { fillWith, int64Words, isHalf, roundTo, storeInt64 } from './samples.js';

/** Bits of the significand: integers up to 2^digits are exact in the dtype. */
const digits: Readonly<Record<FloatDType, number>> = {
  float16: 11,
  bfloat16: 8,
  float32: 24,
  float64: 53,
};

/** Floating dtypes whose range goes beyond 32 bits. */
const isWideFloat = (dtype: DType): boolean => isFloatDType(dtype) && dtype !== 'float16';

/**
 * Fills `out` with integers uniform in [from, to), as PyTorch's CPU `random_(from, to)`, `randint`
 * and `randint_like`: one 32-bit draw modulo the range, or a 64-bit draw for ranges of 2^32 and more
 * in int64, float64, float32 and bfloat16.
 *
 * @param to without it, up to the largest integer of `dtype`, or 2^digits of a floating one.
 * @throws RuntimeError if from >= to; ValueError if a bound is no integer or does not fit `dtype`.
 * @example fillRandomInt(new BigInt64Array(4), 'int64', new Mt19937(0n), 0, 10); // 4, 9, 3, 0
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.random_.html
 */
export function fillRandomInt(
  out: TypedArray,
  dtype: DType,
  engine: Mt19937,
  from: number | bigint,
  to?: number | bigint,
): void {
  const [low, range] = resolveRange(dtype, from, to);
  if (range === 2n ** 64n) {
    fillWide(out, dtype, () => BigInt.asIntN(64, engine.random64()));
    return;
  }
  const wide = range >= 2n ** 32n && (dtype === 'int64' || isWideFloat(dtype));
  if (wide) {
    fillWide(out, dtype, () => low + (engine.random64() % range));
    return;
  }
  // A range of 2^32 and more takes 32-bit draws as they are.
  const modulus = Number(range > 2n ** 32n ? 2n ** 32n : range);
  const base = Number(low);
  if (!Number.isSafeInteger(base) || !Number.isSafeInteger(base + modulus)) {
    fillWide(out, dtype, () => low + BigInt(engine.random() % modulus));
  } else if (out instanceof BigInt64Array) {
    const words = int64Words(out);
    for (let i = 0; i < out.length; i++) storeInt64(words, i, (engine.random() % modulus) + base);
  } else if (isHalf(dtype)) {
    fillWith(out, dtype, () => (engine.random() % modulus) + base);
  } else {
    for (let i = 0; i < out.length; i++) out[i] = (engine.random() % modulus) + base;
  }
}

/** The first value and the number of values, after the checks and roundings of PyTorch. */
function resolveRange(
  dtype: DType,
  from: number | bigint,
  to: number | bigint | undefined,
): readonly [bigint, bigint] {
  let low = toInt64('from', from);
  if (to === undefined) {
    const last = isFloatDType(dtype) ? 2n ** BigInt(digits[dtype]) : integerRange[dtype][1];
    // From the least int64, PyTorch takes all 64 bits in every dtype that can show their range.
    if (low === integerRange.int64[0] && (dtype === 'int64' || isWideFloat(dtype))) {
      return [low, 2n ** 64n];
    }
    if (isFloatDType(dtype)) low = raiseFrom(dtype, low);
    if (low > last) {
      throw new RuntimeError(`random_: from = ${low} exceeds ${last}, the largest for ${dtype}`);
    }
    checkFits('from', dtype, low);
    return [low, last - low + 1n];
  }
  let end = toInt64('to', to);
  if (low >= end) {
    throw new RuntimeError(
      `random_: expects 'from' to be less than 'to', but got from=${low} >= to=${end}`,
    );
  }
  if (isFloatDType(dtype)) {
    low = raiseFrom(dtype, low);
    end = lowerTo(dtype, end);
    if (low >= end) {
      throw new RuntimeError(
        `random_: ${dtype} holds no integer in [${from}, ${to}); use a wider range or dtype`,
      );
    }
  }
  checkFits('from', dtype, low);
  checkFits('to - 1', dtype, end - 1n);
  return [low, end - low];
}

function toInt64(name: string, value: number | bigint): bigint {
  if (typeof value === 'number' && !Number.isInteger(value)) {
    throw new ValueError(`random_: ${name} must be an integer, got ${value}`);
  }
  const integer = BigInt(value);
  if (BigInt.asIntN(64, integer) !== integer) {
    throw new ValueError(`random_: ${name} = ${value} does not fit int64`);
  }
  return integer;
}

function checkFits(name: string, dtype: DType, value: bigint): void {
  const fits = isFloatDType(dtype)
    ? Math.abs(Number(value)) <= largestFloat[dtype]
    : value >= integerRange[dtype][0] && value <= integerRange[dtype][1];
  if (!fits) throw new ValueError(`random_: ${name} = ${value} is out of bounds for ${dtype}`);
}

function cast(dtype: FloatDType, value: bigint): bigint {
  const rounded = roundTo(dtype, Number(value));
  return Number.isFinite(rounded) ? BigInt(rounded) : value;
}

/** Distance of neighbouring numbers of `dtype` around `value`. */
const spacing = (dtype: FloatDType, value: bigint): bigint => {
  const bits = (value < 0n ? -value : value).toString(2).length;
  return 2n ** BigInt(Math.max(bits - digits[dtype], 0));
};

/** `from` moved up to where no cast to `dtype` can round below it. */
function raiseFrom(dtype: FloatDType, from: bigint): bigint {
  const next = cast(dtype, from + 1n);
  return next < from ? next + spacing(dtype, from + 1n) : from;
}

/** `to` moved down to where no cast to `dtype` can round up to it. */
function lowerTo(dtype: FloatDType, to: bigint): bigint {
  const last = cast(dtype, to - 1n);
  return last >= to ? last - spacing(dtype, to - 1n) : to;
}

/** As `fillWith`, for values that a number may not hold exactly. */
function fillWide(out: TypedArray, dtype: DType, next: () => bigint): void {
  if (out instanceof BigInt64Array) {
    for (let i = 0; i < out.length; i++) out[i] = next();
  } else {
    fillWith(out, dtype, () => Number(next()));
  }
}

/**
 * Fills `out` with integers over everything PyTorch's `random_()` without bounds covers: 0 to the
 * largest integer of an integral dtype, 0 to 2^digits of a floating one, 0 or 1 of bool.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.random_.html
 */
export function fillRandomBits(out: TypedArray, dtype: DType, engine: Mt19937): void {
  if (out instanceof BigInt64Array) {
    const words = int64Words(out);
    for (let i = 0; i < out.length; i++) {
      words[2 * i + 1] = engine.random() & 0x7fffffff;
      words[2 * i] = engine.random();
    }
  } else if (dtype === 'float64') {
    const modulus = 2n ** 53n + 1n;
    for (let i = 0; i < out.length; i++) out[i] = Number(engine.random64() % modulus);
  } else {
    const values = greatestRandom(dtype) + 1;
    fillWith(out, dtype, () => engine.random() % values);
  }
}

/** The greatest number that `random_` draws where it is given no range: all up to it are exact. */
export const greatestRandom = (dtype: DType): number =>
  isFloatDType(dtype)
    ? 2 ** digits[dtype]
    : Number(integerRange[dtype as keyof typeof integerRange][1]);

/**
 * A random permutation of 0 to n - 1 by PyTorch's CPU `randperm`: n - 1 draws, each choosing what is
 * swapped into the next place.
 *
 * @throws ValueError if n is not a count or its largest element does not fit `dtype`.
 * @example randomPermutation(5, new Mt19937(0n)); // [4n, 1n, 2n, 0n, 3n]
 * @see https://pytorch.org/docs/stable/generated/torch.randperm.html
 */
export function randomPermutation(n: number, engine: Mt19937): BigInt64Array<ArrayBuffer> {
  const out = new BigInt64Array(checkCount(n));
  fillRandomPermutation(out, 'int64', engine);
  return out;
}

/**
 * Fills `out` with a random permutation of 0 to out.length - 1, as `randomPermutation`.
 *
 * @throws ValueError if the largest element does not fit `dtype` exactly.
 */
export function fillRandomPermutation(out: TypedArray, dtype: DType, engine: Mt19937): void {
  const n = out.length;
  const last = isFloatDType(dtype) ? 2 ** digits[dtype] : Number(integerRange[dtype][1]);
  if (n - 1 > last) throw new ValueError(`randperm: n = ${n} is too large for ${dtype}; use int64`);
  // Swapping plain 32-bit numbers is several times faster than swapping bigints.
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let i = 0; i < n - 1; i++) {
    const j = i + (engine.random() % (n - i));
    const moved = order[i] as number;
    order[i] = order[j] as number;
    order[j] = moved;
  }
  let i = 0;
  fillWith(out, dtype, () => order[i++] as number);
}

function checkCount(n: number): number {
  if (!Number.isSafeInteger(n) || n < 0)
    throw new ValueError(`randperm: n must be a count, got ${n}`);
  return n;
}
