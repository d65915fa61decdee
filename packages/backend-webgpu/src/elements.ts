import {
  bfloat16ArrayToFloat32,
  type DType,
  float16ArrayToFloat32,
  type TypedArray,
  toFloat16Array,
  typedArray,
  ValueError,
} from '@sconce/core';

/**
 * Host elements as the words a WebGPU buffer holds: four bytes each. float16 and bfloat16 are
 * widened to float32, integers and bools to int32.
 *
 * @param wrap whether int64 wrap at 32 bits, as in arithmetic on the device
 * @throws ValueError if an int64 does not fit in int32, unless they wrap.
 */
export function toWords(dtype: DType, data: TypedArray, wrap = false): Float32Array | Int32Array {
  switch (dtype) {
    case 'float32':
      return data as Float32Array;
    case 'int32':
      return data as Int32Array;
    case 'float16':
      return float16ArrayToFloat32(data as Uint16Array);
    case 'bfloat16':
      return bfloat16ArrayToFloat32(data as Uint16Array);
    case 'int64': {
      const source = data as BigInt64Array;
      const words = new Int32Array(source.length);
      if (wrap) {
        const halves = new Int32Array(source.buffer, source.byteOffset, 2 * source.length);
        for (let i = 0; i < words.length; i++) words[i] = halves[2 * i] as number;
        return words;
      }
      for (let i = 0; i < source.length; i++) {
        const value = source[i] as bigint;
        const narrowed = Number(value) | 0;
        if (BigInt(narrowed) !== value) {
          throw new ValueError(
            `webgpu: int64 is held as int32 there, and element ${i}, ${value}, does not fit; keep this tensor on the cpu, or convert it to float32`,
          );
        }
        words[i] = narrowed;
      }
      return words;
    }
    default:
      return Int32Array.from(data as Int16Array);
  }
}

/** The words of a WebGPU buffer as host elements; the inverse of `toWords`. */
export function fromWords(dtype: DType, bytes: ArrayBuffer): TypedArray {
  const ints = new Int32Array(bytes);
  switch (dtype) {
    case 'float32':
      return new Float32Array(bytes);
    case 'int32':
      return ints;
    case 'float16':
      return toFloat16Array(new Float32Array(bytes));
    case 'bfloat16':
      return Uint16Array.from(new Uint32Array(bytes), (bits) => bits >>> 16);
    case 'int64': {
      const result = new BigInt64Array(ints.length);
      // Two halves are several times faster than one BigInt an element.
      const halves = new Int32Array(result.buffer);
      for (let i = 0; i < ints.length; i++) {
        const value = ints[i] as number;
        halves[2 * i] = value;
        halves[2 * i + 1] = value >> 31;
      }
      return result;
    }
    default: {
      const result = typedArray(dtype, ints.length);
      (result as Int16Array).set(ints);
      return result;
    }
  }
}
