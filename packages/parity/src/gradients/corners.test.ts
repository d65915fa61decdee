import 'sconce';
import { readFileSync } from 'node:fs';
import { grad } from '@sconce/autograd';
import { fromTypedArray, numel, type Tensor, zerosLike } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import type { Value } from '../corpus/value.js';
import { evaluate } from '../mapping/world.js';

/** A number, or the name of one that JSON has not. */
type Figure = number | 'nan' | 'inf' | '-inf';

/** What PyTorch 2.15 computed of an expression at a place where a derivative is written by cases; made by scripts/corners.py. */
interface Corner {
  readonly expr: string;
  readonly inputs: Readonly<
    Record<string, { readonly shape: readonly number[]; readonly data: readonly Figure[] }>
  >;
  readonly result: readonly Figure[];
  /** The gradients of the weighted sum of results; absent where no gradient is recorded. */
  readonly first?: Readonly<Record<string, readonly Figure[]>>;
  /** Those of the weighted sum of `first`, to the inputs and to the weights (`grad`); absent where PyTorch has none. */
  readonly second?: Readonly<Record<string, readonly Figure[]>>;
}

const corners = JSON.parse(
  readFileSync(new URL('./corners.json', import.meta.url), 'utf8'),
) as Corner[];

const number = (x: Figure): number =>
  typeof x === 'number' ? x : { nan: Number.NaN, inf: Infinity, '-inf': -Infinity }[x];

const place = (shape: readonly number[], data: readonly number[]): Tensor =>
  fromTypedArray(Float64Array.from(data), shape);

/** As weights() of corners.py. */
const weights = (shape: readonly number[], seed: number): Tensor =>
  place(
    shape,
    Array.from({ length: numel(shape) }, (_, k) => (((7 * k + seed) % 5) + 1) / 4),
  );

const numbers = (t: Tensor): number[] => [...(t.contiguous().toTypedArraySync() as Float64Array)];

const gradients = (y: Tensor, leaves: readonly Tensor[]): Tensor[] =>
  grad(y, leaves, { createGraph: true, allowUnused: true }).map(
    (g, i) => g ?? zerosLike(leaves[i] as Tensor),
  );

interface Derived {
  readonly result: readonly number[];
  readonly first?: Readonly<Record<string, readonly number[]>>;
  readonly plain?: Readonly<Record<string, readonly number[]>>;
  readonly second?: Readonly<Record<string, readonly number[]>>;
}

function derive({ expr, inputs }: Corner): Derived {
  const names = new Map(
    Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      place(shape, data.map(number)).requiresGrad_(),
    ]),
  );
  const result = evaluate(expr, names as Map<string, Value>) as Tensor;
  const value = numbers(result.detach());
  if (!result.requiresGrad) return { result: value };
  const weight = weights(result.shape, 0).requiresGrad_();
  const leaves = [weight, ...names.values()];
  const named = (list: readonly Tensor[]) =>
    Object.fromEntries(
      ['grad', ...names.keys()].map((name, i) => [name, numbers((list[i] as Tensor).detach())]),
    );
  const all = gradients(result.mul(weight).sum(), leaves);
  const first = named(all);
  // Passes that are not recorded have kernels of their own.
  const plain = grad(result.mul(weight).sum(), leaves, { retainGraph: true, allowUnused: true });
  const total = all
    .slice(1)
    .map((t, k) => t.mul(weights(t.shape, k + 1)).sum())
    .reduce((a, b) => a.add(b));
  const second = total.requiresGrad ? gradients(total, leaves) : leaves.map((t) => zerosLike(t));
  return {
    result: value,
    first,
    plain: named(plain.map((g, i) => g ?? zerosLike(leaves[i] as Tensor))),
    second: named(second),
  };
}

const close = (a: number, b: number): boolean =>
  Object.is(a, b) ||
  a === b ||
  Math.abs(a - b) <= 1e-9 * (1 + Math.min(Math.abs(b), Number.MAX_VALUE));

/** Where PyTorch has NaN although the derivative exists: here it may be a number. */
const smooth: Readonly<Record<string, string>> = {
  'torch.sinc(x)': 'the slope at 0 is 0',
  'torch.logit(x, eps=0.25)': 'constant outside of [eps, 1 - eps]',
  'torch.pow(0, x)': '0 ** x is 0 for all x from 0 on',
  'torch.pow(x, y)': 'x ** 0 is constant in x',
  'torch.logaddexp(x, y)': 'of -inf and a number it is that number',
  'torch.renorm(x, 3, 0, 1.0)': 'rows that are short enough stay as they are',
};

/** What is not compared, and why. */
const apart: Readonly<Record<string, { readonly part: 'first' | 'second'; readonly why: string }>> =
  {
    'torch.nn.functional.prelu(x, y)': {
      part: 'second',
      why: 'at 0 PyTorch differentiates another function than its first derivative',
    },
    'torch.nn.functional.hardsigmoid(x)': {
      part: 'first',
      why: 'PyTorch has 1 / 6 with the digits of float32',
    },
    "torch.nn.functional.binary_cross_entropy(x, y, reduction='none')": {
      part: 'first',
      why: 'PyTorch has 1e-12 with the digits of float32, in the first derivative alone',
    },
  };

/** The cases of each function. */
function byFunction(): [name: string, cases: Corner[]][] {
  const found = new Map<string, Corner[]>();
  for (const corner of corners) {
    const name = /[\w.]+(?=\()/.exec(corner.expr)?.[0] ?? corner.expr;
    found.set(name, [...(found.get(name) ?? []), corner]);
  }
  return [...found];
}

function expectSame(
  corner: Corner,
  what: string,
  figures: readonly Figure[],
  own: readonly number[],
) {
  const wanted = figures.map(number);
  const same = (a: number, b: number): boolean =>
    (Number.isNaN(b) && Number.isFinite(a) && corner.expr in smooth) || close(a, b);
  const fits = own.length === wanted.length && own.every((x, i) => same(x, wanted[i] as number));
  const { expr, inputs } = corner;
  if (!fits) expect({ expr, inputs, [what]: own }).toEqual({ expr, inputs, [what]: wanted });
}

describe('derivatives at zeros, ties and bounds are those of PyTorch', () => {
  it.each(byFunction())('%s', (_, cases) => {
    expect.hasAssertions();
    for (const corner of cases) {
      const own = derive(corner);
      expectSame(corner, 'result', corner.result, own.result);
      expect(own.first === undefined).toBe(corner.first === undefined);
      for (const part of ['first', 'second'] as const) {
        if (apart[corner.expr]?.part === part) continue;
        for (const [name, wanted] of Object.entries(corner[part] ?? {})) {
          expectSame(corner, `${part} ${name}`, wanted, own[part]?.[name] ?? []);
          if (part === 'first')
            expectSame(corner, `plain ${name}`, wanted, own.plain?.[name] ?? []);
        }
      }
    }
  });
});
