import { constant, type Device, type Expr, type ExprFunction, e, init, input } from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { Fixture } from '../../parity/src/conformance/fixture.js';
import './index.js';

let fixture: Fixture;

/** The function of the device at float32 points. */
async function evaluate(tree: Expr, ...points: Float32Array[]): Promise<number[]> {
  const shape = [points[0]?.length ?? 0];
  const inputs = points.map((p) => fixture.view('float32', shape, [...p]));
  const out = fixture.empty('float32', shape);
  fixture.execute({ kind: 'map', shape, inputs, scalars: [], values: [tree], outputs: [out] });
  return (await fixture.read(out)) as number[];
}

const spread = (low: number, high: number, n = 4001): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));

const logSpread = (low: number, high: number, n = 2001): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => low * (high / low) ** (i / (n - 1)));

const bothSigns = (x: Float32Array): Float32Array =>
  Float32Array.from([...x, ...x].map((v, i) => (i < x.length ? v : -v)));

const join = (...parts: Float32Array[]): Float32Array =>
  Float32Array.from(parts.flatMap((p) => [...p]));

const wide = bothSigns(logSpread(1e-6, 100));

const f = Math.fround;
const ulps = (actual: number, expected: number): number => {
  if (Object.is(actual, expected) || actual === expected) return 0;
  if (Number.isNaN(actual) !== Number.isNaN(expected)) return Infinity;
  if (!Number.isFinite(actual)) return f(expected) === actual ? 0 : Infinity;
  // Devices may flush denormals to zero.
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(expected))), -126);
  return Math.abs(actual - expected) / 2 ** (exponent - 23);
};

const cases: [ExprFunction, (x: number) => number, Float32Array, number][] = [
  [
    'exp',
    Math.exp,
    join(
      spread(-87, 88.7),
      wide.filter((x) => Math.abs(x) < 87),
    ),
    2,
  ],
  ['exp2', (x) => 2 ** x, spread(-125, 127.9), 2],
  [
    'expm1',
    Math.expm1,
    join(
      wide.filter((x) => x < 88),
      spread(-2, 2),
    ),
    3,
  ],
  ['log', Math.log, join(logSpread(1e-38, 3e38), spread(0.5, 2)), 2],
  ['log2', Math.log2, join(logSpread(1e-38, 3e38), spread(0.5, 2)), 3],
  ['log10', Math.log10, join(logSpread(1e-38, 3e38), spread(0.5, 2)), 3],
  ['log1p', Math.log1p, join(logSpread(1e-30, 1e30), spread(-0.99, 1)), 3],
  ['sin', Math.sin, join(spread(-100, 100), bothSigns(logSpread(1e-6, 3e38))), 2],
  ['cos', Math.cos, join(spread(-100, 100), bothSigns(logSpread(1e-6, 3e38))), 2],
  ['tan', Math.tan, join(spread(-100, 100), bothSigns(logSpread(1e-6, 3e38))), 4],
  ['asin', Math.asin, spread(-1, 1), 3],
  ['acos', Math.acos, spread(-1, 0.999), 3],
  ['atan', Math.atan, wide, 3],
  ['sinh', Math.sinh, wide.filter((x) => Math.abs(x) < 89), 4],
  ['cosh', Math.cosh, wide.filter((x) => Math.abs(x) < 89), 4],
  ['tanh', Math.tanh, wide, 4],
  ['asinh', Math.asinh, bothSigns(logSpread(1e-6, 1e30)), 4],
  ['acosh', Math.acosh, logSpread(1.0001, 1e30), 4],
  ['atanh', Math.atanh, spread(-0.999, 0.999), 4],
  ['sigmoid', (x) => 1 / (1 + Math.exp(-x)), spread(-80, 80), 3],
  ['sqrt', Math.sqrt, logSpread(1e-37, 3e38), 3],
];

