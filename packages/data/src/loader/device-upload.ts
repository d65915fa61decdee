import { type Device, fromTypedArray, Tensor } from '@sconce/core';
import { hostView } from '../host.js';

/** A value with its tensors on a device; the transfers overlap with what the device is doing. */
export function toDevice(value: unknown, device: Device): unknown {
  if (value instanceof Tensor) {
    if (value.device === device) return value;
    const data = hostView(value);
    // The device's queue takes the elements from where they lie.
    if (!data || !device.backend.supports(value.dtype)) return value.to(device);
    return fromTypedArray(data, value.shape, { dtype: value.dtype, device });
  }
  if (Array.isArray(value)) return value.map((x) => toDevice(x, device));
  if (value === null || typeof value !== 'object') return value;
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, toDevice(x, device)]));
}
