import { empty, manualSeed, type Tensor, zeros } from '@sconce/core';
import { beforeEach, expect, it } from 'vitest';
import {
  calculateFanInAndFanOut,
  calculateGain,
  dirac_,
  eye_,
  kaimingNormal_,
  kaimingUniform_,
  orthogonal_,
  sparse_,
  truncNormal_,
  xavierUniform_,
} from './index.js';

beforeEach(() => {
  manualSeed(0);
});

const close = (t: Tensor, expected: readonly number[]) => {
  const values = [...(t.toTypedArraySync() as Float32Array)];
  expect(values).toHaveLength(expected.length);
  values.forEach((v, i) => expect(v).toBeCloseTo(expected[i] as number, 5));
};

// Printed by PyTorch 1.13 after torch.manual_seed(0).
const XAVIER = [-0.009169, 0.657007, -1.00802, -0.901338];
const KAIMING = [-0.012968, 0.929148, -1.425556, -1.274684];
const KAIMING_NORMAL = [1.540996, -0.293429, -2.178789, 0.568431];
const TRUNC = [-0.003203, 0.23821, -0.38769, -0.339149];
const ORTHOGONAL = [0.573981, -0.109295, -0.811542, -0.345415, -0.930883, -0.118936];
const SPARSE = [0.0, -0.002934, -0.021788, 0.0, -0.010845, -0.013986];

it('gives PyTorch numbers', () => {
  close(xavierUniform_(empty([2, 2])), XAVIER);
  manualSeed(0);
  close(kaimingUniform_(empty([2, 2]), { nonlinearity: 'relu' }), KAIMING);
  manualSeed(0);
  close(kaimingNormal_(empty([2, 2]), { mode: 'fanOut' }), KAIMING_NORMAL);
  manualSeed(0);
  close(truncNormal_(empty([4]), { std: 0.5, a: -0.5, b: 0.5 }), TRUNC);
  manualSeed(0);
  close(orthogonal_(empty([2, 3])), ORTHOGONAL);
  manualSeed(0);
  close(sparse_(empty([3, 2]), 0.3), SPARSE);
});

it('makes identities', () => {
  expect(eye_(empty([2, 3])).toArraySync()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ]);
  expect(dirac_(empty([2, 2, 3])).toArraySync()).toEqual([
    [
      [0, 1, 0],
      [0, 0, 0],
    ],
    [
      [0, 0, 0],
      [0, 1, 0],
    ],
  ]);
  expect(dirac_(empty([4, 1, 1]), 4).toArraySync()).toEqual([[[1]], [[1]], [[1]], [[1]]]);
});

it('orthogonal columns are orthonormal', () => {
  const q = orthogonal_(empty([5, 3]));
  const gram = q.t().matmul(q).toArraySync() as number[][];
  gram.forEach((row, i) => row.forEach((x, j) => expect(x).toBeCloseTo(i === j ? 1 : 0, 5)));
});

it('knows fans and gains, and says what it cannot take', () => {
  expect(calculateFanInAndFanOut(zeros([8, 4, 3, 3]))).toEqual({ fanIn: 36, fanOut: 72 });
  expect(calculateGain('leakyRelu', 0.2)).toBeCloseTo(Math.sqrt(2 / 1.04), 12);
  expect(() => xavierUniform_(zeros([3]))).toThrow(/fewer than 2 dimensions, got shape \[3\]/);
  expect(() => eye_(zeros([3]))).toThrow(/Only tensors with 2 dimensions/);
});
