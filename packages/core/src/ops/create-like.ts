import { explaining } from '../explain.js';
import type { Scalar } from '../scalar.js';
import type { Tensor, TensorOptions } from '../tensor.js';
import { empty, emptyStrided, full, ones, type TensorData, tensor, zeros } from './create.js';

const like = (self: Tensor, options: TensorOptions): TensorOptions => ({
  dtype: self.dtype,
  device: self.device,
  ...options,
});
/** Zeros of the shape, dtype and device of another tensor. */
export const zerosLike = explaining(
  'zerosLike',
  (self: Tensor, options: TensorOptions = {}): Tensor => zeros(self.shape, like(self, options)),
);
/** Ones of the shape, dtype and device of another tensor. */
export const onesLike = explaining(
  'onesLike',
  (self: Tensor, options: TensorOptions = {}): Tensor => ones(self.shape, like(self, options)),
);
/** `value` in the shape, dtype and device of another tensor. */
export const fullLike = explaining(
  'fullLike',
  (self: Tensor, value: Scalar, options: TensorOptions = {}): Tensor =>
    full(self.shape, value, like(self, options)),
);
/** Unspecified content in the shape, dtype and device of another tensor. */
export const emptyLike = explaining(
  'emptyLike',
  (self: Tensor, options: TensorOptions = {}): Tensor => empty(self.shape, like(self, options)),
);

/** A tensor of the given values with the dtype and device of `self`. */
export const newTensor = explaining(
  'newTensor',
  (self: Tensor, data: TensorData, options: TensorOptions = {}): Tensor =>
    tensor(data, like(self, options)),
);
/** Zeros of a shape with the dtype and device of `self`. */
export const newZeros = explaining(
  'newZeros',
  (self: Tensor, shape: readonly number[], options: TensorOptions = {}): Tensor =>
    zeros(shape, like(self, options)),
);
/** Ones of a shape with the dtype and device of `self`. */
export const newOnes = explaining(
  'newOnes',
  (self: Tensor, shape: readonly number[], options: TensorOptions = {}): Tensor =>
    ones(shape, like(self, options)),
);
/** `value` in a shape with the dtype and device of `self`. */
export const newFull = explaining(
  'newFull',
  (self: Tensor, shape: readonly number[], value: Scalar, options: TensorOptions = {}): Tensor =>
    full(shape, value, like(self, options)),
);
/** Unspecified content of a shape with the dtype and device of `self`. */
export const newEmpty = explaining(
  'newEmpty',
  (self: Tensor, shape: readonly number[], options: TensorOptions = {}): Tensor =>
    empty(shape, like(self, options)),
);
/** Unspecified content of a shape and strides with the dtype and device of `self`. */
export const newEmptyStrided = explaining(
  'newEmptyStrided',
  (
    self: Tensor,
    shape: readonly number[],
    strides: readonly number[],
    options: TensorOptions = {},
  ): Tensor => emptyStrided(shape, strides, like(self, options)),
);
