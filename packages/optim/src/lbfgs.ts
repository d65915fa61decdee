import { enableGrad, noGrad } from '@sconce/autograd';
import {
  cat,
  keep,
  once,
  RuntimeError,
  Tensor,
  takes,
  toAsync,
  ValueError,
  zeros,
} from '@sconce/core';
import {
  Optimizer,
  type OptimizerOptions,
  type OptimizerStateDict,
  type ParamGroup,
  type ParamState,
  type Params,
} from './optimizer.js';
import * as signatures from './signatures.js';
import { noteStep } from './stepped.js';
import { type Point, strongWolfe } from './strong-wolfe.js';

/** Options of `LBFGS`. */
export interface LBFGSOptions {
  /** Length of a step, or the first to try in a line search; default 1. */
  lr: number;
  /** Most iterations in a call of `step`; default 20. */
  maxIter: number;
  /** Most evaluations of the loss in a call of `step`; default 1.25 times `maxIter`. */
  maxEval: number;
  /** Gradients whose greatest element is no larger end a call of `step`; default 1e-7. */
  toleranceGrad: number;
  /** Changes of the loss or the parameters that are no larger end a call of `step`; default 1e-9. */
  toleranceChange: number;
  /** How many steps are remembered; default 100. */
  historySize: number;
  /** 'strongWolfe' searches along each direction for a good step; default null: steps of `lr`. */
  lineSearchFn: 'strongWolfe' | null;
}

/** What is remembered between iterations, and between calls of `step`. */
interface Memory {
  evaluations: number;
  iterations: number;
  /** The last direction and how far it was followed. */
  direction: Tensor;
  length: number;
  /** Changes of the gradient and of the parameters, and the reciprocals of their products. */
  changes: Tensor[];
  moves: Tensor[];
  reciprocals: number[];
  /** The first guess of the inverse Hessian: this times the identity. */
  scale: number;
  grad: Tensor;
  loss: number;
}

/** What the function is where the parameters are, as the host knows it. */
interface Evaluation {
  /** What the closure returned. */
  readonly result: unknown;
  readonly loss: number;
  /** The gradients of all parameters in one, on a device that can be read at once. */
  readonly grad: Tensor;
}

/** A minimization: asks for the function wherever it has moved the parameters to, and ends with the first result. */
type Minimization = Generator<undefined, unknown, Evaluation>;

const read = (x: Tensor): number => Number(x.itemSync());
const greatest = (x: Tensor): number => read(x.abs().max());
const product = (a: Tensor, b: Tensor): number => read(a.dot(b));

/**
 * L-BFGS: follows the curvature that the last gradients show. `step` must be given a closure, which it calls several
 * times; it may be async. For devices that cannot be read at once (`webgpu`) it has to be, and what is remembered
 * lives on the cpu. There is one parameter group.
 *
 * @throws ValueError if there are several parameter groups.
 * @see Liu and Nocedal, On the Limited Memory BFGS Method for Large Scale Optimization (1989);
 * https://pytorch.org/docs/stable/generated/torch.optim.LBFGS.html
 * @example
 * const optimizer = new LBFGS(model.parameters(), { lineSearchFn: 'strongWolfe' });
 * optimizer.step(() => {
 *   optimizer.zeroGrad();
 *   const loss = mseLoss(model.call(x), y);
 *   loss.backward();
 *   return loss;
 * });
 * await optimizer.step(async () => { ... }); // on WebGPU
 */
export class LBFGS extends Optimizer<LBFGSOptions> {
  // PyTorch keeps what counts here in plain numbers.
  protected override readonly scalarState: readonly string[] = [];
  protected override readonly torchOptions: Readonly<Record<string, boolean | null>> = {};

  constructor(params: Params<LBFGSOptions>, options: OptimizerOptions<LBFGSOptions> = {}) {
    takes('LBFGS', signatures.LBFGS, arguments);
    const maxIter = options.maxIter ?? 20;
    const lineSearchFn = options.lineSearchFn ?? null;
    checkSearch(lineSearchFn);
    super(params, {
      lr: options.lr ?? 1,
      maxIter,
      maxEval: options.maxEval ?? Math.floor((maxIter * 5) / 4),
      toleranceGrad: options.toleranceGrad ?? 1e-7,
      toleranceChange: options.toleranceChange ?? 1e-9,
      historySize: options.historySize ?? 100,
      lineSearchFn,
    });
    noteStep(this, false);
    if (this.paramGroups.length !== 1) {
      throw new ValueError("LBFGS doesn't support per-parameter options (parameter groups)");
    }
  }

