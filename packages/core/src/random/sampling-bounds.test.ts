import { describe, expect, it } from 'vitest';
import {
  fillBernoulli,
  fillBernoulliFrom,
  fillCauchy,
  fillDropoutMask,
  fillExponential,
  fillGeometric,
  fillLogNormal,
  fillNormal,
  fillPoisson,
  fillRandomInt,
  fillRandomPermutation,
  fillRreluNoise,
  fillUniform,
  Mt19937,
  randomPermutation,
  sampleMultinomial,
} from './index.js';

describe('what cannot be sampled', () => {
  const engine = new Mt19937(0n);
  const f32 = new Float32Array(3);
  const i64 = new BigInt64Array(3);

  it.each<[string, () => unknown]>([
    [
      'uniform_: expects a [from, to) range, but from = 3 > to = 1; swap them',
      () => fillUniform(f32, 'float32', engine, 3, 1),
    ],
    [
      'uniform_: from = NaN is out of bounds for float32',
      () => fillUniform(f32, 'float32', engine, Number.NaN, 1),
    ],
    [
      'uniform_: to - from must not exceed the largest float32',
      () => fillUniform(f32, 'float32', engine, -3e38, 3e38),
    ],
    [
      "uniform_: not implemented for int64; sample into a floating dtype and cast with .to('int64')",
      () => fillUniform(i64, 'int64', engine),
    ],
    ['normal_: std must be at least 0, got -1', () => fillNormal(f32, 'float32', engine, 0, -1)],
    ['normal_: not implemented for int64', () => fillNormal(i64, 'int64', engine)],
    ['bernoulli_: p must be in [0, 1], got 2', () => fillBernoulli(f32, 'float32', engine, 2)],
    [
      'bernoulli_: p must be in [0, 1], got NaN',
      () => fillBernoulliFrom(f32, 'float32', engine, Float32Array.of(0, Number.NaN, 1), 'float32'),
    ],
    [
      'bernoulli_: 3 elements need as many probabilities, got 2',
      () => fillBernoulliFrom(f32, 'float32', engine, Float32Array.of(0, 1), 'float32'),
    ],
    ['dropout: p must be in [0, 1], got -1', () => fillDropoutMask(f32, 'float32', engine, -1)],
    [
      'rrelu: lower = 0.5 must not exceed upper = 0.1',
      () => fillRreluNoise(f32, 'float32', engine, f32, 0.5, 0.1),
    ],
    [
      'exponential_: lambda must be at least 0, got -1',
      () => fillExponential(f32, 'float32', engine, -1),
    ],
    ['geometric_: p must be in (0, 1), got 1', () => fillGeometric(f32, 'float32', engine, 1)],
    ['log_normal_: std must be positive, got 0', () => fillLogNormal(f32, 'float32', engine, 0, 0)],
    ['cauchy_: not implemented for int64', () => fillCauchy(i64, 'int64', engine)],
    [
      'poisson: rates must not be negative, got -1',
      () => fillPoisson(f32, 'float32', engine, [-1, 1, 1]),
    ],
    [
      "random_: expects 'from' to be less than 'to', but got from=3 >= to=3",
      () => fillRandomInt(f32, 'float32', engine, 3, 3),
    ],
    [
      'random_: to - 1 = 299 is out of bounds for uint8',
      () => fillRandomInt(new Uint8Array(3), 'uint8', engine, 0, 300),
    ],
    [
      'random_: from must be an integer, got 0.5',
      () => fillRandomInt(i64, 'int64', engine, 0.5, 3),
    ],
    [
      'random_: to = 9223372036854775808 does not fit int64',
      () => fillRandomInt(i64, 'int64', engine, 0, 2n ** 63n),
    ],
    [
      'random_: float32 holds no integer in [33554433, 33554435)',
      () => fillRandomInt(f32, 'float32', engine, 2 ** 25 + 1, 2 ** 25 + 3),
    ],
    [
      'random_: from = 300 exceeds 255, the largest for uint8',
      () => fillRandomInt(new Uint8Array(3), 'uint8', engine, 300),
    ],
    ['randperm: n must be a count, got -1', () => randomPermutation(-1, engine)],
    [
      'randperm: n = 300 is too large for uint8; use int64',
      () => fillRandomPermutation(new Uint8Array(300), 'uint8', engine),
    ],
    [
      'multinomial: the weights of row 1 sum to 0; one must be positive',
      () =>
        sampleMultinomial(Float32Array.of(1, 0, 0, 0), 'float32', engine, {
          rows: 2,
          categories: 2,
          samples: 1,
        }),
    ],
    [
      'multinomial: weights must be finite and not negative, got -1 at [0, 1]',
      () =>
        sampleMultinomial(Float32Array.of(1, -1), 'float32', engine, {
          rows: 1,
          categories: 2,
          samples: 2,
          replacement: true,
        }),
    ],
    [
      'multinomial: cannot draw 3 of 2 categories without replacement',
      () =>
        sampleMultinomial(Float32Array.of(1, 1), 'float32', engine, {
          rows: 1,
          categories: 2,
          samples: 3,
        }),
    ],
    [
      'multinomial: numSamples must be a positive integer, got 0',
      () =>
        sampleMultinomial(Float32Array.of(1, 1), 'float32', engine, {
          rows: 1,
          categories: 2,
          samples: 0,
        }),
    ],
  ])('%s', (message, sample) => {
    expect(sample).toThrow(message);
  });

  it('draws nothing for a dropout that drops everything', () => {
    const before = engine.getState();
    const mask = new Float32Array(3).fill(7);
    fillDropoutMask(mask, 'float32', engine, 1);
    expect(Array.from(mask)).toEqual([0, 0, 0]);
    expect(engine.getState()).toEqual(before);
  });
});

describe('random_ with only a lower bound', () => {
  it('reaches from there to the largest integer of the dtype', () => {
    const engine = new Mt19937(0n);
    const bytes = new Uint8Array(4000);
    fillRandomInt(bytes, 'uint8', engine, 250);
    expect([...new Set(bytes)].sort()).toEqual([250, 251, 252, 253, 254, 255]);
    const floats = new Float32Array(2000);
    fillRandomInt(floats, 'float32', engine, 2 ** 24 - 2);
    expect([...new Set(floats)].sort()).toEqual([2 ** 24 - 2, 2 ** 24 - 1, 2 ** 24]);
  });

  it('covers every int64 from the least', () => {
    const out = new BigInt64Array(2000);
    fillRandomInt(out, 'int64', new Mt19937(0n), -(2n ** 63n));
    const engine = new Mt19937(0n);
    expect(out[0]).toBe(BigInt.asIntN(64, engine.random64()));
    expect(out.some((x) => x < -(2n ** 62n)) && out.some((x) => x > 2n ** 62n)).toBe(true);
  });
});
