import {
  builtinModule,
  Device,
  type DeviceProperties,
  InterpreterBackend,
  registerBackend,
} from '@sconce/core';
import { CpuBackend } from './backend.js';

export { CpuBackend } from './backend.js';
export { setWorkerUrl } from './threads.js';

/**
 * Makes `'cpu'` this backend, for devices not yet opened; importing the package does it. Where there is no
 * WebAssembly the reference interpreter takes its place: slow, and equal in results.
 */
export function registerCpuBackend(): void {
  registerBackend('cpu', {
    open: () => (typeof WebAssembly === 'undefined' ? new InterpreterBackend() : new CpuBackend()),
    list: async () => [processor()],
  });
}

/** What the platform says of the processor. */
function processor(): DeviceProperties {
  const os = builtinModule<typeof import('node:os')>('node:os');
  const [first] = os?.cpus() ?? [];
  return {
    type: 'cpu',
    index: 0,
    name: first?.model.trim() || 'cpu',
    cores: os?.availableParallelism?.() ?? globalThis.navigator?.hardwareConcurrency ?? 1,
    ...(os && { architecture: os.arch(), totalMemory: os.totalmem() }),
  };
}

registerCpuBackend();

function cpu(): CpuBackend | undefined {
  const { backend } = Device.from('cpu');
  return backend instanceof CpuBackend ? backend : undefined;
}

/**
 * Sets between how many threads work on the CPU is split; at first `SCONCE_NUM_THREADS`, or as many as the machine has.
 *
 * @throws ValueError unless `count` is a whole number of at least 1.
 * @see https://pytorch.org/docs/stable/generated/torch.set_num_threads.html
 */
export function setNumThreads(count: number): void {
  const backend = cpu();
  if (backend) backend.threads = count;
}

/**
 * Between how many threads work on the CPU is split; 1 where threads cannot share memory.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.get_num_threads.html
 */
export const getNumThreads = (): number => cpu()?.threads ?? 1;

/** The BLAS that multiplies matrices, e.g. `libopenblas.so.0 (OpenBLAS 0.3.21)`; undefined if WebAssembly does. */
export const blasName = (): string | undefined => cpu()?.blas?.name;
