import { readFileSync } from 'node:fs';
import { grad } from '@sconce/autograd';
import { type DeviceLike, fromTypedArray, numel, type Tensor, zerosLike } from '@sconce/core';
import { expect } from 'vitest';
import type { Value } from '../corpus/value.js';
import { evaluate } from '../mapping/world.js';

/** A number, or the name of one that JSON has not. */
type Figure = number | 'nan' | 'inf' | '-inf';

/** What PyTorch 2.15 computed of an expression at a place where a derivative is written by cases; made by scripts/corners.py. */
export interface Corner {
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

/** All cases. */
export const corners = JSON.parse(
  readFileSync(new URL('./corners.json', import.meta.url), 'utf8'),
) as Corner[];

const number = (x: Figure): number =>
  typeof x === 'number' ? x : { nan: Number.NaN, inf: Infinity, '-inf': -Infinity }[x];

/** Where and how precisely to compute. */
export interface Precision {
  readonly dtype: 'float32' | 'float64';
  readonly device: DeviceLike;
  /** The greatest difference, of values around 1. */
  readonly tolerance: number;
}

const place = (shape: readonly number[], data: readonly number[], at: Precision): Tensor =>
  fromTypedArray(Float64Array.from(data), shape, { device: 'cpu' }).to(at.dtype).to(at.device);

/** As weights() of corners.py. */
const weights = (shape: readonly number[], seed: number, at: Precision): Tensor =>
  place(
    shape,
    Array.from({ length: numel(shape) }, (_, k) => (((7 * k + seed) % 5) + 1) / 4),
    at,
  );

const numbers = async (t: Tensor): Promise<number[]> => [
  ...((await t.detach().contiguous().toTypedArray()) as Float64Array),
];

const gradients = (y: Tensor, leaves: readonly Tensor[]): Tensor[] =>
  grad(y, leaves, { createGraph: true, allowUnused: true }).map(
    (g, i) => g ?? zerosLike(leaves[i] as Tensor),
  );

type Figures = Readonly<Record<string, readonly number[]>>;

interface Derived {
  readonly result: readonly number[];
  readonly first?: Figures;
  readonly plain?: Figures;
  readonly second?: Figures;
}

async function derive({ expr, inputs }: Corner, at: Precision): Promise<Derived> {
  const names = new Map(
    Object.entries(inputs).map(([name, { shape, data }]) => [
      name,
      place(shape, data.map(number), at).requiresGrad_(),
    ]),
  );
  const own = expr.replaceAll('torch.float64', `torch.${at.dtype}`);
  const result = evaluate(own, names as Map<string, Value>) as Tensor;
  if (!result.requiresGrad) return { result: await numbers(result) };
  const weight = weights(result.shape, 0, at).requiresGrad_();
  const leaves = [weight, ...names.values()];
  const named = async (list: readonly (Tensor | null)[]): Promise<Figures> => {
    const found: Record<string, number[]> = {};
    for (const [i, name] of ['grad', ...names.keys()].entries()) {
      found[name] = await numbers(list[i] ?? zerosLike(leaves[i] as Tensor));
    }
    return found;
  };
  const first = gradients(result.mul(weight).sum(), leaves);
  // Passes that are not recorded have kernels of their own.
  const plain = grad(result.mul(weight).sum(), leaves, { retainGraph: true, allowUnused: true });
  const total = first
    .slice(1)
    .map((t, k) => t.mul(weights(t.shape, k + 1, at)).sum())
    .reduce((a, b) => a.add(b));
  const second = total.requiresGrad ? gradients(total, leaves) : [];
  return {
    result: await numbers(result),
    first: await named(first),
    plain: await named(plain),
    second: await named(second),
  };
}

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
export function byFunction(cases: readonly Corner[]): [name: string, cases: Corner[]][] {
  const found = new Map<string, Corner[]>();
  for (const corner of cases) {
    const name = /[\w.]+(?=\()/.exec(corner.expr)?.[0] ?? corner.expr;
    found.set(name, [...(found.get(name) ?? []), corner]);
  }
  return [...found];
}

/** Computes a case and compares the result and both derivatives with PyTorch's. */
export async function expectCorner(corner: Corner, at: Precision): Promise<void> {
  const { expr, inputs } = corner;
  const close = (a: number, b: number): boolean =>
    Object.is(a, b) ||
    a === b ||
    Math.abs(a - b) <= at.tolerance * (1 + Math.min(Math.abs(b), Number.MAX_VALUE));
  const expectSame = (what: string, figures: readonly Figure[], own: readonly number[]): void => {
    const wanted = figures.map(number);
    const same = (a: number, b: number): boolean =>
      (Number.isNaN(b) && Number.isFinite(a) && expr in smooth) || close(a, b);
    const fits = own.length === wanted.length && own.every((x, i) => same(x, wanted[i] as number));
    if (!fits) expect({ expr, inputs, [what]: own }).toEqual({ expr, inputs, [what]: wanted });
  };
  const own = await derive(corner, at);
  expectSame('result', corner.result, own.result);
  expect(own.first === undefined).toBe(corner.first === undefined);
  for (const part of ['first', 'second'] as const) {
    if (apart[expr]?.part === part) continue;
    for (const [name, wanted] of Object.entries(corner[part] ?? {})) {
      expectSame(`${part} ${name}`, wanted, own[part]?.[name] ?? []);
      if (part === 'first') expectSame(`plain ${name}`, wanted, own.plain?.[name] ?? []);
    }
  }
}