describe.skipIf(!host.webgpu)('scalar functions on WebGPU', () => {
  beforeAll(async () => {
    const device: Device = await init('webgpu');
    fixture = new Fixture(device);
  });

  test.each(cases)(
    '%s is within its units in the last place',
    async (name, reference, points, most) => {
      const tree = (e[name] as (x: Expr) => Expr)(input(0, 'float32'));
      const found = await evaluate(tree, points);
      let worst = 0;
      let at = 0;
      found.forEach((y, i) => {
        const d = ulps(y, reference(points[i] as number));
        if (d > worst) {
          worst = d;
          at = points[i] as number;
        }
      });
      if (process.env.SHOW) console.log(name, worst, at);
      expect(worst, `at ${at}`).toBeLessThanOrEqual(most);
    },
  );

  test('pow is within 4 units, over- and underflow included', async () => {
    const x = join(logSpread(1e-30, 1e30, 3000), spread(0.9, 1.1, 3000));
    const y = x.map((_, i) =>
      i < 3000 ? ((i * 37) % 100) / 7 - 7 : (((i * 37) % 1000) - 500) * 1.3,
    );
    const found = await evaluate(e.pow(input(0, 'float32'), input(1, 'float32')), x, y);
    let worst = 0;
    let at = 0;
    found.forEach((r, i) => {
      const expected = (x[i] as number) ** (y[i] as number);
      const d = ulps(r, Math.abs(expected) < 1.2e-38 ? 0 : expected);
      const ok = Math.abs(expected) < 1.2e-38 ? Math.abs(r) < 1.2e-38 : undefined;
      if (ok === undefined && d > worst) {
        worst = d;
        at = i;
      }
      if (ok !== undefined) expect(ok).toBe(true);
    });
    if (process.env.SHOW) console.log('pow', worst, x[at], y[at]);
    expect(worst, `at ${x[at]} ** ${y[at]}`).toBeLessThanOrEqual(4);
  });

  test('special values are those of IEEE 754', async () => {
    const special = Float32Array.of(0, -0, 1, -1, Infinity, -Infinity, NaN, 2, -2, 0.5, 3, -3);
    const pairs = [...special].flatMap((a) => [...special].map((b) => [a, b] as const));
    const a = Float32Array.from(pairs.map((p) => p[0]));
    const b = Float32Array.from(pairs.map((p) => p[1]));
    const [x, y] = [input(0, 'float32'), input(1, 'float32')];
    const pick = (g: (a: number, b: number) => number) =>
      pairs.map(([p, q]) => Math.fround(g(p, q)));
    const close = async (tree: Expr, expected: number[]) => {
      const found = await evaluate(tree, a, b);
      found.forEach((value, i) => {
        expect(ulps(value, expected[i] as number), `${pairs[i]}: ${value}`).toBeLessThanOrEqual(4);
      });
    };
    // C's pow, unlike JavaScript's, is 1 for a base of 1 or -1 and any or an infinite exponent.
    await close(
      e.pow(x, y),
      pick((p, q) => (p === 1 || (p === -1 && Math.abs(q) === Infinity) ? 1 : p ** q)),
    );
    await close(e.atan2(x, y), pick(Math.atan2));
    await close(
      e.fmod(x, y),
      pick((p, q) => p % q),
    );
    await close(e.max(x, y), pick(Math.max));
    await close(e.min(x, y), pick(Math.min));
    await close(
      e.div(x, y),
      pick((p, q) => p / q),
    );
    const one: [ExprFunction, (v: number) => number][] = [
      ['exp', Math.exp],
      ['expm1', Math.expm1],
      ['log', Math.log],
      ['log1p', Math.log1p],
      ['log2', Math.log2],
      ['log10', Math.log10],
      ['sin', Math.sin],
      ['cos', Math.cos],
      ['tan', Math.tan],
      ['asin', Math.asin],
      ['acos', Math.acos],
      ['atan', Math.atan],
      ['sinh', Math.sinh],
      ['cosh', Math.cosh],
      ['tanh', Math.tanh],
      ['asinh', Math.asinh],
      ['acosh', Math.acosh],
      ['atanh', Math.atanh],
      ['sqrt', Math.sqrt],
      ['abs', Math.abs],
      ['floor', Math.floor],
      ['trunc', Math.trunc],
    ];
    for (const [name, g] of one) await close((e[name] as (v: Expr) => Expr)(x), pick(g));
  });

  test('erf, erfc, erfinv, lgamma and digamma meet known values', async () => {
    const at = async (name: ExprFunction, ...points: number[]) =>
      evaluate((e[name] as (v: Expr) => Expr)(input(0, 'float32')), Float32Array.from(points));
    const expectClose = (found: number[], expected: number[], most = 8) =>
      found.forEach((y, i) => {
        expect(ulps(y, expected[i] as number), `${i}: ${y}`).toBeLessThanOrEqual(most);
      });
    expectClose(
      await at('erf', 0, 0.5, 1, 1.5, 2, 3, -0.5, Infinity),
      [
        0, 0.5204998778130465, 0.8427007929497149, 0.9661051464753108, 0.9953222650189527,
        0.9999779095030014, -0.5204998778130465, 1,
      ],
    );
    expectClose(
      await at('erfc', 0, 0.5, 1, 2, 4, 8, -1, Infinity),
      [
        1, 0.4795001221869535, 0.15729920705028513, 0.004677734981047266, 1.541725790028002e-8,
        1.1224297172982928e-29, 1.8427007929497148, 0,
      ],
    );
    expectClose(await at('erfinv', 0, 0.5, -0.5, 0.875, 0.9990234375, 1, -1, 2), [
      0,
      0.4769362762044699,
      -0.4769362762044699,
      1.0847870361777496,
      2.3314675736694594,
      Infinity,
      -Infinity,
      NaN,
    ]);
    expectClose(await at('lgamma', 1, 2, 0.5, 3, 10, 100, -0.5, -1.5, 0, -1, 0.001953125), [
      0,
      0,
      0.5723649429247001,
      Math.LN2,
      12.801827480081469,
      359.1342053695754,
      1.2655121234846454,
      0.860047015376481,
      Infinity,
      Infinity,
      6.237201015497466,
    ]);
    expectClose(await at('digamma', 1, 0.5, 2, 10, 100, -1.5, -1, 0), [
      -0.5772156649015329,
      -1.9635100260214235,
      0.42278433509846713,
      2.251752589066721,
      4.600161852738087,
      0.7031566406452432,
      NaN,
      -Infinity,
    ]);
  });

  test('integers wrap, and division by zero gives zero', async () => {
    const shape = [6];
    const a = fixture.view('int32', shape, [7, -7, 7, -2147483648, 5, 2147483647]);
    const b = fixture.view('int32', shape, [2, 2, 0, -1, -3, 2147483647]);
    const [x, y] = [input(0, 'int32'), input(1, 'int32')];
    const values = [
      e.idiv(x, y),
      e.fmod(x, y),
      e.mul(x, y),
      e.mulhi(x, y),
      e.shr(x, constant(1, 'int32')),
      e.ushr(x, constant(1, 'int32')),
    ];
    const outputs = values.map(() => fixture.empty('int32', shape));
    fixture.execute({ kind: 'map', shape, inputs: [a, b], scalars: [], values, outputs });
    expect(await Promise.all(outputs.map((o) => fixture.read(o)))).toEqual([
      [3, -3, 0, -2147483648, -1, 1],
      [1, -1, 0, 0, 2, 0],
      [14, -14, 0, -2147483648, -15, 1],
      [0, 1, 0, 2147483647, 4, 1073741823],
      [3, -4, 3, -1073741824, 2, 1073741823],
      [3, 2147483644, 3, 1073741824, 2, 1073741823],
    ]);
  });
});
