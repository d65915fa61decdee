import { type ComputeType, computeType, type DType } from '../dtype.js';
import { execute } from '../execute.js';
import { cast, constant, type Expr, e, input, scalar, stage } from '../expr.js';
import type { View } from '../primitive.js';
import { numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { mul, sub } from './binary.js';
import { memo } from './plan.js';
import { mean, sum } from './reduce.js';
import { rsqrt, square } from './unary.js';

/** Statistics are computed, and kept for gradients, in at least float32. */
const statisticsDtype = (dtype: DType): DType => computeType(dtype) as DType;

/**
 * The dtype in which statistics are handed out: that of the input, as in PyTorch, unless parameters of another
 * dtype stand beside a narrow one.
 */
export const reportedDtype = (
  { dtype }: Tensor,
  ...parameters: readonly (Tensor | null | undefined)[]
): DType => (parameters.some((t) => t && t.dtype !== dtype) ? statisticsDtype(dtype) : dtype);

/** A fresh contiguous tensor under another shape: nobody's view, as autograd sees it. */
export const reshaped = (t: Tensor, shape: readonly number[]): Tensor =>
  new Tensor(t.storage, t.dtype, shape);

const rowsOf = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((size, d) => (axes.includes(d) ? 1 : size));

const rowCount = (shape: readonly number[], axes: readonly number[]): number =>
  axes.reduce((n, d) => n * (shape[d] as number), 1);

/** Reads input `i` of dtype `dtype` in the type the computation runs in. */
const read = (i: number, dtype: DType | '', type: ComputeType): Expr | undefined =>
  dtype === '' ? undefined : cast(input(i, computeType(dtype)), type);

const forwardPlan = memo((dtype: DType, weight: DType | '', bias: DType | '') => {
  const type = computeType(dtype);
  const x = input(0, type);
  const n = scalar(0, type);
  const average = e.div(stage(0, type), n);
  const centred = e.sub(x, average);
  const variance = e.div(stage(1, type), n);
  const rstd = e.div(constant(1, type), e.sqrt(e.add(variance, scalar(1, type))));
  const w = read(1, weight, type);
  const b = read(weight === '' ? 1 : 2, bias, type);
  const scaled = e.mul(centred, w ? e.mul(rstd, w) : rstd);
  return {
    stages: [
      { combine: 'sum' as const, value: x },
      { combine: 'sum' as const, value: e.mul(centred, centred) },
    ],
    out: b ? e.add(scaled, b) : scaled,
    mean: average,
    rstd,
    variance,
  };
});

/** What normalising rows gives; all but `out` have size 1 along the reduced axes. */
export interface Normalized {
  readonly out: Tensor;
  readonly mean: Tensor;
  /** 1 / sqrt(variance + eps). */
  readonly rstd: Tensor;
  /** Biased. */
  readonly variance: Tensor;
}

/** (x - mean) / sqrt(variance + eps) * weight + bias over `axes`, in one kernel; weight and bias broadcast to `x`. */
export function normalizeRows(
  x: View,
  axes: readonly number[],
  weight: View | null,
  bias: View | null,
  eps: number,
): Normalized {
  const { device } = x.storage;
  const kept = rowsOf(x.shape, axes);
  const statistics = statisticsDtype(x.dtype);
  const result = {
    out: allocate(x.shape, x.dtype, device),
    mean: allocate(kept, statistics, device),
    rstd: allocate(kept, statistics, device),
    variance: allocate(kept, statistics, device),
  };
  if (numel(kept) === 0) return result;
  const plan = forwardPlan(x.dtype, weight?.dtype ?? '', bias?.dtype ?? '');
  execute({
    kind: 'reduce',
    shape: x.shape,
    axes,
    inputs: [x, ...(weight ? [weight] : []), ...(bias ? [bias] : [])],
    scalars: [rowCount(x.shape, axes), eps],
    stages: plan.stages,
    outputs: [
      { per: 'element', value: plan.out, view: result.out },
      { per: 'row', value: plan.mean, view: result.mean },
      { per: 'row', value: plan.rstd, view: result.rstd },
      { per: 'row', value: plan.variance, view: result.variance },
    ],
  });
  return result;
}

const inputGradPlan = memo((dtype: DType, weight: DType | '') => {
  const type = computeType(dtype);
  const [g, x] = [input(0, type), input(1, type)];
  const statistics = computeType(statisticsDtype(dtype));
  const [mean, rstd] = [input(2, statistics), input(3, statistics)];
  const n = scalar(0, type);
  const w = read(4, weight, type);
  const h = w ? e.mul(g, w) : g;
  const xhat = e.mul(e.sub(x, mean), rstd);
  const common = e.div(e.add(stage(0, type), e.mul(xhat, stage(1, type))), n);
  return {
    stages: [
      { combine: 'sum' as const, value: h },
      { combine: 'sum' as const, value: e.mul(h, xhat) },
    ],
    value: e.mul(rstd, e.sub(h, common)),
  };
});

/** The gradient to the input of `normalizeRows`, from its saved statistics. */
export function normInputGrad(
  grad: View,
  x: View,
  axes: readonly number[],
  weight: View | null,
  mean: View,
  rstd: View,
): Tensor {
  const result = allocate(x.shape, x.dtype, x.storage.device);
  if (numel(x.shape) === 0) return result;
  const plan = inputGradPlan(x.dtype, weight?.dtype ?? '');
  execute({
    kind: 'reduce',
    shape: x.shape,
    axes,
    inputs: [grad, x, mean, rstd, ...(weight ? [weight] : [])],
    scalars: [rowCount(x.shape, axes)],
    stages: plan.stages,
    outputs: [{ per: 'element', value: plan.value, view: result }],
  });
  return result;
}

const weightGradPlan = memo((dtype: DType) => {
  const type = computeType(dtype);
  const xhat = e.mul(e.sub(input(1, type), input(2, type)), input(3, type));
  return e.mul(input(0, type), xhat);
});

/** The gradient to the weight, summed over `axes` (those along which it repeats), which keep size 1. */
export function normWeightGrad(
  grad: View,
  x: View,
  axes: readonly number[],
  mean: View,
  rstd: View,
): Tensor {
  const result = allocate(rowsOf(x.shape, axes), statisticsDtype(x.dtype), x.storage.device);
  if (numel(result.shape) === 0) return result;
  const value = weightGradPlan(x.dtype);
  execute({
    kind: 'reduce',
    shape: x.shape,
    axes,
    inputs: [grad, x, mean, rstd],
    scalars: [],
    stages: [{ combine: 'sum', value }],
    outputs: [{ per: 'row', value: stage(0, value.dtype), view: result }],
  });
  return result;
}

/** The normalised input and 1 / sqrt(variance + eps), from differentiable operations: for gradients of gradients. */
function standardized(
  x: Tensor,
  axes: readonly number[],
  eps: number,
): { xhat: Tensor; rstd: Tensor } {
  const centred = sub(x, mean(x, axes, { keepdim: true }));
  const rstd = rsqrt(mean(square(centred), axes, { keepdim: true }).add(eps));
  return { xhat: mul(centred, rstd), rstd };
}

/** `normInputGrad` from differentiable operations; `weight` broadcasts to `x`. */
export function recordedInputGrad(
  grad: Tensor,
  x: Tensor,
  axes: readonly number[],
  weight: Tensor | null,
  eps: number,
): Tensor {
  const { xhat, rstd } = standardized(x, axes, eps);
  const h = weight ? mul(grad, weight) : grad;
  const average = (t: Tensor) => mean(t, axes, { keepdim: true });
  return mul(rstd, sub(h, average(h).add(mul(xhat, average(mul(h, xhat))))));
}

/** `normWeightGrad` from differentiable operations: the mean and deviation over `axes`, the sum over `summed`. */
export function recordedWeightGrad(
  grad: Tensor,
  x: Tensor,
  axes: readonly number[],
  summed: readonly number[],
  eps: number,
): Tensor {
  const product = mul(grad, standardized(x, axes, eps).xhat);
  return summed.length === 0 ? product : sum(product, summed, { keepdim: true });
}
