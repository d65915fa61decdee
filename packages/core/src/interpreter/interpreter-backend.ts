import type { Backend, DeviceBuffer } from '../backend.js';
import type { DType, TypedArray } from '../dtype.js';
import { computeType, typedArray, typedArrayOver } from '../dtype.js';
import { SconceError } from '../errors.js';
import type { Expr } from '../expr.js';
import { integerTwins, movesAsIntegers } from '../moves.js';
import type { MapPrimitive, Primitive, View } from '../primitive.js';
import { runConv } from './conv.js';
import { mapViews, runLinalg } from './linalg/index.js';
import { runMap } from './map.js';
import { runMatmul } from './matmul.js';
import { runReduce } from './reduce.js';
import { runScan } from './scan.js';
import { runScatter } from './scatter.js';
import { runSort } from './sort.js';
import type { HostView } from './space.js';

/** Host memory: a typed array of the kind that holds its dtype. */
class HostBuffer implements DeviceBuffer {
  readonly data: TypedArray;

  constructor(data: TypedArray) {
    this.data = data;
  }

  get bytes(): number {
    return this.data.byteLength;
  }
}

const dataOf = (buffer: DeviceBuffer): TypedArray => {
  if (buffer instanceof HostBuffer) return buffer.data;
  throw new SconceError('interpreter: the buffer belongs to another backend');
};

const hostView = (view: View): HostView => ({
  data: dataOf(view.storage.buffer),
  dtype: view.dtype,
  shape: view.shape,
  strides: view.strides,
  offset: view.offset,
});

/** The same elements as the view's dtype says, where the memory was made for another one of that width. */
function retyped(view: View): HostView {
  const host = hostView(view);
  const { buffer, byteOffset, length } = host.data;
  return { ...host, data: typedArrayOver(view.dtype, buffer, byteOffset, length) };
}

/** A value must have the compute type of the view it is stored into: stores narrow, they do not convert. */
function checkStored(operation: string, value: Expr, view: View): void {
  if (value.dtype !== computeType(view.dtype)) {
    throw new SconceError(
      `${operation}: a ${value.dtype} value cannot be stored as ${view.dtype}; cast it first`,
    );
  }
}

/**
 * The reference backend: executes every primitive in plain TypeScript on host arrays, for all dtypes.
 * It is slow and right: what faster backends are compared with, and what runs where there is none.
 *
 * @example registerBackend('reference', { open: () => new InterpreterBackend() });
 */
export class InterpreterBackend implements Backend {
  readonly synchronous = true;

  supports(_dtype: DType): boolean {
    return true;
  }

  allocate(dtype: DType, length: number): DeviceBuffer {
    return new HostBuffer(typedArray(dtype, length));
  }

  release(_buffer: DeviceBuffer): void {
    // The collector frees host arrays.
  }

  write(buffer: DeviceBuffer, _dtype: DType, offset: number, data: TypedArray): void {
    (dataOf(buffer) as Float64Array).set(data as Float64Array, offset);
  }

  readSync(buffer: DeviceBuffer, _dtype: DType, offset: number, length: number): TypedArray {
    return dataOf(buffer).slice(offset, offset + length);
  }

  async read(
    buffer: DeviceBuffer,
    dtype: DType,
    offset: number,
    length: number,
  ): Promise<TypedArray> {
    return this.readSync(buffer, dtype, offset, length);
  }

  map(buffer: DeviceBuffer, _dtype: DType): TypedArray {
    return dataOf(buffer);
  }

  adopt(data: TypedArray): DeviceBuffer {
    return new HostBuffer(data);
  }

  #map(p: MapPrimitive): void {
    runMap({ ...p, inputs: p.inputs.map(retyped), outputs: p.outputs.map(retyped) });
  }

  execute(primitive: Primitive): void {
    switch (primitive.kind) {
      case 'map':
        primitive.values.forEach((value, k) => {
          checkStored('map', value, primitive.outputs[k] as View);
        });
        this.#map(movesAsIntegers(primitive, integerTwins));
        break;
      case 'reduce':
        for (const { value, view } of primitive.outputs) checkStored('reduce', value, view);
        runReduce({
          ...primitive,
          inputs: primitive.inputs.map(hostView),
          views: primitive.outputs.map(({ view }) => hostView(view)),
        });
        break;
      case 'scan':
        runScan({
          ...primitive,
          input: hostView(primitive.input),
          output: hostView(primitive.output),
          indices: primitive.indices && hostView(primitive.indices),
        });
        break;
      case 'matmul': {
        const { epilogue, out } = primitive;
        if (epilogue) checkStored('matmul', epilogue.value, out);
        runMatmul({
          a: hostView(primitive.a),
          b: hostView(primitive.b),
          out: hostView(out),
          epilogue: epilogue && { ...epilogue, inputs: epilogue.inputs.map(hostView) },
        });
        break;
      }
      case 'conv':
        runConv({
          ...primitive,
          input: hostView(primitive.input),
          weight: hostView(primitive.weight),
          output: hostView(primitive.output),
          bias: primitive.bias && hostView(primitive.bias),
        });
        break;
      case 'scatter':
        checkStored('scatter', primitive.value, primitive.output);
        runScatter({
          ...primitive,
          inputs: primitive.inputs.map(hostView),
          output: hostView(primitive.output),
        });
        break;
      case 'sort':
        runSort({
          descending: primitive.descending,
          input: hostView(primitive.input),
          values: hostView(primitive.values),
          indices: hostView(primitive.indices),
        });
        break;
      case 'linalg':
        runLinalg(mapViews(primitive, hostView));
        break;
    }
  }

  async synchronize(): Promise<void> {
    // Nothing is ever pending.
  }
}
