import { type Tensor, tensor } from '@sconce/core';
import { ints, of, positive, type Sample, type Samples } from './sample.js';

const index = ints([
  [0, 1, 1],
  [1, 0, 0],
]);
const rows = ints([2, 0, 2]);
const mask = tensor([
  [true, false, true],
  [false, true, true],
]);

/** Values with each number of zeros at a place. */
const someZeros = (): Tensor =>
  tensor(
    [
      [1.5, 0, 2],
      [0, 3, 0],
    ],
    { dtype: 'float64', requiresGrad: true },
  );

const reductions = ['sum', 'mean', 'amax', 'amin', 'prod'] as const;

export const indexingSamples: Samples = {
  gather: [of((x) => x.gather(0, index), [2, 3]), of((x) => x.gather(1, index), [3, 2])],
  indexSelect: [of((x) => x.indexSelect(0, rows), [3, 2])],
  index: [
    of((x) => x.index([rows, null, ints([0, -1, 0])]), [3, 2, 2]),
    of((x) => x.index([mask]), [2, 3, 2]),
  ],
  indexPut: [
    of((x, v) => x.indexPut([ints([0, 2])], v), [3, 2], [2]),
    of((x, v) => x.indexPut([rows], v, { accumulate: true }), [3, 2], [3, 2]),
  ],
  put: [
    of((x, v) => x.put(ints([0, -1]), v), [3, 2], [2]),
    of((x, v) => x.put(rows, v, { accumulate: true }), [3, 2], [3]),
  ],
  scatter: [
    of(
      (x, s) =>
        x.scatter(
          1,
          ints([
            [0, 2],
            [1, 0],
          ]),
          s,
        ),
      [2, 3],
      [2, 3],
    ),
  ],
  scatterValue: [
    of(
      (x) =>
        x.scatter(
          1,
          ints([
            [0, 2],
            [1, 0],
          ]),
          3,
        ),
      [2, 3],
    ),
  ],
  scatterAdd: [of((x, s) => x.scatterAdd(0, index, s), [2, 3], [2, 4])],
  scatterReduce: [
    ...reductions.flatMap((reduce): Sample[] =>
      [true, false].map((includeSelf) => ({
        run: (x, s) => x.scatterReduce(0, index, s, reduce, { includeSelf }),
        inputs: () => [positive(2, 3), positive(2, 3)],
      })),
    ),
    {
      run: (x, s) =>
        x.scatterReduce(
          0,
          ints([
            [0, 1, 0],
            [1, 0, 0],
          ]),
          s,
          'prod',
        ),
      inputs: () => [positive(2, 3), someZeros()],
      once: true,
    },
  ],
  indexAdd: [of((x, s) => x.indexAdd(0, rows, s, { alpha: 0.7 }), [3, 2], [3, 2])],
  indexCopy: [of((x, s) => x.indexCopy(1, ints([2, 0]), s), [2, 3], [2, 2])],
  indexFill: [
    of((x) => x.indexFill(0, rows, 2), [3, 2]),
    of((x, v) => x.indexFill(0, ints([2, 0]), v), [3, 2], []),
  ],
  indexReduce: (['mean', 'amax', 'amin', 'prod'] as const).flatMap((reduce): Sample[] =>
    [true, false].map((includeSelf) => ({
      run: (x, s) => x.indexReduce(0, rows, s, reduce, { includeSelf }),
      inputs: () => [positive(3, 2), positive(3, 2)],
    })),
  ),
  maskedScatter: [of((x, s) => x.maskedScatter(mask, s), [2, 3], [5])],
  selectScatter: [of((x, s) => x.selectScatter(s, 1, 2), [2, 3], [2])],
  sliceScatter: [of((x, s) => x.sliceScatter(s, 1, 0, 3, 2), [2, 3], [2, 2])],
  diagonalScatter: [of((x, s) => x.diagonalScatter(s, { offset: 1 }), [3, 3], [2])],
  asStridedScatter: [of((x, s) => x.asStridedScatter(s, [2, 2], [1, 3], 1), [3, 3], [2, 2])],
};
