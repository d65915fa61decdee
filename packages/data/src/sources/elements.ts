import {
  type DType,
  fromTypedArray,
  itemSize,
  type Tensor,
  type TypedArray,
  typedArrayOver,
} from '@sconce/core';

/** Bytes as elements of a dtype, in memory of their own; of big-endian order if said. */
export function elementsOf(bytes: Uint8Array, dtype: DType, bigEndian = false): TypedArray {
  const size = itemSize(dtype);
  const own = bytes.slice();
  // Machines that run JavaScript are little-endian.
  if (bigEndian && size > 1)
    for (let at = 0; at < own.length; at += size) own.subarray(at, at + size).reverse();
  return typedArrayOver(dtype, own.buffer, 0, own.length / size);
}

/** Bytes as a tensor on the CPU. */
export const tensorOfBytes = (
  bytes: Uint8Array,
  dtype: DType,
  shape: readonly number[],
  bigEndian = false,
): Tensor => fromTypedArray(elementsOf(bytes, dtype, bigEndian), shape, { dtype, device: 'cpu' });
