import type { DType, Tensor } from '@sconce/core';
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
  | 'result'
  | 'values'
  | 'indices';

/** The other parameters, by the names that operations give them in `params`. */
interface Plain {
  /** Reduced dimensions, ascending. */
  readonly axes: readonly number[];
  readonly keepdim: boolean;
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
  readonly correction: number;
  readonly ord: number;
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
  /** The part of a tensor that an operation shows. */
  readonly place: (whole: Tensor) => Tensor;
}

/** What formulas may look at by name, besides the gradient. */
export type Known = Plain & { readonly [Name in TensorNames]: Geometry };
