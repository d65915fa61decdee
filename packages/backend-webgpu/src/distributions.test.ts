import {
  alphaDropout,
  bernoulli,
  dropout,
  empty,
  full,
  init,
  manualSeed,
  normal,
  ones,
  rand,
  randint,
  randn,
  randperm,
  rrelu,
  specialFunctions,
  type Tensor,
  zeros,
} from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import './index.js';
import { host } from '../../../scripts/testing/host.js';

const device = 'webgpu';
const count = 20_000;
const values = async (t: Tensor) => Array.from(await t.toTypedArray(), Number);

/**
 * The test of Kolmogorov and Smirnov: the greatest distance of the empirical distribution from `cdf`, times
 * sqrt(n), is above 1.95 once in a thousand samples; with fixed seeds it stays where it is.
 */
async function expectContinuous(t: Tensor, cdf: (x: number) => number): Promise<void> {
  const sorted = (await values(t)).sort((a, b) => a - b);
  const n = sorted.length;
  let distance = 0;
  sorted.forEach((x, i) => {
    distance = Math.max(distance, cdf(x) - i / n, (i + 1) / n - cdf(x));
  });
  expect(distance * Math.sqrt(n)).toBeLessThan(1.95);
}

/** Pearson's statistic over `probabilities`, which should be within five deviations of its degrees of freedom. */
async function expectDiscrete(t: Tensor, probabilities: readonly number[]): Promise<void> {
  const found = await values(t);
  const counts = probabilities.map((_, k) => found.filter((x) => x === k).length);
  const statistic = probabilities.reduce((sum, p, k) => {
    const expected = p * found.length;
    return sum + ((counts[k] as number) - expected) ** 2 / expected;
  }, 0);
  const freedom = probabilities.length - 1;
  expect(statistic).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
}

const gauss = (x: number): number => specialFunctions.erfc(-x * Math.SQRT1_2) / 2;
const fresh = (): Tensor => empty([count], { device });

describe.skipIf(!host.webgpu)('distributions of the device', () => {
  beforeAll(async () => {
    await init(device);
    manualSeed(20261128);
  });

  test('rand and uniform_', async () => {
    await expectContinuous(rand([count], { device }), (x) => x);
    await expectContinuous(fresh().uniform_(-2, 3), (x) => (x + 2) / 5);
    const all = await values(rand([count], { device }));
    expect(all.every((x) => x >= 0 && x < 1)).toBe(true);
  });

  test('randn, normal_ and normal', async () => {
    await expectContinuous(randn([count], { device }), gauss);
    await expectContinuous(fresh().normal_(1, 2), (x) => gauss((x - 1) / 2));
    const mean = full([count], -3, { device });
    await expectContinuous(normal(mean, full([count], 0.5, { device })), (x) =>
      gauss((x + 3) / 0.5),
    );
  });

  test('exponential_, cauchy_ and logNormal_', async () => {
    await expectContinuous(fresh().exponential_(2.5), (x) => 1 - Math.exp(-2.5 * x));
    await expectContinuous(fresh().cauchy_(1, 2), (x) => 0.5 + Math.atan((x - 1) / 2) / Math.PI);
    await expectContinuous(fresh().logNormal_(0.5, 0.75), (x) => gauss((Math.log(x) - 0.5) / 0.75));
  });

  test('bernoulli, geometric_ and integers', async () => {
    await expectDiscrete(fresh().bernoulli_(0.3), [0.7, 0.3]);
    await expectDiscrete(bernoulli(full([count], 0.9, { device })), [0.1, 0.9]);
    await expectDiscrete(randint(7, [count], { device }), new Array(7).fill(1 / 7));
    await expectDiscrete(fresh().random_(0, 5), new Array(5).fill(1 / 5));
    // Trials up to the first success, those beyond eight together.
    const trials = fresh().geometric_(0.4).clampMax(9);
    const p = Array.from({ length: 9 }, (_, k) => (k === 0 ? 0 : 0.4 * 0.6 ** (k - 1)));
    const rest = 1 - p.reduce((a, b) => a + b);
    await expectDiscrete(trials.sub(1), [...p.slice(1), rest]);
  });

  test('dropout drops a part and scales the others; alphaDropout keeps mean and variance', async () => {
    const kept = dropout(ones([count], { device }), 0.25);
    await expectDiscrete(kept.mul(0.75).round(), [0.25, 0.75]);
    const greatest = Math.max(...(await values(kept)));
    expect(greatest).toBeCloseTo(1 / 0.75, 6);
    const alpha = await values(alphaDropout(randn([count], { device }), 0.2));
    const mean = alpha.reduce((a, b) => a + b) / count;
    const variance = alpha.reduce((a, b) => a + (b - mean) ** 2, 0) / count;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(variance - 1)).toBeLessThan(0.1);
  });

  test('rrelu draws slopes between its bounds, randperm each order alike', async () => {
    const slopes = rrelu(full([count], -1, { device }), {
      lower: 0.1,
      upper: 0.4,
      training: true,
    }).neg();
    await expectContinuous(slopes, (x) => (x - 0.1) / 0.3);
    const first = zeros([6], { device });
    for (let i = 0; i < 600; i++) {
      const order = await values(randperm(6, { device }));
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4, 5]);
      first.narrow(0, order[0] as number, 1).add_(1);
    }
    for (const times of await values(first)) expect(Math.abs(times - 100)).toBeLessThan(46);
  });
});
