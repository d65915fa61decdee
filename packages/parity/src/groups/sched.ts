import { ones, type Tensor } from '@sconce/core';
import { difference } from '../compare/compare.js';
import type { Case } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { buildOptimizer, buildScheduler } from '../mapping/optimizers.js';
import { type Outcome, passed } from '../report/counts.js';
import { judged, outcomeOf } from '../runtime/outcome.js';
import { expectedDecoder } from '../runtime/tensors.js';
import type { Group, Run } from './group.js';

interface Optimizer {
  readonly paramGroups: Record<string, Value>[];
  step(): void;
}

interface Scheduler {
  step(metric?: Value): void;
  getLastLr(): number[];
}

/** The group `sched`: learning rates over fifty steps. */
export const sched: Group = {
  subject: (test) => test.scheduler as string,
  hasGradient: () => false,

  async run(test, run) {
    const op = sched.subject(test);
    try {
      return { op, forward: trace(test, run) };
    } catch (error) {
      return { op, forward: outcomeOf(error) };
    }
  },
};

/** Rates are computed in double precision; only the last bits may differ. */
const tolerance = { rtol: 1e-12, atol: 1e-15 };

interface SubScheduler {
  readonly scheduler: string;
  readonly kwargs: Record<string, unknown>;
}

function trace(test: Case, run: Run): Outcome {
  const decoder = expectedDecoder(run.device);
  const decode = (kwargs: unknown): Map<string, Value> =>
    decoder.decodeKwargs(kwargs as Record<string, unknown>);
  const weights: Tensor[] = [ones([2]).requiresGrad_(), ones([2]).requiresGrad_()];
  const groups = [
    { params: [weights[0]] },
    { params: [weights[1]], lr: (decoder.decode(test.group1_lr) as { value: number }).value },
  ];
  const optimizer = buildOptimizer<Optimizer>(
    test.optimizer as string,
    groups,
    decode(test.opt_kwargs),
  );
  const { schedulers, ...rest } = test.kwargs as Record<string, unknown>;
  const kwargs = decode(rest);
  if (schedulers) {
    const built = (schedulers as SubScheduler[]).map((s) =>
      buildScheduler(s.scheduler, optimizer, decode(s.kwargs)),
    );
    kwargs.set('schedulers', built);
  }
  const scheduler = buildScheduler<Scheduler>(test.scheduler as string, optimizer, kwargs);
  const metrics = decoder.decode(test.metrics ?? []) as { value: number }[];
  const points = test.trace as Record<string, unknown>[];
  for (const [i, point] of points.entries()) {
    if (i > 0) {
      optimizer.step();
      if (metrics.length > 0) scheduler.step(metrics[i - 1]?.value);
      else scheduler.step();
    }
    const found = pointDifference(decoder.decodeKwargs(point), optimizer, scheduler, i);
    if (found) return judged(found);
  }
  return passed;
}

function pointDifference(
  point: ReadonlyMap<string, Value>,
  optimizer: Optimizer,
  scheduler: Scheduler,
  step: number,
): string | undefined {
  for (const [name, expected] of point) {
    const actual =
      name === 'last_lr' ? scheduler.getLastLr() : optimizer.paramGroups.map((g) => g[name]);
    const found = difference(actual, expected, { tolerance }, `${name} after ${step} steps`);
    if (found) return found;
  }
  return undefined;
}
