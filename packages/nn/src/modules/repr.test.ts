import { expect, test } from 'vitest';
import { Hardsigmoid, Hardswish, ReLU } from './activation.js';
import { TripletMarginWithDistanceLoss } from './loss.js';

test('modules print as those of PyTorch do', () => {
  expect(String(new ReLU({ inplace: true }))).toBe('ReLU(inplace=True)');
  expect(String(new Hardswish({ inplace: true }))).toBe('Hardswish()');
  expect(String(new Hardsigmoid({ inplace: true }))).toBe('Hardsigmoid()');
  expect(String(new TripletMarginWithDistanceLoss())).toBe(
    'TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)',
  );
});
