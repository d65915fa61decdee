import {
  type Backend,
  InterpreterBackend,
  mapViews,
  type Primitive,
  type View,
} from '@sconce/core';
import type { CpuBuffer, LinearMemory } from './memory.js';

/**
 * Runs primitives by the reference interpreter on the mapped memory: what happens where a page's policy
 * forbids compiling WebAssembly.
 */
export class Fallback {
  readonly #interpreter = new InterpreterBackend();
  readonly #memory: LinearMemory;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  run(p: Primitive): void {
    this.#interpreter.execute(this.#mapped(p));
  }

  /** The same primitive over host arrays that lie on the memory. */
  #mapped(p: Primitive): Primitive {
    const view = (v: View): View => this.#view(v);
    switch (p.kind) {
      case 'map':
        return { ...p, inputs: p.inputs.map(view), outputs: p.outputs.map(view) };
      case 'reduce':
        return {
          ...p,
          inputs: p.inputs.map(view),
          outputs: p.outputs.map((o) => ({ ...o, view: view(o.view) })),
        };
      case 'scan':
        return {
          ...p,
          input: view(p.input),
          output: view(p.output),
          ...(p.indices && { indices: view(p.indices) }),
        };
      case 'matmul':
        return {
          ...p,
          a: view(p.a),
          b: view(p.b),
          out: view(p.out),
          ...(p.epilogue && { epilogue: { ...p.epilogue, inputs: p.epilogue.inputs.map(view) } }),
        };
      case 'conv':
        return {
          ...p,
          input: view(p.input),
          weight: view(p.weight),
          output: view(p.output),
          ...(p.bias && { bias: view(p.bias) }),
        };
      case 'scatter':
        return { ...p, inputs: p.inputs.map(view), output: view(p.output) };
      case 'sort':
        return { ...p, input: view(p.input), values: view(p.values), indices: view(p.indices) };
      case 'linalg':
        return { kind: 'linalg', ...mapViews(p, view) };
    }
  }

  #view(v: View): View {
    const data = this.#memory.map(v.storage.buffer as CpuBuffer, v.dtype);
    const storage = new MappedStorage(v.storage, (this.#interpreter as Backend).adopt?.(data));
    return { ...v, storage: storage as unknown as View['storage'] };
  }
}

/** What the interpreter asks of a storage: its buffer, here an array over the memory. */
class MappedStorage {
  readonly device: View['storage']['device'];
  readonly buffer: unknown;

  constructor({ device }: View['storage'], buffer: unknown) {
    this.device = device;
    this.buffer = buffer;
  }
}
