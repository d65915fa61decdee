import { describe, expect, it } from 'vitest';
import { cdist, cosineSimilarity, normalize, pairwiseDistance, pdist, tensor } from '../index.js';

describe('distances', () => {
  const a = tensor([
    [0, 0],
    [3, 4],
  ]);
  const b = tensor([
    [0, 0],
    [6, 8],
    [3, 0],
  ]);
  it('compare all rows with all rows', () => {
    expect(cdist(a, b).toArraySync()).toEqual([
      [0, 10, 3],
      [5, 5, 4],
    ]);
    expect(cdist(a, b, { p: 1 }).toArraySync()).toEqual([
      [0, 14, 3],
      [7, 7, 4],
    ]);
    expect(cdist(a, b, { p: Number.POSITIVE_INFINITY }).toArraySync()).toEqual([
      [0, 8, 3],
      [4, 4, 4],
    ]);
    expect(cdist(a, b, { p: 0 }).toArraySync()).toEqual([
      [0, 2, 1],
      [2, 2, 1],
    ]);
    expect(pdist(b).toArraySync()).toEqual([10, 3, Math.fround(Math.sqrt(73))]);
    expect(() => cdist(a, tensor([[1]]))).toThrow('same number of columns');
  });

  it('compare row by row', () => {
    expect(pairwiseDistance(a, b.slice(0, 0, 2), { eps: 0 }).toArraySync()).toEqual([0, 5]);
    const cosines = cosineSimilarity(
      tensor([
        [1, 0],
        [1, 1],
      ]),
      tensor([
        [2, 0],
        [-1, -1],
      ]),
    ).toArraySync() as number[];
    expect(cosines[0]).toBe(1);
    expect(cosines[1]).toBeCloseTo(-1, 6);
    const unit = normalize(a).toArraySync() as number[][];
    expect(unit[0]).toEqual([0, 0]);
    expect(unit[1]?.[1]).toBeCloseTo(0.8, 6);
  });
});
