import { ones, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import { LogSoftmax, Softmax, Softmin } from '../modules/shaped-activation.js';
import * as F from './index.js';

test('without a dimension, softmax is over the classes', () => {
  const sum = (shape: number[], dim: number) =>
    F.softmax(ones(shape)).sum(dim).flatten().toArraySync() as number[];
  expect(sum([4], 0)).toEqual([1]);
  expect(sum([2, 4], 1)).toEqual([1, 1]);
  expect(sum([4, 1, 2], 0)).toEqual([1, 1]);
  expect(sum([1, 4, 1, 2], 1)).toEqual([1, 1]);
  expect(new Softmax()(tensor([0, 0])).toArraySync()).toEqual([0.5, 0.5]);
  expect(new Softmin()(tensor([[0, 0]])).toArraySync()).toEqual([[0.5, 0.5]]);
  expect(new LogSoftmax()(tensor(3)).toArraySync()).toBe(0);
  expect(String(new Softmax())).toBe('Softmax(dim=None)');
});
