import type {
  Device,
  DType,
  Primitive,
  Storage as StorageType,
  TypedArray,
  View,
} from '@sconce/core';
import {
  bfloat16ArrayToFloat32,
  contiguousStrides,
  float16ArrayToFloat32,
  numel,
  Storage,
  toBfloat16Array,
  toFloat16Array,
  typedArray,
} from '@sconce/core';

/** Elements as tests write them. */
export type Values = readonly (number | bigint | boolean)[];

/** Values as the typed array that holds a dtype. */
export function encode(dtype: DType, values: Values): TypedArray {
  if (dtype === 'float16') return toFloat16Array(values.map(Number));
  if (dtype === 'bfloat16') return toBfloat16Array(values.map(Number));
  const out = typedArray(dtype, values.length);
  if (out instanceof BigInt64Array) {
    values.forEach((value, i) => {
      out[i] = BigInt(value);
    });
  } else {
    values.forEach((value, i) => {
      out[i] = Number(value);
    });
  }
  return out;
}

/** A typed array of a dtype as the values it stands for. */
export function decode(dtype: DType, data: TypedArray): (number | bigint)[] {
  if (dtype === 'float16') return [...float16ArrayToFloat32(data as Uint16Array)];
  if (dtype === 'bfloat16') return [...bfloat16ArrayToFloat32(data as Uint16Array)];
  return [...(data as Iterable<number | bigint>)];
}

/** Where a view's elements lie, where that is not row-major from the start of the storage. */
export interface Layout {
  readonly strides?: readonly number[];
  readonly offset?: number;
}

/** One device under test: puts values on it, runs primitives, reads the result. */
export class Fixture {
  readonly device: Device;

  constructor(device: Device) {
    this.device = device;
  }

  supports(...dtypes: readonly DType[]): boolean {
    return dtypes.every((dtype) => this.device.backend.supports(dtype));
  }

  /** The dtype of positions: int64, or int32 where the device has no int64. */
  get indexDtype(): 'int64' | 'int32' {
    return this.supports('int64') ? 'int64' : 'int32';
  }

  storage(dtype: DType, data: TypedArray): StorageType {
    const storage = new Storage(this.device, dtype, data.length);
    storage.backend.write(storage.buffer, dtype, 0, data);
    return storage;
  }

  /** A view of `shape` over a storage that holds `values`. */
  view(dtype: DType, shape: readonly number[], values: Values, layout: Layout = {}): View {
    return {
      storage: this.storage(dtype, encode(dtype, values)),
      dtype,
      shape,
      strides: layout.strides ?? contiguousStrides(shape),
      offset: layout.offset ?? 0,
    };
  }

  /** A row-major view of zeros, to be written. */
  empty(dtype: DType, shape: readonly number[]): View {
    return this.view(dtype, shape, new Array<number>(numel(shape)).fill(0));
  }

  execute(primitive: Primitive): void {
    this.device.backend.execute(primitive);
  }

  /** All elements of a view's storage, seen or not. */
  async stored({ storage, dtype }: View): Promise<(number | bigint)[]> {
    const { backend, buffer, length } = storage;
    return decode(dtype, await backend.read(buffer, dtype, 0, length));
  }

  /** The elements of a view in row-major order. */
  async read(view: View): Promise<(number | bigint)[]> {
    const all = await this.stored(view);
    return Array.from({ length: numel(view.shape) }, (_, i) => {
      let rest = i;
      let at = view.offset;
      for (let d = view.shape.length - 1; d >= 0; d--) {
        const size = view.shape[d] as number;
        at += (rest % size) * (view.strides[d] as number);
        rest = Math.floor(rest / size);
      }
      return all[at] as number | bigint;
    });
  }
}
