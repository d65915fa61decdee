import { type Expr, e, type Tensor, takes } from '@sconce/core';
import { FusedUpdate, mix } from './fused.js';
import {
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type ParamGroupInput,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';

/** Options of `Adagrad`, each but the first accumulator possible for single groups. */
export interface AdagradOptions {
  /** Learning rate; default 0.01. */
  lr: number;
  /** How much the rate falls with each step; default 0. */
  lrDecay: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** What the sums of squares start with; default 0. */
  initialAccumulatorValue: number;
  /** Added to the denominator; default 1e-10. */
  eps: number;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

const update = new FusedUpdate((tensors, numbers) => {
  const [p, sum0, g0] = tensors as [Expr, Expr, Expr];
  const [rate, eps, decay, sign] = numbers as [Expr, Expr, Expr, Expr];
  const g = mix(sign, g0, decay, p);
  const sum = e.add(sum0, e.mul(g, g));
  return [e.sub(p, e.mul(rate, e.div(g, e.add(e.sqrt(sum), eps)))), sum];
});

/**
 * Adagrad: steps divided by the root of the sum of all squared gradients so far.
 *
 * @throws ValueError on negative rates.
 * @see Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization (2011);
 * https://pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
 * @example
 * const optimizer = new Adagrad(model.parameters(), { lr: 0.01 });
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: Params<AdagradOptions>, options: OptimizerOptions<AdagradOptions> = {}) {
    takes('Adagrad', signatures.Adagrad, arguments);
    const {
      lr = 1e-2,
      lrDecay = 0,
      weightDecay = 0,
      initialAccumulatorValue = 0,
      eps = 1e-10,
      maximize = false,
    } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('lr_decay value', lrDecay);
    checkNonNegative('weight_decay value', weightDecay);
    checkNonNegative('initial_accumulator_value value', initialAccumulatorValue);
    checkNonNegative('epsilon value', eps);
    super(params, { lr, lrDecay, eps, weightDecay, initialAccumulatorValue, maximize });
  }

  /** As for every optimizer; the state of the parameters begins here, not with the first step. */
  override addParamGroup(group: ParamGroupInput<AdagradOptions>): void {
    super.addParamGroup(group);
    for (const param of this.paramGroups.at(-1)?.params ?? []) {
      this.stateOf(param).step = 0;
      this.sumOf(param);
    }
  }

  protected sumOf(param: Tensor): Tensor {
    const { initialAccumulatorValue } = this.defaults;
    return this.tensorIn(this.stateOf(param), 'sum', param, initialAccumulatorValue);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdagradOptions>): void {
    const { lr, lrDecay, eps, weightDecay, maximize } = group;
    const count = this.countStep(this.stateOf(param));
    const rate = lr / (1 + (count - 1) * lrDecay);
    update.run([param, this.sumOf(param), grad], [rate, eps, weightDecay, maximize ? -1 : 1]);
  }
}
