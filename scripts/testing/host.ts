import { inject } from 'vitest';

/** What the machine has that some tests need; what it lacks is null. */
export interface Host {
  /** Path of Chromium or Chrome. */
  readonly chromium: string | null;
  /** Name of the WebGPU adapter that Node reaches through the `webgpu` package. */
  readonly webgpu: string | null;
  /** Name of a system BLAS library. */
  readonly blas: string | null;
}

declare module 'vitest' {
  interface ProvidedContext {
    host: Host;
  }
}

/**
 * What this machine has, found once a run. Tests that need something it may lack are skipped by
 * it; the reason is printed once, by the set-up.
 *
 * @example
 * describe.skipIf(!host.webgpu)('on WebGPU', () => { ... });
 */
export const host: Host = inject('host');

/**
 * Switches that give a headless Chromium WebGPU, on SwiftShader where there is no GPU.
 *
 * @example
 * const browser = await chromium.launch({ executablePath: host.chromium ?? '', args: chromiumArgs });
 */
export const chromiumArgs: string[] = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-webgpu-adapter=swiftshader',
];
