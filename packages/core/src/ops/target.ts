import { Device, type DeviceLike } from '../device.js';
import { type DType, isDType } from '../dtype.js';
import { Tensor } from '../tensor.js';
import type { ToOptions } from './copy.js';

/** What `to` was asked for, with its parts named. */
export function toTarget(target: DType | DeviceLike | Tensor | ToOptions): ToOptions {
  if (typeof target === 'string') return isDType(target) ? { dtype: target } : { device: target };
  if (target instanceof Tensor) return { dtype: target.dtype, device: target.device };
  if (target instanceof Device) return { device: target };
  return target;
}
