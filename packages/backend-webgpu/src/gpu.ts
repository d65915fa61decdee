import { RuntimeError } from '@sconce/core';

/** Whether WebGPU is Dawn's in Node rather than a browser's. */
export const inNode =
  typeof process !== 'undefined' &&
  typeof process.versions?.node === 'string' &&
  !('navigator' in globalThis && navigator.gpu);

/** Dawn's bindings, as the npm package `webgpu` exports them. */
interface DawnModule {
  create(options: string[]): GPU;
}

// Kernels write shared memory before they read it, and clearing it first can make compiling them ten times slower.
// They keep computed addresses within bounds themselves; Dawn's checks of every access cost a third of the time.
const dawnOptions = ['enable-dawn-features=disable_workgroup_init,disable_robustness'];

// Dawn must outlive everything made with it.
let dawn: GPU | undefined;

/** What an adapter calls itself, as far as it says. */
export function nameOf({ info }: GPUAdapter): string {
  const { description, device, vendor, architecture } = info;
  return description || device || `${vendor} ${architecture}`.trim() || 'GPU';
}

/**
 * The entry point to WebGPU: the browser's own, or in Node that of the npm package `webgpu`.
 *
 * @throws RuntimeError that says what to install or switch on.
 */
export async function findGpu(): Promise<GPU> {
  if (typeof navigator !== 'undefined' && navigator.gpu) return navigator.gpu;
  if (!inNode) {
    throw new RuntimeError(
      'webgpu: this browser has no WebGPU (navigator.gpu is missing); use Chrome or Edge 113, Safari 26 or Firefox 141 or later, on a page served over https or from localhost, and in Chrome on Linux switch on chrome://flags/#enable-unsafe-webgpu',
    );
  }
  if (dawn) return dawn;
  // A name in a variable, so that bundlers for the browser do not follow it.
  const name = 'webgpu';
  let found: DawnModule;
  try {
    found = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as DawnModule;
  } catch (cause) {
    throw new RuntimeError(
      'webgpu: Node reaches GPUs through the npm package `webgpu`, which could not be loaded; install it with `npm i webgpu`',
      { cause },
    );
  }
  dawn = found.create(dawnOptions);
  return dawn;
}

/** What to ask for. Chrome on Windows takes no preference, and warns of one on the console. */
const preferences = (): readonly (GPUPowerPreference | undefined)[] =>
  !inNode && /windows/i.test(navigator.userAgent)
    ? [undefined]
    : ['high-performance', undefined, 'low-power'];

/**
 * The adapters that WebGPU shows, the most powerful first: it tells a fast from an economical one, and no more.
 *
 * @param most how many are looked for.
 */
export async function findAdapters(gpu: GPU, most = 2): Promise<GPUAdapter[]> {
  const found = new Map<string, GPUAdapter>();
  for (const powerPreference of preferences()) {
    if (found.size === most) break;
    const adapter = await gpu.requestAdapter(powerPreference && { powerPreference });
    if (!adapter) continue;
    const { vendor, architecture, device, description } = adapter.info;
    const key = [vendor, architecture, device, description].join('\n');
    if (!found.has(key)) found.set(key, adapter);
  }
  return [...found.values()];
}

/**
 * The adapter of a device by its number: as many devices as there are adapters, and then each adapter once more.
 *
 * @throws RuntimeError if the machine has none, or none of that number.
 */
export async function findAdapter(gpu: GPU, index: number): Promise<GPUAdapter> {
  const adapters = await findAdapters(gpu, index === 0 ? 1 : 2);
  const adapter = index < 2 * adapters.length ? adapters[index % adapters.length] : undefined;
  if (adapter) return adapter;
  if (adapters.length > 0) {
    const names = adapters.map((each) => `'${nameOf(each)}'`).join(' and ');
    throw new RuntimeError(
      `webgpu: there is no 'webgpu:${index}': this machine has ${adapters.length === 1 ? 'one GPU' : `${adapters.length} GPUs`} (${names}), each of which can be opened twice, so that the last is 'webgpu:${2 * adapters.length - 1}'`,
    );
  }
  throw new RuntimeError(
    inNode
      ? 'webgpu: no GPU adapter was found; Dawn needs a Vulkan, Metal or Direct3D 12 driver. Without a GPU, a software driver such as SwiftShader or lavapipe will do: name its ICD file in the environment variable VK_ICD_FILENAMES before starting Node'
      : 'webgpu: the browser found no GPU adapter; switch on hardware acceleration in its settings, or see chrome://gpu',
  );
}
