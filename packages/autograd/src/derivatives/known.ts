import type {
  Blocks,
  CtcTargets,
  DType,
  Reduction,
  Tensor,
  UpsampleMode,
  Windows,
} from '@sconce/core';
import type { Geometry } from '../geometry.js';

/** Tensor parameters by name: without `saving`, formulas see their geometry only. */
type TensorNames =
  | 'self'
  | 'other'
  | 'condition'
  | 'mask'
  | 'min'
  | 'max'
  | 'tensor1'
  | 'tensor2'
  | 'weight'
  | 'gate'
  | 'mat1'
  | 'mat2'
  | 'batch1'
  | 'batch2'
  | 'source'
  | 'src'
  | 'x1'
  | 'x2'
  | 'input'
  | 'bias'
  | 'grad'
  | 'target'
  | 'posWeight'
  | 'totalWeight'
  | 'mean'
  | 'variance'
  | 'rstd'
  | 'logProbs'
  | 'loss'
  | 'paths'
  | 'lu'
  | 'pivots'
  | 'b'
  | 'tau'
  | 'result'
  | 'values'
  | 'indices';

/** The other parameters, by the names that operations give them in `params`. */
interface Plain {
  /** Reduced dimensions, ascending. */
  readonly axes: readonly number[];
  readonly keepdim: boolean;
  /** Of `amax` and `amin`: whether the gradient of a result that is NaN goes to the NaNs. */
  readonly toNaN: boolean;
  readonly dtype: DType;
  readonly dim: number;
  readonly dims: readonly number[];
  readonly dim0: number;
  readonly dim1: number;
  readonly dim2: number;
  readonly start: number;
  readonly end: number;
  readonly index: number;
  readonly step: number;
  readonly size: number;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly shifts: readonly number[];
  readonly diagonal: number;
  readonly correction: number;
  readonly ord: number;
  readonly p: number;
  readonly n: number;
  readonly alpha: number;
  readonly beta: number;
  readonly value: number;
  readonly threshold: number;
  readonly minVal: number;
  readonly maxVal: number;
  readonly negativeSlope: number;
  readonly lambd: number;
  readonly accumulate: boolean;
  /** How values that meet are combined. */
  readonly reduce: string;
  readonly includeSelf: boolean;
  // neural networks
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly windows: Windows;
  readonly blocks: Blocks;
  readonly targets: CtcTargets;
  readonly zeroInfinity: boolean;
  readonly interpolation: UpsampleMode;
  readonly aligned: boolean;
  readonly factors: readonly number[];
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | null;
  readonly pad: readonly number[];
  readonly mode: 'reflect' | 'replicate' | 'circular';
  readonly eps: number;
  readonly normalizedShape: readonly number[];
  readonly numGroups: number;
  readonly paddingIdx: number;
  readonly scaleGradByFreq: boolean;
  readonly delta: number;
  readonly reduction: Reduction;
  readonly ignoreIndex: number;
  // linear algebra
  readonly upper: boolean;
  readonly left: boolean;
  readonly unitriangular: boolean;
  readonly adjoint: boolean;
  readonly transpose: boolean;
  /** Whether the transposed matrices were factored. */
  readonly turn: boolean;
  readonly pivot: boolean;
  readonly fullMatrices: boolean;
  readonly rcond: number;
  /** The part of a tensor that an operation shows. */
  readonly place: (whole: Tensor) => Tensor;
}

/** What formulas may look at by name, besides the gradient. */
export type Known = Plain & { readonly tensors: readonly Geometry[] } & {
  readonly [Name in TensorNames]: Geometry;
};
