import { Device, init, registerBackend } from '@sconce/core';
import { findAdapter, findGpu } from './gpu.js';
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

/**
 * Opens a WebGPU device: the browser's, or in Node that of the npm package `webgpu`. Importing this
 * package registers it as `webgpu`, so that `await init('webgpu')` does this.
 *
 * @param options what is to differ from what suits the adapter
 * @throws RuntimeError that says what is missing.
 */
export async function openWebGpu(
  name = 'webgpu',
  options: Partial<WebGpuOptions> = {},
): Promise<WebGpuBackend> {
  const adapter = await findAdapter(await findGpu());
  const requiredLimits: Record<string, number> = {};
  for (const limit of raised) requiredLimits[limit] = adapter.limits[limit];
  const device = await adapter.requestDevice({ label: 'sconce', requiredLimits });
  const { architecture, description, vendor } = adapter.info;
  const tiles = options.tiles ?? !software.test(`${vendor} ${architecture} ${description}`);
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
});
