import {
  Device,
  type DType,
  type Primitive,
  registerBackend,
  Storage,
  type TypedArray,
  typedArray,
  type View,
} from '@sconce/core';

/** A view to be made on a device; `strides` and `offset` default to contiguous. */
export interface ViewSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides?: readonly number[];
  readonly offset?: number;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const rowMajor = (shape: readonly number[]): number[] =>
  shape.map((_, d) => product(shape.slice(d + 1)));

/** A repeatable stream of numbers in [0, 1). */
export function random(seed: number): () => number {
  let state = seed * 2654435761 + 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Makes the same view, with the same small values, on a device. */
export function makeView(device: Device, spec: ViewSpec, seed: number): View {
  const { dtype, shape, strides = rowMajor(shape), offset = 0 } = spec;
  const last = shape.reduce((at, n, d) => at + Math.max(n - 1, 0) * (strides[d] as number), offset);
  const storage = new Storage(device, dtype, last + 1);
  const next = random(seed);
  const data = typedArray(dtype, last + 1);
  for (let i = 0; i < data.length; i++) {
    const value = next() * 4 - 2;
    if (data instanceof BigInt64Array) data[i] = BigInt(Math.round(value * 4));
    else if (dtype === 'float32' || dtype === 'float64') data[i] = value;
    else if (dtype === 'float16')
      data[i] = 0x3c00 | Math.floor(next() * 1024); // 1 to 2
    else if (dtype === 'bfloat16') data[i] = 0x3f80 | Math.floor(next() * 128);
    else if (dtype === 'bool') data[i] = value > 0 ? 1 : 0;
    else data[i] = Math.round(value * 4);
  }
  device.backend.write(storage.buffer, dtype, 0, data);
  return { storage, dtype, shape, strides, offset };
}

/** Everything a view's storage holds. */
export function contents(view: View): TypedArray {
  const { backend } = view.storage.device;
  return backend.readSync?.(view.storage.buffer, view.dtype, 0, view.storage.length) as TypedArray;
}

/**
 * Runs the primitive that `build` makes from the views, here and on the reference interpreter, and gives what the
 * storage of view `output` holds after it on both.
 */
export function onBoth(
  device: Device,
  specs: readonly ViewSpec[],
  output: number,
  build: (...views: View[]) => Primitive,
): { actual: TypedArray; expected: TypedArray } {
  const [actual, expected] = [device, Device.from('reference')].map((d) => {
    const views = specs.map((spec, i) => makeView(d, spec, i + 1));
    d.backend.execute(build(...views));
    return contents(views[output] as View);
  }) as [TypedArray, TypedArray];
  return { actual, expected };
}

/** The largest difference, relative where values are large. */
export function difference(actual: TypedArray, expected: TypedArray): number {
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const [x, y] = [Number(actual[i]), Number(expected[i])];
    if (Object.is(x, y) || x === y) continue;
    const error = Math.abs(x - y) / Math.max(1, Math.abs(y));
    worst = Math.max(worst, Number.isNaN(error) ? Number.POSITIVE_INFINITY : error);
  }
  return worst;
}

/** A device of its own for a backend under test. */
export function deviceFor(name: string, open: () => Device['backend']): Device {
  registerBackend(name, { open });
  return Device.from(name);
}
