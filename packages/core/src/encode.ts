import { category, type DType, type TypedArray, typedArray } from './dtype.js';
import { numberToBfloat16, numberToFloat16 } from './half.js';

/** Writes one plain value into a typed array of `dtype`, converted as a cast would. */
export function store(
  out: TypedArray,
  dtype: DType,
  at: number,
  value: number | bigint | boolean,
): void {
  switch (dtype) {
    // By way of float32, as casts from float64 go.
    case 'float16':
      out[at] = numberToFloat16(Math.fround(Number(value)));
      return;
    case 'bfloat16':
      out[at] = numberToBfloat16(Math.fround(Number(value)));
      return;
    case 'int64':
      out[at] = BigInt.asIntN(64, typeof value === 'bigint' ? value : integer(Number(value)));
      return;
    case 'bool':
      out[at] = value ? 1 : 0;
      return;
    default:
      // Typed arrays wrap integers by themselves, after truncation.
      out[at] =
        category(dtype) === 2
          ? Number(value)
          : Number(BigInt.asIntN(32, typeof value === 'bigint' ? value : integer(Number(value))));
  }
}

const integer = (x: number): bigint => (Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n);

/** Plain values as the typed array that holds `dtype`. */
export function encode(dtype: DType, values: ArrayLike<number | bigint | boolean>): TypedArray {
  const out = typedArray(dtype, values.length);
  if (dtype === 'float32' || dtype === 'float64') {
    for (let i = 0; i < values.length; i++) out[i] = Number(values[i]);
    return out;
  }
  for (let i = 0; i < values.length; i++) store(out, dtype, i, values[i] as number);
  return out;
}
