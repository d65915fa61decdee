import { getDefaultDevice, setDefaultDevice, type Tensor } from '@sconce/core';
import type { Module } from '@sconce/nn';
import type { Case } from '../corpus/corpus.js';
import { notImplemented, type Outcome, passed } from '../report/counts.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { traces } from '../traces/index.js';
import type { Trace } from '../traces/trace.js';
import type { Group, Run } from './group.js';

/** Sums over a parameter or buffer, in double precision. */
interface Checksum {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sum: { readonly f: number };
  readonly abs_sum: { readonly f: number };
}

/** Losses may differ by this share. */
const lossTolerance = 1e-4;

/** Parameters after training: this many times what PyTorch itself drifts between its code paths, or more. */
const drift = 10;
const leastDrift = 1e-4;

/** The group `train`: whole training runs from one seed. */
export const train: Group = {
  subject: (test) => test.id.split('/')[1] as string,
  hasGradient: () => false,

  async run(test, run) {
    const op = train.subject(test);
    const trace = traces[op];
    if (!trace) return { op, forward: notImplemented(`the runner has no script ${op}`) };
    const outer = getDefaultDevice();
    // What PyTorch drew comes from the host's stream, wherever it is trained with.
    if (!run.device.backend.synchronous) setDefaultDevice('cpu');
    try {
      return { op, forward: await follow(test, trace, run) };
    } catch (error) {
      return { op, forward: outcomeOf(error) };
    } finally {
      setDefaultDevice(outer);
    }
  },
};

async function follow(test: Case, trace: Trace, { device }: Run): Promise<Outcome> {
  const losses = test.losses as { f: number }[];
  const script = trace(test.seed as number, device);
  const first = await script.next();
  const model = first.value as Module;
  const initial = await checksumDifference(model, test.params_init as Checksum[], 1e-6, 'initial');
  if (initial) return judged(initial);
  for (const [step, { f: expected }] of losses.entries()) {
    const { value, done } = await script.next();
    if (done || typeof value !== 'number') return judged(`no loss at step ${step}`);
    if (!(Math.abs(value - expected) <= lossTolerance * Math.abs(expected))) {
      return judged(`loss ${value} at step ${step}, expected ${expected}`);
    }
  }
  const noise = (test.noise as { param_rel: number }).param_rel;
  const tolerance = Math.max(leastDrift, drift * noise);
  const last =
    (await checksumDifference(model, test.params_final as Checksum[], tolerance, 'final')) ??
    (await checksumDifference(model, test.buffers_final as Checksum[], tolerance, 'final'));
  return last ? judged(last) : passed;
}

async function checksumDifference(
  model: Module,
  expected: readonly Checksum[],
  tolerance: number,
  when: string,
): Promise<string | undefined> {
  const state = model.stateDict();
  for (const { name, shape, sum, abs_sum } of expected) {
    const tensor = state.get(name);
    if (!tensor) return `there is no ${name}`;
    if (tensor.shape.join() !== shape.join()) return `${name} has shape [${tensor.shape}]`;
    const values = await doubles(tensor);
    const own = values.reduce((a, b) => a + b, 0);
    const absolute = values.reduce((a, b) => a + Math.abs(b), 0);
    // The sum alone may be near zero; what it may be off by is set by the sizes that went into it.
    const allowed = tolerance * abs_sum.f + 1e-12;
    if (Math.abs(own - sum.f) > allowed || Math.abs(absolute - abs_sum.f) > allowed) {
      return `${when} ${name}: sum ${own}, sum of sizes ${absolute}; expected ${sum.f}, ${abs_sum.f}`;
    }
  }
  return undefined;
}

const doubles = async (t: Tensor): Promise<number[]> =>
  Array.from((await t.toTypedArray()) as ArrayLike<number | bigint>, Number);
