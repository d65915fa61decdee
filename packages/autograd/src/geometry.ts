import type { Device, DType, Tensor } from '@sconce/core';

/** What remains of a tensor whose values are not kept: all that shapes a gradient. */
export interface Geometry {
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
  readonly dtype: DType;
  readonly device: Device;
}

/** The geometry of a tensor; holds no memory of it. */
export const geometryOf = (t: Tensor): Geometry => ({
  shape: t.shape,
  strides: t.strides,
  offset: t.offset,
  dtype: t.dtype,
  device: t.storage.device,
});
