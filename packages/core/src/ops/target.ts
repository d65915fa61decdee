import { takes } from '../arguments.js';
import { Device, type DeviceLike, isDeviceName, registeredDevices } from '../device.js';
import { checkDType, type DType, dtypes, isDType } from '../dtype.js';
import { kindOf } from '../errors.js';
import { Tensor } from '../tensor.js';
import type { ToOptions } from './copy.js';

/** What may stand after the target of `to`. */
export interface ToExtras {
  /** Copy even if nothing changes; default false. */
  copy?: boolean;
}

/** The arguments of `to`: a dtype, a device and perhaps a dtype, a tensor that has both, or both by name. */
export type ToArguments =
  | [target: DType | DeviceLike | Tensor | ToOptions, extras?: ToExtras]
  | [device: DeviceLike, dtype: DType, extras?: ToExtras];

/** The forms of `to`, which types give as a union: with everything by name, and with a target in front. */
const byName = '{dtype:D device:@Device|s copy:b}';
const inOrder = 'target:s|T|@Device {copy:b} | device:s|@Device dtype:D {copy:b}';

/**
 * What `to` was asked for, with its parts named.
 *
 * @throws TypeError if it is neither a dtype, a device, a tensor nor options.
 */
export function toTarget(...args: ToArguments): ToOptions {
  const [target, second, third] = args;
  const parts = partsOf(target);
  if (typeof second === 'string') {
    const dtype = checkDType('to', second);
    if (parts.device === undefined || parts.dtype !== undefined) {
      throw new TypeError(
        `to: a second dtype can only follow a device, as in to('cpu', 'float64'); got '${second}' after ${typeof target === 'string' ? `'${target}'` : kindOf(target)}`,
      );
    }
    takes('to', inOrder, args);
    return { ...parts, dtype, ...third };
  }
  takes('to', parts === target ? byName : inOrder, args);
  return second === undefined ? parts : { ...parts, ...second };
}

function partsOf(target: DType | DeviceLike | Tensor | ToOptions): ToOptions {
  if (typeof target === 'string') {
    if (isDType(target)) return { dtype: target };
    if (isDeviceName(target)) return { device: target };
    throw new TypeError(
      `to: '${target}' is neither a dtype (${dtypes.join(', ')}) nor a device (${registeredDevices().join(', ')})`,
    );
  }
  if (target instanceof Tensor) return { dtype: target.dtype, device: target.device };
  if (target instanceof Device) return { device: target };
  if (typeof target !== 'object' || target === null) {
    throw new TypeError(
      `to: expected a dtype, a device, a tensor or { dtype, device }, got ${kindOf(target)}`,
    );
  }
  if (target.dtype !== undefined) checkDType('to', target.dtype);
  return target;
}
