/**
 * The two 16-bit floating formats, as bit patterns: float16 (IEEE binary16, 5 exponent and 10
 * fraction bits) and bfloat16 (the upper half of a float32, 8 and 7 bits).
 */
interface HalfFormat {
  readonly fractionBits: number;
  readonly bias: number;
}

const binary16: HalfFormat = { fractionBits: 10, bias: 15 };
const brain16: HalfFormat = { fractionBits: 7, bias: 127 };

const wide = new Float64Array(1);
const words = new Uint32Array(wide.buffer);
const highWord = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** Adding and taking away 2^52 leaves no fraction bits: the hardware rounds half to even. */
const roundHalfEven = (x: number): number => x + 2 ** 52 - 2 ** 52;

function encode(value: number, { fractionBits, bias }: HalfFormat): number {
  const infinity = (2 * bias + 1) << fractionBits;
  if (Number.isNaN(value)) return infinity | (1 << (fractionBits - 1));
  wide[0] = value;
  const high = words[highWord] as number;
  const sign = (high >>> 31) << 15;
  const magnitude = Math.abs(value);
  const exponent = ((high >>> 20) & 0x7ff) - 1023;
  if (exponent > bias) return sign | infinity;
  // Below the least normal number all values share one unit. A fraction that rounds up to the next
  // power of two carries into the exponent by itself, up to infinity.
  if (exponent < 1 - bias) return sign | roundHalfEven(magnitude * 2 ** (bias - 1 + fractionBits));
  const fraction = roundHalfEven(magnitude * 2 ** (fractionBits - exponent));
  return sign | (((exponent + bias - 1) << fractionBits) + fraction);
}

function decode(bits: number, { fractionBits, bias }: HalfFormat): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits & 0x7fff) >>> fractionBits;
  const fraction = bits & ((1 << fractionBits) - 1);
  if (exponent === 2 * bias + 1)
    return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** (1 - bias - fractionBits);
  return sign * (fraction + (1 << fractionBits)) * 2 ** (exponent - bias - fractionBits);
}

/** The number a float16 bit pattern stands for. */
export const float16ToNumber = (bits: number): number => decode(bits, binary16);

/** The float16 bit pattern nearest to a number, ties to even; too large gives infinity, NaN the quiet NaN. */
export const numberToFloat16 = (value: number): number => encode(value, binary16);

/** The number a bfloat16 bit pattern stands for. */
export const bfloat16ToNumber = (bits: number): number => decode(bits, brain16);

/** The bfloat16 bit pattern nearest to a number, ties to even; too large gives infinity, NaN the quiet NaN. */
export const numberToBfloat16 = (value: number): number => encode(value, brain16);

const tables = new Map<HalfFormat, Float32Array>();

/** Every pattern's value: decoding an array is a look-up an element. */
function table(format: HalfFormat): Float32Array {
  let found = tables.get(format);
  if (!found) {
    found = Float32Array.from({ length: 0x10000 }, (_, bits) => decode(bits, format));
    tables.set(format, found);
  }
  return found;
}

/** The value of each of the 65536 float16 patterns. */
export const float16Table = (): Float32Array => table(binary16);

/** The value of each of the 65536 bfloat16 patterns. */
export const bfloat16Table = (): Float32Array => table(brain16);

function decodeAll(bits: ArrayLike<number>, values: Float32Array): Float32Array {
  const out = new Float32Array(bits.length);
  for (let i = 0; i < out.length; i++) out[i] = values[bits[i] as number] as number;
  return out;
}

function encodeAll(values: ArrayLike<number>, format: HalfFormat): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = encode(values[i] as number, format);
  return out;
}

/** Float16 patterns as numbers, exactly. */
export const float16ArrayToFloat32 = (bits: ArrayLike<number>): Float32Array =>
  decodeAll(bits, float16Table());

/** Numbers as float16 patterns, rounded to nearest even. */
export const toFloat16Array = (values: ArrayLike<number>): Uint16Array =>
  encodeAll(values, binary16);

/** Bfloat16 patterns as numbers, exactly. */
export const bfloat16ArrayToFloat32 = (bits: ArrayLike<number>): Float32Array =>
  decodeAll(bits, bfloat16Table());

/** Numbers as bfloat16 patterns, rounded to nearest even. */
export const toBfloat16Array = (values: ArrayLike<number>): Uint16Array =>
  encodeAll(values, brain16);
