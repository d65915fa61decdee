import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import {
  formatShape,
  IndexError,
  NotImplementedError,
  RuntimeError,
  ValueError,
} from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, type Expr, e, input, load, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import { numel, sameShape } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { checkIndexRange } from './index-range.js';
import { int, memo, within } from './plan.js';
import { squeeze, unsqueeze } from './view.js';

/** How a loss combines its elements. */
export type Reduction = 'none' | 'mean' | 'sum';

/** The row of the target: whether it counts, its class, and the weight of that. */
function picked(targetType: DType, at: Expr, type: 'float32' | 'float64', weighted: boolean) {
  const target = cast(at, 'int32');
  const wide = computeType(targetType);
  const counts = e.and(e.ne(cast(at, wide), scalar(0, wide)), within(target, int(1)));
  const zero = constant(0, type);
  const weight = weighted ? load(2, type, [target], counts) : constant(1, type);
  return { target, counts, weight: e.where(counts, weight, zero) };
}

type Float = 'float32' | 'float64';

const forwardPlan = memo((dtype: DType, targetType: DType, rank: number, weighted: boolean) => {
  const type = computeType(dtype) as Float;
  const { target, counts, weight } = picked(
    targetType,
    input(1, computeType(targetType)),
    type,
    weighted,
  );
  const rest = Array.from({ length: rank - 1 }, (_, i) => coord(i + 1));
  const x = load(0, type, [coord(0), target, ...rest], counts);
  return { loss: e.neg(e.mul(weight, x)), weight };
});

const scalarsOf = (self: Tensor, ignoreIndex: number): number[] => [
  ignoreIndex,
  self.shape[1] as number,
];

/** The loss, and the sum of weights that `'mean'` divided by. */
export interface NllLoss {
  readonly loss: Tensor;
  readonly totalWeight: Tensor;
}

/**
 * Negative log likelihood of checked arguments: self [N, C, ...], target [N, ...]. Gives the loss and, for
 * `'mean'`, the sum of weights it was divided by.
 */
export const nllLossForward: (
  self: Tensor,
  target: Tensor,
  weight: Tensor | null,
  reduction: Reduction,
  ignoreIndex: number,
) => NllLoss = op(
  'nllLoss',
  'self target weight reduction ignoreIndex',
  (
    self: Tensor,
    target: Tensor,
    weight: Tensor | null,
    reduction: Reduction,
    ignoreIndex: number,
  ): NllLoss => {
    const { dtype, device } = self;
    const type = computeType(dtype);
    const rank = target.shape.length;
    const plan = forwardPlan(dtype, target.dtype, rank, weight !== null);
    const inputs = [self, target, ...(weight ? [weight] : [])];
    const scalars = scalarsOf(self, ignoreIndex);
    const total = allocate([], dtype, device);
    if (reduction === 'none') {
      const result = allocate(target.shape, dtype, device);
      if (numel(target.shape) > 0) {
        execute({
          kind: 'map',
          shape: target.shape,
          inputs,
          scalars,
          values: [plan.loss],
          outputs: [result],
        });
      }
      return { loss: result, totalWeight: total };
    }
    const result = allocate([], dtype, device);
    const one = (t: Tensor) =>
      new Tensor(
        t.storage,
        t.dtype,
        target.shape.map(() => 1),
      );
    const [sum, weights] = [stage(0, type), stage(1, type)];
    execute({
      kind: 'reduce',
      shape: target.shape,
      axes: target.shape.map((_, d) => d),
      inputs,
      scalars,
      stages: [
        { combine: 'sum', value: plan.loss },
        { combine: 'sum', value: plan.weight },
      ],
      outputs: [
        { per: 'row', value: reduction === 'mean' ? e.div(sum, weights) : sum, view: one(result) },
        { per: 'row', value: weights, view: one(total) },
      ],
    });
    return { loss: result, totalWeight: total };
  },
);

const backwardPlan = memo(
  (
    dtype: DType,
    targetType: DType,
    rank: number,
    weighted: boolean,
    reduction: Reduction,
  ): Expr => {
    const type = computeType(dtype) as Float;
    // The position without its class.
    const at = Array.from({ length: rank }, (_, d) => coord(d)).filter((_, d) => d !== 1);
    const wide = computeType(targetType);
    const { target, counts, weight } = picked(targetType, load(1, wide, at), type, weighted);
    const next = weighted ? 3 : 2;
    const grad = reduction === 'none' ? load(0, type, at) : load(0, type, []);
    const share = reduction === 'mean' ? e.div(grad, load(next, type, [])) : grad;
    const chosen = e.and(counts, e.eq(target, coord(1)));
    return e.where(chosen, e.neg(e.mul(weight, share)), constant(0, type));
  },
);

