import { type DType, isFloatingPoint } from '../../dtype.js';
import { formatShape, ValueError } from '../../errors.js';
import { broadcastShapes, sameShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { to } from '../copy.js';
import { full } from '../create.js';
import { where } from '../ternary.js';

/** What all functions of `masked` take. */
export interface MaskOptions {
  /** True where elements count; broadcasts to the tensor. Default: all count. */
  mask?: Tensor | null;
  /** Convert to this dtype; default: that of the tensor. */
  dtype?: DType | null;
}

/** Options of the reductions of `masked`. */
export interface MaskedReduceOptions extends MaskOptions {
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean;
}

/** The mask as bools. @throws ValueError if it does not broadcast to the shape of `self`. */
export function checkMask(operation: string, self: Tensor, mask: Tensor): Tensor {
  const fits =
    mask.shape.length <= self.shape.length &&
    sameShape(broadcastShapes(operation, self.shape, mask.shape), self.shape);
  if (!fits) {
    throw new ValueError(
      `masked.${operation}: mask of shape ${formatShape(mask.shape)} is not broadcastable to the input's shape ${formatShape(self.shape)}`,
    );
  }
  return mask.dtype === 'bool' ? mask : to(mask, 'bool');
}

/** The tensor in the wanted dtype, with `fill` where the mask is false. */
export function filled(
  operation: string,
  self: Tensor,
  options: MaskOptions,
  fill: number | bigint,
): Tensor {
  const x = options.dtype && options.dtype !== self.dtype ? to(self, options.dtype) : self;
  if (!options.mask) return x;
  const mask = checkMask(operation, self, options.mask);
  return where(mask, x, full([], fill, { dtype: x.dtype, device: x.device }));
}

/** The bits of an integer dtype; a bool counts as one, without a sign. */
const bits: Partial<Record<DType, bigint>> = { int8: 8n, int16: 16n, int32: 32n, int64: 64n };

/** The least value of a dtype, or -inf. */
export function lowest(dtype: DType): number | bigint {
  if (isFloatingPoint(dtype)) return -Infinity;
  const size = bits[dtype];
  return size === undefined ? 0 : -(2n ** (size - 1n));
}

/** The greatest value of a dtype, or inf. */
export function highest(dtype: DType): number | bigint {
  if (isFloatingPoint(dtype)) return Infinity;
  const size = bits[dtype];
  if (size === undefined) return dtype === 'bool' ? 1 : 255;
  return 2n ** (size - 1n) - 1n;
}
