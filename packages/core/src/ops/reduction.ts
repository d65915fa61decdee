import { category, computeType, type DType, getDefaultDtype } from '../dtype.js';
import { formatShape, IndexError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, constant, type Expr, e, input, stage } from '../expr.js';
import type { Combiner, ReduceStage, ScalarValue } from '../primitive.js';
import { normalizeDims, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';

/** One row result of a reduction: its value from the stages, and the dtype it is stored in. */
export interface RowResult {
  readonly value: Expr;
  readonly dtype: DType;
}

/**
 * Runs a multi-stage reduction of one tensor over `axes` (ascending); gives one tensor for each result.
 * `value` and `stages` see the element as `input(0)` and `scalars` as `scalar(i)`.
 */
export function reduceRows(
  self: Tensor,
  axes: readonly number[],
  keepdim: boolean,
  stages: readonly ReduceStage[],
  results: readonly RowResult[],
  scalars: readonly ScalarValue[] = [],
): Tensor[] {
  const kept = self.shape.map((size, d) => (axes.includes(d) ? 1 : size));
  const outputs = results.map((r) => ({
    per: 'row' as const,
    value: cast(r.value, computeType(r.dtype)),
    view: allocate(kept, r.dtype, self.device),
  }));
  execute({ kind: 'reduce', shape: self.shape, axes, inputs: [self], scalars, stages, outputs });
  if (keepdim) return outputs.map((o) => o.view);
  const shape = self.shape.filter((_, d) => !axes.includes(d));
  return outputs.map((o) => new Tensor(o.view.storage, o.view.dtype, shape));
}

/** A one-stage reduction whose element is converted to `dtype` first. */
export function reduceOne(
  self: Tensor,
  axes: readonly number[],
  keepdim: boolean,
  combine: Combiner,
  dtype: DType,
  body: (x: Expr) => Expr = (x) => x,
): Tensor {
  const value = body(cast(input(0, computeType(self.dtype)), computeType(dtype)));
  return reduceRows(
    self,
    axes,
    keepdim,
    [{ combine, value }],
    [{ value: stage(0, value.dtype), dtype }],
  )[0] as Tensor;
}

/** The dtype sums and products come in: integers and bools become int64. */
export const accumulationDtype = (self: Tensor, dtype: DType | null | undefined): DType =>
  dtype ?? (category(self.dtype) < 2 ? 'int64' : self.dtype);

/** The dtype of float results of any input. */
export const floatDtype = (self: Tensor): DType =>
  category(self.dtype) < 2 ? getDefaultDtype() : self.dtype;

/** Elements in one row. */
export const rowLength = (self: Tensor, axes: readonly number[]): number =>
  axes.reduce((n, d) => n * (self.shape[d] as number), 1);

/** Whether an expression is not zero. */
export const nonzeroExpr = (x: Expr): Expr =>
  x.dtype === 'bool' ? x : e.ne(x, constant(0, x.dtype));

/** Which dimensions are reduced: one, several, or (undefined, null, empty) all. */
export type Dims = number | readonly number[] | null | undefined;

/** Ascending reduced axes; an empty list means all, as in PyTorch. */
export const axesOf = (operation: string, self: Tensor, dim: Dims): number[] => {
  const all = dim === undefined || dim === null || (typeof dim !== 'number' && dim.length === 0);
  const axes = normalizeDims(operation, all ? undefined : dim, self.shape.length);
  // The one dimension a scalar may name does not exist.
  return self.shape.length === 0 ? [] : axes;
};

/**
 * Checks that there is something to take a maximum of.
 *
 * @throws IndexError if a reduced dimension is empty, or the given error if there is no `dim` to blame.
 */
export function checkNotEmpty(
  operation: string,
  self: Tensor,
  dim: Dims,
  axes: readonly number[],
  Fault: typeof IndexError | typeof RuntimeError = RuntimeError,
): void {
  if (numel(self.shape) > 0) return;
  if (dim === undefined || dim === null || (typeof dim !== 'number' && dim.length === 0)) {
    throw new Fault(
      `${operation}: Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument (shape ${formatShape(self.shape)}).`,
    );
  }
  for (const d of axes) {
    if (self.shape[d] === 0)
      throw new IndexError(`${operation}: Expected reduction dim ${d} to have non-zero size.`);
  }
}
