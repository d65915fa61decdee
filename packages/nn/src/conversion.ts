import {
  type DeviceLike,
  type DType,
  isFloatingPoint,
  type Tensor,
  type ToOptions,
  toTarget,
} from '@sconce/core';

/** What `Module.to` takes. */
export type Target = DType | DeviceLike | ToOptions;

/** What `target` asks of one parameter or buffer: a dtype applies to floating-point ones only. */
export function wanted(t: Tensor, target: Target): ToOptions {
  const { dtype, device } = toTarget(target);
  return { dtype: isFloatingPoint(t.dtype) ? dtype : undefined, device };
}