  /**
   * Up to `maxIter` iterations.
   *
   * @param closure clears the gradients, computes the loss, calls `backward` and returns the loss, or a promise of it.
   * @returns the loss before the step, as the closure gives it: a promise where that is async.
   * @throws TypeError without a closure, or if it does not return a tensor or number.
   * @throws RuntimeError if the closure is not async and the parameters are on a device that cannot be read at once.
   */
  override step(): undefined;
  override step<T>(closure: () => T): T;
  override step<T>(closure?: () => T): T | undefined {
    if (!closure) throw new TypeError('LBFGS: step needs a closure that computes the loss anew');
    const [group] = this.paramGroups as [ParamGroup<LBFGSOptions>];
    checkSearch(group.lineSearchFn);
    const { params } = group;
    once('LBFGS.step()');
    noteStep(this, true);
    const first = enableGrad(closure);
    // Without parameters there is nothing to minimize: the loss is that of the one call.
    if (params.length === 0) {
      if (first instanceof Promise) return first.then(lossIn) as T;
      return lossIn(first) as T;
    }
    if (first instanceof Promise) return this.#later(closure, first, group) as T;
    for (const { device } of params) {
      if (!device.backend.synchronous) {
        throw new RuntimeError(
          `LBFGS: parameters on device '${device}' cannot be read at once, as every iteration must; make the closure async: \`await optimizer.step(async () => ...)\``,
        );
      }
    }
    return noGrad(() => {
      const evaluated = (result: unknown): Evaluation => {
        const loss = lossOf(result);
        return {
          result,
          loss: typeof loss === 'number' ? loss : read(loss),
          grad: flatGrad(params),
        };
      };
      const minimization = this.#minimize(evaluated(first), group);
      let at = minimization.next();
      while (!at.done) at = minimization.next(evaluated(enableGrad(closure)));
      return at.value as T;
    });
  }

  /** The same where the closure is async; whether gradients are on is up to the caller while that is awaited. */
  async #later(
    closure: () => unknown,
    first: Promise<unknown>,
    group: ParamGroup<LBFGSOptions>,
  ): Promise<unknown> {
    const { params } = group;
    const evaluated = async (promise: unknown): Promise<Evaluation> => {
      const result = await promise;
      const loss = lossOf(result);
      const grad = noGrad(() => flatGrad(params));
      return {
        result,
        loss: typeof loss === 'number' ? loss : await loss.item(),
        grad: await onHost(grad),
      };
    };
    const begin = await evaluated(first);
    const state = this.stateOf(params[0] as Tensor);
    for (const [key, value] of Object.entries(state)) {
      if (value instanceof Tensor) state[key] = keep(await onHost(value));
      if (Array.isArray(value)) {
        state[key] = await Promise.all(
          value.map(async (x) => (x instanceof Tensor ? keep(await onHost(x)) : x)),
        );
      }
    }
    const minimization = this.#minimize(begin, group);
    let at = noGrad(() => minimization.next());
    while (!at.done) {
      const there = await evaluated(enableGrad(closure));
      at = noGrad(() => minimization.next(there));
    }
    return at.value;
  }

  /** Updates happen in `step`, which looks at all parameters together. */
  protected override update(): never {
    throw new RuntimeError('LBFGS: parameters are not updated one by one');
  }

  *#minimize(begin: Evaluation, group: ParamGroup<LBFGSOptions>): Minimization {
    const { lr, maxIter, maxEval, toleranceGrad, toleranceChange, historySize } = group;
    const { params } = group;
    let evaluations = 1;
    const state = this.stateOf(params[0] as Tensor);
    let { loss, grad } = begin;
    const memory = remembered(state, grad);
    const finish = (): unknown => {
      memory.evaluations += evaluations;
      store(state, memory);
      return begin.result;
    };
    if (greatest(grad) <= toleranceGrad) return finish();

    for (let n = 1; n <= maxIter; n++) {
      memory.iterations++;
      const isFirst = memory.iterations === 1;
      if (isFirst) memory.direction = grad.neg();
      else turn(memory, grad, historySize);
      memory.grad = grad.clone();
      memory.loss = loss;
      memory.length = isFirst ? Math.min(1, 1 / read(grad.abs().sum())) * lr : lr;
      const { direction } = memory;
      const slope = product(grad, direction);
      if (slope > -toleranceChange) break;

      if (group.lineSearchFn === null) {
        move(params, direction, memory.length);
        if (n !== maxIter) {
          evaluations++;
          ({ loss, grad } = yield);
        }
      } else {
        const from = params.map((p) => p.clone());
        const start: Point = { at: 0, loss, grad, slope };
        const search = strongWolfe(start, memory.length, greatest(direction));
        let tried = search.next();
        while (!tried.done) {
          const at: number = tried.value;
          move(params, direction, at);
          evaluations++;
          const there = yield;
          params.forEach((p, i) => {
            p.copy_(from[i] as Tensor);
          });
          const { loss, grad } = there;
          tried = search.next({ at, loss, grad, slope: product(grad, direction) });
        }
        const found = tried.value;
        ({ loss, grad } = found);
        memory.length = found.at;
        move(params, direction, found.at);
      }

      if (evaluations >= maxEval || greatest(grad) <= toleranceGrad) break;
      if (greatest(direction.mul(memory.length)) <= toleranceChange) break;
      if (Math.abs(loss - memory.loss) < toleranceChange) break;
    }
    return finish();
  }

  override stateDict(): OptimizerStateDict {
    const saved = super.stateDict();
    for (const group of saved.param_groups) {
      if (group.line_search_fn === 'strongWolfe') group.line_search_fn = 'strong_wolfe';
    }
    return saved;
  }

  override loadStateDict(saved: OptimizerStateDict): void {
    super.loadStateDict(saved);
    for (const group of this.paramGroups) {
      if ((group.lineSearchFn as string | null) === 'strong_wolfe') {
        group.lineSearchFn = 'strongWolfe';
      }
    }
  }
}

