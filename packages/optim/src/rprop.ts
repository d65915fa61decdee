import { type Expr, e, type Tensor, takes, ValueError } from '@sconce/core';
import { FusedUpdate } from './fused.js';
import {
  checkNonNegative,
  Optimizer,
  type OptimizerOptions,
  type ParamGroup,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';

/** Options of `Rprop`, each possible for single groups. */
export interface RpropOptions {
  /** The first step's size; default 0.01. */
  lr: number;
  /** What a step size is multiplied by when the gradient's sign changes, and when it stays; default [0.5, 1.2]. */
  etas: readonly [number, number];
  /** The smallest and the largest step size; default [1e-6, 50]. */
  stepSizes: readonly [number, number];
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

const update = new FusedUpdate((tensors, numbers) => {
  const [p, before, size0, g0] = tensors as [Expr, Expr, Expr, Expr];
  const [less, more, smallest, largest, sign] = numbers as [Expr, Expr, Expr, Expr, Expr];
  const signed = e.mul(g0, sign);
  const agreement = e.mul(signed, before);
  const turned = e.lt(agreement, 0);
  const scaled = e.where(e.gt(agreement, 0), e.mul(size0, more), size0);
  const size = e.min(e.max(e.where(turned, e.mul(size0, less), scaled), smallest), largest);
  // A gradient that changed its sign does not move the parameter, and is forgotten.
  const g = e.where(turned, 0, signed);
  const down = e.where(e.lt(g, 0), e.neg(size), e.mul(size, 0));
  return [e.sub(p, e.where(e.gt(g, 0), size, down)), g, size];
});

/**
 * Resilient backpropagation: steps follow the sign of the gradient; their sizes grow while it stays and shrink when
 * it changes. For gradients of all of the data.
 *
 * @throws ValueError on a negative rate, or unless `0 < etas[0] < 1 < etas[1]`.
 * @see Riedmiller and Braun, A Direct Adaptive Method for Faster Backpropagation Learning (1993);
 * https://pytorch.org/docs/stable/generated/torch.optim.Rprop.html
 * @example
 * const optimizer = new Rprop(model.parameters(), { lr: 0.01 });
 */
export class Rprop extends Optimizer<RpropOptions> {
  // PyTorch counts these steps in plain numbers.
  protected override readonly scalarState: readonly string[] = [];

  constructor(params: Params<RpropOptions>, options: OptimizerOptions<RpropOptions> = {}) {
    takes('Rprop', signatures.Rprop, arguments);
    const { lr = 1e-2, etas = [0.5, 1.2], stepSizes = [1e-6, 50], maximize = false } = options;
    checkNonNegative('learning rate', lr);
    if (!(0 < etas[0] && etas[0] < 1 && 1 < etas[1])) {
      throw new ValueError(`Invalid eta values: ${etas[0]}, ${etas[1]}`);
    }
    super(params, { lr, etas, stepSizes, maximize });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<RpropOptions>): void {
    const { lr, etas, stepSizes, maximize } = group;
    const state = this.stateOf(param);
    this.countStep(state);
    const before = this.tensorIn(state, 'prev', param);
    const size = this.tensorIn(state, 'step_size', param, lr);
    update.run([param, before, size, grad], [...etas, ...stepSizes, maximize ? -1 : 1]);
  }
}
