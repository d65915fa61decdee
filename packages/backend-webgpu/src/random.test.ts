import {
  binomial,
  type DType,
  full,
  init,
  manualSeed,
  multinomial,
  poisson,
  randint,
  type Tensor,
  tensor,
  zeros,
} from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import './index.js';
import { host } from '../../../scripts/testing/host.js';

const device = 'webgpu';
const values = async (t: Tensor) => Array.from(await t.toTypedArray(), Number);

/** How often each of the first `bins` numbers occurs; what is greater counts for the last. */
function histogram(found: readonly number[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const x of found) counts[Math.min(x, bins - 1)] = (counts[Math.min(x, bins - 1)] ?? 0) + 1;
  return counts;
}

/** Pearson's statistic of counts, over bins that expect at least five; degrees of freedom with it. */
function chiSquare(counts: readonly number[], probabilities: readonly number[]): [number, number] {
  const total = counts.reduce((a, b) => a + b);
  let statistic = 0;
  let bins = 0;
  let [restCount, restExpected] = [0, 0];
  counts.forEach((count, i) => {
    const expected = total * (probabilities[i] as number);
    if (expected < 5) {
      restCount += count;
      restExpected += expected;
      return;
    }
    statistic += (count - expected) ** 2 / expected;
    bins++;
  });
  if (restExpected >= 5) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    bins++;
  }
  // What hardly ever happens should not.
  else expect(restCount).toBeLessThan(25);
  return [statistic, bins - 1];
}

/** The statistic is as likely as not to be about its degrees of freedom; five deviations above are no chance. */
function expectDistribution(counts: readonly number[], probabilities: readonly number[]): void {
  const [statistic, freedom] = chiSquare(counts, probabilities);
  expect(statistic).toBeLessThan(freedom + 5 * Math.sqrt(2 * Math.max(freedom, 1)));
}

function poissonProbabilities(rate: number, bins: number): number[] {
  const found: number[] = [];
  let log = -rate;
  for (let k = 0; k < bins; k++) {
    found.push(Math.exp(log));
    log += Math.log(rate / (k + 1));
  }
  found[bins - 1] = 1 - found.slice(0, -1).reduce((a, b) => a + b, 0);
  return found;
}

