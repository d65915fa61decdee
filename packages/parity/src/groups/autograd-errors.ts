import { type Tensor, tensor } from '@sconce/core';
import { readBack } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import { Slice, type Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';
import { runProgram } from '../mapping/world.js';
import type { PyContext } from '../python/objects.js';
import { parseProgram } from '../python/program.js';
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

const none: Map<string, Value> = new Map();

const method = (self: Tensor, name: string, ...args: Value[]): Value =>
  callTorch(`torch.Tensor.${name}`, [self, ...args], none);

const functional = (name: string, ...args: Value[]): Value =>
  callTorch(`torch.nn.functional.${name}`, args, none);

/** Functions of one tensor that are not methods of the same name. */
const unary: Record<string, (a: Tensor) => Value> = {
  ...named(functional, 'gelu silu elu softplus leaky_relu'),
  pow2: (a) => method(a, 'pow', 2),
  pow3: (a) => method(a, 'pow', 3),
  add3: (a) => method(a, 'add', 3),
  mul3: (a) => method(a, 'mul', 3),
  div3: (a) => method(a, 'div', 3),
  clamp: (a) => a.clamp(0.5, 2),
  cumsum0: (a) => method(a, 'cumsum', 0),
  softmax0: (a) => method(a, 'softmax', 0),
  log_softmax0: (a) => method(a, 'log_softmax', 0),
  logsumexp0: (a) => method(a, 'logsumexp', 0),
  sort0: (a) => first(method(a, 'sort', 0)),
  index0: (a) => method(a, '__getitem__', 0),
};

/** Functions of two tensors that are not `torch.name(a, b)`. */
const binary: Record<string, (a: Tensor, b: Tensor) => Value> = {
  where: (a, b) => {
    const condition = tensor(
      [
        [true, false],
        [false, true],
      ],
      { device: a.device },
    );
    return callTorch('torch.where', [condition, a, b], none);
  },
  lerp: (a, b) => a.lerp(b, 0.3),
  addcmul: (a, b) => a.addcmul(a, b),
  mse_loss: (a, b) => functional('mse_loss', a, b),
  cat: (a, b) => callTorch('torch.cat', [[a, b]], none),
  stack: (a, b) => callTorch('torch.stack', [[a, b]], none),
  dot_sum: (a, b) => a.mul(b).sum(),
};

function named(call: (name: string, a: Tensor) => Value, names: string) {
  return Object.fromEntries(names.split(' ').map((n) => [n, (a: Tensor) => call(n, a)]));
}

const first = (x: Value): Value => (Array.isArray(x) ? x[0] : x);

function applyFunction(f: string, a: Tensor, b: Tensor | undefined): Tensor {
  if (b) return (binary[f]?.(a, b) ?? callTorch(`torch.${f}`, [a, b], none)) as Tensor;
  return first(unary[f]?.(a) ?? method(a, f)) as Tensor;
}

/** Changes a tensor in one of the ways the corpus tries. */
function mutate(target: Tensor, how: string): void {
  switch (how) {
    case 'inplace':
      target.add_(1);
      return;
    case 'no_grad':
      (callTorch('torch.no_grad', [], none) as PyContext).run(() => target.add_(1));
      return;
    case 'detach':
      target.detach().add_(1);
      return;
    case 'data':
      target.data.add_(1);
      return;
    case 'view':
      (method(target.view(-1), '__getitem__', new Slice(null, 1, null)) as Tensor).mul_(2);
      return;
    default:
      throw new RangeError(`corpus: unknown way to change a tensor: ${how}`);
  }
}

/** The group `autograd_errors`: changes between forward and backward, and snippets of Python. */
export const autogradErrors: Group = {
  subject: (test) => {
    const [, kind, rest] = test.id.split('/') as [string, string, string];
    return kind === 'snippet' ? 'snippet' : `${kind}/${rest.split('.')[0]}`;
  },
  hasGradient: (test) => !('source' in test),
  rounding: () => 'float64',

  async run(test, run) {
    const op = autogradErrors.subject(test);
    if ('source' in test) return { op, forward: await snippet(test, run) };
    return mutation(test, run, op);
  },
};

async function mutation(test: Case, run: Run, op: string): Promise<CaseOutcome> {
  const decoder = inputDecoder(run, false);
  const leaves = [test.a, test.b]
    .filter((x) => x !== undefined)
    .map((x) => decoder.decode(x) as Tensor);
  let out: Tensor;
  try {
    for (const leaf of leaves) leaf.requiresGrad_();
    const inputs = leaves.map((leaf) => leaf.clone());
    const [a, b] = inputs as [Tensor, Tensor | undefined];
    out = applyFunction(test.f as string, a, b);
    const target = { in0: a, in1: b as Tensor, out }[test.target as 'in0' | 'in1' | 'out'];
    const raised = test.mutate_raises as Raised | undefined;
    const error = caught(() => mutate(target, test.how as string));
    if (raised) {
      const outcome = error
        ? judged(errorDifference(error, raised))
        : failed(`no error, expected ${raised.message}`);
      return { op, gradient: outcome };
    }
    if (error) return { op, gradient: outcomeOf(error) };
  } catch (error) {
    return { op, gradient: outcomeOf(error) };
  }
  return { op, gradient: await backward(test, run, out, leaves) };
}

function caught(run: () => void): Error | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

async function backward(
  test: Case,
  run: Run,
  out: Tensor,
  leaves: readonly Tensor[],
): Promise<Outcome> {
  const raised = test.backward_raises as Raised | undefined;
  try {
    const loss = weightedLoss(differentiable(out), run.variant);
    if (!loss) return notImplemented('the result does not require grad');
    loss.backward();
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome.status === 'notImplemented' || !raised) return outcome;
    return judged(errorDifference(error, raised));
  }
  if (raised) return failed(`backward did not raise: ${raised.message}`);
  const actual = await readBack(leaves.map((leaf) => leaf.grad));
  run.check('gradient', actual, expectedDecoder(run.device).decode(test.grads), {}, 'grads');
  return passed;
}

async function snippet(test: Case, run: Run): Promise<Outcome> {
  const raised = test.raises as Raised | undefined;
  try {
    const variables = runProgram(parseProgram(test.source as string));
    const actual = await readBack(variables.get('result'));
    if (raised) return failed(`no error, expected ${raised.type}: ${raised.message}`);
    run.check('forward', actual, expectedDecoder(run.device).decode(test.result));
    return passed;
  } catch (error) {
    const outcome = outcomeOf(error);
    if (outcome.status === 'notImplemented' || !raised) return outcome;
    return judged(errorDifference(error, raised));
  }
}
