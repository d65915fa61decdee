import type { DType, SortPrimitive, View } from '@sconce/core';
import type { CpuBuffer, LinearMemory } from './memory.js';

type Memory = Pick<LinearMemory, 'buffer'>;

/**
 * Sorts the rows of a view on the host, stably, with NaN as the greatest: by radix where elements map to 32-bit keys in
 * the same order, by merging otherwise.
 */
export function runSort(
  { descending, input, values, indices }: SortPrimitive,
  memory: Memory,
): void {
  const size = input.shape.at(-1) ?? 1;
  if (size === 0 || input.shape.includes(0)) return;
  const column = input.strides.at(-1) ?? 1;
  const from = elements(input, memory);
  const to = elements(values, memory);
  const places = elements(indices, memory) as BigInt64Array;
  const sorter = sorterFor(input.dtype, size, descending);
  const row = from.slice(0, size) as Elements;
  const [toColumn, placeColumn] = [values.strides.at(-1) ?? 1, indices.strides.at(-1) ?? 1];
  eachRow(input, values, indices, (a, b, c) => {
    for (let i = 0; i < size; i++) row[i] = from[a + i * column] as never;
    const order = sorter(row);
    for (let i = 0; i < size; i++) {
      const place = order[i] as number;
      to[b + i * toColumn] = row[place] as never;
      places[c + i * placeColumn] = BigInt(place);
    }
  });
}

type Elements =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | BigInt64Array;

const arrays: Record<DType, new (buffer: ArrayBufferLike, at: number) => Elements> = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  bool: Uint8Array,
};

const elements = ({ storage, dtype }: View, memory: Memory): Elements =>
  new arrays[dtype](memory.buffer, (storage.buffer as CpuBuffer).pointer);

/** Calls `visit` with the offsets of each row in the three views. */
function eachRow(
  x: View,
  y: View,
  z: View,
  visit: (x: number, y: number, z: number) => void,
): void {
  const outer = Math.max(x.shape.length - 1, 0);
  const index = new Array<number>(outer).fill(0);
  let [a, b, c] = [x.offset, y.offset, z.offset];
  for (;;) {
    visit(a, b, c);
    let d = outer - 1;
    for (; d >= 0; d--) {
      const next = ((index[d] as number) + 1) % (x.shape[d] as number);
      const moved = next - (index[d] as number);
      index[d] = next;
      a += moved * (x.strides[d] as number);
      b += moved * (y.strides[d] as number);
      c += moved * (z.strides[d] as number);
      if (next !== 0) break;
    }
    if (d < 0) return;
  }
}

type Sorter = (row: Elements) => Int32Array;

function sorterFor(dtype: DType, size: number, descending: boolean): Sorter {
  if (dtype === 'float64' || dtype === 'int64') return mergeSorter(size, descending);
  const fill = keysOf(dtype);
  const keys = new Int32Array(size);
  const radix = radixSorter(size);
  return (row) => {
    fill(row, keys);
    // The complement turns the order around and leaves equals equal, so stability is kept.
    if (descending) for (let i = 0; i < size; i++) keys[i] = ~(keys[i] as number);
    return radix(keys);
  };
}

/** How elements of a dtype become int32 of the same order, NaN the greatest and the zeros equal. */
function keysOf(dtype: DType): (row: Elements, keys: Int32Array) => void {
  if (dtype === 'float32') {
    return (row, keys) => {
      const bits = new Int32Array(row.buffer, row.byteOffset, row.length);
      for (let i = 0; i < keys.length; i++) keys[i] = floatKey(bits[i] as number, 0x7f800000);
    };
  }
  if (dtype === 'float16' || dtype === 'bfloat16') {
    const infinity = (dtype === 'float16' ? 0x7c00 : 0x7f80) << 16;
    return (row, keys) => {
      for (let i = 0; i < keys.length; i++) keys[i] = floatKey((row[i] as number) << 16, infinity);
    };
  }
  return (row, keys) => {
    for (let i = 0; i < keys.length; i++) keys[i] = row[i] as number;
  };
}

function floatKey(bits: number, infinity: number): number {
  const magnitude = bits & 0x7fffffff;
  if (magnitude > infinity) return 0x7fffffff;
  return bits < 0 ? -magnitude : magnitude;
}

/** Indices in the order of their keys: three passes of 11 bits, or insertion for a few. */
function radixSorter(size: number): (keys: Int32Array) => Int32Array {
  let order = new Int32Array(size);
  if (size <= 48) {
    return (keys) => {
      for (let i = 0; i < size; i++) {
        const key = keys[i] as number;
        let j = i - 1;
        while (j >= 0 && (keys[order[j] as number] as number) > key) {
          order[j + 1] = order[j] as number;
          j--;
        }
        order[j + 1] = i;
      }
      return order;
    };
  }
  let spare = new Int32Array(size);
  const counts = new Int32Array(3 * 2048);
  return (keys) => {
    counts.fill(0);
    for (let i = 0; i < size; i++) {
      const key = (keys[i] as number) ^ 0x80000000;
      (counts[key & 2047] as number)++;
      (counts[2048 + ((key >>> 11) & 2047)] as number)++;
      (counts[4096 + (key >>> 22)] as number)++;
      order[i] = i;
    }
    for (let pass = 0; pass < 3; pass++) {
      const at = counts.subarray(pass * 2048, (pass + 1) * 2048);
      const shift = pass * 11;
      // A digit that all keys share needs no pass.
      if (at[(((keys[0] as number) ^ 0x80000000) >>> shift) & 2047] === size) continue;
      let sum = 0;
      for (let d = 0; d < 2048; d++) {
        const count = at[d] as number;
        at[d] = sum;
        sum += count;
      }
      for (let i = 0; i < size; i++) {
        const index = order[i] as number;
        const digit = (((keys[index] as number) ^ 0x80000000) >>> shift) & 2047;
        spare[(at[digit] as number)++] = index;
      }
      [order, spare] = [spare, order];
    }
    return order;
  };
}

/** Indices in the order of 64-bit elements: NaNs set apart, the others merged bottom-up. */
function mergeSorter(size: number, descending: boolean): Sorter {
  let order = new Int32Array(size);
  let spare = new Int32Array(size);
  const result = new Int32Array(size);
  return (row) => {
    let count = 0;
    let nans = 0;
    for (let i = 0; i < size; i++) {
      // biome-ignore lint/suspicious/noSelfCompare: only NaN differs from itself
      if (row[i] !== row[i]) result[nans++] = i;
      else order[count++] = i;
    }
    for (let width = 1; width < count; width *= 2) {
      for (let low = 0; low < count; low += 2 * width) {
        const middle = Math.min(low + width, count);
        const high = Math.min(low + 2 * width, count);
        let [i, j] = [low, middle];
        for (let k = low; k < high; k++) {
          const left = order[i] as number;
          const right = order[j] as number;
          const x = row[left] as number;
          const y = row[right] as number;
          const takeLeft = i < middle && (j >= high || (descending ? x >= y : x <= y));
          spare[k] = takeLeft ? left : right;
          if (takeLeft) i++;
          else j++;
        }
      }
      [order, spare] = [spare, order];
    }
    if (nans === 0) return order;
    const nanPlaces = result.slice(0, nans);
    result.set(order.subarray(0, count), descending ? nans : 0);
    result.set(nanPlaces, descending ? 0 : count);
    return result;
  };
}
