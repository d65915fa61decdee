import { takes } from './arguments.js';
import {
  Device,
  type DeviceLike,
  type DeviceName,
  getDefaultDevice,
  init,
  providerOf,
} from './device.js';
import { RuntimeError } from './errors.js';
import { signatures } from './signatures.js';

/** What is known of a device before it is opened. */
export interface DeviceProperties {
  readonly type: string;
  readonly index: number;
  /** What the hardware is called, as far as it says. */
  readonly name: string;
  readonly vendor?: string;
  readonly architecture?: string;
  /** Whether it is a processor that stands in for a GPU. */
  readonly software?: boolean;
  /** Cores of a processor. */
  readonly cores?: number;
  /** Bytes of memory there are, where the platform tells. */
  readonly totalMemory?: number;
  /** Bytes of the largest tensor. */
  readonly maxTensorBytes?: number;
}

/** What there is of a type; nothing where it is not registered, or the machine lacks it. */
async function listed(type: string): Promise<readonly DeviceProperties[]> {
  const provider = providerOf(type);
  if (!provider) return [];
  if (provider.list) return provider.list();
  const only = [{ type, index: 0, name: type }];
  if (provider.open) return only;
  // What can only be opened to find out.
  try {
    await init(Device.from(type));
    return only;
  } catch {
    return [];
  }
}

/**
 * Whether a type of device can be used here; never throws, and opens nothing that says without.
 *
 * @example const device = await init((await isAvailable('webgpu')) ? 'webgpu' : 'cpu');
 * @see https://pytorch.org/docs/stable/generated/torch.cuda.is_available.html
 */
export async function isAvailable(type: DeviceName | (string & {})): Promise<boolean> {
  takes('isAvailable', signatures.isAvailable, arguments);
  return (await deviceCount(type)) > 0;
}

/**
 * How many devices of a type the machine has: 0 where it has none or no package provides them. WebGPU shows one GPU, or two
 * where a machine has a fast and an economical one. That each can be opened twice is not counted.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.cuda.device_count.html
 */
export async function deviceCount(type: DeviceName | (string & {})): Promise<number> {
  takes('deviceCount', signatures.deviceCount, arguments);
  return (await listed(type)).length;
}

/**
 * What a device is.
 *
 * @throws RuntimeError if the machine has no such device.
 * @see https://pytorch.org/docs/stable/generated/torch.cuda.get_device_properties.html
 * @example (await deviceProperties('webgpu')).name // 'NVIDIA GeForce RTX 4070'
 */
export async function deviceProperties(device: DeviceLike): Promise<DeviceProperties> {
  takes('deviceProperties', signatures.deviceProperties, arguments);
  const { type, index } = Device.from(device);
  const all = await listed(type);
  // Further devices of a type share the hardware of the first ones.
  const found = all[index % all.length];
  if (!found) {
    throw new RuntimeError(`deviceProperties: there is no device '${type}' here`);
  }
  return { ...found, index };
}

/**
 * What a device calls itself.
 *
 * @throws RuntimeError if the machine has no such device.
 * @see https://pytorch.org/docs/stable/generated/torch.cuda.get_device_name.html
 */
export async function deviceName(device: DeviceLike): Promise<string> {
  takes('deviceName', signatures.deviceName, arguments);
  return (await deviceProperties(device)).name;
}

/** The device that creation functions use now: as `getDefaultDevice`. */
export function currentDevice(): Device {
  takes('currentDevice', signatures.currentDevice, arguments);
  return getDefaultDevice();
}
