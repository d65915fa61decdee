import { type Expr, e, type Tensor, takes } from '@sconce/core';
import { FusedUpdate, mix } from './fused.js';
import {
  checkBetas,
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';

/** Options of `RAdam`, each possible for single groups. */
export interface RAdamOptions {
  /** Learning rate; default 0.001. */
  lr: number;
  /** Decay rates of the averages of the gradient and its square; default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
}

const update = (rectified: boolean): FusedUpdate =>
  new FusedUpdate((tensors, numbers) => {
    const [p, m0, v0, g0] = tensors as [Expr, Expr, Expr, Expr];
    const [rate, beta1, rest1, beta2, rest2, eps, decay] = numbers as readonly Expr[] as [
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
    ];
    const g = e.add(g0, e.mul(p, decay));
    const m = mix(beta1, m0, rest1, g);
    const v = mix(beta2, v0, rest2, e.mul(g, g));
    const move = rectified ? e.div(m, e.add(e.sqrt(v), eps)) : m;
    return [e.sub(p, e.mul(move, rate)), m, v];
  });
const plain = update(false);
const adaptive = update(true);

/**
 * RAdam: Adam that trusts its average of squares only as far as the steps so far allow.
 *
 * @throws ValueError on rates out of range.
 * @see Liu et al., On the Variance of the Adaptive Learning Rate and Beyond (2019);
 * https://pytorch.org/docs/stable/generated/torch.optim.RAdam.html
 * @example
 * const optimizer = new RAdam(model.parameters(), { lr: 1e-3 });
 */
export class RAdam extends Optimizer<RAdamOptions> {
  constructor(params: Params<RAdamOptions>, options: OptimizerOptions<RAdamOptions> = {}) {
    takes('RAdam', signatures.RAdam, arguments);
    const { lr = 1e-3, betas = [0.9, 0.999], eps = 1e-8, weightDecay = 0 } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('epsilon value', eps);
    checkBetas(betas);
    checkNonNegative('weight_decay value', weightDecay);
    super(params, { lr, betas, eps, weightDecay });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RAdamOptions>): void {
    const { lr, betas, eps, weightDecay } = group;
    const [beta1, beta2] = betas;
    const state = this.stateOf(param);
    const count = this.countStep(state);
    const correction = 1 - beta2 ** count;
    // The length of a simple moving average with the same memory: at its limit, and by now.
    const limit = 2 / (1 - beta2) - 1;
    const length = limit - (2 * count * beta2 ** count) / correction;
    let rate = lr / (1 - beta1 ** count);
    if (length > 5) {
      const variance = ((length - 4) * (length - 2) * limit) / ((limit - 4) * (limit - 2) * length);
      rate *= Math.sqrt(variance) * Math.sqrt(correction);
    }
    const average = this.tensorIn(state, 'exp_avg', param);
    const square = this.tensorIn(state, 'exp_avg_sq', param);
    (length > 5 ? adaptive : plain).run(
      [param, average, square, grad],
      [rate, beta1, 1 - beta1, beta2, 1 - beta2, eps, weightDecay],
    );
  }
}
