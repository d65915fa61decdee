// Looks once a run at what the machine has, says in one line each what is skipped for want of it,
// and passes the rest on to the tests (see host.ts). CI sets SCONCE_TEST_ALL, which makes skipping
// an error: there a missing browser would otherwise pass as green.

import type { TestProject } from 'vitest/node';
import { findBlas, findChromium, findWebgpu } from '../host.mjs';

export default function setup(project: TestProject): void {
  const chromium = findChromium() ?? null;
  const webgpu = findWebgpu();
  const blas = findBlas();
  // Workers start after this and inherit it.
  Object.assign(process.env, webgpu.env);
  project.provide('host', { chromium, webgpu: webgpu.adapter, blas });
  if (chromium === null) {
    skipped('browser', 'no Chromium or Chrome was found; install one or set CHROME_PATH');
  }
  if (webgpu.adapter === null) {
    skipped(
      'WebGPU',
      'Dawn found no adapter; a GPU driver with Vulkan, Metal or D3D12, or Chromium on Linux for its SwiftShader, gives one',
    );
  }
  if (blas === null) {
    skipped(
      'BLAS',
      'no OpenBLAS, MKL or Accelerate was found; on Debian: apt install libopenblas0',
    );
  }
}

function skipped(tests: string, reason: string): void {
  if (process.env.SCONCE_TEST_ALL) throw new Error(`${tests} tests cannot run: ${reason}.`);
  console.warn(`sconce: ${tests} tests are skipped: ${reason}.`);
}
