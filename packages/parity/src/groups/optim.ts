import type { Tensor } from '@sconce/core';
import { readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { buildOptimizer, optionsFrom } from '../mapping/optimizers.js';
import { type Outcome, passed } from '../report/counts.js';
import { outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder, inputDecoder } from '../runtime/tensors.js';
import type { Group, Run } from './group.js';

interface Optimizer {
  step(): undefined;
  step<T>(closure: () => T): T;
  zeroGrad(): void;
  stateDict(): Value;
}

/** The group `optim`: ten steps of each optimizer. */
export const optim: Group = {
  subject: (test) => test.optimizer as string,
  hasGradient: () => false,
  // A line search makes another number of trials of the last bit.
  rounding: (test) => (test.function ? 'nudged' : 'float64'),

  async run(test, run) {
    const op = optim.subject(test);
    try {
      const forward = test.function ? await minimize(test, run) : await update(test, run);
      return { op, forward };
    } catch (error) {
      return { op, forward: outcomeOf(error) };
    }
  },
};

const named = (kwargs: unknown): [string, unknown][] =>
  Object.entries(kwargs as Record<string, unknown>);

async function update(test: Case, run: Run): Promise<Outcome> {
  const decoder = inputDecoder(run, false);
  const params = (test.params as unknown[]).map((p) =>
    (decoder.decode(p) as Tensor).requiresGrad_(),
  );
  const kwargs = decoder.decodeKwargs(test.kwargs as Record<string, unknown>);
  const groups = (test.groups as { params: number[]; options: object }[]).map((group) => ({
    params: group.params.map((i) => params[i]),
    ...optionsFrom(named(group.options).map(([k, v]) => [k, decoder.decode(v)] as const)),
  }));
  const optimizer = buildOptimizer<Optimizer>(test.optimizer as string, groups, kwargs);
  const after = test.params_after as unknown[][];
  for (const [step, grads] of (test.grads_in as unknown[][]).entries()) {
    const gradients = inputDecoder(run, false);
    params.forEach((p, i) => {
      p.grad = gradients.decode(grads[i]) as Tensor | null;
    });
    optimizer.step();
    const expected = expectedDecoder(run.device).decode(after[step]);
    run.check('forward', await readBack(params), expected, {}, `params after step ${step}`);
  }
  await checkState(test, optimizer, run);
  return passed;
}

/** Options of PyTorch's that say how it computes, not what. */
const implementations = ['foreach', 'differentiable', 'capturable', 'fused'];

async function checkState(test: Case, optimizer: Optimizer, run: Run): Promise<void> {
  const expected = expectedDecoder(run.device).decode(test.state_dict) as Map<string, Value>;
  for (const group of expected.get('param_groups') as Map<string, Value>[]) {
    // A case that asks for one of PyTorch's implementations gets the only one there is here.
    for (const name of implementations) if (name in (test.kwargs as object)) group.delete(name);
  }
  run.check('forward', await readBack(optimizer.stateDict()), expected, {}, 'state_dict');
}

/** LBFGS: a closure that computes the loss as often as the line search asks. */
async function minimize(test: Case, run: Run): Promise<Outcome> {
  const decoder = inputDecoder(run, false);
  const params = decoder.decodeAll(test.params as unknown[]) as Tensor[];
  const [x] = params as [Tensor];
  x.requiresGrad_();
  const objective = test.function === 'quadratic' ? quadratic(test, run) : rosenbrock;
  const kwargs = decoder.decodeKwargs(test.kwargs as Record<string, unknown>);
  const optimizer = buildOptimizer<Optimizer>('LBFGS', params, kwargs);
  const losses = expectedDecoder(run.device).decode(test.losses) as Value[];
  const after = test.params_after as unknown[];
  let calls = 0;
  for (const [step, wanted] of losses.entries()) {
    const closure = (): Tensor => {
      calls++;
      optimizer.zeroGrad();
      const value = objective(x);
      value.backward();
      return value;
    };
    // Where values come later the closure has to be async.
    const loss = await (run.device.backend.synchronous
      ? optimizer.step(closure)
      : optimizer.step(async () => closure()));
    const value = await (loss as Tensor).item();
    const trials = (test.closure_calls as number[])[step];
    const expected = expectedDecoder(run.device).decode(after[step]);
    run.check('forward', value, wanted, {}, `loss of step ${step}`);
    run.check('forward', calls, trials, {}, `closure calls by step ${step}`);
    run.check('forward', await readBack(params), expected, {}, `params after step ${step}`);
  }
  return passed;
}

/** 0.5 x @ (A @ x) - b @ x */
function quadratic(test: Case, run: Run): (x: Tensor) => Tensor {
  const decoder = inputDecoder(run, false);
  const A = decoder.decode(test.A) as Tensor;
  const b = decoder.decode(test.b) as Tensor;
  return (x) => x.mul(0.5).matmul(A.matmul(x)).sub(b.matmul(x));
}

/** sum(100 (x[1:] - x[:-1]^2)^2 + (1 - x[:-1])^2) */
function rosenbrock(x: Tensor): Tensor {
  const n = x.numel() - 1;
  const head = x.narrow(0, 0, n);
  const tail = x.narrow(0, 1, n);
  return tail.sub(head.pow(2)).pow(2).mul(100).add(head.rsub(1).pow(2)).sum();
}
