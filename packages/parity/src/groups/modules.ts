import type { Tensor } from '@sconce/core';
import type { Module } from '@sconce/nn';
import { readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import { ModuleValue, type Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';
import { buildModule, callModule } from '../mapping/modules.js';
import { type Outcome, passed } from '../report/counts.js';
import { differentiable, weightedLoss } from '../runtime/gradients.js';
import { outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder, inputDecoder } from '../runtime/tensors.js';
import type { Group, Run } from './group.js';

interface Step {
  readonly train: boolean;
  readonly args: unknown[];
  readonly kwargs: Record<string, unknown>;
  readonly out: unknown;
  readonly grads?: {
    readonly inputs: unknown[];
    readonly params: Record<string, unknown>;
  };
  readonly buffers: Record<string, unknown>;
}

interface Wrap {
  readonly fn: string;
  readonly kwargs: Record<string, unknown>;
}

/** The group `modules`: layers and losses with their state, step by step. */
export const modules: Group = {
  subject: (test) => test.module as string,
  hasGradient: (test) => (test.steps as Step[]).some((step) => step.grads !== undefined),
  rounding: () => 'float64',

  async run(test, run) {
    const op = modules.subject(test);
    const gradients = modules.hasGradient(test);
    try {
      const module = build(test, run);
      let gradient: Outcome = passed;
      for (const step of test.steps as Step[]) {
        const outcome = await perform(test, step, module, run);
        if (gradient.status === 'passed') gradient = outcome;
      }
      return gradients ? { op, forward: passed, gradient } : { op, forward: passed };
    } catch (error) {
      const outcome = outcomeOf(error);
      return gradients ? { op, forward: outcome, gradient: outcome } : { op, forward: outcome };
    }
  },
};

function build(test: Case, run: Run): Module {
  const decoder = inputDecoder(run, false);
  const args = decoder.decodeAll(test.args as unknown[]);
  const kwargs = decoder.decodeKwargs(test.kwargs as Record<string, unknown>);
  let module = buildModule(new ModuleValue(test.module as string, args, kwargs));
  for (const { fn, kwargs: given } of (test.wrap as Wrap[] | undefined) ?? []) {
    module = callTorch(`torch.${fn}`, [module], decoder.decodeKwargs(given)) as Module;
  }
  const states = inputDecoder(run, false);
  const state = Object.entries(test.state_dict as Record<string, unknown>).map(
    ([name, json]) => [name, states.decode(json) as Tensor] as const,
  );
  if (state.length > 0) module.loadStateDict(new Map(state));
  return module;
}

async function perform(test: Case, step: Step, module: Module, run: Run): Promise<Outcome> {
  const decoder = inputDecoder(run, step.grads !== undefined);
  const args = decoder.decodeAll(step.args);
  const kwargs = decoder.decodeKwargs(step.kwargs);
  module.train(step.train);
  for (const p of module.parameters()) p.grad = null;
  const result = callModule(test.module as string, module, args, kwargs);
  const expected = expectedDecoder(run.device).decode(step.out);
  run.check('forward', await readBack(result), expected);
  const leaves = decoder.tensors.filter((t) => t.data.requiresGrad).map((t) => t.value);
  const gradient = step.grads ? await backward(step, result, leaves, module, run) : passed;
  await checkBuffers(step, module, run);
  return gradient;
}

async function backward(
  { grads }: Step,
  result: Value,
  leaves: readonly Tensor[],
  module: Module,
  run: Run,
): Promise<Outcome> {
  try {
    weightedLoss(differentiable(result), run.variant)?.backward();
    // Inputs and parameters are one list in the encoder that wrote them.
    const decoder = expectedDecoder(run.device);
    run.check(
      'gradient',
      await readBack(leaves.map((leaf) => leaf.grad)),
      decoder.decode(grads?.inputs),
      {},
      'grads of inputs',
    );
    const parameters = new Map(module.namedParameters());
    for (const [name, json] of Object.entries(grads?.params ?? {})) {
      const own = await readBack(parameters.get(name)?.grad ?? null);
      const expected = expectedDecoder(run.device).decode(json);
      run.check('gradient', own, expected, {}, `grad of ${name}`);
    }
    return passed;
  } catch (error) {
    return outcomeOf(error);
  }
}

async function checkBuffers({ buffers }: Step, module: Module, run: Run): Promise<void> {
  if (Object.keys(buffers).length === 0) return;
  const own = module.stateDict();
  for (const [name, json] of Object.entries(buffers)) {
    const actual = await readBack(own.get(name) ?? null);
    const expected = expectedDecoder(run.device).decode(json);
    run.check('forward', actual, expected, {}, `buffer ${name}`);
  }
}
