import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, constant, type Expr, e, input, scalar } from '../expr.js';
import type { ScatterPrimitive, View } from '../primitive.js';
import { allocate, type Tensor } from '../tensor.js';
import { floorDivided } from './bodies.js';

/** How values that meet at one place are combined. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

/** The combination of a reduction, by the primitive's name; bools add as `or` and multiply as `and`. */
export function combinerOf(reduce: ScatterReduction, dtype: DType): ScatterPrimitive['combine'] {
  if (reduce === 'sum' || reduce === 'mean') return dtype === 'bool' ? 'max' : 'sum';
  if (reduce === 'prod') return dtype === 'bool' ? 'min' : 'prod';
  return reduce === 'amax' ? 'max' : 'min';
}

/** The `k`-th scalar as an element of `dtype`. */
export const scalarAs = (k: number, dtype: DType): Expr => {
  const type = computeType(dtype);
  return type === 'bool' ? cast(scalar(k, 'float32'), 'bool') : scalar(k, type);
};

const limits: Partial<Record<DType, readonly [lowest: number | bigint, highest: number | bigint]>> =
  {
    int8: [-128, 127],
    uint8: [0, 255],
    int16: [-32768, 32767],
    int32: [-(2 ** 31), 2 ** 31 - 1],
    int64: [-(2n ** 63n), 2n ** 63n - 1n],
    bool: [0, 1],
  };

/** The value that changes nothing it is combined with, within the range of `dtype`. */
function identityOf(combine: ScatterPrimitive['combine'], dtype: DType): Expr {
  const type = computeType(dtype);
  if (combine === 'sum' || combine === 'prod') return constant(combine === 'sum' ? 0 : 1, type);
  const [lowest, highest] = isFloatingPoint(dtype)
    ? [-Infinity, Infinity]
    : (limits[dtype] as readonly [number | bigint, number | bigint]);
  const value = combine === 'max' ? lowest : highest;
  return constant(type === 'bool' ? value !== 0 : value, type);
}

/** The values of a scatter and where they go. */
export interface Placement {
  readonly shape: readonly number[];
  readonly inputs: readonly View[];
  readonly coords: readonly Expr[];
  readonly source: Expr;
}

/**
 * Combines values into `target` at computed places: what `scatterReduce` and `indexReduce` do once
 * they know where. Without `includeSelf`, places that are hit forget what they held.
 */
export function reduceInto(
  target: Tensor,
  { shape, inputs, coords, source }: Placement,
  reduce: ScatterReduction,
  includeSelf: boolean,
): void {
  const type = computeType(target.dtype);
  const combine = combinerOf(reduce, target.dtype);
  const place = (output: Tensor, how: ScatterPrimitive['combine'], value: Expr) =>
    execute({ kind: 'scatter', shape, inputs, scalars: [], coords, value, output, combine: how });
  if (!includeSelf) place(target, 'set', identityOf(combine, target.dtype));
  place(target, combine, source);
  if (reduce !== 'mean') return;
  const counts = allocate(target.shape, 'int32', target.device);
  const map = (output: Tensor, from: readonly Tensor[], value: Expr) =>
    execute({
      kind: 'map',
      shape: output.shape,
      inputs: from,
      scalars: [],
      values: [value],
      outputs: [output],
    });
  map(counts, [], constant(includeSelf ? 1 : 0, 'int32'));
  place(counts, 'sum', constant(1, 'int32'));
  const count = cast(e.max(input(1, 'int32'), constant(1, 'int32')), type);
  const total = input(0, type);
  map(
    target,
    [target, counts],
    type === 'int32' || type === 'int64' ? floorDivided(total, count) : e.div(total, count),
  );
  counts.dispose();
}

/** Options of `scatterReduce` and `indexReduce`. */
export interface IncludeSelfOptions {
  /** Whether what is there takes part; default true. */
  includeSelf?: boolean;
}

/** @throws RuntimeError if `reduce` is not one of the names. */
export function checkReduction(
  operation: string,
  reduce: string,
  names: readonly ScatterReduction[],
): void {
  if (!(names as readonly string[]).includes(reduce)) {
    throw new RuntimeError(
      `${operation}: reduce argument must be one of ${names.join(', ')}, got '${reduce}'`,
    );
  }
}
