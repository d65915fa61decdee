import { type Tensor, tensor } from '@sconce/core';
import { of, positive, real, type Sample, type Samples } from './sample.js';

type Dims = number | number[] | undefined;

/** All dimensions, one, several, with and without what is reduced. */
const reduced = (run: (x: Tensor, dim: Dims, keepdim: boolean) => Tensor): Sample[] => [
  of((x) => run(x, undefined, false), [2, 3]),
  of((x) => run(x, 1, false), [2, 3]),
  of((x) => run(x, [0, 2], true), [2, 3, 2]),
];

const withZeros = (values: number[][]): Tensor =>
  tensor(values, { dtype: 'float64', requiresGrad: true });

export const reductionSamples: Samples = {
  sum: reduced((x, dim, keepdim) => x.sum(dim, { keepdim })),
  nansum: reduced((x, dim, keepdim) => x.nansum(dim, { keepdim })),
  mean: reduced((x, dim, keepdim) => x.mean(dim, { keepdim })),
  var: reduced((x, dim, keepdim) => x.var(dim, { keepdim })),
  std: reduced((x, dim, keepdim) => x.std(dim, { keepdim, correction: 0 })),
  logsumexp: reduced((x, dim, keepdim) => x.logsumexp(dim, { keepdim })),
  amax: reduced((x, dim, keepdim) => x.amax(dim, { keepdim })),
  amin: reduced((x, dim, keepdim) => x.amin(dim, { keepdim })),
  max: [of((x) => x.max(1).values, [2, 3]), of((x) => x.max(0, { keepdim: true }).values, [2, 3])],
  min: [of((x) => x.min(1).values, [2, 3]), of((x) => x.min(-2, { keepdim: true }).values, [2, 3])],
  prod: [
    of((x) => x.prod(), [2, 3]),
    of((x) => x.prod(1), [2, 3, 2]),
    {
      run: (x) => x.prod(1),
      inputs: () => [
        withZeros([
          [1.5, 0, 2],
          [0, 3, 0],
          [2, 3, 4],
        ]),
      ],
    },
    { run: (x) => x.prod(), inputs: () => [withZeros([[1.5, 0, 2]])] },
  ],
  vectorNorm: [
    ...reduced((x, dim, keepdim) => x.vectorNorm(2, dim, { keepdim })),
    { run: (x) => x.vectorNorm(1, 1), inputs: () => [real([2, 3], { avoid: [0] })] },
    { run: (x) => x.vectorNorm(3, 1), inputs: () => [positive(2, 3)] },
    { run: (x) => x.vectorNorm(1.5, 1), inputs: () => [positive(2, 3)] },
    { run: (x) => x.vectorNorm(0.5), inputs: () => [positive(2, 3)] },
    { run: (x) => x.vectorNorm(Infinity, 1), inputs: () => [real([2, 3])] },
    { run: (x) => x.vectorNorm(-Infinity, 1), inputs: () => [real([2, 3], { avoid: [0] })] },
    { run: (x) => x.vectorNorm(0), inputs: () => [real([2, 3], { avoid: [0] })] },
  ],
};
