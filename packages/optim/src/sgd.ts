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

/** Options of `SGD`, each possible for single groups. */
export interface SGDOptions {
  /** Learning rate; default 0.001. */
  lr: number;
  /** Share of the last update that is kept; default 0. */
  momentum: number;
  /** Share of the new gradient that momentum drops; default 0. */
  dampening: number;
  /** L2 penalty; default 0. */
  weightDecay: number;
  /** Look ahead along the momentum; default false. */
  nesterov: boolean;
  /** Ascend instead of descend; default false. */
  maximize: boolean;
}

type Five = readonly [Expr, Expr, Expr, Expr, Expr];

/** The gradient with sign and penalty. */
const direction = (p: Expr, g: Expr, sign: Expr, decay: Expr): Expr =>
  e.add(e.mul(g, sign), e.mul(p, decay));

const plain = new FusedUpdate((tensors, numbers) => {
  const [p, g] = tensors as [Expr, Expr];
  const [lr, sign, decay] = numbers as Five;
  return [e.sub(p, e.mul(direction(p, g, sign, decay), lr))];
});

const withMomentum = (nesterov: boolean): FusedUpdate =>
  new FusedUpdate((tensors, numbers) => {
    const [p, buffer, g] = tensors as [Expr, Expr, Expr];
    const [lr, sign, decay, momentum, keep] = numbers as Five;
    const d = direction(p, g, sign, decay);
    const velocity = e.add(e.mul(buffer, momentum), e.mul(d, keep));
    const move = nesterov ? e.add(d, e.mul(velocity, momentum)) : velocity;
    return [e.sub(p, e.mul(move, lr)), velocity];
  });
const heavyBall = withMomentum(false);
const lookahead = withMomentum(true);

/**
 * Stochastic gradient descent, with momentum.
 *
 * @throws ValueError on negative rates, or `nesterov` without momentum or with dampening.
 * @see https://pytorch.org/docs/stable/generated/torch.optim.SGD.html
 * @example
 * const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
 */
export class SGD extends Optimizer<SGDOptions> {
  protected override readonly torchOptions: Readonly<Record<string, boolean | null>> = {
    foreach: null,
    differentiable: false,
  };

  constructor(params: Params<SGDOptions>, options: OptimizerOptions<SGDOptions> = {}) {
    takes('SGD', signatures.SGD, arguments);
    const {
      lr = 1e-3,
      momentum = 0,
      dampening = 0,
      weightDecay = 0,
      nesterov = false,
      maximize = false,
    } = options;
    checkNonNegative('learning rate', lr);
    checkNonNegative('momentum value', momentum);
    checkNonNegative('weight_decay value', weightDecay);
    if (nesterov && (momentum <= 0 || dampening !== 0)) {
      throw new ValueError('Nesterov momentum requires a momentum and zero dampening');
    }
    super(params, { lr, momentum, dampening, weightDecay, nesterov, maximize });
  }

  protected override update(param: Tensor, grad: Tensor, group: ParamGroup<SGDOptions>): void {
    const { lr, momentum, dampening, weightDecay, nesterov, maximize } = group;
    const sign = maximize ? -1 : 1;
    if (momentum === 0) {
      plain.run([param, grad], [lr, sign, weightDecay]);
      return;
    }
    const state = this.stateOf(param);
    const first = !state.momentum_buffer;
    const buffer = this.tensorIn(state, 'momentum_buffer', param);
    // The first step's velocity is the gradient itself, undamped.
    (nesterov ? lookahead : heavyBall).run(
      [param, buffer, grad],
      [lr, sign, weightDecay, momentum, first ? 1 : 1 - dampening],
    );
  }
}
