import { contiguousStrides, itemSize, type Tensor } from '@sconce/core';
import { type Contents, contentsOf, snapshotOf } from '../io/contents.js';
import { fortranStrides } from './array.js';
import { npyHeader } from './header.js';

/** An array as it goes into a `.npy` file. */
export interface NpyArray {
  readonly header: Uint8Array;
  readonly contents: Contents;
}

/** Whether strides are those of a dense array; a dimension of one element may have any. */
function dense(tensor: Tensor, strides: readonly number[]): boolean {
  return tensor.shape.every((size, i) => size === 1 || tensor.strides[i] === strides[i]);
}

/**
 * The header and the elements of a tensor; one whose first index runs fastest is written in Fortran order as it lies.
 *
 * @throws FileError for bfloat16, which NumPy has not.
 */
export function npyArray(tensor: Tensor, snapshot: boolean): NpyArray {
  const fortran =
    !dense(tensor, contiguousStrides(tensor.shape)) && dense(tensor, fortranStrides(tensor.shape));
  const header = npyHeader(tensor.dtype, tensor.shape, fortran);
  const order = tensor.shape.map((_, i) => tensor.shape.length - 1 - i);
  const rows = fortran ? tensor.detach().permute(order) : tensor.detach();
  return { header, contents: denseContents(rows, snapshot) };
}

/** The elements of a tensor in row-major order: as they are when asked for, or as they are now. */
export function denseContents(tensor: Tensor, snapshot: boolean): Contents {
  const source = tensor.detach();
  if (source.isContiguous() && source.numel() === source.storage.length) {
    return snapshot ? snapshotOf(source.storage) : contentsOf(source.storage);
  }
  const copied = snapshot ? denseCopy(source) : undefined;
  return {
    bytes: source.numel() * itemSize(source.dtype),
    async forEach(use) {
      const copy = copied ?? denseCopy(source);
      await contentsOf(copy.storage).forEach(use);
      copy.dispose();
    },
  };
}

const denseCopy = (tensor: Tensor): Tensor =>
  tensor.isContiguous() ? tensor.clone() : tensor.contiguous();
