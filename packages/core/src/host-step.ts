import type { DeviceBuffer } from './backend.js';
import { Device } from './device.js';
import { type DType, type TypedArray, typedArray } from './dtype.js';
import { inputsOf, outputsOf } from './execute.js';
import { mapViews } from './interpreter/linalg/index.js';
import type { Epilogue, Primitive, View } from './primitive.js';
import { numel, span } from './shape.js';
import { Storage } from './storage.js';

/** The same primitive over other views: `replace` is called for every view in it. */
export function withViews(p: Primitive, replace: (view: View) => View): Primitive {
  const all = (views: readonly View[]) => views.map(replace);
  switch (p.kind) {
    case 'map':
      return { ...p, inputs: all(p.inputs), outputs: all(p.outputs) };
    case 'reduce': {
      const outputs = p.outputs.map((o) => ({ ...o, view: replace(o.view) }));
      return { ...p, inputs: all(p.inputs), outputs };
    }
    case 'scan': {
      const [input, output] = [replace(p.input), replace(p.output)];
      return { ...p, input, output, ...(p.indices && { indices: replace(p.indices) }) };
    }
    case 'matmul': {
      const epilogue: Epilogue | undefined = p.epilogue && {
        ...p.epilogue,
        inputs: all(p.epilogue.inputs),
      };
      const [a, b, out] = [replace(p.a), replace(p.b), replace(p.out)];
      return { ...p, a, b, out, ...(epilogue && { epilogue }) };
    }
    case 'conv': {
      const [input, weight, output] = [replace(p.input), replace(p.weight), replace(p.output)];
      return { ...p, input, weight, output, ...(p.bias && { bias: replace(p.bias) }) };
    }
    case 'scatter':
      return { ...p, inputs: all(p.inputs), output: replace(p.output) };
    case 'sort': {
      const [input, values, indices] = [replace(p.input), replace(p.values), replace(p.indices)];
      return { ...p, input, values, indices };
    }
    case 'linalg':
      return { kind: 'linalg', ...mapViews<View, View>(p, replace) };
  }
}

/** The elements of one buffer that a host step has to do with. */
export interface HostPart {
  readonly buffer: DeviceBuffer;
  readonly dtype: DType;
  /** The first element, and how many. */
  readonly start: number;
  readonly length: number;
  /** Whether the elements must be known beforehand, and whether they change. */
  readonly read: boolean;
  readonly written: boolean;
}

/**
 * A primitive that is computed in host memory, by the `cpu` device, for a device that cannot compute it itself: the
 * device gives the elements of `parts`, calls `run`, and takes the new elements back. Everything that the
 * primitive refers to is looked up when the step is made, so that tensors may be disposed before it runs.
 */
export class HostStep {
  readonly parts: readonly HostPart[];
  readonly #primitive: Primitive;
  readonly #partOf = new Map<View, number>();

  constructor(primitive: Primitive) {
    this.#primitive = primitive;
    const parts: { -readonly [K in keyof HostPart]: HostPart[K] }[] = [];
    const add = (view: View, read: boolean, written: boolean) => {
      const { buffer } = view.storage;
      const start = view.offset;
      const own = span(view.shape, view.strides);
      let index = parts.findIndex((p) => p.buffer === buffer && p.dtype === view.dtype);
      if (index < 0) {
        index = parts.push({ buffer, dtype: view.dtype, start, length: own, read, written }) - 1;
      } else {
        const part = parts[index] as (typeof parts)[number];
        const first = Math.min(part.start, start);
        const length = Math.max(part.start + part.length, start + own) - first;
        // What lies between two views is written back as it was.
        const all = length === part.length && first === part.start && length === own;
        part.read ||= read || !all;
        part.written ||= written;
        part.start = first;
        part.length = length;
      }
      this.#partOf.set(view, index);
    };
    for (const view of inputsOf(primitive)) add(view, true, false);
    for (const view of outputsOf(primitive)) {
      const { shape, strides } = view;
      const whole = primitive.kind !== 'scatter' && numel(shape) === span(shape, strides);
      add(view, !whole, true);
    }
    this.parts = parts;
  }

  /**
   * Computes the primitive.
   *
   * @param values for each part its elements, undefined for those that need not be read; they may be overwritten.
   * @returns for each part that is written its elements afterwards.
   * @throws what the `cpu` device throws.
   */
  run(values: readonly (TypedArray | undefined)[]): (TypedArray | undefined)[] {
    const cpu = Device.from('cpu');
    const storages = this.parts.map(({ dtype, length }) => new Storage(cpu, dtype, length));
    try {
      storages.forEach((storage, i) => {
        const given = values[i];
        if (given && given.length > 0) cpu.backend.write(storage.buffer, storage.dtype, 0, given);
      });
      cpu.backend.execute(
        withViews(this.#primitive, (view) => {
          const index = this.#partOf.get(view) as number;
          const { start } = this.parts[index] as HostPart;
          const storage = storages[index] as Storage;
          const { dtype, shape, strides, offset } = view;
          return { storage, dtype, shape, strides, offset: offset - start };
        }),
      );
      return this.parts.map(({ dtype, length, written }, i) => {
        if (!written) return undefined;
        if (length === 0) return typedArray(dtype, 0);
        return cpu.backend.readSync?.((storages[i] as Storage).buffer, dtype, 0, length);
      });
    } finally {
      for (const storage of storages) storage.dispose();
    }
  }
}
