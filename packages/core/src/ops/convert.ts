import type { DType } from '../dtype.js';
import type { Tensor } from '../tensor.js';
import { type CloneOptions, to } from './copy.js';
import { contiguous } from './view.js';

type Converter = (self: Tensor, options?: CloneOptions) => Tensor;

const converter =
  (dtype: DType): Converter =>
  (self, options) => {
    const result = to(self, dtype);
    return options?.memoryFormat === 'contiguous' ? contiguous(result) : result;
  };

/** As float32. */
export const float: Converter = converter('float32');
/** As float64. */
export const double: Converter = converter('float64');
/** As float16. */
export const half: Converter = converter('float16');
/** As bfloat16. */
export const bfloat16: Converter = converter('bfloat16');
/** As int64. */
export const long: Converter = converter('int64');
/** As int32. */
export const int: Converter = converter('int32');
/** As int16. */
export const short: Converter = converter('int16');
/** As int8. */
export const char: Converter = converter('int8');
/** As uint8. */
export const byte: Converter = converter('uint8');
/** As bool: whether nonzero. */
export const bool: Converter = converter('bool');
/** On the cpu. Devices that can only be read asynchronously need `await t.toAsync('cpu')`. */
export const cpu = (self: Tensor): Tensor => to(self, 'cpu');
/** With the dtype of another tensor. */
export const typeAs = (self: Tensor, other: Tensor): Tensor => to(self, other.dtype);
