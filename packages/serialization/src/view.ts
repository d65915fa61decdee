import { itemSize, type Storage, Tensor } from '@sconce/core';
import { FileError } from './errors.js';

/** PyTorch has no tensors of more dimensions. */
const maxRank = 64;

/**
 * A tensor over part of a storage.
 *
 * @throws FileError unless sizes and strides are whole numbers that stay inside the storage.
 */
export function checkedView(
  title: string,
  storage: Storage,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Tensor {
  checkGeometry(title, storage.length, itemSize(storage.dtype), shape, strides, offset);
  return new Tensor(storage, storage.dtype, shape, strides, offset);
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) >= 0;

/** @throws FileError unless a view of `length` elements stays inside of them. */
export function checkGeometry(
  title: string,
  length: number,
  bytesPerElement: number,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): void {
  const fault = (why: string): FileError =>
    new FileError(
      `${title}: a tensor of shape [${shape.slice(0, maxRank).join(', ')}], strides [${strides.slice(0, maxRank).join(', ')}] and offset ${offset} ${why}`,
    );
  if (shape.length !== strides.length) throw fault('has not as many strides as sizes');
  if (shape.length > maxRank) throw fault(`has ${shape.length} dimensions, more than ${maxRank}`);
  if (!isCount(offset) || !shape.every(isCount) || !strides.every(isCount)) {
    throw fault('has a size, stride or offset that is negative or no whole number');
  }
  let count = 1;
  let last = offset;
  shape.forEach((size, i) => {
    count *= size;
    last += (size - 1) * (strides[i] as number);
  });
  if (count === 0) {
    if (offset > length) throw fault(`begins outside of its storage of ${length} elements`);
    return;
  }
  if (!Number.isSafeInteger(count * bytesPerElement))
    throw fault('has more elements than can be counted');
  if (!(last < length)) throw fault(`does not fit its storage of ${length} elements`);
}
