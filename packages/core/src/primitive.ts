import type { DType } from './dtype.js';
import type { Expr } from './expr.js';
import type { Storage } from './storage.js';

/**
 * A strided view of a storage, as primitives take it; every `Tensor` is one. Strides and offset
 * count elements. Strides may be 0 (broadcast) or negative-free arbitrary (windows may overlap on inputs).
 */
export interface View {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly offset: number;
}

/** Numbers passed at run time; the `scalar` node's type says how they are read. */
export type ScalarValue = number | bigint;

/**
 * Elementwise: for every position of `shape`, every `outputs[i] = values[i]`.
 * Inputs broadcast to `shape` from the right (missing or size-1 dimensions repeat); outputs have exactly `shape`.
 * All values of one position are computed before any of them is stored, so an output may be the
 * same view as an input (in-place); partly overlapping views are the caller's fault.
 */
export interface MapPrimitive {
  readonly kind: 'map';
  readonly shape: readonly number[];
  readonly inputs: readonly View[];
  readonly scalars: readonly ScalarValue[];
  readonly values: readonly Expr[];
  readonly outputs: readonly View[];
}

/**
 * How a reduction combines. `max` and `min` give NaN if any is NaN; on bools they are `any` and `all`.
 * `argmax` and `argmin` give the row-major index among the reduced axes as int64 (int32 where the device
 * has no int64), of the first best element, NaN being best.
 */
export type Combiner = 'sum' | 'prod' | 'max' | 'min' | 'argmax' | 'argmin';

/** One pass over a row: the combination of `value` over the reduced axes. */
export interface ReduceStage {
  readonly combine: Combiner;
  readonly value: Expr;
}

/** What a reduction stores: once a row (`per: 'row'`, size 1 along reduced axes) or for each element. */
export interface ReduceOutput {
  readonly per: 'row' | 'element';
  readonly value: Expr;
  readonly view: View;
}

/**
 * Row-wise: `shape` is the iteration space, `axes` (ascending) the reduced ones; a row is all positions that
 * agree elsewhere. Stages run in order, each a pass over the row that may use `stage(j)` of the earlier ones;
 * then outputs are stored. One stage and a row output is a plain sum; softmax is two stages (max, sum of
 * exp) and an element output. An empty row gives the combiner's identity (max/min: -inf/inf, or the type's limits).
 * Outputs per row have rank equal to `shape` with size 1 on `axes`. An element output may alias an input exactly.
 */
export interface ReducePrimitive {
  readonly kind: 'reduce';
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly inputs: readonly View[];
  readonly scalars: readonly ScalarValue[];
  readonly stages: readonly ReduceStage[];
  readonly outputs: readonly ReduceOutput[];
}

/**
 * Inclusive prefix combination of `input` along `axis` into `output` (same shape and compute type).
 * `max`/`min` also fill `indices` (int64) with the position of the latest best element (ties: the later; NaN sticks).
 * `logaddexp` is log(exp(a) + exp(b)), stable.
 */
export interface ScanPrimitive {
  readonly kind: 'scan';
  readonly axis: number;
  readonly combine: 'sum' | 'prod' | 'max' | 'min' | 'logaddexp';
  readonly reverse: boolean;
  readonly input: View;
  readonly output: View;
  readonly indices?: View;
}

/**
 * Batched matrix product: `out[..., m, n] = epilogue(sum over k of a[..., m, k] * b[..., k, n])`.
 * All three have the same rank; batch dimensions of `a` and `b` are already expanded (stride 0) to those of
 * `out`. In `epilogue.value`, `input(0)` is the product (compute type of `out`) and `input(i + 1)` is
 * `epilogue.inputs[i]`, broadcast to `out`. An epilogue input may be `out` itself (accumulation).
 * Any k may be 0 (the product is 0). Floats accumulate in at least float32; integers wrap.
 */
export interface MatmulPrimitive {
  readonly kind: 'matmul';
  readonly a: View;
  readonly b: View;
  readonly out: View;
  readonly epilogue?: Epilogue;
}

export interface Epilogue {
  readonly value: Expr;
  readonly inputs: readonly View[];
  readonly scalars: readonly ScalarValue[];
}

/**
 * Convolution (cross-correlation) of 1 to 3 spatial dimensions and its two gradients. `input` is
 * [N, C, ...space], `weight` [O, C / groups, ...kernel], `output` [N, O, ...outSpace]; `compute` names which of
 * the three is written from the other two:
 * output[n,o,y] = sum over c,k of input[n, c, y * stride - padding + k * dilation] * weight[o,c,k] (+ bias[o]).
 * `bias` ([O]) only with `compute: 'output'`. Transposed convolution is `compute: 'input'`.
 */
export interface ConvPrimitive {
  readonly kind: 'conv';
  readonly compute: 'output' | 'input' | 'weight';
  readonly input: View;
  readonly weight: View;
  readonly output: View;
  readonly bias?: View;
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/**
 * For every position of `shape`, in row-major order, combines `value` into `output` at the computed `coords` (int32, one per
 * dimension of `output`, in range wherever `valid`). `set`: the last writer wins on devices that run in order.
 * The output keeps what nobody writes. Outputs are not read by `value`.
 */
export interface ScatterPrimitive {
  readonly kind: 'scatter';
  readonly shape: readonly number[];
  readonly inputs: readonly View[];
  readonly scalars: readonly ScalarValue[];
  readonly coords: readonly Expr[];
  readonly valid?: Expr;
  readonly value: Expr;
  readonly output: View;
  readonly combine: 'set' | 'sum' | 'prod' | 'max' | 'min';
}

/** Sorts along the last axis, stably, NaN as the greatest; `indices` (int64) are the original positions. */
export interface SortPrimitive {
  readonly kind: 'sort';
  readonly descending: boolean;
  readonly input: View;
  readonly values: View;
  readonly indices: View;
}

/** The closed list of what a backend executes; every operation is written on it. */
export type Primitive =
  | MapPrimitive
  | ReducePrimitive
  | ScanPrimitive
  | MatmulPrimitive
  | ConvPrimitive
  | ScatterPrimitive
  | SortPrimitive;
