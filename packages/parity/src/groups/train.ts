import { noGrad } from '@sconce/autograd';
import {
  float,
  fromTypedArray,
  getDefaultDevice,
  setDefaultDevice,
  type Tensor,
} from '@sconce/core';
import type { Module } from '@sconce/nn';
import { type Comparison, difference } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { failed, notImplemented, type Outcome, passed } from '../report/counts.js';
import { NudgedVariant } from '../rounding/variants.js';
import { outcomeOf } from '../runtime/outcome.js';
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

/** Losses may differ by a share. */
const lossTolerance = { tolerance: { rtol: 1e-4, atol: 0 } };

/** Parameters after training: this many times what PyTorch itself drifts between its code paths, or more. */
const drift = 10;
const leastDrift = 1e-4;

/** The group `train`: whole training runs from one seed. */
export const train: Group = {
  subject: (test) => test.id.split('/')[1] as string,
  hasGradient: () => false,
  rounding: () => 'nudged',

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

async function follow(test: Case, trace: Trace, run: Run): Promise<Outcome> {
  const losses = test.losses as { f: number }[];
  const script = trace(test.seed as number, run.device);
  const first = await script.next();
  const model = first.value as Module;
  for (const [place, own, expected, how] of await checksums(model, test.params_init, 1e-6)) {
    const found = difference(own, expected, how, `initial ${place}`);
    if (found) return failed(found);
  }
  if (run.variant instanceof NudgedVariant) await nudge(model, run.variant);
  for (const [step, { f: expected }] of losses.entries()) {
    const { value, done } = await script.next();
    if (done || typeof value !== 'number') return failed(`no loss at step ${step}`);
    run.check('forward', value, float(expected), lossTolerance, `loss at step ${step}`);
  }
  const noise = (test.noise as { param_rel: number }).param_rel;
  const tolerance = Math.max(leastDrift, drift * noise);
  for (const expected of [test.params_final, test.buffers_final]) {
    for (const [place, own, sum, how] of await checksums(model, expected, tolerance)) {
      run.check('forward', own, sum, how, `final ${place}`);
    }
  }
  return passed;
}

/** Each parameter an ulp away. */
async function nudge(model: Module, variant: NudgedVariant): Promise<void> {
  for (const p of model.parameters()) {
    const values = variant.nudge(p.dtype, Float64Array.from(await doubles(p)));
    noGrad(() => p.copy_(fromTypedArray(values, p.shape, { dtype: p.dtype, device: p.device })));
  }
}

type Sum = readonly [place: string, own: Value, expected: Value, how: Comparison];

/** The sums over each tensor of a model's state beside PyTorch's, which may differ by a share of the sum of sizes. */
async function checksums(model: Module, expected: unknown, share: number): Promise<Sum[]> {
  const state = model.stateDict();
  const sums: Sum[] = [];
  for (const { name, shape, sum, abs_sum } of expected as readonly Checksum[]) {
    const tensor = state.get(name);
    const own = tensor === undefined ? [] : await doubles(tensor);
    // The sum alone may be near zero; what it may be off by is set by the sizes that went into it.
    const how = { tolerance: { rtol: 0, atol: share * abs_sum.f + 1e-12 } };
    const total = own.reduce((a, b) => a + b, 0);
    const sizes = own.reduce((a, b) => a + Math.abs(b), 0);
    sums.push([`shape of ${name}`, tensor?.shape.join(), shape.join(), how]);
    sums.push([`sum of ${name}`, total, float(sum.f), how]);
    sums.push([`sum of sizes of ${name}`, sizes, float(abs_sum.f), how]);
  }
  return sums;
}

const doubles = async (t: Tensor): Promise<number[]> =>
  Array.from((await t.toTypedArray()) as ArrayLike<number | bigint>, Number);
