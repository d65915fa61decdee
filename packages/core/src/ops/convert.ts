import type { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { to } from './copy.js';

const converter =
  (dtype: DType) =>
  (self: Tensor): Tensor =>
    to(self, dtype);

/** As float32. */
export const float: (self: Tensor) => Tensor = converter('float32');
/** As float64. */
export const double: (self: Tensor) => Tensor = converter('float64');
/** As float16. */
export const half: (self: Tensor) => Tensor = converter('float16');
/** As bfloat16. */
export const bfloat16: (self: Tensor) => Tensor = converter('bfloat16');
/** As int64. */
export const long: (self: Tensor) => Tensor = converter('int64');
/** As int32. */
export const int: (self: Tensor) => Tensor = converter('int32');
/** As int16. */
export const short: (self: Tensor) => Tensor = converter('int16');
/** As int8. */
export const char: (self: Tensor) => Tensor = converter('int8');
/** As uint8. */
export const byte: (self: Tensor) => Tensor = converter('uint8');
/** As bool: whether nonzero. */
export const bool: (self: Tensor) => Tensor = converter('bool');
/** On the cpu. Devices that can only be read asynchronously need `await t.toAsync('cpu')`. */
export const cpu = (self: Tensor): Tensor => to(self, 'cpu');
/** With the dtype of another tensor. */
export const typeAs = (self: Tensor, other: Tensor): Tensor => to(self, other.dtype);
