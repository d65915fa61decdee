import { type ComputeType, computeType, type DType, isFloatingPoint } from '../dtype.js';
import { NotImplementedError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { constant, type Expr, e, input, stage } from '../expr.js';
import { mustRecord, op } from '../op.js';
import type { ReduceStage } from '../primitive.js';
import { normalizeDim } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { mul, sub } from './binary.js';
import { to } from './copy.js';
import { memo } from './plan.js';
import { sum } from './reduce.js';
import { exp, neg } from './unary.js';
import { writing } from './writing.js';

/** Options of the softmax family. */
export interface SoftmaxOptions {
  /** The dtype to convert to first; default: none. */
  dtype?: DType;
}

interface RowPlan {
  readonly stages: readonly ReduceStage[];
  readonly value: Expr;
}

/** A row-wise computation over one dimension with a result for each element. */
function rowwise(dim: number, inputs: readonly Tensor[], plan: RowPlan): Tensor {
  const first = inputs[0] as Tensor;
  const result = allocate(first.shape, first.dtype, first.device);
  if (first.numel() === 0) return result;
  execute({
    kind: 'reduce',
    shape: first.shape,
    axes: first.shape.length === 0 ? [] : [dim],
    inputs,
    scalars: [],
    stages: plan.stages,
    outputs: [{ per: 'element', value: plan.value, view: result }],
  });
  return result;
}

/** One plan for each compute type. */
const byType = (build: (type: ComputeType) => RowPlan): ((t: Tensor) => RowPlan) => {
  const plan = memo(build);
  return (t) => plan(computeType(t.dtype));
};

/** The greatest of the row, and the sum of the exponentials of what is below it. */
function partition(type: ComputeType): { shifted: Expr; stages: ReduceStage[] } {
  const shifted = e.sub(input(0, type), stage(0, type));
  return {
    shifted,
    stages: [
      { combine: 'max', value: input(0, type) },
      { combine: 'sum', value: e.exp(shifted) },
    ],
  };
}

const softmaxRow = (type: ComputeType): RowPlan => {
  const { shifted, stages } = partition(type);
  return { stages, value: e.div(e.exp(shifted), stage(1, type)) };
};
const softmaxPlan = byType(softmaxRow);
const safeSoftmaxPlan = byType((type) => {
  const { stages, value } = softmaxRow(type);
  const nothing = e.eq(stage(0, type), Number.NEGATIVE_INFINITY);
  return { stages, value: e.where(nothing, constant(0, type), value) };
});
const logSoftmaxPlan = byType((type) => {
  const { shifted, stages } = partition(type);
  return { stages, value: e.sub(shifted, e.log(stage(1, type))) };
});

const softmaxOp = op(
  'softmax',
  'self dim',
  (self: Tensor, dim: number): Tensor => rowwise(dim, [self], softmaxPlan(self)),
);
const safeSoftmaxOp = op(
  'safeSoftmax',
  'self dim',
  (self: Tensor, dim: number): Tensor => rowwise(dim, [self], safeSoftmaxPlan(self)),
);
const logSoftmaxOp = op(
  'logSoftmax',
  'self dim',
  (self: Tensor, dim: number): Tensor => rowwise(dim, [self], logSoftmaxPlan(self)),
);

function prepare(
  name: string,
  kernel: string,
  self: Tensor,
  dim: number,
  options: SoftmaxOptions | undefined,
): [Tensor, number] {
  const d = normalizeDim(name, dim, self.shape.length);
  const x = options?.dtype === undefined ? self : to(self, options.dtype);
  if (!isFloatingPoint(x.dtype)) {
    throw new NotImplementedError(`${name}: "${kernel}" not implemented for '${x.dtype}'`);
  }
  return [x, d];
}

/**
 * e^x / sum(e^x) along a dimension, computed without overflow.
 *
 * @throws NotImplementedError for integers without a floating `dtype`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 * @example tensor([0, 0]).to('float32').softmax(0) // tensor([0.5000, 0.5000])
 */
export const softmax = writing(
  'softmax',
  (self: Tensor, dim: number, options?: SoftmaxOptions): Tensor => {
    const [x, d] = prepare('softmax', 'softmax_lastdim_kernel_impl', self, dim, options);
    return softmaxOp(x, d);
  },
);

/** `softmax` in which a row of nothing but -infinity is 0, where `softmax` has NaN: no gradient flows to it. */
export const safeSoftmax = (self: Tensor, dim: number): Tensor =>
  safeSoftmaxOp(self, normalizeDim('safeSoftmax', dim, self.shape.length));

/**
 * The logarithm of `softmax`, without the loss of accuracy of computing one after the other.
 *
 * @throws NotImplementedError for integers without a floating `dtype`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.log_softmax.html
 */
export const logSoftmax = writing(
  'logSoftmax',
  (self: Tensor, dim: number, options?: SoftmaxOptions): Tensor => {
    const [x, d] = prepare('logSoftmax', 'log_softmax_lastdim_kernel_impl', self, dim, options);
    return logSoftmaxOp(x, d);
  },
);

/** `softmax` of the negated tensor. */
export const softmin = explaining(
  'softmin',
  (self: Tensor, dim: number, options?: SoftmaxOptions): Tensor => softmax(neg(self), dim, options),
);

const softmaxGradPlan = byType((type) => {
  const [g, y] = [input(0, type), input(1, type)];
  return {
    stages: [{ combine: 'sum', value: e.mul(g, y) }],
    value: e.mul(y, e.sub(g, stage(0, type))),
  };
});
const logSoftmaxGradPlan = byType((type) => {
  const [g, y] = [input(0, type), input(1, type)];
  return {
    stages: [{ combine: 'sum', value: g }],
    value: e.sub(g, e.mul(e.exp(y), stage(0, type))),
  };
});

/**
 * The gradient of `softmax` from that of its output: one kernel, or differentiable operations when
 * it is recorded itself.
 */
export function softmaxBackward(grad: Tensor, output: Tensor, dim: number): Tensor {
  if (!mustRecord([grad, output])) return rowwise(dim, [grad, output], softmaxGradPlan(grad));
  return mul(output, sub(grad, sum(mul(grad, output), dim, { keepdim: true })));
}

/** The gradient of `logSoftmax` from that of its output; recorded as `softmaxBackward` is. */
export function logSoftmaxBackward(grad: Tensor, output: Tensor, dim: number): Tensor {
  if (!mustRecord([grad, output])) return rowwise(dim, [grad, output], logSoftmaxGradPlan(grad));
  return sub(grad, mul(exp(output), sum(grad, dim, { keepdim: true })));
}
