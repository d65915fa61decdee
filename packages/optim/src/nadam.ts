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

/** Options of `NAdam`, each possible for single groups. */
export interface NAdamOptions {
  /** Learning rate; default 0.002. */
  lr: number;
  /** Decay rates of the averages of the gradient and its square; default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** How fast momentum grows to its full share; default 4e-3. */
  momentumDecay: number;
}

const update = new FusedUpdate((tensors, numbers) => {
  const [p, m0, v0, g0] = tensors as [Expr, Expr, Expr, Expr];
  const [ofGradient, ofAverage, beta1, rest1, beta2, rest2, correction, eps, decay] =
    numbers as readonly Expr[] as [Expr, Expr, Expr, Expr, Expr, Expr, Expr, Expr, Expr];
  const g = e.add(g0, e.mul(p, decay));
  const m = mix(beta1, m0, rest1, g);
  const v = mix(beta2, v0, rest2, e.mul(g, g));
  const size = e.add(e.sqrt(e.div(v, correction)), eps);
  const move = e.add(e.mul(ofGradient, e.div(g, size)), e.mul(ofAverage, e.div(m, size)));
  return [e.sub(p, move), m, v];
});

/**
 * NAdam: Adam with Nesterov's momentum.
 *
 * @throws ValueError on rates out of range.
 * @see Dozat, Incorporating Nesterov Momentum into Adam (2016);
 * https://pytorch.org/docs/stable/generated/torch.optim.NAdam.html
 * @example
 * const optimizer = new NAdam(model.parameters(), { lr: 2e-3 });
 */
export class NAdam extends Optimizer<NAdamOptions> {
  protected override readonly scalarState: readonly string[] = ['step', 'mu_product'];

  constructor(params: Params<NAdamOptions>, options: OptimizerOptions<NAdamOptions> = {}) {
    takes('NAdam', signatures.NAdam, arguments);
    const {
      lr = 2e-3,
      betas = [0.9, 0.999],
      eps = 1e-8,
      weightDecay = 0,
      momentumDecay = 4e-3,
    } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('epsilon value', eps);
    checkBetas(betas);
    checkNonNegative('weight_decay value', weightDecay);
    checkNonNegative('momentum_decay value', momentumDecay);
    super(params, { lr, betas, eps, weightDecay, momentumDecay });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<NAdamOptions>): void {
    const { lr, betas, eps, weightDecay, momentumDecay } = group;
    const [beta1, beta2] = betas;
    const state = this.stateOf(param);
    const count = this.countStep(state);
    const share = (step: number) => beta1 * (1 - 0.5 * 0.96 ** (step * momentumDecay));
    const [now, next] = [share(count), share(count + 1)];
    // PyTorch multiplies the shares up in single precision; so does this.
    const product = Math.fround(Number(state.mu_product ?? 1) * Math.fround(now));
    state.mu_product = product;
    const later = Math.fround(Math.fround(product * Math.fround(now)) * Math.fround(next));
    const average = this.tensorIn(state, 'exp_avg', param);
    const square = this.tensorIn(state, 'exp_avg_sq', param);
    update.run(
      [param, average, square, grad],
      [
        (lr * (1 - now)) / (1 - product),
        (lr * next) / (1 - later),
        beta1,
        1 - beta1,
        beta2,
        1 - beta2,
        1 - beta2 ** count,
        eps,
        weightDecay,
      ],
    );
  }
}
