import type { Tensor } from '@sconce/core';
import { readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Decoder, Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';
import { type CaseOutcome, failed, type Outcome, passed } from '../report/counts.js';
import { differentiable, weightedLoss } from '../runtime/gradients.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder, inputDecoder } from '../runtime/tensors.js';
import { errorDifference, type Raised } from './errors.js';
import type { Group, Run } from './group.js';

interface Step {
  readonly on: string;
  readonly op: string;
  readonly args: readonly unknown[];
  readonly out?: string;
}

/** The group `views`: programs of views and in-place operations. */
export const views: Group = {
  subject: (test) => test.id.split('/')[1] as string,
  hasGradient: (test) => Array.isArray(test.grads) || test.backward_raises !== undefined,
  rounding: () => 'float64',

  async run(test, run) {
    const op = views.subject(test);
    const raised = test.raises as (Raised & { step: number }) | undefined;
    const decoder = inputDecoder(run, false);
    const init = decoder.decode(test.init) as Tensor;
    let at = 0;
    const variables = new Map<string, Tensor>();
    try {
      if (test.requires_grad) init.requiresGrad_();
      variables.set('v0', init.clone());
      for (const step of test.steps as Step[]) {
        perform(step, variables, decoder);
        at++;
      }
    } catch (error) {
      return afterError(test, op, error, at);
    }
    if (raised)
      return { op, forward: failed(`no error, expected ${raised.message} at step ${raised.step}`) };
    const forward = await state(test, run, variables);
    if (!views.hasGradient(test)) return { op, forward };
    return { op, forward, gradient: await gradient(test, run, init, variables) };
  },
};

function perform(step: Step, variables: Map<string, Tensor>, decoder: Decoder<Tensor>): void {
  const args = step.args.map((arg) => {
    const name = (arg as { var?: string } | null)?.var;
    return name === undefined ? decoder.decode(arg) : variables.get(name);
  });
  const on = variables.get(step.on) as Tensor;
  const result = callTorch(`torch.Tensor.${step.op}`, [on, ...args], new Map<string, Value>());
  if (step.out !== undefined) variables.set(step.out, result as Tensor);
}

function afterError(test: Case, op: string, error: unknown, at: number): CaseOutcome {
  const outcome = outcomeOf(error);
  const raised = test.raises as (Raised & { step: number }) | undefined;
  if (raised && outcome.status === 'failed') {
    const found = errorDifference(error, raised);
    const early = at === raised.step ? undefined : `raised at step ${at}, expected ${raised.step}`;
    return { op, forward: judged(found ?? early) };
  }
  return views.hasGradient(test)
    ? { op, forward: outcome, gradient: outcome }
    : { op, forward: outcome };
}

/** What the variables are at the end: values, sharing, gradient flags and versions. */
async function state(test: Case, run: Run, variables: Map<string, Tensor>): Promise<Outcome> {
  try {
    const decoder = expectedDecoder(run.device);
    const v0 = variables.get('v0') as Tensor;
    for (const [name, json] of Object.entries(test.final as Record<string, unknown>)) {
      const variable = variables.get(name) as Tensor;
      run.check('forward', await readBack(variable), decoder.decode(json), {}, name);
      const found =
        flag(test.shares_v0, name, variable.storage === v0.storage, 'shares memory with v0') ??
        flag(test.requires_grad_of, name, variable.requiresGrad, 'requires grad') ??
        flag(test.version, name, variable.version, 'version');
      if (found) return judged(found);
    }
    return judged(undefined);
  } catch (error) {
    return outcomeOf(error);
  }
}

function flag(expected: unknown, name: string, actual: Value, what: string): string | undefined {
  const wanted = (expected as Record<string, Value>)[name];
  return wanted === actual ? undefined : `${name}: ${what}: ${actual}, expected ${wanted}`;
}

async function gradient(
  test: Case,
  run: Run,
  init: Tensor,
  variables: Map<string, Tensor>,
): Promise<Outcome> {
  const raised = test.backward_raises as Raised | undefined;
  try {
    const names = Object.keys((test.final as object | undefined) ?? {});
    weightedLoss(differentiable(names.map((n) => variables.get(n))), run.variant)?.backward();
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome.status === 'notImplemented' || !raised) return outcome;
    return judged(errorDifference(error, raised));
  }
  if (raised) return failed(`backward did not raise: ${raised.message}`);
  const actual = await readBack([init.grad]);
  run.check('gradient', actual, expectedDecoder(run.device).decode(test.grads), {}, 'grads');
  return passed;
}
