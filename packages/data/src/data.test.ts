import { arange, Generator, manualSeed, rand, type Tensor, tensor } from '@sconce/core';
import { beforeEach, expect, it } from 'vitest';
import {
  BatchSampler,
  ConcatDataset,
  DataLoader,
  defaultCollate,
  RandomSampler,
  randomSplit,
  SequentialSampler,
  TensorDataset,
} from './index.js';

beforeEach(() => {
  manualSeed(1);
});

const batches = async (loader: AsyncIterable<Tensor>) => {
  const result: unknown[] = [];
  for await (const b of loader) result.push(b.toArraySync());
  return result;
};
const numbers = Array.from({ length: 10 }, (_, i) => i);

// Printed by PyTorch 1.13 for the same seeds.
const FIRST = [[4, 2, 0], [6, 8, 7], [9, 1, 5], [3]];
const SECOND = [[4, 8, 1], [5, 0, 2], [3, 6, 9], [7]];
const AFTER = 0.5695085;
const OWN = [
  [7, 4, 2, 9],
  [1, 5, 0, 8],
];
const REPLACED = [5, 2, 1, 6, 3];
const SPLIT = [
  [2, 6, 1, 8],
  [4, 5, 0, 9, 3, 7],
];

it("shuffles in PyTorch's order, pass after pass", async () => {
  const loader = new DataLoader(numbers, { batchSize: 3, shuffle: true });
  expect(await batches(loader)).toEqual(FIRST);
  expect(await batches(loader)).toEqual(SECOND);
  expect(rand([1]).itemSync()).toBeCloseTo(AFTER, 6);
  const own = new DataLoader(numbers, {
    batchSize: 4,
    shuffle: true,
    dropLast: true,
    generator: new Generator().manualSeed(3),
  });
  expect(await batches(own)).toEqual(OWN);
  expect(own.length).toBe(2);
});

it('draws with replacement and splits as PyTorch does', () => {
  expect([
    ...new RandomSampler(numbers, {
      replacement: true,
      numSamples: 5,
      generator: new Generator().manualSeed(7),
    }),
  ]).toEqual(REPLACED);
  expect(
    randomSplit(numbers, [0.35, 0.65], { generator: new Generator().manualSeed(42) }).map((s) => [
      ...s.indices,
    ]),
  ).toEqual(SPLIT);
  expect(() => randomSplit(numbers, [5, 6])).toThrow(
    /\(11\) does not equal the length of the input dataset \(10\)/,
  );
});

it('collates containers, numbers and tensors', () => {
  const batch = defaultCollate([
    { x: [1, 0.5] as [number, number], name: 'a', ok: true },
    { x: [2, 1] as [number, number], name: 'b', ok: false },
  ]);
  expect(batch.x[0].dtype).toBe('int64');
  expect(batch.x[1].toArraySync()).toEqual([0.5, 1]);
  expect(batch.name).toEqual(['a', 'b']);
  expect(batch.ok.toArraySync()).toEqual([true, false]);
  expect(() => defaultCollate([[1], [1, 2]])).toThrow(/should be of equal size/);
});

it('takes rows of tensors in one gather, also through subsets', async () => {
  const data = new TensorDataset(arange(6).reshape(6, 1), arange(6).mul(10));
  expect(data.length).toBe(6);
  expect(data.get(2)[1].itemSync()).toBe(20);
  const [part] = randomSplit(data, [4, 2], { generator: new Generator().manualSeed(0) });
  const loader = new DataLoader(part ?? [], { batchSize: 4 });
  for await (const [x, y] of loader) {
    expect(x.shape).toEqual([4, 1]);
    expect(x.flatten().mul(10).toArraySync()).toEqual(y.toArraySync());
  }
  expect(() => new TensorDataset(tensor([1]), tensor([1, 2]))).toThrow(
    /Size mismatch between tensors/,
  );
});

it('concatenates and batches', () => {
  const both = new ConcatDataset([[1, 2], [3]]);
  expect([both.length, both.get(2), both.get(0), both.get(-1)]).toEqual([3, 3, 1, 3]);
  expect(() => both.get(3)).toThrow(/index 3 is out of range for 3 samples/);
  expect([...new BatchSampler(new SequentialSampler(numbers), 4, true)]).toEqual([
    [0, 1, 2, 3],
    [4, 5, 6, 7],
  ]);
});

it('refuses options that exclude each other', () => {
  expect(() => new DataLoader(numbers, { shuffle: true, sampler: [1] })).toThrow(
    /mutually exclusive with shuffle/,
  );
  expect(() => new DataLoader(numbers, { batchSize: 0 })).toThrow(/batch_size=0/);
});
