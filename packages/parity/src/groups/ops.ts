import { type Tensor, withReads } from '@sconce/core';
import { alignBases } from '../compare/bases.js';
import { readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';
import { evaluate } from '../mapping/world.js';
import {
  type CaseOutcome,
  failed,
  notImplemented,
  type Outcome,
  passed,
} from '../report/counts.js';
import { differentiable, weightedLoss } from '../runtime/gradients.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder, inputDecoder } from '../runtime/tensors.js';
import { errorDifference, type Raised } from './errors.js';
import type { Group, Run } from './group.js';

/** Inputs of a call on a device. */
interface Inputs {
  readonly args: Value[];
  readonly kwargs: Map<string, Value>;
  /** The distinct tensors that require grad, in the order of the corpus. */
  readonly leaves: Tensor[];
}

function inputs(test: Case, run: Run, gradients: boolean): Inputs {
  const decoder = inputDecoder(run, gradients);
  const args = decoder.decodeAll(test.args as unknown[]);
  const kwargs = decoder.decodeKwargs(test.kwargs as Record<string, unknown>);
  const leaves = decoder.tensors.filter(({ data }) => data.requiresGrad).map((t) => t.value);
  return { args, kwargs, leaves };
}

/** Calls what a case calls: a callable by its path, or an expression over `x`, `args` and `kw`. */
function call(test: Case, { variant }: Run, { args, kwargs }: Inputs): Value {
  const path = variant?.source(test.call as string) ?? (test.call as string);
  if (path.startsWith('torch.') && !path.includes('(')) return callTorch(path, args, kwargs);
  const names = new Map<string, Value>([
    ['x', args[0]],
    ['args', args.slice(1)],
    ['kw', kwargs],
  ]);
  return evaluate(path, names);
}

/** Operators of many steps that carry on how far the last one was off: repeated squaring, recurrences. */
const iterated = /^(linalg\.)?matrix_exp$|^special\..*_polynomial_/;

/** The groups of single calls: `ops`, `ops_ref`, `ops_extra` and `ops_errors`. */
export const ops: Group = {
  subject: (test) => (test.variant ? `${test.op}/${test.variant}` : (test.op as string)),

  hasGradient: (test) => Array.isArray(test.grads),

  rounding: (test) => (iterated.test(test.op as string) ? 'nudged' : 'float64'),

  async run(test, run) {
    const op = ops.subject(test);
    if (test.raises) return { op, forward: await raising(test, run) };
    const reads: Reads = { happened: false };
    const outcome = ops.hasGradient(test)
      ? await both(test, run, reads)
      : { forward: await forward(test, run, reads) };
    return { op, ...outcome, readsValues: reads.happened };
  },
};

/** Whether a call had to be repeated with values of the device. */
interface Reads {
  happened: boolean;
}

async function raising(test: Case, run: Run): Promise<Outcome> {
  try {
    const given = inputs(test, run, false);
    await readBack(await withReads(() => call(test, run, given)));
  } catch (error) {
    return outcomeOfRaised(error, test.raises as Raised);
  }
  return failed(
    `no error, expected ${(test.raises as Raised).type}: ${(test.raises as Raised).message}`,
  );
}

function outcomeOfRaised(error: unknown, raised: Raised): Outcome {
  const outcome = outcomeOf(error);
  return outcome.status === 'notImplemented' ? outcome : judged(errorDifference(error, raised));
}

async function forward(test: Case, run: Run, reads: Reads): Promise<Outcome> {
  try {
    const result = await resultOf(test, inputs(test, run, false), run, reads);
    return await compared(result, test, run);
  } catch (error) {
    return outcomeOf(error);
  }
}

/** What the call gives; where that is unique only up to signs, with PyTorch's. */
async function resultOf(test: Case, given: Inputs, run: Run, reads: Reads): Promise<Value> {
  let calls = 0;
  const result = await withReads(() => {
    reads.happened ||= calls++ > 0;
    return call(test, run, given);
  });
  if (test.compare !== 'nonunique') return result;
  return alignBases(test.op as string, result, expectedDecoder(run.device).decode(test.out));
}

async function compared(result: Value, test: Case, run: Run): Promise<Outcome> {
  const expected = expectedDecoder(run.device).decode(test.out);
  const how = { shapeOnly: test.compare === 'shape', ties: test.ties === true };
  run.check('forward', await readBack(result), expected, how);
  return passed;
}

async function both(test: Case, run: Run, reads: Reads): Promise<Omit<CaseOutcome, 'op'>> {
  let given: Inputs;
  let result: Value;
  try {
    given = inputs(test, run, true);
    result = await resultOf(test, given, run, reads);
  } catch (error) {
    // What cannot be recorded may still be computed.
    return { forward: await forward(test, run, reads), gradient: outcomeOf(error) };
  }
  let forwardOutcome: Outcome;
  try {
    forwardOutcome = await compared(result, test, run);
  } catch (error) {
    forwardOutcome = outcomeOf(error);
  }
  return { forward: forwardOutcome, gradient: await gradient(test, run, given, result) };
}

async function gradient(test: Case, run: Run, given: Inputs, result: Value): Promise<Outcome> {
  try {
    const outputs = differentiable(result);
    const loss = weightedLoss(outputs, run.variant);
    if (!loss) return notImplemented('no output requires grad');
    loss.backward();
    const actual = await readBack(given.leaves.map((leaf) => leaf.grad));
    const expected = expectedDecoder(run.device).decode(test.grads);
    run.check('gradient', actual, expected, { ties: test.ties === true }, 'grads');
    return passed;
  } catch (error) {
    return outcomeOf(error);
  }
}
