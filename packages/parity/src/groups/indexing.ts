import { Tensor, withReads } from '@sconce/core';
import { readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';
import { type CaseOutcome, failed, type Outcome, passed } from '../report/counts.js';
import { differentiable, weightedLoss } from '../runtime/gradients.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder, inputDecoder } from '../runtime/tensors.js';
import { errorDifference, type Raised } from './errors.js';
import type { Group, Run } from './group.js';

/** The group `indexing`: `base[index]` and `base[index] = value`. */
export const indexing: Group = {
  subject: (test) => test.id.split('/')[1] as string,
  hasGradient: (test) => Array.isArray(test.grads),
  rounding: () => 'float64',

  async run(test, run) {
    const op = indexing.subject(test);
    const raised = test.raises as Raised | undefined;
    const gradients = indexing.hasGradient(test);
    try {
      // Repeated from the decoded values on, so that what is written in place is written once.
      const { result, leaves, base } = await withReads(() => apply(test, run, gradients));
      const forward = await compare(test, run, result, base);
      if (!gradients || raised) return { op, forward };
      return { op, forward, gradient: await gradient(test, run, result, leaves) };
    } catch (error) {
      const outcome = outcomeOf(error);
      if (raised) {
        const judgement = judged(errorDifference(error, raised));
        return { op, forward: outcome.status === 'notImplemented' ? outcome : judgement };
      }
      return { op, forward: outcome, ...(gradients ? { gradient: outcome } : {}) } as CaseOutcome;
    }
  },
};

interface Applied {
  readonly base: Tensor;
  readonly result: Tensor;
  readonly leaves: readonly Tensor[];
}

function apply(test: Case, run: Run, gradients: boolean): Applied {
  const decoder = inputDecoder(run, gradients);
  const base = decoder.decode(test.base) as Tensor;
  const index = decoder.decode(test.index);
  const none = new Map<string, Value>();
  if (!('value' in test)) {
    const result = callTorch('torch.Tensor.__getitem__', [base, index], none) as Tensor;
    return { base, result, leaves: [base] };
  }
  const value = decoder.decode(test.value);
  const leaves = [base, value].filter((x): x is Tensor => x instanceof Tensor);
  if (gradients) {
    leaves.forEach((leaf, i) => {
      if (((test.grads as unknown[])[i] ?? null) !== null) leaf.requiresGrad_();
    });
  }
  const result = base.clone();
  callTorch('torch.Tensor.__setitem__', [result, index, value], none);
  return { base, result, leaves };
}

async function compare(test: Case, run: Run, result: Tensor, base: Tensor): Promise<Outcome> {
  const raised = test.raises as Raised | undefined;
  const actual = await readBack(result);
  if (raised) return failed(`no error, expected ${raised.type}: ${raised.message}`);
  const decoder = expectedDecoder(run.device);
  run.check('forward', actual, decoder.decode('after' in test ? test.after : test.out));
  if ('after' in test) return passed;
  const shares = result.storage === base.storage;
  // Whether no elements share memory is nobody's business.
  if (shares === test.view || result.numel() === 0) return passed;
  return failed(`the result ${shares ? 'shares' : 'does not share'} the memory of the base`);
}

async function gradient(
  test: Case,
  run: Run,
  result: Tensor,
  leaves: readonly Tensor[],
): Promise<Outcome> {
  try {
    weightedLoss(differentiable(result), run.variant)?.backward();
    const wanted = test.grads as unknown[];
    const given = wanted.length === leaves.length ? leaves : leaves.filter((t) => t.requiresGrad);
    const actual = await readBack(given.map((leaf) => leaf.grad));
    const expected = expectedDecoder(run.device).decode(wanted);
    run.check('gradient', actual, expected, {}, 'grads');
    return passed;
  } catch (error) {
    return outcomeOf(error);
  }
}
