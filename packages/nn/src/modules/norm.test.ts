import { tensor } from '@sconce/core';
import { expect, it } from 'vitest';
import { BatchNorm1d, copyModule } from '../index.js';

// PyTorch 2.15: BatchNorm1d(2, momentum=None) after these batches.
const batches = [
  [
    [1, 2],
    [3, 6],
  ],
  [
    [5, 0],
    [7, 2],
  ],
  [
    [0, 0],
    [6, 3],
  ],
];

it('the plain average over all batches, wherever its count comes from', () => {
  const norm = new BatchNorm1d(2, { momentum: null });
  for (const batch of batches) norm(tensor(batch));
  // Means [2, 4], [6, 1], [3, 1.5]; variances [2, 8], [2, 2], [18, 4.5].
  const [mean, variance] = [norm.runningMean, norm.runningVar].map(
    (t) => t?.toArraySync() as number[],
  ) as [number[], number[]];
  expect(mean[0]).toBeCloseTo(11 / 3, 5);
  expect(mean[1]).toBeCloseTo(6.5 / 3, 5);
  expect(variance[0]).toBeCloseTo(22 / 3, 5);
  expect(variance[1]).toBeCloseTo(14.5 / 3, 5);
  // A count that was loaded goes on, one that was reset begins anew.
  const copy = new BatchNorm1d(2, { momentum: null });
  copy(tensor(batches[0] as number[][]));
  copy.loadStateDict(norm.stateDict());
  copy(tensor(batches[0] as number[][]));
  expect(copy.numBatchesTracked?.itemSync()).toBe(4);
  expect(copy.runningMean?.at(0).itemSync()).toBeCloseTo(13 / 4, 5);
  const again = copyModule(copy);
  again.resetRunningStats();
  again(tensor(batches[1] as number[][]));
  expect(again.runningMean?.toArraySync()).toEqual([6, 1]);
});
