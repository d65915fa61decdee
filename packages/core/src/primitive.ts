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

/**
 * The dense matrix routines, by name: what they read, what they write, and how. `V` is what stands for a matrix: the last
 * two dimensions of a view of float32 or float64, all of one call alike; vectors and numbers that belong to a matrix
 * are views with one and two dimensions less. The batch dimensions in front of these are already expanded to the same sizes, any size
 * may be 0, outputs overlap nothing. Conventions are LAPACK's: pivots and `info` are int32, pivots count from 1, `info` is 0 on
 * success. A failure is not an error: `info` says it, for each matrix, and the other outputs hold what was reached. NaN
 * and infinities in a matrix never keep a routine from ending.
 */
export interface LinalgRoutines<V> {
  /**
   * a = L L^T (`upper`: U^T U); reads that triangle of `a` only and writes the other with 0. `info`: the order of the
   * first leading minor that is not positive.
   */
  readonly cholesky: {
    readonly inputs: readonly [a: V];
    readonly outputs: readonly [factor: V, info: V];
    readonly flags: { readonly upper: boolean };
  };
  /**
   * P^T a = L U of [m, n], both in one matrix (L has a diagonal of ones); k = min(m, n) pivots: row i was exchanged with row
   * `pivots[i]` in the i-th step. Without `pivot` no rows are exchanged. `info`: the first i for which U[i, i] is 0, from 1.
   */
  readonly lu: {
    readonly inputs: readonly [a: V];
    readonly outputs: readonly [lu: V, pivots: V, info: V];
    readonly flags: { readonly pivot: boolean };
  };
  /** Solves a x = b, or (`adjoint`) a^T x = b, from the result of `lu` for square a. */
  readonly luSolve: {
    readonly inputs: readonly [lu: V, pivots: V, b: V];
    readonly outputs: readonly [x: V];
    readonly flags: { readonly adjoint: boolean };
  };
  /** The order of rows that exchanges give: `permutation` [m] (int64; int32 where there is none), from 0, of k <= m pivots. */
  readonly permutation: {
    readonly inputs: readonly [pivots: V];
    readonly outputs: readonly [permutation: V];
    readonly flags: Record<string, never>;
  };
  /**
   * a = Q R of [m, n], as LAPACK packs it: R on and above the diagonal, below it the reflectors whose product is Q, with
   * their factors `tau` [min(m, n)]: Q = H_1 H_2 ..., H_i = I - tau_i v_i v_i^T, v_i = (0, ..., 1, below the diagonal).
   */
  readonly qr: {
    readonly inputs: readonly [a: V];
    readonly outputs: readonly [packed: V, tau: V];
    readonly flags: Record<string, never>;
  };
  /** The first columns of H_1 ... H_k: `q` [m, n] from reflectors [m, n] packed as by `qr` and `tau` [k], k <= n <= m. */
  readonly householderProduct: {
    readonly inputs: readonly [packed: V, tau: V];
    readonly outputs: readonly [q: V];
    readonly flags: Record<string, never>;
  };
  /** Q c or (`transpose`) Q^T c, with Q = H_1 ... H_k of [m, m] from reflectors [m, >= k] packed as by `qr`, `tau` [k], c [m, p]. */
  readonly householderMultiply: {
    readonly inputs: readonly [packed: V, tau: V, c: V];
    readonly outputs: readonly [product: V];
    readonly flags: { readonly transpose: boolean };
  };
  /**
   * a = V diag(values) V^T of a symmetric matrix, of which one triangle is read; values ascend, vectors are the columns of
   * V and are computed only if there is a third output. `info`: how many values did not converge.
   */
  readonly eigh: {
    readonly inputs: readonly [a: V];
    readonly outputs: readonly [values: V, info: V, vectors?: V];
    readonly flags: { readonly upper: boolean };
  };
  /**
   * a = U diag(s) V^T of [m, n]; the k = min(m, n) singular values descend. `u` and `vt` are computed only if given, both or
   * neither: [m, k] and [k, n], or whole bases [m, m] and [n, n], as their shapes say. `info` as of `eigh`; -4 if `a` is not finite.
   */
  readonly svd: {
    readonly inputs: readonly [a: V];
    readonly outputs: readonly [s: V, info: V, u?: V, vt?: V];
    readonly flags: Record<string, never>;
  };
  /**
   * Solves a x = b for triangular a, of which that triangle is read only, and with `unitriangular` not the diagonal, which
   * counts as ones. Zeros on the diagonal give infinities and NaN.
   */
  readonly triangularSolve: {
    readonly inputs: readonly [a: V, b: V];
    readonly outputs: readonly [x: V];
    readonly flags: { readonly upper: boolean; readonly unitriangular: boolean };
  };
  /**
   * a = L D L^T of a symmetric matrix, of which the lower triangle is read, by Bunch and Kaufman's pivoting: L and D, whose blocks
   * are 1x1 or 2x2, in one lower triangle (the upper one is 0); negative pivots, in pairs, tell 2x2 blocks. `info`: the first i for which D[i, i] is 0.
   */
  readonly ldl: {
    readonly inputs: readonly [a: V];
    readonly outputs: readonly [ld: V, pivots: V, info: V];
    readonly flags: Record<string, never>;
  };
  /** Solves a x = b from the result of `ldl`. */
  readonly ldlSolve: {
    readonly inputs: readonly [ld: V, pivots: V, b: V];
    readonly outputs: readonly [x: V];
    readonly flags: Record<string, never>;
  };
}

/** A call of one of the routines. */
export type LinalgCall<V> = {
  readonly [R in keyof LinalgRoutines<V>]: { readonly routine: R } & LinalgRoutines<V>[R];
}[keyof LinalgRoutines<V>];

/** A dense matrix routine on batches of matrices: see `LinalgRoutines`. */
export type LinalgPrimitive = { readonly kind: 'linalg' } & LinalgCall<View>;

/** The closed list of what a backend executes; every operation is written on it. */
export type Primitive =
  | MapPrimitive
  | ReducePrimitive
  | ScanPrimitive
  | MatmulPrimitive
  | ConvPrimitive
  | ScatterPrimitive
  | SortPrimitive
  | LinalgPrimitive;
