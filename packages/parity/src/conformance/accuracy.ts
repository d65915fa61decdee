import type { Expr, ExprFunction } from '@sconce/core';
import { apply, input } from '@sconce/core';
import { expect, test } from 'vitest';
import { scale } from './bounds.js';
import type { Fixture } from './fixture.js';
import type { Limits } from './limits.js';
import { numbers } from './random.js';
import { ulp, ulpDistance } from './ulp.js';

const unary: readonly ExprFunction[] = [
  'sqrt',
  'exp',
  'exp2',
  'expm1',
  'log',
  'log1p',
  'log2',
  'log10',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'sigmoid',
  'erf',
  'erfc',
  'erfinv',
  'lgamma',
  'digamma',
  'floor',
  'ceil',
  'trunc',
  'round',
];

/** Every exponent of float32 with several fractions and both signs, denormals, the specials, and dense samples where functions turn. */
function wholeRange(): number[] {
  const next = numbers(7);
  const bits = new Uint32Array(1);
  const float = new Float32Array(bits.buffer);
  const out = [0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let k = 0; k < 32; k++) {
      const fraction = k === 0 ? 0 : k === 1 ? 0x7fffff : Math.floor(next() * 0x800000);
      bits[0] = (exponent << 23) | fraction;
      out.push(float[0] as number, -(float[0] as number));
    }
  }
  for (const reach of [1, 4, 12, 100]) {
    for (let k = 0; k < 8000; k++) out.push(Math.fround((next() * 2 - 1) * reach));
  }
  // Around the points where functions have zeros, poles, ends of domains and seams between methods.
  const seams = [
    1,
    2,
    3,
    0.5,
    0.25,
    0.75,
    Math.PI,
    Math.PI / 2,
    Math.PI / 4,
    Math.LN2,
    88.72284,
    87.33655,
    103.97,
    128,
    126,
    149,
    10,
    1.4616321,
    9,
    0.84375,
    1.25,
  ];
  for (const seam of seams) {
    for (let k = 1; k <= 5; k++) {
      for (const sign of [1, -1]) {
        out.push(
          Math.fround(sign * seam),
          Math.fround(sign * seam * (1 + k * 2 ** -23)),
          Math.fround(sign * seam * (1 - k * 2 ** -24)),
        );
      }
    }
  }
  for (let k = 1; k <= 300; k++)
    out.push(Math.fround(k * (Math.PI / 2)), Math.fround(-k * Math.PI));
  return out;
}

/** Pairs over all sizes and signs, with those added that a function is sensitive to. */
function pairs(name: ExprFunction): [number, number][] {
  const next = numbers(11);
  const any = () => Math.fround((next() < 0.5 ? -1 : 1) * 2 ** (next() * 250 - 125));
  const out: [number, number][] = [];
  const special = [
    0,
    -0,
    1,
    -1,
    0.5,
    2,
    -2,
    3,
    -3,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Math.fround(1e30),
    Math.fround(1e-30),
  ];
  for (const a of special) for (const b of special) out.push([a, b]);
  for (let k = 0; k < 3000; k++) out.push([any(), any()]);
  if (name === 'pow') {
    for (let k = 0; k < 6000; k++) {
      const base = Math.fround(2 ** (next() * (k % 2 ? 2 : 120) - (k % 2 ? 1 : 60)));
      // Exponents that keep the power within the range of float32, up to its very ends.
      out.push([base, Math.fround(((next() * 2 - 1) * 127) / (Math.log2(base) || 1))]);
      out.push([-base, Math.floor(next() * 9) - 4]);
      out.push([Math.fround(1 + (next() - 0.5) * 1e-4), Math.fround((next() - 0.5) * 1e6)]);
    }
  } else if (name === 'fmod') {
    for (let k = 0; k < 4000; k++)
      out.push([Math.fround((next() - 0.5) * 1000), Math.fround(next() * 10 - 5)]);
  } else {
    for (let k = 0; k < 4000; k++)
      out.push([Math.fround(next() * 8 - 4), Math.fround(next() * 8 - 4)]);
  }
  return out;
}

async function evaluate(
  fixture: Fixture,
  type: 'float32' | 'float64',
  value: Expr,
  columns: readonly (readonly number[])[],
): Promise<number[]> {
  const shape = [(columns[0] as readonly number[]).length];
  const out = fixture.empty(type, shape);
  fixture.execute({
    kind: 'map',
    shape,
    inputs: columns.map((column) => fixture.view(type, shape, column)),
    scalars: [],
    values: [value],
    outputs: [out],
  });
  return (await fixture.stored(out)) as number[];
}

const least = 2 ** -126;
const small = (x: number) => x !== 0 && Math.abs(x) < least;

/** The error in units in the last place, 0 where the device may drop numbers below the least normal one. */
function errorOf(
  name: ExprFunction,
  args: readonly number[],
  actual: number,
  right: number,
  limits: Limits,
): number {
  if (
    limits.flushesDenormals &&
    (args.some(small) || (Math.abs(right) < 2 * least && Math.abs(actual) < 2 * least))
  ) {
    return 0;
  }
  const unit = scale(name, right);
  if (Number.isFinite(right) && Number.isFinite(actual) && unit !== right) {
    return Math.abs(actual - right) / ulp(unit, 'float32');
  }
  return ulpDistance(actual, right, 'float32');
}

/** Every float32 function against double precision over the whole range of its arguments. */
export function accuracyTests(fixture: Fixture, reference: Fixture, limits: Limits): void {
  const check = async (name: ExprFunction, columns: readonly (readonly number[])[]) => {
    const expr = (type: 'float32' | 'float64') =>
      apply(name, ...columns.map((_, k) => input(k, type)));
    const right = await evaluate(reference, 'float64', expr('float64'), columns);
    const actual = await evaluate(fixture, 'float32', expr('float32'), columns);
    const limit = limits.ulps(name, 'float32') || 0.5;
    const wrong = right
      .map((expected, i) => {
        const args = columns.map((column) => column[i] as number);
        const got = actual[i] as number;
        return { args, got, expected, error: errorOf(name, args, got, expected, limits) };
      })
      .filter(({ error }) => !(error <= limit))
      .sort((a, b) => b.error - a.error);
    expect(
      wrong
        .slice(0, 8)
        .map(
          ({ args, got, expected, error }) =>
            `${name}(${args.join(', ')}) = ${got}, expected ${expected}: ${error} ulp`,
        ),
      `${wrong.length} of ${right.length} are off by more than ${limit} ulp`,
    ).toEqual([]);
  };
  const range = wholeRange();
  for (const name of unary) {
    test(`${name} over all of float32`, () => check(name, [range]));
  }
  for (const name of ['add', 'mul', 'div', 'pow', 'atan2', 'fmod'] as const) {
    test(`${name} over pairs of float32`, () => {
      const all = pairs(name);
      return check(name, [all.map(([a]) => a), all.map(([, b]) => b)]);
    });
  }
}