function checkSearch(name: string | null): void {
  if (name !== null && name !== 'strongWolfe') {
    throw new RuntimeError(`LBFGS: only 'strongWolfe' is supported as lineSearchFn, got '${name}'`);
  }
}

function lossOf(loss: unknown): Tensor | number {
  if (loss instanceof Tensor || typeof loss === 'number') return loss;
  throw new TypeError(
    `LBFGS: the closure must return the loss, a tensor of one element or a number, got ${typeof loss}`,
  );
}

/** What a closure returned, if it is a loss. */
const lossIn = (result: unknown): unknown => {
  lossOf(result);
  return result;
};

/** The tensor where it can be read at once. */
const onHost = async (t: Tensor): Promise<Tensor> =>
  t.device.backend.synchronous ? t : await toAsync(t, 'cpu');

const flatGrad = (params: readonly Tensor[]): Tensor =>
  cat(
    params.map((p) =>
      p.grad
        ? p.grad.detach().reshape([-1])
        : zeros([p.numel()], { dtype: p.dtype, device: p.device }),
    ),
  );

/** Goes along a direction, of all parameters in one. */
function move(params: readonly Tensor[], direction: Tensor, length: number): void {
  let offset = 0;
  for (const p of params) {
    const count = p.numel();
    p.add_(direction.narrow(0, offset, count).reshape(p.shape).to(p.device), { alpha: length });
    offset += count;
  }
}

/** Learns from the last move, and turns to where the remembered curvature says the minimum is. */
function turn(memory: Memory, grad: Tensor, historySize: number): void {
  const { changes, moves, reciprocals } = memory;
  const change = grad.sub(memory.grad);
  const moved = memory.direction.mul(memory.length);
  const curvature = product(change, moved);
  if (curvature > 1e-10) {
    if (changes.length === historySize) {
      for (const list of [changes, moves, reciprocals]) list.shift();
    }
    changes.push(change);
    moves.push(moved);
    reciprocals.push(1 / curvature);
    memory.scale = curvature / product(change, change);
  }
  const shares: number[] = [];
  const q = grad.neg();
  for (let i = changes.length - 1; i >= 0; i--) {
    const share = product(moves[i] as Tensor, q) * (reciprocals[i] as number);
    shares[i] = share;
    q.add_(changes[i] as Tensor, { alpha: -share });
  }
  const direction = q.mul(memory.scale);
  for (const [i, moved] of moves.entries()) {
    const back = product(changes[i] as Tensor, direction) * (reciprocals[i] as number);
    direction.add_(moved, { alpha: (shares[i] as number) - back });
  }
  memory.direction = direction;
}

const asNumber = (x: unknown, otherwise: number): number =>
  x instanceof Tensor ? read(x) : typeof x === 'number' ? x : otherwise;
const asList = (x: unknown): unknown[] => (Array.isArray(x) ? x : []);
const asTensors = (x: unknown): Tensor[] => asList(x).filter((t) => t instanceof Tensor);

/** What a state says; `grad` stands in for tensors before the first iteration. */
const remembered = (state: ParamState, grad: Tensor): Memory => ({
  evaluations: asNumber(state.func_evals, 0),
  iterations: asNumber(state.n_iter, 0),
  direction: state.d instanceof Tensor ? state.d : grad,
  length: asNumber(state.t, 0),
  changes: asTensors(state.old_dirs),
  moves: asTensors(state.old_stps),
  reciprocals: asList(state.ro).map((x) => asNumber(x, 0)),
  scale: asNumber(state.H_diag, 1),
  grad: state.prev_flat_grad instanceof Tensor ? state.prev_flat_grad : grad,
  loss: asNumber(state.prev_loss, 0),
});

/** Writes a state as PyTorch names it. */
function store(state: ParamState, memory: Memory): void {
  state.func_evals = memory.evaluations;
  state.n_iter = memory.iterations;
  if (memory.iterations === 0) return;
  state.d = keep(memory.direction);
  state.t = memory.length;
  state.old_dirs = memory.changes.map((t) => keep(t));
  state.old_stps = memory.moves.map((t) => keep(t));
  state.ro = memory.reciprocals;
  state.H_diag = memory.scale;
  state.prev_flat_grad = keep(memory.grad);
  state.prev_loss = memory.loss;
}
