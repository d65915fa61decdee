import '@sconce/autograd';
import { arange, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import { Linear } from '../index.js';
import { parametersToVector, vectorToParameters } from './parameters.js';

test('parameters become a vector and a vector parameters', () => {
  const layer = new Linear(2, 3);
  const vector = parametersToVector(layer.parameters());
  expect(vector.shape).toEqual([9]);
  vector
    .mul(arange(9, { dtype: 'float32' }))
    .sum()
    .backward();
  expect(layer.weight.grad?.toArraySync()).toEqual([
    [0, 1],
    [2, 3],
    [4, 5],
  ]);
  vectorToParameters(arange(9, { dtype: 'float32' }), layer.parameters());
  expect(layer.bias?.toArraySync()).toEqual([6, 7, 8]);
  expect(layer.weight.requiresGrad).toBe(true);
  expect(() => vectorToParameters(tensor([1]), layer.parameters())).toThrow(/9 elements/);
  expect(() => parametersToVector([])).toThrow(/no parameters/);
});