/** The gradient of `nllLossForward` to its input of shape `inputShape`. */
export const nllLossBackward: (
  grad: Tensor,
  inputShape: readonly number[],
  target: Tensor,
  weight: Tensor | null,
  reduction: Reduction,
  ignoreIndex: number,
  totalWeight: Tensor,
) => Tensor = op(
  'nllLossBackward',
  'grad inputShape target weight reduction ignoreIndex totalWeight',
  (
    grad: Tensor,
    inputShape: readonly number[],
    target: Tensor,
    weight: Tensor | null,
    reduction: Reduction,
    ignoreIndex: number,
    totalWeight: Tensor,
  ): Tensor => {
    const result = allocate(inputShape, grad.dtype, grad.device);
    if (numel(inputShape) === 0) return result;
    execute({
      kind: 'map',
      shape: inputShape,
      inputs: [
        grad,
        target,
        ...(weight ? [weight] : []),
        ...(reduction === 'mean' ? [totalWeight] : []),
      ],
      scalars: scalarsOf(result, ignoreIndex),
      values: [
        backwardPlan(grad.dtype, target.dtype, inputShape.length, weight !== null, reduction),
      ],
      outputs: [result],
    });
    return result;
  },
);

/** Options of `nllLoss`. */
export interface NllLossOptions {
  /** A factor for each class. */
  weight?: Tensor | null;
  /** Targets of this value do not count; default -100. */
  ignoreIndex?: number;
  /** Default `'mean'`, weighted by the weights of the targets. */
  reduction?: Reduction;
}

/** @throws ValueError unless it is one of the three. */
export function checkLossReduction(name: string, reduction: string): void {
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
    throw new ValueError(`${name}: ${reduction} is not a valid value for reduction`);
  }
}

/**
 * The negative log likelihood of classes: input of log-probabilities [N, C, ...] or [C], target of
 * class numbers [N, ...] or [].
 *
 * @throws RuntimeError if the shapes do not agree; IndexError for a class that is not there.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.nll_loss.html
 */
export const nllLoss = explaining(
  'nllLoss',
  (input: Tensor, target: Tensor, options: NllLossOptions = {}): Tensor => {
    const { weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
    checkLossReduction('nllLoss', reduction);
    if (!isFloatingPoint(input.dtype)) {
      throw new NotImplementedError(
        `nllLoss: "nll_loss_out_frame" not implemented for '${input.dtype}'`,
      );
    }
    if (target.dtype !== 'int64' && target.dtype !== 'uint8' && target.dtype !== 'int32') {
      throw new RuntimeError(
        `nllLoss: expected scalar type int64 but found ${target.dtype} for the target`,
      );
    }
    if (input.shape.length === 0) {
      throw new RuntimeError('nllLoss: Expected 1 or more dimensions (got 0)');
    }
    const single = input.shape.length === 1;
    const x = single ? unsqueeze(input, 0) : input;
    const t = single && target.shape.length === 0 ? unsqueeze(target, 0) : target;
    if (x.shape[0] !== t.shape[0]) {
      throw new ValueError(
        `nllLoss: Expected input batch_size (${x.shape[0]}) to match target batch_size (${t.shape[0]}).`,
      );
    }
    if (x.shape.length === 2 && t.shape.length > 1) {
      throw new RuntimeError(
        `nllLoss: 0D or 1D target tensor expected, multi-target not supported; got target ${formatShape(target.shape)} for input ${formatShape(input.shape)}`,
      );
    }
    const expected = [x.shape[0] as number, ...x.shape.slice(2)];
    if (!sameShape(t.shape, expected)) {
      throw new RuntimeError(
        `nllLoss: size mismatch (got input: ${formatShape(input.shape)}, target: ${formatShape(target.shape)}); expected target ${formatShape(expected)}`,
      );
    }
    const classes = x.shape[1] as number;
    if (weight && (weight.shape.length !== 1 || weight.shape[0] !== classes)) {
      throw new RuntimeError(
        `nllLoss: weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${formatShape(weight.shape)}`,
      );
    }
    if (weight && weight.dtype !== input.dtype) {
      throw new RuntimeError(
        `nllLoss: expected scalar type ${input.dtype} but found ${weight.dtype} for the weight`,
      );
    }
    checkClasses(t, classes, ignoreIndex);
    const { loss } = nllLossForward(x, t, weight, reduction, ignoreIndex);
    return single && reduction === 'none' ? squeeze(loss, 0) : loss;
  },
);

function checkClasses(target: Tensor, classes: number, ignoreIndex: number): void {
  const sentence = (bad: number) => `nllLoss: Target ${bad} is out of bounds.`;
  checkIndexRange(target, 0, classes, sentence, IndexError, ignoreIndex);
}
