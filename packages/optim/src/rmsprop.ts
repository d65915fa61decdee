import { type Expr, e, type Tensor, takes } from '@sconce/core';
import { FusedUpdate, mix } from './fused.js';
import {
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';

/** Options of `RMSprop`, each possible for single groups. */
export interface RMSpropOptions {
  /** Learning rate; default 0.01. */
  lr: number;
  /** Decay rate of the average of the squared gradient; default 0.99. */
  alpha: number;
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** Share of the last update that is kept; default 0. */
  momentum: number;
  /** Divide by an estimate of the variance instead of the second moment; default false. */
  centered: boolean;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

const update = (momentum: boolean, centered: boolean): FusedUpdate =>
  new FusedUpdate((tensors, numbers) => {
    const [p, square0] = tensors as [Expr, Expr];
    const buffer0 = tensors[2] as Expr;
    const average0 = tensors[momentum ? 3 : 2] as Expr;
    const g0 = tensors[tensors.length - 1] as Expr;
    const [lr, alpha, rest, eps, decay, sign, keep] = numbers as [
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
    ];
    const g = mix(sign, g0, decay, p);
    const square = mix(alpha, square0, rest, e.mul(g, g));
    const average = centered ? mix(alpha, average0, rest, g) : undefined;
    const spread = average ? e.sub(square, e.mul(average, average)) : square;
    const move = e.div(g, e.add(e.sqrt(spread), eps));
    const velocity = momentum ? e.add(e.mul(buffer0, keep), move) : move;
    return [
      e.sub(p, e.mul(velocity, lr)),
      square,
      ...(momentum ? [velocity] : []),
      ...(average ? [average] : []),
    ];
  });
const updates = [
  [update(false, false), update(false, true)],
  [update(true, false), update(true, true)],
] as const;

/**
 * RMSprop: steps divided by a running average of the gradient's size.
 *
 * @throws ValueError on negative rates.
 * @see Tieleman and Hinton, Lecture 6.5 of Neural Networks for Machine Learning (2012); centered: Graves, Generating
 * Sequences With Recurrent Neural Networks (2013); https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
 * @example
 * const optimizer = new RMSprop(model.parameters(), { lr: 0.01, momentum: 0.9 });
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  // PyTorch counts these steps in plain numbers.
  protected override readonly scalarState: readonly string[] = [];

  protected override readonly torchOptions: Readonly<Record<string, boolean | null>> = {
    foreach: null,
    differentiable: false,
  };

  constructor(params: Params<RMSpropOptions>, options: OptimizerOptions<RMSpropOptions> = {}) {
    takes('RMSprop', signatures.RMSprop, arguments);
    const {
      lr = 1e-2,
      momentum = 0,
      alpha = 0.99,
      eps = 1e-8,
      centered = false,
      weightDecay = 0,
      maximize = false,
    } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('epsilon value', eps);
    checkNonNegative('momentum value', momentum);
    checkNonNegative('weight_decay value', weightDecay);
    checkNonNegative('alpha value', alpha);
    super(params, { lr, momentum, alpha, eps, centered, weightDecay, maximize });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RMSpropOptions>): void {
    const { lr, alpha, eps, weightDecay, momentum, centered, maximize } = group;
    const state = this.stateOf(param);
    this.countStep(state);
    const tensors = [param, this.tensorIn(state, 'square_avg', param)];
    if (momentum > 0) tensors.push(this.tensorIn(state, 'momentum_buffer', param));
    if (centered) tensors.push(this.tensorIn(state, 'grad_avg', param));
    updates[momentum > 0 ? 1 : 0][centered ? 1 : 0].run(
      [...tensors, grad],
      [lr, alpha, 1 - alpha, eps, weightDecay, maximize ? -1 : 1, momentum],
    );
  }
}
