import { Device, type DeviceProperties, init, registerBackend } from '@sconce/core';
import { findAdapter, findAdapters, findGpu, nameOf } from './gpu.js';
import { hasDriver } from './vulkan.js';
import { WebGpuBackend, type WebGpuOptions } from './webgpu-backend.js';

export { WebGpuBackend, type WebGpuOptions } from './webgpu-backend.js';

/** The limits that kernels gain from, raised to what the adapter has. */
const raised = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
] as const;

/** Adapters that run on the CPU, where shared memory costs more than it saves. */
const software = /swiftshader|llvmpipe|lavapipe|basic render|cpu/i;

const isSoftware = ({ info: { vendor, architecture, description } }: GPUAdapter): boolean =>
  software.test(`${vendor} ${architecture} ${description}`);

/**
 * The GPUs that WebGPU shows here, without opening them; none where there is no WebGPU.
 *
 * @example (await webGpuDevices()).map(({ name }) => name)
 */
export async function webGpuDevices(): Promise<DeviceProperties[]> {
  let adapters: GPUAdapter[];
  try {
    // Dawn says on the console that there is no driver.
    adapters = hasDriver() ? await findAdapters(await findGpu()) : [];
  } catch {
    return [];
  }
  return adapters.map((adapter, index) => ({
    type: 'webgpu',
    index,
    name: nameOf(adapter),
    vendor: adapter.info.vendor,
    architecture: adapter.info.architecture,
    software: isSoftware(adapter),
    maxTensorBytes: Math.min(
      adapter.limits.maxStorageBufferBindingSize,
      adapter.limits.maxBufferSize,
    ),
  }));
}

/**
 * Opens a WebGPU device: the browser's, or in Node that of the npm package `webgpu`. Importing this
 * package registers it as `webgpu`, so that `await init('webgpu')` does this.
 *
 * @param name what it is called in messages; a number at its end (`webgpu:1`) says which device: of `n` GPUs, `n` and up is a
 * second device on each, with a queue and memory of its own.
 *
 * @param options what is to differ from what suits the adapter
 * @throws RuntimeError that says what is missing.
 */
export async function openWebGpu(
  name = 'webgpu',
  options: Partial<WebGpuOptions> = {},
): Promise<WebGpuBackend> {
  const adapter = await findAdapter(await findGpu(), Number(/:(\d+)$/.exec(name)?.[1] ?? 0));
  const requiredLimits: Record<string, number> = {};
  for (const limit of raised) requiredLimits[limit] = adapter.limits[limit];
  const device = await adapter.requestDevice({ label: 'sconce', requiredLimits });
  const tiles = options.tiles ?? !isSoftware(adapter);
  const backend = new WebGpuBackend(device, name, { ...options, tiles });
  endWithProcess(backend);
  return backend;
}

const running = new Set<WebGpuBackend>();
let listening = false;

/** Dawn may crash at the end of a Node process that leaves devices open. */
function endWithProcess(backend: WebGpuBackend): void {
  if (!listening && typeof process !== 'undefined') {
    listening = true;
    process.once?.('exit', () => {
      for (const each of running) each.destroy();
    });
  }
  running.add(backend);
  void backend.device.lost.then(() => running.delete(backend));
}

/**
 * Opens a device anew after it was lost; tensors that lived on it stay lost.
 *
 * @example await reopen('webgpu')
 */
export async function reopen(name = 'webgpu'): Promise<Device> {
  const device = Device.from(name);
  const before = device.attached;
  device.attach(undefined);
  if (!(before instanceof WebGpuBackend)) return init(device);
  before.destroy();
  return init(device, { fallback: before.fallback });
}

registerBackend('webgpu', {
  openAsync: (index) => openWebGpu(index === 0 ? 'webgpu' : `webgpu:${index}`),
  list: webGpuDevices,
});