describe.skipIf(!host.webgpu)('random numbers of the device', () => {
  beforeAll(async () => {
    await init(device);
    manualSeed(20261128);
  });

  test.each([0.001, 0.1, 1, 4.5, 9.99, 10, 30, 200])('poisson of rate %d', async (rate) => {
    const found = await values(poisson(full([40_000], rate, { device })));
    expect(found.every((x) => Number.isInteger(x) && x >= 0)).toBe(true);
    const bins = Math.ceil(rate + 10 * Math.sqrt(rate) + 8);
    expectDistribution(histogram(found, bins), poissonProbabilities(rate, bins));
  });

  test('poisson of large rates has their mean and variance', async () => {
    for (const rate of [5000, 1e5]) {
      const found = await values(poisson(full([20_000], rate, { device })));
      const mean = found.reduce((a, b) => a + b) / found.length;
      const variance = found.reduce((a, b) => a + (b - mean) ** 2, 0) / found.length;
      expect(Math.abs(mean - rate)).toBeLessThan(5 * Math.sqrt(rate / found.length));
      expect(Math.abs(variance / rate - 1)).toBeLessThan(5 * Math.sqrt(2 / found.length));
    }
  });

  test('poisson takes a rate for each element, 0 and half precision among them', async () => {
    const rates = tensor(
      [
        [0, 500],
        [0, 3],
      ],
      { device, dtype: 'float16' },
    );
    const drawn = poisson(rates);
    expect(drawn.dtype).toBe('float16');
    const [a, b, c] = (await values(drawn.to('float32'))) as [number, number, number];
    expect([a, c]).toEqual([0, 0]);
    expect(Math.abs(b - 500)).toBeLessThan(150);
    poisson(tensor([1, -2], { device }));
    await expect(rates.toArray()).rejects.toThrow('poisson: rates must not be negative, got -2');
    expect(poisson(zeros([0], { device })).shape).toEqual([0]);
  });

  test.each([
    [1, 0.3],
    [15, 0.5],
    [15, 0.9],
    [100, 0.02],
    [100, 0.4],
    [1000, 0.97],
    [5000, 0.25],
  ])('binomial of %d trials, %d', async (n, p) => {
    const found = await values(binomial(full([40_000], n, { device }), tensor([p], { device })));
    expect(found.every((x) => Number.isInteger(x) && x >= 0 && x <= n)).toBe(true);
    let log = n * Math.log1p(-p);
    const probabilities = Array.from({ length: n + 1 }, (_, k) => {
      const now = log;
      log += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
      return Math.exp(now);
    });
    expectDistribution(histogram(found, n + 1), probabilities);
  });

  test('binomial at the edges', async () => {
    const n = tensor([0, 7, 7, 100, 100], { device });
    const p = tensor([0.5, 0, 1, 0, 1], { device });
    expect(await values(binomial(n, p))).toEqual([0, 0, 7, 0, 100]);
    binomial(n, tensor([1.5], { device }));
    await expect(n.toArray()).rejects.toThrow('binomial: probabilities must be in [0, 1], got 1.5');
  });

  test('multinomial draws in proportion to weights', async () => {
    const weights = [2, 0, 1, 5, 0.5];
    const sum = 8.5;
    const rows = tensor([weights, [0, 0, 0, 0, 1]], { device });
    const drawn = multinomial(rows, 20_000, true);
    expect(drawn.dtype).toBe('int64');
    const found = await values(drawn);
    const counts = histogram(found.slice(0, 20_000), 5);
    expect(counts[1]).toBe(0);
    expectDistribution(
      counts.filter((_, i) => i !== 1),
      [2, 1, 5, 0.5].map((w) => w / sum),
    );
    expect(found.slice(20_000).every((x) => x === 4)).toBe(true);
  });

  test('without replacement each category is drawn once, the first in proportion', async () => {
    const weights = [1, 2, 3, 4];
    const drawn = await values(multinomial(tensor([weights], { device }).expand([8000, 4]), 3));
    for (let row = 0; row < 8000; row++) {
      expect(new Set(drawn.slice(3 * row, 3 * row + 3)).size).toBe(3);
    }
    const first = drawn.filter((_, i) => i % 3 === 0);
    expectDistribution(
      histogram(first, 4),
      weights.map((w) => w / 10),
    );
    // The second is in proportion to what is left.
    const second = weights.map((w, i) =>
      weights.reduce((p, other, j) => (i === j ? p : p + (other / 10) * (w / (10 - other))), 0),
    );
    expectDistribution(
      histogram(
        drawn.filter((_, i) => i % 3 === 1),
        4,
      ),
      second,
    );
  });

  test('multinomial refuses what cannot be drawn from', async () => {
    expect(() => multinomial(tensor([1, 2], { device }), 3)).toThrow(
      /cannot draw 3 of 2 categories/,
    );
    const next = () => zeros([1], { device }).toArray();
    multinomial(tensor([1, -1], { device }), 1);
    await expect(next()).rejects.toThrow(
      'multinomial: weights must be finite and not negative, got -1 in row 0',
    );
    multinomial(
      tensor(
        [
          [1, 1],
          [0, 0],
        ],
        { device },
      ),
      1,
    );
    await expect(next()).rejects.toThrow(
      'multinomial: the weights of row 1 sum to 0; one must be positive',
    );
    multinomial(tensor([1, Number.POSITIVE_INFINITY], { device }), 1, true);
    await expect(next()).rejects.toThrow(
      'multinomial: weights must be finite, which those of row 0 are not',
    );
  });

  test('random_ without a range fills the range of the dtype', async () => {
    const ranges: Partial<Record<DType, number>> = {
      bool: 2,
      uint8: 256,
      int8: 128,
      int16: 2 ** 15,
      int32: 2 ** 31,
      int64: 2 ** 31,
      float16: 2 ** 11 + 1,
      bfloat16: 2 ** 8 + 1,
      float32: 2 ** 24 + 1,
    };
    for (const [dtype, range] of Object.entries(ranges)) {
      const drawn = zeros([20_000], { device, dtype: dtype as DType }).random_();
      const found = await values(drawn.to(dtype.includes('float') ? 'float32' : 'int32'));
      const bins = Math.min(range, 16);
      const counts = histogram(
        found.map((x) => Math.floor((x * bins) / range)),
        bins,
      );
      expect(found.every((x) => Number.isInteger(x) && x >= 0 && x < range)).toBe(true);
      if (!dtype.includes('float'))
        expectDistribution(
          counts,
          counts.map(() => 1 / bins),
        );
    }
  });

  test.each([
    [-5, 12],
    [0, 2 ** 30 + 7],
    [-(2 ** 31), 2 ** 31],
    [-(2 ** 30), 2 ** 31 - 3],
    [0, 3 * 2 ** 29],
  ])('randint in [%d, %d)', async (from, to) => {
    const found = await values(randint(from, to, [20_000], { device }));
    const bins = Math.min(16, to - from);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(from);
    expect(Math.max(...found)).toBeLessThan(to);
    const counts = histogram(
      found.map((x) => Math.floor(((x - from) * bins) / (to - from))),
      bins,
    );
    // The modulo of 32 random bits by a large range is as uneven as PyTorch's.
    const words = 2 ** 32;
    const times = Math.floor(words / (to - from));
    const share = (x: number) => times * x + Math.min(x, words - times * (to - from));
    const probabilities = counts.map((_, i) => {
      const edge = (j: number) => share((j * (to - from)) / bins) / words;
      return edge(i + 1) - edge(i);
    });
    expectDistribution(counts, to - from < 100 ? histogramEven(from, to, bins) : probabilities);
  });
});

/** What each bin gets of the whole numbers in [from, to). */
function histogramEven(from: number, to: number, bins: number): number[] {
  const range = to - from;
  return histogram(
    Array.from({ length: range }, (_, x) => Math.floor((x * bins) / range)),
    bins,
  ).map((n) => n / range);
}
