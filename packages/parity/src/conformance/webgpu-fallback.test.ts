import { openWebGpu } from '@sconce/backend-webgpu';
import { registerBackend } from '@sconce/core';
import { vi } from 'vitest';
import { describeConformance } from './describe-conformance.js';

// With two buffers a kernel, operands are packed, results are computed one by one, and what needs more is computed on the host.
registerBackend('webgpu', {
  openAsync: () => openWebGpu('webgpu', { storageBuffers: 2, fallback: true }),
});
vi.spyOn(console, 'warn').mockImplementation(() => {});

await describeConformance('webgpu');
