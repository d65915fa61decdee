import { type Expr, e, type Tensor, takes } from '@sconce/core';
import { FusedUpdate } from './fused.js';
import {
  checkBetas,
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';

/** Options of `Adam` and `AdamW`, each possible for single groups. */
export interface AdamOptions {
  /** Learning rate; default 0.001. */
  lr: number;
  /** Decay rates of the averages of the gradient and its square; default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the denominator; default 1e-8. */
  eps: number;
  /** L2 penalty (Adam, default 0) or decoupled decay (AdamW, default 0.01). */
  weightDecay: number;
  /** Divide by the greatest average so far; default false. */
  amsgrad: boolean;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

/** One step of Adam: parameter, both averages (and the greatest second one), all in one kernel. */
const step = (decoupled: boolean, amsgrad: boolean): FusedUpdate =>
  new FusedUpdate((tensors, numbers) => {
    const [p0, m0, v0] = tensors as [Expr, Expr, Expr];
    const g0 = tensors[amsgrad ? 4 : 3] as Expr;
    const [stepSize, root, eps, beta1, keep1, beta2, keep2, decay, sign] = numbers as Expr[] as [
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
      Expr,
    ];
    const p = decoupled ? e.mul(p0, decay) : p0;
    const signed = e.mul(g0, sign);
    const g = decoupled ? signed : e.add(signed, e.mul(p0, decay));
    const m = e.add(e.mul(m0, beta1), e.mul(g, keep1));
    const v = e.add(e.mul(v0, beta2), e.mul(e.mul(g, g), keep2));
    const largest = amsgrad ? e.max(tensors[3] as Expr, v) : v;
    const next = e.sub(p, e.div(e.mul(m, stepSize), e.add(e.div(e.sqrt(largest), root), eps)));
    return amsgrad ? [next, m, v, largest] : [next, m, v];
  });
const steps = {
  adam: [step(false, false), step(false, true)],
  adamw: [step(true, false), step(true, true)],
} as const;

abstract class AdamBase extends Optimizer<AdamOptions> {
  protected abstract readonly kind: keyof typeof steps;

  constructor(params: Params<AdamOptions>, options: Partial<AdamOptions>, weightDecay: number) {
    const given: AdamOptions = {
      lr: options.lr ?? 1e-3,
      betas: options.betas ?? [0.9, 0.999],
      eps: options.eps ?? 1e-8,
      weightDecay: options.weightDecay ?? weightDecay,
      amsgrad: options.amsgrad ?? false,
      maximize: options.maximize ?? false,
    };
    checkNonNegative('learning rate', given.lr);
    checkNonNegative('epsilon value', given.eps);
    checkBetas(given.betas);
    checkNonNegative('weight_decay value', given.weightDecay);
    super(params, given);
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<AdamOptions>): void {
    const { lr, betas, eps, weightDecay, amsgrad, maximize } = group;
    const [beta1, beta2] = betas;
    const state = this.stateOf(param);
    const count = this.countStep(state);
    const tensors = [
      param,
      this.tensorIn(state, 'exp_avg', param),
      this.tensorIn(state, 'exp_avg_sq', param),
    ];
    if (amsgrad) tensors.push(this.tensorIn(state, 'max_exp_avg_sq', param));
    const stepSize = lr / (1 - beta1 ** count);
    const root = Math.sqrt(1 - beta2 ** count);
    const decay = this.kind === 'adamw' ? 1 - lr * weightDecay : weightDecay;
    const kernel = steps[this.kind][amsgrad ? 1 : 0];
    kernel.run(
      [...tensors, grad],
      [stepSize, root, eps, beta1, 1 - beta1, beta2, 1 - beta2, decay, maximize ? -1 : 1],
    );
  }
}

/**
 * Adam: steps scaled by running averages of the gradient and its square.
 *
 * @throws ValueError on rates out of range.
 * @see Kingma and Ba, Adam: A Method for Stochastic Optimization (2014);
 * https://pytorch.org/docs/stable/generated/torch.optim.Adam.html
 * @example
 * const optimizer = new Adam(model.parameters(), { lr: 1e-3 });
 */
export class Adam extends AdamBase {
  protected override readonly kind = 'adam';
  protected override readonly torchOptions: Readonly<Record<string, boolean | null>> = {
    foreach: null,
    capturable: false,
    differentiable: false,
    fused: false,
  };

  constructor(params: Params<AdamOptions>, options: OptimizerOptions<AdamOptions> = {}) {
    takes('Adam', signatures.Adam, arguments);
    super(params, options, 0);
  }
}

/**
 * Adam with weight decay apart from the gradient.
 *
 * @throws ValueError on rates out of range.
 * @see Loshchilov and Hutter, Decoupled Weight Decay Regularization (2017);
 * https://pytorch.org/docs/stable/generated/torch.optim.AdamW.html
 */
export class AdamW extends AdamBase {
  protected override readonly kind = 'adamw';
  protected override readonly torchOptions: Readonly<Record<string, boolean | null>> = {
    foreach: null,
    capturable: false,
  };

  constructor(params: Params<AdamOptions>, options: OptimizerOptions<AdamOptions> = {}) {
    takes('AdamW', signatures.AdamW, arguments);
    super(params, options, 1e-2);
  }
}
