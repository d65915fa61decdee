import { describe, expect, it, test } from 'vitest';
import {
  embedding,
  embeddingBackward,
  embeddingBag,
  oneHot,
  type Tensor,
  tensor,
} from '../index.js';

const ints = (...values: number[]): Tensor => tensor(values, { dtype: 'int64' });
const weight = (): Tensor =>
  tensor([
    [1, 2],
    [3, 4],
    [30, 40],
  ]);

describe('embedding', () => {
  it('picks rows', () => {
    expect(embedding(tensor([[2, 0]], { dtype: 'int64' }), weight()).toArraySync()).toEqual([
      [
        [30, 40],
        [1, 2],
      ],
    ]);
    expect(() => embedding(ints(3), weight())).toThrow('index out of range in self: 3');
    expect(() => embedding(tensor([1]), weight())).toThrow('scalar types: int64, int32');
  });

  it('shortens long rows that are used', () => {
    const w = weight();
    const y = embedding(ints(2), w, { maxNorm: 5 });
    const [row] = y.toArraySync() as number[][];
    expect(row?.[0]).toBeCloseTo(3, 5);
    expect(row?.[1]).toBeCloseTo(4, 5);
    expect(w.select(0, 1).toArraySync()).toEqual([3, 4]);
    expect(w.version).toBe(1);
  });

  it('adds up the gradients of equal indices, but not of the padding', () => {
    const g = tensor([
      [1, 1],
      [10, 10],
      [100, 100],
    ]);
    expect(embeddingBackward(g, ints(1, 0, 1), 3, -1, false).toArraySync()).toEqual([
      [10, 10],
      [101, 101],
      [0, 0],
    ]);
    expect(embeddingBackward(g, ints(1, 0, 1), 3, 0, true).toArraySync()).toEqual([
      [0, 0],
      [50.5, 50.5],
      [0, 0],
    ]);
  });
});

describe('embeddingBag', () => {
  it('combines rows by bags', () => {
    const at = ints(0, 1, 2);
    expect(embeddingBag(at, weight(), ints(0, 2, 3), { mode: 'sum' }).toArraySync()).toEqual([
      [4, 6],
      [30, 40],
      [0, 0],
    ]);
    expect(embeddingBag(at, weight(), ints(0, 2)).toArraySync()).toEqual([
      [2, 3],
      [30, 40],
    ]);
    expect(
      embeddingBag(at, weight(), ints(0, 1, 3), {
        mode: 'max',
        includeLastOffset: true,
      }).toArraySync(),
    ).toEqual([
      [1, 2],
      [30, 40],
    ]);
    const rows = tensor(
      [
        [0, 1],
        [1, 1],
      ],
      { dtype: 'int64' },
    );
    expect(
      embeddingBag(rows, weight(), null, {
        mode: 'sum',
        perSampleWeights: tensor([
          [1, 2],
          [0, 1],
        ]),
      }).toArraySync(),
    ).toEqual([
      [7, 10],
      [3, 4],
    ]);
    expect(embeddingBag(rows, weight(), null, { paddingIdx: 0 }).toArraySync()).toEqual([
      [3, 4],
      [3, 4],
    ]);
    expect(() => embeddingBag(at, weight())).toThrow('offsets has to be a 1D tensor');
  });
});

describe('oneHot', () => {
  it('is 1 at the class', () => {
    expect(oneHot(ints(0, 2)).toArraySync()).toEqual([
      [1, 0, 0],
      [0, 0, 1],
    ]);
    expect(oneHot(ints(1), 2).toArraySync()).toEqual([[0, 1]]);
    expect(() => oneHot(ints(2), 2)).toThrow('Class values must be smaller than num_classes');
  });
});

test('embeddingBag leaves out what lies behind an included last offset, and checks offsets', () => {
  const options = { mode: 'sum', includeLastOffset: true } as const;
  const bags = embeddingBag(ints(0, 1, 2), weight(), ints(0, 1, 2), options);
  expect(bags.toArraySync()).toEqual([
    [1, 2],
    [3, 4],
  ]);
  expect(() => embeddingBag(ints(0, 1), weight(), ints(1))).toThrow(/offsets\[0\] has to be 0/);
  expect(() => embeddingBag(ints(0, 1), weight(), ints(0, 3))).toThrow(/can not be greater/);
  expect(() => embeddingBag(ints(0), weight(), ints(), options)).toThrow(/at least 1/);
});

test('oneHot names classes that are none', () => {
  expect(() => oneHot(ints(3), 2)).toThrow(/smaller than num_classes \(3 >= 2\)/);
  expect(() => oneHot(ints(-1))).toThrow(/non-negative/);
});
