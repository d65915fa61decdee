import 'sconce';
import { readFileSync } from 'node:fs';
import { type DType, fromTypedArray, type Tensor } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { Corpus } from '../corpus/corpus.js';
import type { Value } from '../corpus/value.js';
import { evaluate } from '../mapping/world.js';
import { hasForm, torchForms } from '../report/forms.js';
import { differentiable, weightedLoss } from '../runtime/gradients.js';

/** A gradient that PyTorch 1.13 computed, of an operator that the corpus has no case with a gradient of. */
interface Gradient {
  readonly op: string;
  readonly expr: string;
  readonly grads: Readonly<Record<string, readonly number[]>>;
}

interface Data {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: readonly (number | boolean)[];
}

const { tensors, cases } = JSON.parse(
  readFileSync(new URL('./gradients.json', import.meta.url), 'utf8'),
) as { tensors: Readonly<Record<string, Data>>; cases: readonly Gradient[] };

/** Whether PyTorch differentiates an operator, although there is nothing to compare. */
const without: Readonly<Record<string, string>> = {
  __rmod__: 'of a number by a tensor PyTorch 1.13 has no derivative',
  'nn.functional.one_hot': 'its results are integers',
};

function place({ dtype, shape, data }: Data): Tensor {
  const values = Float64Array.from(data, Number);
  const tensor = fromTypedArray(values, shape).to(dtype);
  return dtype === 'float64' && shape.length === 2 ? tensor.requiresGrad_() : tensor;
}

describe('gradients that PyTorch computed', () => {
  it.each(cases.map((c) => [c.op, c] as const))('%s', (_, { expr, grads }) => {
    const names = new Map<string, Tensor>(
      Object.entries(tensors).map(([name, data]) => [name, place(data)]),
    );
    const loss = weightedLoss(differentiable(evaluate(expr, names as Map<string, Value>)));
    loss?.backward();
    for (const [name, wanted] of Object.entries(grads)) {
      const own = names.get(name)?.grad?.contiguous().toTypedArraySync() as Float64Array;
      wanted.forEach((x, i) => {
        expect(Math.abs((own[i] as number) - x)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(x)));
      });
    }
  });
});

describe('every operator that PyTorch differentiates', () => {
  const corpus = new Corpus();
  const forms = torchForms(corpus);
  const wanted = [...forms].flatMap(([name, set]) => (set.has('derivative') ? [name] : []));
  const compared = new Set(cases.map((c) => c.op));
  for (const group of ['ops', 'ops_ref'] as const) {
    for (const test of corpus.cases(group)) {
      if (!test.grads) continue;
      compared.add(test.op as string);
      compared.add(test.variant ? `${test.op}/${test.variant}` : (test.op as string));
    }
  }

  it('has a derivative here', () => {
    const missing = wanted.filter((name) => !hasForm(name, 'derivative') && !(name in without));
    expect(missing).toEqual([]);
  });

  it('is compared with PyTorch, by the corpus or here', () => {
    expect(wanted.filter((name) => !compared.has(name)).sort()).toEqual(
      Object.keys(without).sort(),
    );
  });
});
