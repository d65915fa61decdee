import { registerBackend } from '@sconce/core';
import { Parameter } from '@sconce/nn';
import { setParameterClass } from '@sconce/serialization';

export * from '@sconce/autograd';
export { blasName, getNumThreads, setNumThreads, setWorkerUrl } from '@sconce/backend-cpu';
export * as data from '@sconce/data';
export * as nn from '@sconce/nn';
export * as optim from '@sconce/optim';
export * from '@sconce/serialization';
export * from './core.js';

// The WebGPU backend is loaded when it is first asked for, so that pages without it do not pay for it.
registerBackend('webgpu', {
  openAsync: async (index) => {
    const { openWebGpu } = await import('@sconce/backend-webgpu');
    return openWebGpu(index === 0 ? 'webgpu' : `webgpu:${index}`);
  },
  list: async () => (await import('@sconce/backend-webgpu')).webGpuDevices(),
});

// Files tell parameters from other tensors.
setParameterClass({
  is: (tensor) => tensor instanceof Parameter,
  make: (data, requiresGrad) => new Parameter(data, requiresGrad),
});
