import {
  type DeviceLike,
  type DType,
  isFloatingPoint,
  type Tensor,
  type ToOptions,
  toTarget,
} from '@sconce/core';

/** What `Module.to` takes: a tensor stands for its dtype and device. */
export type Target = DType | DeviceLike | Tensor | ToOptions;

/**
 * What `target` asks of each parameter or buffer: a dtype applies to floating-point ones only.
 *
 * @throws TypeError if that dtype is none for parameters.
 */
export function wanted(target: Target): (t: Tensor) => ToOptions {
  const { dtype, device } = toTarget(target);
  if (dtype !== undefined && !isFloatingPoint(dtype)) {
    throw new TypeError(
      `to: a module takes floating-point dtypes only, got ${dtype}; type('${dtype}') converts every parameter and buffer`,
    );
  }
  return (t) => ({ dtype: isFloatingPoint(t.dtype) ? dtype : undefined, device });
}
