import { Generator, manualSeed, rand } from '@sconce/core';
import { expect, it } from 'vitest';
import {
  BatchSampler,
  DataLoader,
  DistributedSampler,
  RandomSampler,
  SubsetRandomSampler,
  WeightedRandomSampler,
} from './index.js';

const numbers = Array.from({ length: 10 }, (_, i) => i);
const read = async (loader: AsyncIterable<{ toArraySync(): unknown }>) => {
  const batches: unknown[] = [];
  for await (const b of loader) batches.push(b.toArraySync());
  return batches;
};

// Printed by PyTorch 1.13: length, replicas, shuffle, drop_last, epoch, the indices of each rank; seed 5.
const DISTRIBUTED: [number, number, boolean, boolean, number, number[][]][] = [
  [
    10,
    4,
    true,
    false,
    0,
    [
      [1, 3, 8],
      [4, 5, 7],
      [9, 0, 1],
      [6, 2, 4],
    ],
  ],
  [
    10,
    4,
    true,
    false,
    1,
    [
      [0, 8, 4],
      [7, 3, 6],
      [5, 9, 0],
      [1, 2, 7],
    ],
  ],
  [
    10,
    4,
    true,
    true,
    0,
    [
      [1, 3],
      [4, 5],
      [9, 0],
      [6, 2],
    ],
  ],
  [
    10,
    4,
    false,
    false,
    0,
    [
      [0, 4, 8],
      [1, 5, 9],
      [2, 6, 0],
      [3, 7, 1],
    ],
  ],
  [3, 8, true, false, 1, [[2], [0], [1], [2], [0], [1], [2], [0]]],
  [
    11,
    3,
    true,
    true,
    1,
    [
      [2, 7, 5],
      [0, 1, 9],
      [8, 4, 3],
    ],
  ],
];

it.for(DISTRIBUTED)(
  'shares %i samples between %i processes',
  ([length, numReplicas, shuffle, dropLast, epoch, expected]) => {
    const got = expected.map((_, rank) => {
      const sampler = new DistributedSampler(
        { length },
        { numReplicas, rank, shuffle, dropLast, seed: 5 },
      );
      sampler.loadStateDict({ epoch });
      expect(sampler.length).toBe(expected[0]?.length);
      expect(sampler.stateDict()).toEqual({ epoch });
      return [...sampler];
    });
    expect(got).toEqual(expected);
  },
);

it('refuses a rank that there is not', () => {
  expect(() => new DistributedSampler(numbers, { numReplicas: 2, rank: 2 })).toThrow(
    /Invalid rank 2, rank should be in the interval \[0, 1\]/,
  );
});

it("draws in PyTorch's order with every sampler, and leaves the generator where PyTorch does", async () => {
  manualSeed(1);
  const generator = new Generator().manualSeed(9);
  const own = new DataLoader(numbers, { batchSize: 4, shuffle: true, generator });
  expect([await read(own), await read(own)]).toEqual([
    [
      [4, 6, 8, 1],
      [5, 2, 7, 9],
      [0, 3],
    ],
    [
      [8, 7, 0, 2],
      [3, 1, 6, 9],
      [4, 5],
    ],
  ]);
  expect(rand([1]).itemSync()).toBeCloseTo(0.7576, 4);
  expect(rand([1], { generator }).itemSync()).toBeCloseTo(0.9382, 4);

  manualSeed(3);
  const sampler = new RandomSampler(numbers, { replacement: true, numSamples: 70 });
  const drawn = await read(new DataLoader(numbers, { batchSize: 4, sampler }));
  expect(drawn.slice(0, 3)).toEqual([
    [6, 3, 8, 7],
    [2, 6, 8, 0],
    [2, 9, 8, 9],
  ]);
  expect(drawn.slice(-3)).toEqual([
    [8, 5, 8, 8],
    [0, 5, 2, 0],
    [5, 5],
  ]);
  expect(rand([1]).itemSync()).toBeCloseTo(0.4716, 4);

  manualSeed(3);
  const weighted = new WeightedRandomSampler([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 12);
  expect(await read(new DataLoader(numbers, { batchSize: 4, sampler: weighted }))).toEqual([
    [5, 8, 3, 8],
    [7, 4, 6, 6],
    [8, 4, 7, 6],
  ]);
  const subset = new SubsetRandomSampler([1, 5, 7, 9, 3]);
  expect(await read(new DataLoader(numbers, { batchSize: 4, sampler: subset }))).toEqual([
    [3, 9, 7, 1],
    [5],
  ]);
  expect(rand([1]).itemSync()).toBeCloseTo(0.1394, 4);
});

it('takes batches of indices from the user', async () => {
  const batchSampler = new BatchSampler([3, 1, 4, 1, 5], 2);
  expect(await read(new DataLoader(numbers, { batchSampler }))).toEqual([[3, 1], [4, 1], [5]]);
  expect(await read(new DataLoader(numbers, { batchSampler: [[9], [8, 7]] }))).toEqual([
    [9],
    [8, 7],
  ]);
});
