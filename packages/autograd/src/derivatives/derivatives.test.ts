import { type GradFn, geqrf, linalg, operations, type Tensor } from '@sconce/core';
import { describe, expect, test } from 'vitest';
import { activationSamples } from '../../test/samples/activations.js';
import { indexingSamples } from '../../test/samples/indexing.js';
import { linalgSamples } from '../../test/samples/linalg.js';
import { linearSamples } from '../../test/samples/linear.js';
import { nnSamples } from '../../test/samples/nn.js';
import { pointwiseSamples } from '../../test/samples/pointwise.js';
import { rearrangingSamples } from '../../test/samples/rearranging.js';
import { reductionSamples } from '../../test/samples/reductions.js';
import { real, type Samples } from '../../test/samples/sample.js';
import { shapeSamples } from '../../test/samples/shape.js';
import { specialSamples } from '../../test/samples/special.js';
import { type Checked, gradcheck, gradgradcheck } from '../index.js';
import { OpNode } from '../record.js';
import { refuses } from './formula.js';
import { derivatives } from './index.js';

const samples: Samples = {
  ...pointwiseSamples,
  ...activationSamples,
  ...reductionSamples,
  ...shapeSamples,
  ...indexingSamples,
  ...linalgSamples,
  ...linearSamples,
  ...nnSamples,
  ...rearrangingSamples,
  ...specialSamples,
};

const differentiable = Object.keys(derivatives).filter((name) => {
  const row = derivatives[name];
  return row && !refuses(row);
});

test('every derivative has a sample, and every sample a derivative', () => {
  expect(differentiable.filter((name) => !samples[name])).toEqual([]);
  expect(Object.keys(samples).filter((name) => !derivatives[name])).toEqual([]);
});

/** Operations without second derivatives, and why. */
const firstOnly: Readonly<Record<string, string>> = {
  ctcLoss: 'nor does PyTorch have any: derivative for aten::_ctc_loss_backward is not implemented',
};

test('second derivatives are checked of every entry', () => {
  const once = Object.keys(samples).filter((name) => samples[name]?.every((s) => s.once));
  expect(once.sort()).toEqual(Object.keys(firstOnly).sort());
});

test('what PyTorch has no derivative of raises at backward', () => {
  const a = real([3, 3]);
  const { LD, pivots } = linalg.ldlFactor(a.detach());
  const calls: Readonly<Record<string, () => Tensor>> = {
    geqrf: () => geqrf(a).tau,
    linalgLdlFactorEx: () => linalg.ldlFactor(a).LD,
    linalgLdlSolve: () => linalg.ldlSolve(LD, pivots, a),
  };
  const refusing = Object.entries(derivatives).filter(([, row]) => row && refuses(row));
  expect(refusing.map(([name]) => name).sort()).toEqual(Object.keys(calls).sort());
  for (const call of Object.values(calls)) {
    const result = call();
    expect(() => result.sum().backward()).toThrow(/the derivative for '\w+' is not implemented/);
  }
});

test('every entry of the table belongs to an operation and its parameters', () => {
  const unknown = Object.keys(derivatives).flatMap((name) => {
    const op = operations.get(name);
    if (!op) return [name];
    return Object.keys(derivatives[name] ?? {})
      .filter((param) => !op.params.includes(param))
      .map((param) => `${name}.${param}`);
  });
  expect(unknown).toEqual([]);
});

test('every operation is in the table', () => {
  expect([...operations.keys()].filter((name) => !(name in derivatives))).toEqual([]);
});

/** The operations recorded in the graph of a result. */
function recorded(results: Tensor | readonly Tensor[]): Set<string> {
  const names = new Set<string>();
  const seen = new Set<GradFn | null>();
  const stack: (GradFn | null)[] = [results].flat().map((t) => t.gradFn);
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node === null || seen.has(node)) continue;
    seen.add(node);
    if (node instanceof OpNode) names.add(node.operation);
    stack.push(...node.nextFunctions);
  }
  return names;
}

describe.each(Object.entries(samples))('%s', (name, list) => {
  test.each(list.map((sample, i) => [i, sample] as const))('sample %i', (_, sample) => {
    const inputs = sample.inputs();
    const run = sample.run as Checked;
    expect(recorded(run(...inputs))).toContain(name);
    expect(gradcheck(run, inputs)).toBe(true);
    if (!sample.once) expect(gradgradcheck(run, inputs)).toBe(true);
  });
});
