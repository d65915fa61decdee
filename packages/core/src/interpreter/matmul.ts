import type { ComputeType } from '../dtype.js';
import { computeType } from '../dtype.js';
import type { Expr } from '../expr.js';
import { input } from '../expr.js';
import type { ScalarValue } from '../primitive.js';
import { castFunction } from './functions.js';
import { runMap } from './map.js';
import type { HostView, Register } from './space.js';
import { cells, dense, product, register } from './space.js';

/** A matmul primitive over host views. */
export interface HostMatmul {
  readonly a: HostView;
  readonly b: HostView;
  readonly out: HostView;
  readonly epilogue?:
    | {
        readonly value: Expr;
        readonly inputs: readonly HostView[];
        readonly scalars: readonly ScalarValue[];
      }
    | undefined;
}

/** A view's elements in row-major order, as another compute type. */
export function denseAs(view: HostView, type: ComputeType): Register {
  const values = dense(view);
  const own = computeType(view.dtype);
  if (own === type) return values;
  const cast = castFunction(own, type) as unknown as (x: number) => number;
  const out = register(type, values.length);
  const from = cells(values);
  const to = cells(out);
  for (let i = 0; i < from.length; i++) to[i] = cast(from[i] as number);
  return out;
}

/** A register in which products of `type` are added up: float32 in double precision. */
export const accumulator = (type: ComputeType, length: number): Register =>
  register(type === 'float32' ? 'float64' : type, length);

/** `sum[i] + a * b` in the arithmetic of a type; the store into the accumulator wraps. */
export function multiplyAdd(type: ComputeType): (sum: number, a: number, b: number) => number {
  if (type === 'int32') return (sum, a, b) => (sum + Math.imul(a, b)) | 0;
  if (type === 'bool') return (sum, a, b) => sum | (a & b);
  if (type === 'int64')
    return (sum, a, b) =>
      BigInt.asIntN(64, BigInt(sum) + BigInt(a) * BigInt(b)) as unknown as number;
  return (sum, a, b) => sum + a * b;
}

/** Values in row-major order as a view of a dtype that is its own compute type. */
export function denseView(values: Register, type: ComputeType, shape: readonly number[]): HostView {
  const data =
    values.constructor === register(type, 0).constructor
      ? values
      : Float32Array.from(values as Float64Array);
  const strides = shape.map((_, d) => product(shape.slice(d + 1)));
  return { data, dtype: type, shape, strides, offset: 0 };
}

/** One dot product an element, then the epilogue as a map over the products. */
export function runMatmul({ a, b, out, epilogue }: HostMatmul): void {
  const type = computeType(out.dtype);
  const [rows, columns] = out.shape.slice(-2) as [number, number];
  const depth = a.shape.at(-1) as number;
  // The right factor is laid out column by column, so that both factors are read in order.
  const turned = {
    ...b,
    shape: [...b.shape.slice(0, -2), columns, depth],
    strides: [...b.strides.slice(0, -2), b.strides.at(-1) as number, b.strides.at(-2) as number],
  };
  const left = cells(denseAs(a, type));
  const right = cells(denseAs(turned, type));
  const sums = accumulator(type, product(out.shape));
  const to = cells(sums);
  const add = multiplyAdd(type);
  const zero = (type === 'int64' ? 0n : 0) as number;

  let at = 0;
  const batches = product(out.shape.slice(0, -2));
  for (let batch = 0; batch < batches; batch++) {
    for (let m = 0; m < rows; m++) {
      const row = (batch * rows + m) * depth;
      for (let n = 0; n < columns; n++) {
        const column = (batch * columns + n) * depth;
        let sum = zero;
        for (let k = 0; k < depth; k++) {
          sum = add(sum, left[row + k] as number, right[column + k] as number);
        }
        to[at++] = sum;
      }
    }
  }
  runMap(
    {
      shape: out.shape,
      inputs: [denseView(sums, type, out.shape), ...(epilogue?.inputs ?? [])],
      scalars: epilogue?.scalars ?? [],
      values: [epilogue?.value ?? input(0, type)],
      outputs: [out],
    },
    'matmul',
  );
}
