import { RuntimeError } from '@sconce/core';
import type { WgslKernel } from '@sconce/kernels';

/** What a dispatch needs of a compiled kernel. */
export interface Pipeline {
  readonly gpu: GPUComputePipeline;
  /** Layout of the storage buffers (group 1). */
  readonly buffers: GPUBindGroupLayout;
  /** Small and unique for each layout: keys bind groups. */
  readonly layoutId: number;
}

/** The compiled kernels of one device, each compiled once. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #compiled: (Pipeline | undefined)[] = [];
  readonly #layouts = new Map<
    string,
    { id: number; group: GPUBindGroupLayout; all: GPUPipelineLayout }
  >();
  /** Layout of the parameters (group 0). */
  readonly parameters: GPUBindGroupLayout;

  constructor(device: GPUDevice) {
    this.#device = device;
    this.parameters = device.createBindGroupLayout({
      label: 'parameters',
      entries: [
        {
          binding: 0,
          visibility: 4, // GPUShaderStage.COMPUTE, whose global Node lacks
          buffer: { type: 'uniform', hasDynamicOffset: true },
        },
      ],
    });
  }

  /** The pipeline of a kernel, compiled now if it was not before. */
  get(kernel: WgslKernel): Pipeline {
    const known = this.#compiled[kernel.id];
    if (known) return known;
    const { layout, descriptor } = this.#describe(kernel);
    const pipeline = this.#device.createComputePipeline(descriptor);
    return this.#keep(kernel, pipeline, layout);
  }

  /** Compiles kernels beside other work, so that their first use does not wait. */
  async prepare(kernels: readonly WgslKernel[]): Promise<void> {
    await Promise.all(
      kernels
        .filter((kernel) => !this.#compiled[kernel.id])
        .map(async (kernel) => {
          const { layout, descriptor } = this.#describe(kernel);
          try {
            const pipeline = await this.#device.createComputePipelineAsync(descriptor);
            this.#keep(kernel, pipeline, layout);
          } catch (cause) {
            throw new RuntimeError(`webgpu: '${kernel.label}' could not be compiled`, { cause });
          }
        }),
    );
  }

  #keep(
    kernel: WgslKernel,
    gpu: GPUComputePipeline,
    layout: { id: number; group: GPUBindGroupLayout },
  ) {
    const made = { gpu, buffers: layout.group, layoutId: layout.id };
    this.#compiled[kernel.id] = made;
    return made;
  }

  #describe(kernel: WgslKernel) {
    const key = kernel.writes.map((w) => (w ? 'w' : 'r')).join('');
    let layout = this.#layouts.get(key);
    if (!layout) {
      const group = this.#device.createBindGroupLayout({
        label: `buffers ${key}`,
        entries: kernel.writes.map((write, binding) => ({
          binding,
          visibility: 4,
          buffer: { type: write ? 'storage' : 'read-only-storage' },
        })),
      });
      const all = this.#device.createPipelineLayout({ bindGroupLayouts: [this.parameters, group] });
      layout = { id: this.#layouts.size, group, all };
      this.#layouts.set(key, layout);
    }
    const module = this.#device.createShaderModule({ label: kernel.label, code: kernel.source });
    const descriptor: GPUComputePipelineDescriptor = {
      label: kernel.label,
      layout: layout.all,
      compute: { module, entryPoint: 'main' },
    };
    return { layout, descriptor };
  }
}
