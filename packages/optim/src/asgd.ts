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

/** Options of `ASGD`, each possible for single groups. */
export interface ASGDOptions {
  /** Learning rate of the first step; default 0.01. */
  lr: number;
  /** How fast parameters and rate decay; default 1e-4. */
  lambd: number;
  /** Power of the rate's decay; default 0.75. */
  alpha: number;
  /** The step from which on parameters are averaged; default 1e6. */
  t0: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

const update = new FusedUpdate((tensors, numbers) => {
  const [p0, average0, g0] = tensors as [Expr, Expr, Expr];
  const [rate, shrink, share, decay, sign] = numbers as [Expr, Expr, Expr, Expr, Expr];
  const g = mix(sign, g0, decay, p0);
  const p = e.sub(e.mul(p0, shrink), e.mul(g, rate));
  const average = e.add(average0, e.mul(e.sub(p, average0), share));
  return [p, e.where(e.eq(share, 1), p, average)];
});

/**
 * Averaged stochastic gradient descent: the average of the parameters is kept as `ax` of their state.
 *
 * @throws ValueError on negative rates.
 * @see Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging (1992);
 * https://pytorch.org/docs/stable/generated/torch.optim.ASGD.html
 * @example
 * const optimizer = new ASGD(model.parameters(), { lr: 0.01, t0: 1000 });
 */
export class ASGD extends Optimizer<ASGDOptions> {
  protected override readonly scalarState: readonly string[] = ['step', 'eta', 'mu'];

  constructor(params: Params<ASGDOptions>, options: OptimizerOptions<ASGDOptions> = {}) {
    takes('ASGD', signatures.ASGD, arguments);
    const {
      lr = 1e-2,
      lambd = 1e-4,
      alpha = 0.75,
      t0 = 1e6,
      weightDecay = 0,
      maximize = false,
    } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('weight_decay value', weightDecay);
    super(params, { lr, lambd, alpha, t0, weightDecay, maximize });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<ASGDOptions>): void {
    const { lr, lambd, alpha, t0, weightDecay, maximize } = group;
    const state = this.stateOf(param);
    const count = this.countStep(state);
    // PyTorch keeps both numbers in single precision; so does this.
    const rate = Number(state.eta ?? Math.fround(lr));
    const share = Number(state.mu ?? 1);
    state.eta = Math.fround(lr / (1 + lambd * lr * count) ** alpha);
    state.mu = Math.fround(1 / Math.max(1, count - t0));
    update.run(
      [param, this.tensorIn(state, 'ax', param), grad],
      [rate, 1 - lambd * rate, share, weightDecay, maximize ? -1 : 1],
    );
  }
}
