import * as f from '@sconce/core';
import { of, type Sample, type Samples } from './sample.js';

const product = (values: number[]): Sample => ({
  run: (x) => x.cumprod(0),
  inputs: () => [f.tensor(values, { dtype: 'float64', requiresGrad: true })],
  once: values.includes(0),
});

export const rearrangingSamples: Samples = {
  cat: [
    of((a, b, c) => f.cat([a, b, c], 1), [2, 1], [2, 3], [2, 2]),
    of((a) => f.cat([a, f.zeros([0], { dtype: 'float64' }), a]), [2, 3]),
  ],
  split: [
    of((x) => x.split(2, 1), [2, 5]),
    // Only some of the parts are used.
    of((x) => x.split(2)[1] as f.Tensor, [5, 2]),
  ],
  splitWithSizes: [of((x) => x.split([1, 3, 1], 1), [2, 5])],
  unbind: [of((x) => x.unbind(1), [2, 3]), of((x) => x.unbind()[2] as f.Tensor, [3, 2])],
  flip: [of((x) => f.flip(x, 0, -1), [2, 3, 2])],
  roll: [of((x) => x.roll([1, -4], [0, 1]), [2, 3]), of((x) => x.roll(2), [2, 3])],
  tril: [of((x) => x.tril(), [3, 3]), of((x) => x.tril(-1), [2, 3, 4])],
  triu: [of((x) => x.triu(), [3, 3]), of((x) => x.triu(1), [2, 3, 4])],
  diagEmbed: [of((x) => x.diagEmbed({ offset: 1 }), [2, 3])],
  cumsum: [of((x) => x.cumsum(1), [2, 3, 2])],
  cumprod: [
    of((x) => x.cumprod(1), [2, 3, 2]),
    product([2, 0, 3, 4]),
    product([0, 2, 3]),
    product([2, 0, 3, 0, 5]),
  ],
  logcumsumexp: [of((x) => x.logcumsumexp(1), [2, 3])],
  cummax: [of((x) => x.cummax(1).values, [2, 4])],
  cummin: [of((x) => x.cummin(0).values, [4, 2])],
  sort: [
    of((x) => x.sort(1).values, [2, 4]),
    of((x) => x.sort(0, { descending: true }).values, [4, 2]),
  ],
  median: [of((x) => x.median(), [2, 3])],
  nanmedian: [of((x) => x.nanmedian(), [2, 3])],
  cdist: [
    ...[1, 2, 3, Infinity].map((p) => of((a, b) => f.cdist(a, b, { p } as never), [2, 3], [4, 3])),
  ],
};
