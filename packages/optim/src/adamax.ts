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

/** Options of `Adamax`, each possible for single groups. */
export interface AdamaxOptions {
  /** Learning rate; default 0.002. */
  lr: number;
  /** Decay rates of the average of the gradient and of its greatest size; default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the gradient's size; default 1e-8. */
  eps: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

const update = new FusedUpdate((tensors, numbers) => {
  const [p, m0, largest0, g0] = tensors as [Expr, Expr, Expr, Expr];
  const [rate, beta1, rest1, beta2, eps, decay, sign] = numbers as [
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
    Expr,
  ];
  const g = mix(sign, g0, decay, p);
  const m = mix(beta1, m0, rest1, g);
  const largest = e.max(e.mul(largest0, beta2), e.add(e.abs(g), eps));
  return [e.sub(p, e.mul(rate, e.div(m, largest))), m, largest];
});

/**
 * Adamax: Adam with the greatest size of the gradient, fading, instead of its average square.
 *
 * @throws ValueError on rates out of range.
 * @see Kingma and Ba, Adam: A Method for Stochastic Optimization (2014), section 7;
 * https://pytorch.org/docs/stable/generated/torch.optim.Adamax.html
 * @example
 * const optimizer = new Adamax(model.parameters(), { lr: 2e-3 });
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  constructor(params: Params<AdamaxOptions>, options: OptimizerOptions<AdamaxOptions> = {}) {
    takes('Adamax', signatures.Adamax, arguments);
    const {
      lr = 2e-3,
      betas = [0.9, 0.999],
      eps = 1e-8,
      weightDecay = 0,
      maximize = false,
    } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('epsilon value', eps);
    checkBetas(betas);
    checkNonNegative('weight_decay value', weightDecay);
    super(params, { lr, betas, eps, weightDecay, maximize });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdamaxOptions>): void {
    const { lr, betas, eps, weightDecay, maximize } = group;
    const [beta1, beta2] = betas;
    const state = this.stateOf(param);
    const count = this.countStep(state);
    const average = this.tensorIn(state, 'exp_avg', param);
    const largest = this.tensorIn(state, 'exp_inf', param);
    update.run(
      [param, average, largest, grad],
      [lr / (1 - beta1 ** count), beta1, 1 - beta1, beta2, eps, weightDecay, maximize ? -1 : 1],
    );
  }
}
