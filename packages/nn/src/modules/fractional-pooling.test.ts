import { arange, full, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import { FractionalMaxPool2d, FractionalMaxPool3d } from './fractional-pooling.js';

test('fractional pooling chooses windows by its samples, which are in the state', () => {
  const x = arange(36, { dtype: 'float32' }).reshape([1, 1, 6, 6]);
  const randomSamples = tensor([[[0.5, 0.25]]]);
  const layer = new FractionalMaxPool2d(2, {
    outputSize: 3,
    randomSamples,
    returnIndices: true,
  });
  const { values, indices } = layer(x);
  expect(values.toArraySync()).toEqual([
    [
      [
        [7, 9, 11],
        [19, 21, 23],
        [31, 33, 35],
      ],
    ],
  ]);
  expect(indices.toArraySync()).toEqual(values.toArraySync());
  expect([...layer.stateDict().keys()]).toEqual(['_random_samples']);
  expect(new FractionalMaxPool3d(2, { outputRatio: 0.5 })(full([2, 6, 4, 8], 3)).shape).toEqual([
    2, 3, 2, 4,
  ]);
});

test('fractional pooling wants one of size and ratio', () => {
  expect(() => new FractionalMaxPool2d(2)).toThrow(/either/);
  expect(() => new FractionalMaxPool2d(2, { outputSize: 3, outputRatio: 0.5 })).toThrow(/only one/);
  expect(() => new FractionalMaxPool2d(2, { outputRatio: 1.5 })).toThrow(/between 0 and 1/);
});
