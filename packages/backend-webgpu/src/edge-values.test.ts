import {
  arange,
  bitwiseLeftShift,
  bitwiseRightShift,
  cov,
  init,
  interpolate,
  linspace,
  maxUnpool2d,
  ones,
  tensor,
  tensordot,
} from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import './index.js';

const device = 'webgpu';

describe.skipIf(!host.webgpu)('values at the edges', () => {
  beforeAll(() => init(device));

  test.each(['int8', 'uint8', 'int16', 'int32'] as const)('shifts of %s', async (dtype) => {
    const x = tensor(dtype === 'uint8' ? [5, 200] : [5, -3], { dtype, device });
    const sign = dtype === 'uint8' ? [0, 0] : [0, -1];
    for (const count of [32, 64, -1]) {
      expect(await bitwiseLeftShift(x, count).toArray()).toEqual([0, 0]);
      expect(await bitwiseRightShift(x, count).toArray()).toEqual(sign);
    }
    expect(await x.clone().bitwiseRightShift_(100).toArray()).toEqual(sign);
  });

  test('negative weights of cov are told by the next read', async () => {
    const x = ones([2, 3], { device });
    const weights = (...values: number[]) => tensor(values, { device });
    await expect(cov(x, { aweights: weights(1, -1, 1) }).toArray()).rejects.toThrow(
      'aweights cannot be negative',
    );
    await expect(cov(x, { aweights: weights(0, 0, 0) }).toArray()).rejects.toThrow(
      'weights sum to zero',
    );
    expect(await cov(x, { aweights: weights(1, 2, 1) }).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });

  test('kept lengths, broadcast products and tensors as bounds', async () => {
    const x = arange(6, { dtype: 'float32', device });
    const kept = interpolate(x.reshape([1, 2, 3]), { scaleFactor: 1.3, mode: 'linear' });
    expect(await kept.flatten().toArray()).toEqual([0, 1, 2, 3, 4, 5]);
    const product = tensordot(x.reshape([2, 3]), ones([1, 2], { device }), 1);
    expect(await product.flatten().toArray()).toEqual([3, 3, 12, 12]);
    expect(await linspace(tensor(1), 2, 3, { device }).toArray()).toEqual([1, 1.5, 2]);
    const indices = tensor([[[0n]]], { device });
    expect(() => maxUnpool2d(ones([1, 1, 1], { device }), indices, 2, { stride: 0 })).toThrow(
      'strides should be greater than zero',
    );
  });
});
