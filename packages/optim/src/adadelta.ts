import { type Expr, e, type Tensor, takes } from '@sconce/core';
import { FusedUpdate, mix } from './fused.js';
import {
  checkFraction,
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';

/** Options of `Adadelta`, each possible for single groups. */
export interface AdadeltaOptions {
  /** What the steps are multiplied by; default 1. */
  lr: number;
  /** Decay rate of the averages; default 0.9. */
  rho: number;
  /** Added under both roots; default 1e-6. */
  eps: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

const update = new FusedUpdate((tensors, numbers) => {
  const [p, square0, moved0, g0] = tensors as [Expr, Expr, Expr, Expr];
  const [lr, rho, rest, eps, decay, sign] = numbers as [Expr, Expr, Expr, Expr, Expr, Expr];
  const g = mix(sign, g0, decay, p);
  const square = mix(rho, square0, rest, e.mul(g, g));
  const move = e.mul(e.div(e.sqrt(e.add(moved0, eps)), e.sqrt(e.add(square, eps))), g);
  const moved = mix(rho, moved0, rest, e.mul(move, move));
  return [e.sub(p, e.mul(move, lr)), square, moved];
});

/**
 * Adadelta: steps as large as the last ones were, relative to the gradient's size; needs no learning rate.
 *
 * @throws ValueError on negative rates, or `rho` outside of [0, 1].
 * @see Zeiler, ADADELTA: An Adaptive Learning Rate Method (2012);
 * https://pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
 * @example
 * const optimizer = new Adadelta(model.parameters());
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  // PyTorch counts these steps in plain numbers.
  protected override readonly scalarState: readonly string[] = [];

  constructor(params: Params<AdadeltaOptions>, options: OptimizerOptions<AdadeltaOptions> = {}) {
    takes('Adadelta', signatures.Adadelta, arguments);
    const { lr = 1, rho = 0.9, eps = 1e-6, weightDecay = 0, maximize = false } = options;
    checkNonNegative('learning rate', lr);
    checkFraction('rho value', rho);
    checkNonNegative('epsilon value', eps);
    checkNonNegative('weight_decay value', weightDecay);
    super(params, { lr, rho, eps, weightDecay, maximize });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdadeltaOptions>): void {
    const { lr, rho, eps, weightDecay, maximize } = group;
    const state = this.stateOf(param);
    this.countStep(state);
    const square = this.tensorIn(state, 'square_avg', param);
    const moved = this.tensorIn(state, 'acc_delta', param);
    update.run(
      [param, square, moved, grad],
      [lr, rho, 1 - rho, eps, weightDecay, maximize ? -1 : 1],
    );
  }
}
