import { takes } from './arguments.js';
import type { Backend, DeviceOptions } from './backend.js';
import type { DeviceProperties } from './device-queries.js';
import { RuntimeError } from './errors.js';
import { InterpreterBackend } from './interpreter/interpreter-backend.js';
import { signatures } from './signatures.js';

/**
 * The types of devices that can be written as literals. A package that brings another adds it, as does a program with a
 * backend of its own.
 *
 * @example
 * declare module '@sconce/core' {
 *   interface DeviceTypes { mine: true }
 * }
 */
export interface DeviceTypes {
  cpu: true;
  reference: true;
  webgpu: true;
}

/** A device by its name: its type, and for several of one type the number: `'cpu'`, `'webgpu:1'`. */
export type DeviceName = keyof DeviceTypes | `${keyof DeviceTypes}:${number}`;

/** A device, or its name; one that is only known at run time is `Device.from(name)`. */
export type DeviceLike = DeviceName | Device;

/** What GPUs are called elsewhere. */
const elsewhere = ['cuda', 'gpu', 'mps', 'xpu'];

/** Whether a name is that of a device here, or of one that others have, for which there is a better message. */
export function isDeviceName(name: string): name is DeviceName {
  const type = name.replace(/:\d{1,4}$/, '');
  return providers.has(type) || type === 'webgpu' || elsewhere.includes(type);
}

/** How to have a device that is not registered. */
function wayTo(type: string): string {
  if (elsewhere.includes(type))
    return "GPUs of every maker are the device 'webgpu', of '@sconce/backend-webgpu'";
  const known = type === 'cpu' || type === 'webgpu' ? `, '@sconce/backend-${type}'` : '';
  return `import the package that provides it${known}`;
}

function unregistered(type: string): RuntimeError {
  const names = [...providers.keys()].map((n) => `'${n}'`).join(', ') || 'none';
  return new RuntimeError(
    `device '${type}' is not registered (registered: ${names}); ${wayTo(type)}`,
  );
}

/**
 * A place where tensors live and computations run.
 *
 * @example Device.from('webgpu:1').index // 1
 * @see https://pytorch.org/docs/stable/tensor_attributes.html#torch.device
 */
export class Device {
  readonly type: string;
  readonly index: number;
  #backend: Backend | undefined;

  private constructor(type: string, index: number) {
    this.type = type;
    this.index = index;
  }

  static #known = new Map<string, Device>();

  /**
   * The one Device object of that name.
   *
   * @throws RuntimeError if the name is malformed.
   */
  static from(device: DeviceLike | string): Device {
    if (typeof device !== 'string') return device;
    const known = Device.#known.get(device);
    if (known) return known;
    const match = /^([a-z][a-z0-9_]*)(?::(\d{1,4}))?$/.exec(device);
    if (!match) {
      throw new RuntimeError(
        `device: '${device}' is not a device name such as 'cpu', 'webgpu' or 'webgpu:1'`,
      );
    }
    const type = match[1] as string;
    const index = Number(match[2] ?? 0);
    const canonical = index === 0 ? type : `${type}:${index}`;
    const made = Device.#known.get(canonical) ?? new Device(type, index);
    Device.#known.set(canonical, made);
    Device.#known.set(device, made);
    return made;
  }

  /**
   * The running backend of this device.
   *
   * @throws RuntimeError if none is registered, or it must be prepared first with `await init(device)`.
   */
  get backend(): Backend {
    if (this.#backend) return this.#backend;
    const provider = providers.get(this.type);
    if (!provider) {
      throw unregistered(this.type);
    }
    if (!provider.open) {
      throw new RuntimeError(
        `device '${this.toString()}' is not ready: call \`await init('${this.toString()}')\` once before using it`,
      );
    }
    this.#backend = provider.open(this.index);
    return this.#backend;
  }

  /** Whether `backend` can be had at once. */
  get ready(): boolean {
    return this.#backend !== undefined || providers.get(this.type)?.open !== undefined;
  }

  /** @internal */
  attach(backend: Backend | undefined): void {
    this.#backend = backend;
  }

  /** @internal */
  get attached(): Backend | undefined {
    return this.#backend;
  }

  toString(): string {
    return this.index === 0 ? this.type : `${this.type}:${this.index}`;
  }
}

/** How a backend package makes a device available. */
export interface BackendProvider {
  /** Opens at once; absent where opening is asynchronous. */
  open?(index: number): Backend;
  /** Opens asynchronously; rejects with a sentence on what is missing. */
  openAsync?(index: number): Promise<Backend>;
  /** The devices the machine has, without opening them and without a word on the console; none where it has none. */
  list?(): Promise<readonly DeviceProperties[]>;
}

// Registered here and not by an import for its effect alone, which bundlers may drop.
const interpreter: BackendProvider = { open: () => new InterpreterBackend() };
const providers = new Map([
  ['cpu', interpreter],
  ['reference', interpreter],
]);

/**
 * Makes a device type available under a name; a later registration replaces an earlier one for devices not yet opened.
 *
 * @example registerBackend('cpu', { open: () => new CpuBackend() });
 */
export function registerBackend(type: string, provider: BackendProvider): void {
  takes('registerBackend', signatures.registerBackend, arguments);
  providers.set(type, provider);
}

/** How devices of a type are opened, if a package has registered it. */
export const providerOf = (type: string): BackendProvider | undefined => providers.get(type);

/** The registered device types. */
export const registeredDevices = (): string[] => [...providers.keys()];

const opening = new Map<Device, Promise<Device>>();

/**
 * Prepares a device that opens asynchronously (`webgpu`), and returns it; at once for one that is ready.
 *
 * @param options how it is to work; may be given for a device that is open already, and stays as it is where left out.
 * @throws RuntimeError if the device is not registered or the machine lacks it.
 * @example
 * const device = await init('webgpu');
 * await init('webgpu', { fallback: true }); // what it cannot run is computed on the host, with a warning
 */
export async function init(device: DeviceLike, options?: DeviceOptions): Promise<Device> {
  takes('init', signatures.init, arguments);
  const target = await open(Device.from(device));
  if (options) target.backend.configure?.(options);
  return target;
}

function open(target: Device): Promise<Device> {
  if (target.attached) return Promise.resolve(target);
  const under = opening.get(target);
  if (under) return under;
  const provider = providers.get(target.type);
  const work = (async () => {
    if (provider?.openAsync) target.attach(await provider.openAsync(target.index));
    else void target.backend; // throws what is wrong
    return target;
  })().finally(() => opening.delete(target));
  opening.set(target, work);
  return work;
}

let current: Device | undefined;

/** The device creation functions use when none is given; `cpu` unless set. */
export const getDefaultDevice = (): Device => (current ??= Device.from('cpu'));

/** Sets the device that creation functions use when none is given. */
export function setDefaultDevice(device: DeviceLike): void {
  takes('setDefaultDevice', signatures.setDefaultDevice, arguments);
  const { type } = Device.from(device);
  if (!providers.has(type)) throw unregistered(type);
  current = Device.from(device);
}
