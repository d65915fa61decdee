import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type DType, type TypedArray, typedArray, typedArrayOver } from '../dtype.js';
import {
  fillBernoulli,
  fillBernoulliFrom,
  fillBinomial,
  fillCauchy,
  fillDropoutMask,
  fillExponential,
  fillGamma,
  fillGeometric,
  fillLogNormal,
  fillNormal,
  fillNormalScalar,
  fillPoisson,
  fillRandomBits,
  fillRandomInt,
  fillRandomPermutation,
  fillRreluNoise,
  fillUniform,
  Mt19937,
  sampleMultinomial,
} from './index.js';

/** What PyTorch 1.13.1 (AVX2, no MKL) evaluates, in the format of the parity corpus. */
interface Case {
  id: string;
  seed: { i: string };
  calls: string[];
  results: ({ t: DType; shape: number[]; data: string; strides?: number[] } | number)[];
}

type Fill = (out: TypedArray, dtype: DType, engine: Mt19937, ...args: number[]) => void;

const methods: Record<string, Fill> = {
  uniform_: fillUniform,
  normal_: fillNormal,
  exponential_: fillExponential,
  cauchy_: fillCauchy,
  log_normal_: fillLogNormal,
  geometric_: fillGeometric as Fill,
  bernoulli_: fillBernoulli,
  random_: (out, dtype, engine, ...args) => {
    if (args.length === 0) fillRandomBits(out, dtype, engine);
    else if (args.length === 1) fillRandomInt(out, dtype, engine, 0, args[0] as number);
    else fillRandomInt(out, dtype, engine, args[0] as number, args[1] as number);
  },
};

const number = (text: string): number =>
  text.includes('**')
    ? text
        .split('**')
        .map(Number)
        .reduce((a, b) => a ** b)
    : text.includes('None')
      ? Number.NaN
      : Number(text);

/** The positional arguments and the dtype of a Python argument list; tuples count as their items. */
function parse(text: string): { args: number[]; dtype: DType | undefined } {
  const dtype = /dtype=torch\.(\w+)/.exec(text)?.[1] as DType | undefined;
  const positional = text.replace(/,? ?dtype=torch\.\w+/, '').replace(/[()]/g, '');
  const args = positional
    .split(',')
    .map((s) => s.trim())
    .filter((s) => s !== '')
    .map(number);
  return { args, dtype };
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const linspace = (n: number): Float32Array => {
  const step = Math.fround(1 / (n - 1));
  return Float32Array.from({ length: n }, (_, i) =>
    i < n / 2 ? step * i : 1 - Math.fround(step * (n - 1 - i)),
  );
};
const arange = (from: number, to: number): Float32Array =>
  Float32Array.from({ length: to - from }, (_, i) => from + i);

function made(dtype: DType, n: number, fill: (out: TypedArray) => void): TypedArray {
  const out = typedArray(dtype, n);
  fill(out);
  return out;
}

function evaluate(call: string, engine: Mt19937): TypedArray | bigint {
  const generator = /(.*), generator=torch\.Generator\(\)\.manual_seed\((\d+)\)\)$/.exec(call);
  if (generator) return evaluate(`${generator[1]})`, new Mt19937(BigInt(generator[2] as string)));
  const slice = /(.*)\[-(\d+):\]$/.exec(call);
  if (slice) return (evaluate(slice[1] as string, engine) as TypedArray).slice(-Number(slice[2]));

  const method = /^torch\.(?:empty|zeros)\(([^)]*)\)(\.t\(\))?\.(\w+)\(([^)]*)\)$/.exec(call);
  const fill = methods[method?.[3] as string];
  if (method && fill) {
    const { args: shape, dtype = 'float32' } = parse(method[1] as string);
    const scalar = method[2] !== undefined && method[3] === 'normal_';
    const values = made(dtype, count(shape), (out) =>
      (scalar ? fillNormalScalar : fill)(out, dtype, engine, ...parse(method[4] as string).args),
    );
    return method[2] ? transposed(values, shape as [number, number]) : values;
  }

  const factory = /^torch\.(rand|randn|randint|randperm)\((.*)\)$/.exec(call);
  if (factory) {
    const { args, dtype } = parse(factory[2] as string);
    const sized = /, \((.*)\)/.exec(factory[2] as string)?.[1];
    switch (factory[1]) {
      case 'rand':
        return made(dtype ?? 'float32', count(args), (out) =>
          fillUniform(out, dtype ?? 'float32', engine),
        );
      case 'randn':
        return made(dtype ?? 'float32', count(args), (out) =>
          fillNormal(out, dtype ?? 'float32', engine),
        );
      case 'randint': {
        const shape = parse(sized as string).args;
        const bounds = args.slice(0, args.length - shape.length);
        const [low, high] = bounds.length === 1 ? [0, bounds[0]] : bounds;
        return made(dtype ?? 'int64', count(shape), (out) =>
          fillRandomInt(out, dtype ?? 'int64', engine, low as number, high as number),
        );
      }
      default:
        return made(dtype ?? 'int64', args[0] as number, (out) =>
          fillRandomPermutation(out, dtype ?? 'int64', engine),
        );
    }
  }

  const other = others[call];
  if (!other) throw new Error(`no evaluation for ${call}`);
  return other(engine);
}

