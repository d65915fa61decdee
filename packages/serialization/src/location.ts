import { Device, type DeviceLike, init, registeredDevices } from '@sconce/core';
import { FileError, quote } from './errors.js';

/**
 * Where tensors of a file go: one device for all, a table from the locations in the file (`{ 'cuda:1': 'cuda:0' }`),
 * or a function of the location, for which undefined means as without it.
 */
export type MapLocation =
  | DeviceLike
  | Readonly<Record<string, DeviceLike>>
  | ReadonlyMap<string, DeviceLike>
  | ((location: string) => DeviceLike | undefined);

/**
 * The device for tensors that were saved on `location`; without a mapping the device of that name.
 *
 * @throws FileError if the device is not registered here.
 */
export function locate(location: string, map: MapLocation | undefined): Device {
  const wanted = mapped(location, map);
  let device: Device;
  try {
    device = Device.from(wanted ?? location);
  } catch {
    throw new FileError(
      `load: ${quote(String(wanted ?? location))} is no device; pass { mapLocation: 'cpu' } to load on the cpu`,
    );
  }
  if (registeredDevices().includes(device.type)) return device;
  throw new FileError(
    wanted === undefined
      ? `load: the file's tensors were saved on '${location}', and no '${device.type}' is registered here; pass { mapLocation: 'cpu' } to load them on the cpu`
      : `load: mapLocation asks for '${device}', and no '${device.type}' is registered here (registered: ${registeredDevices().join(', ')})`,
  );
}

function mapped(location: string, map: MapLocation | undefined): DeviceLike | undefined {
  if (map === undefined || typeof map === 'string' || map instanceof Device) return map;
  if (typeof map === 'function') return map(location);
  if (map instanceof Map) return map.get(location);
  return Object.hasOwn(map, location)
    ? (map as Readonly<Record<string, DeviceLike>>)[location]
    : undefined;
}

/** As `locate`, and makes the device ready. */
export const placeFor = (location: string, map: MapLocation | undefined): Promise<Device> =>
  init(locate(location, map));

/** Devices that PyTorch knows, and so can be named in files it reads. */
const known = new Set(['cpu', 'cuda', 'mps', 'xpu']);

/** How a file names the device of a tensor: devices that PyTorch does not have become `cpu`. */
export function locationOf(device: Device, map: MapLocation | undefined): string {
  const own = device.type === 'cpu' || !known.has(device.type) ? 'cpu' : nameOf(device);
  const wanted = mapped(own, map);
  if (wanted === undefined) return own;
  const target = Device.from(wanted);
  return target.type === 'cpu' ? 'cpu' : nameOf(target);
}

/** Device types that PyTorch can name, whether tensors can be saved from them or not. */
const nameable = new Set([
  ...known,
  'meta',
  'xla',
  'hpu',
  'mtia',
  'ipu',
  'vulkan',
  'privateuseone',
]);

/** How a file names a device that is a value of its own. */
export const deviceName = (device: Device, map: MapLocation | undefined): string =>
  nameable.has(device.type) && !known.has(device.type) ? nameOf(device) : locationOf(device, map);

const nameOf = (device: Device): string => `${device.type}:${device.index}`;
