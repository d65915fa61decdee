import { ones, tensor } from '@sconce/core';
import { expect, test } from 'vitest';
import {
  CELU,
  Dropout,
  ELU,
  Hardsigmoid,
  Hardswish,
  Hardtanh,
  LeakyReLU,
  Mish,
  Parameter,
  ReLU,
  ReLU6,
  RReLU,
  SELU,
  SiLU,
  Threshold,
  TripletMarginWithDistanceLoss,
} from '../index.js';

test('modules print as those of PyTorch do', () => {
  expect(String(new ReLU({ inplace: true }))).toBe('ReLU(inplace=True)');
  expect(String(new Hardswish({ inplace: true }))).toBe('Hardswish()');
  expect(String(new Hardsigmoid({ inplace: true }))).toBe('Hardsigmoid()');
  expect(String(new TripletMarginWithDistanceLoss())).toBe(
    'TripletMarginWithDistanceLoss(\n  (distance_function): PairwiseDistance()\n)',
  );
});

test('a parameter says so wherever it is printed', async () => {
  const parameter = new Parameter(ones([2]));
  const expected = 'Parameter containing:\ntensor([1., 1.], requires_grad=True)';
  expect(String(parameter)).toBe(expected);
  expect(await parameter.text()).toBe(expected);
});

test('activations that can work in place take { inplace: true }', () => {
  const options = { inplace: true };
  const layers = [
    ...[ReLU, ReLU6, SiLU, Mish, SELU, Hardswish, Hardsigmoid].map((type) => new type(options)),
    new ELU(1, options),
    new CELU(1, options),
    new LeakyReLU(0.1, options),
    new Hardtanh(-1, 1, options),
    new Threshold(0, 0, options),
    new RReLU(0.1, 0.3, options),
    new Dropout(0.5, options),
  ];
  for (const layer of layers) {
    const x = tensor([-3, 2]);
    expect(layer(x)).toBe(x);
    expect(layer.inplace).toBe(true);
  }
});