/** Row-major elements of the transpose that memory of `shape` stands for. */
function transposed(values: TypedArray, [rows, columns]: [number, number]): TypedArray {
  const out = values.slice();
  for (let i = 0; i < values.length; i++) {
    out[i] = values[(i % rows) * columns + Math.floor(i / rows)] as never;
  }
  return out;
}

const float = (n: number, fill: (out: Float32Array) => void): Float32Array => {
  const out = new Float32Array(n);
  fill(out);
  return out;
};
const normals = (n: number, engine: Mt19937): Float32Array =>
  float(n, (out) => fillNormal(out, 'float32', engine));
const rates = Float32Array.of(0, 0.5, 3, 9.5, 10, 25, 100, 1e4, 0.1, 50);
const shapes = Float32Array.of(0.1, 0.5, 1, 2.5, 10, 100, 0.01, 3, 1.5, 0.9);
const doubleShapes = Float64Array.of(0.1, 0.5, 1, 2.5, 10, 100, 0.01, 3, 1.5, 0.9);
const trials = Float32Array.of(0, 5, 10, 30, 50, 100, 1000, 100, 20, 7);
const chances = Float32Array.of(0.5, 0, 1, 0.1, 0.9, 0.5, 0.3, 0.97, 0.5, 0.25);

/** Calls that are not one fill of one new tensor. */
const others: Record<string, (engine: Mt19937) => TypedArray | bigint> = {
  'torch.initial_seed()': (engine) => engine.seed,
  'torch.normal(0.0, 1.0, (4,))': (engine) => normals(4, engine),
  'torch.normal(torch.arange(5.), torch.arange(1., 6.))': (engine) =>
    normals(5, engine).map((x, i) => Math.fround(x * (i + 1)) + i),
  'torch.normal(1.0, torch.arange(1., 18.))': (engine) =>
    normals(17, engine).map((x, i) => Math.fround(x * (i + 1)) + 1),
  'torch.bernoulli(torch.linspace(0, 1, 11))': (engine) =>
    float(11, (out) => fillBernoulliFrom(out, 'float32', engine, linspace(11), 'float32')),
  'torch.empty(3, 5).bernoulli_(torch.linspace(0, 1, 15).reshape(3, 5))': (engine) =>
    float(15, (out) => fillBernoulliFrom(out, 'float32', engine, linspace(15), 'float32')),
  'torch.bernoulli(torch.arange(20, dtype=torch.float64) / 19)': (engine) => {
    const p = Float64Array.from({ length: 20 }, (_, i) => i / 19);
    return made('float64', 20, (out) => fillBernoulliFrom(out, 'float64', engine, p, 'float64'));
  },
  'torch.multinomial(torch.tensor([1., 2., 3., 4.]), 10, replacement=True)': (engine) =>
    sampleMultinomial(arange(1, 5), 'float32', engine, {
      rows: 1,
      categories: 4,
      samples: 10,
      replacement: true,
    }),
  'torch.multinomial(torch.tensor([[1., 2., 3., 4.], [4., 0., 2., 1.]]), 2)': (engine) =>
    sampleMultinomial(Float32Array.of(1, 2, 3, 4, 4, 0, 2, 1), 'float32', engine, {
      rows: 2,
      categories: 4,
      samples: 2,
    }),
  'torch.multinomial(torch.tensor([0.1, 0.2, 0.7]), 1)': (engine) =>
    sampleMultinomial(Float32Array.of(0.1, 0.2, 0.7), 'float32', engine, {
      rows: 1,
      categories: 3,
      samples: 1,
    }),
  'torch.multinomial(torch.arange(1., 101.).reshape(4, 25), 40, replacement=True)': (engine) =>
    sampleMultinomial(arange(1, 101), 'float32', engine, {
      rows: 4,
      categories: 25,
      samples: 40,
      replacement: true,
    }),
  'torch.multinomial(torch.arange(1., 101.).double().reshape(4, 25), 25)': (engine) =>
    sampleMultinomial(Float64Array.from(arange(1, 101)), 'float64', engine, {
      rows: 4,
      categories: 25,
      samples: 25,
    }),
  'torch.multinomial(torch.arange(1., 101.).reshape(4, 25), 1, replacement=True)': (engine) =>
    sampleMultinomial(arange(1, 101), 'float32', engine, {
      rows: 4,
      categories: 25,
      samples: 1,
      replacement: true,
    }),
  'torch.rand_like(torch.zeros(3, 2))': (engine) =>
    float(6, (out) => fillUniform(out, 'float32', engine)),
  'torch.randn_like(torch.zeros(3, 2))': (engine) => normals(6, engine),
  'torch.randint_like(torch.zeros(4), 9)': (engine) =>
    float(4, (out) => fillRandomInt(out, 'float32', engine, 0, 9)),
  'torch.nn.functional.rrelu(-torch.ones(12), 0.1, 0.3, True)': (engine) => {
    const x = new Float32Array(12).fill(-1);
    const noise = float(12, (out) => fillRreluNoise(out, 'float32', engine, x, 0.1, 0.3));
    return noise.map((slope) => -slope);
  },
  'torch.nn.functional.rrelu(torch.arange(-3., 3.), 0.1, 0.3, True)': (engine) => {
    const x = arange(-3, 3);
    const noise = float(6, (out) => fillRreluNoise(out, 'float32', engine, x, 0.1, 0.3));
    return noise.map((slope, i) => slope * (x[i] as number));
  },
  'torch.nn.functional.dropout(torch.ones(20), 0.3)': (engine) =>
    float(20, (out) => fillDropoutMask(out, 'float32', engine, 0.3)),
  'torch.nn.functional.dropout(torch.ones(20, dtype=torch.float64), 0.3)': (engine) =>
    made('float64', 20, (out) => fillDropoutMask(out, 'float64', engine, 0.3)),
  'torch.nn.functional.dropout(torch.ones(20, dtype=torch.bfloat16), 0.3)': (engine) =>
    made('bfloat16', 20, (out) => fillDropoutMask(out, 'bfloat16', engine, 0.3)),
  'torch.poisson(rates)': (engine) =>
    float(10, (out) => fillPoisson(out, 'float32', engine, rates)),
  'torch._standard_gamma(shapes)': (engine) =>
    float(10, (out) => fillGamma(out, 'float32', engine, shapes)),
  'torch._standard_gamma(shapes.double())': (engine) =>
    made('float64', 10, (out) => fillGamma(out, 'float64', engine, doubleShapes)),
  'torch.binomial(trials, chances)': (engine) =>
    float(10, (out) => fillBinomial(out, 'float32', engine, trials, chances)),
};

const { cases } = JSON.parse(
  readFileSync(new URL('./sampling.fixture.json', import.meta.url), 'utf8'),
) as { cases: Case[] };

describe('numbers of PyTorch 1.13.1', () => {
  it.each(cases.map((c) => [c.id, c] as const))('%s', (_, { seed, calls, results }) => {
    const engine = new Mt19937(BigInt(seed.i));
    for (const [i, call] of calls.entries()) {
      const result = evaluate(call, engine);
      const expected = results[i] as Case['results'][number];
      if (typeof expected === 'number') {
        expect(result, call).toBe(BigInt(expected));
        continue;
      }
      const bytes = Uint8Array.from(Buffer.from(expected.data, 'base64'));
      const values = typedArrayOver(expected.t, bytes.buffer, 0, count(expected.shape));
      expect(result, call).toStrictEqual(values);
    }
  });
});
