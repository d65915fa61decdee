import {
  type DeviceLike,
  type DType,
  isFloatingPoint,
  type Tensor,
  type ToOptions,
  to,
} from '@sconce/core';

/** What `Module.to` takes. */
export type Target = DType | DeviceLike | ToOptions;

/** A target with its parts named. */
export const targetOf = (target: Target): ToOptions => {
  if (typeof target === 'string') return isDType(target) ? { dtype: target } : { device: target };
  return 'type' in target ? { device: target } : target;
};
const isDType = (x: string): x is DType => /^(b?float(16|32|64)|u?int(8|16|32|64)|bool)$/.test(x);

/** A parameter or buffer where `target` says; a dtype applies to floating-point ones only. */
export function moved(t: Tensor, target: Target): Tensor {
  const { dtype, device } = targetOf(target);
  return to(t.detach(), { dtype: isFloatingPoint(t.dtype) ? dtype : undefined, device });
}
