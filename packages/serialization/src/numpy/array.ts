import {
  contiguousStrides,
  type Device,
  itemSize,
  numel,
  Storage,
  type Tensor,
} from '@sconce/core';
import { FileError } from '../errors.js';
import { writeBytes } from '../io/fill.js';
import { checkedView } from '../view.js';
import type { ElementType } from './descr.js';

/** Element strides of an array whose first index runs fastest. */
export function fortranStrides(shape: readonly number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (const size of shape) {
    strides.push(step);
    step *= size;
  }
  return strides;
}

/** The strides of an array in either order. */
export const stridesOf = (shape: readonly number[], fortran: boolean): number[] =>
  fortran ? fortranStrides(shape) : contiguousStrides(shape);

/**
 * A tensor from the bytes of an array.
 *
 * @throws FileError if there are not as many as the shape asks for.
 */
export function arrayFromBytes(
  title: string,
  bytes: Uint8Array,
  { dtype, bigEndian }: ElementType,
  shape: readonly number[],
  fortran: boolean,
  device: Device,
): Tensor {
  const count = numel(shape);
  if (!Number.isSafeInteger(count) || count * itemSize(dtype) !== bytes.length) {
    throw new FileError(
      `${title}: an array of shape [${shape.slice(0, 64).join(', ')}] and dtype ${dtype} does not have ${bytes.length} bytes`,
    );
  }
  const storage = new Storage(device, dtype, count);
  writeBytes({ storage, bigEndian }, bytes);
  return checkedView(title, storage, shape, stridesOf(shape, fortran), 0);
}
