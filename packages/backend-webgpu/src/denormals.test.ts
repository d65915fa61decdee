import * as core from '@sconce/core';
import { type Device, init, type Tensor, tensor } from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import './index.js';

// Arithmetic on a GPU takes what is smaller than 2^-126 for zero; what is decided by a comparison must not.
const values = [1e-40, -1e-40, 0, -0, 2e-40, 1e-45, 1, -1, 1e-38];

describe.skipIf(!host.webgpu)('denormals decide as on the cpu', () => {
  let device: Device;
  let x: Tensor;
  let y: Tensor;
  beforeAll(async () => {
    device = await init('webgpu');
    x = tensor(values, { device });
    y = tensor([-1e-40, 1e-40, 1e-40, 0, 1e-40, 0, 1e-40, 1e-45, 0], { device });
  });
  const bits = (list: readonly number[]) => list.map((v) => v === 1);

  const cases: [string, () => Tensor, unknown][] = [
    ['sign', () => x.sign(), [1, -1, 0, 0, 1, 1, 1, -1, 1]],
    ['any', () => x.view([9, 1]).any(1), bits([1, 1, 0, 0, 1, 1, 1, 1, 1])],
    ['all', () => x.narrow(0, 0, 2).all(), true],
    ['norm(0)', () => core.linalg.vectorNorm(x, 0), 7],
    ['countNonzero', () => x.countNonzero(), 7],
    ['eq', () => x.eq(y), bits([0, 0, 0, 1, 0, 0, 0, 0, 0])],
    ['ne', () => x.ne(y), bits([1, 1, 1, 0, 1, 1, 1, 1, 1])],
    ['lt', () => x.lt(y), bits([0, 1, 1, 0, 0, 0, 0, 1, 0])],
    ['le', () => x.le(y), bits([0, 1, 1, 1, 0, 0, 0, 1, 0])],
    ['gt', () => x.gt(0), bits([1, 0, 0, 0, 1, 1, 1, 0, 1])],
    ['ge', () => x.ge(y), bits([1, 0, 0, 1, 1, 1, 1, 0, 1])],
    ['logicalNot', () => x.logicalNot(), bits([0, 0, 1, 1, 0, 0, 0, 0, 0])],
    ['argmax', () => x.narrow(0, 0, 6).argmax(), 4],
    ['argmin', () => x.narrow(0, 0, 6).argmin(), 1],
    ['max', () => x.narrow(0, 0, 6).max(0).indices, 4],
    ['cummax', () => x.narrow(0, 0, 6).cummax(0).indices, [0, 0, 0, 0, 4, 4]],
    ['cummin', () => x.narrow(0, 0, 6).cummin(0).indices, [0, 1, 1, 1, 1, 1]],
    ['argsort', () => x.narrow(0, 0, 3).argsort(), [1, 2, 0]],
    [
      'bucketize',
      () => core.bucketize(x, tensor([-1e-40, 0, 1e-40, 1.5e-40], { device })),
      [2, 0, 1, 1, 4, 2, 4, 0, 4],
    ],
    ['heaviside', () => core.heaviside(x, y.mul(0).add(5)), [1, 0, 5, 5, 1, 1, 1, 0, 1]],
    ['ceil', () => x.ceil().add(0), [1, 0, 0, 0, 1, 1, 1, -1, 1]],
    ['floor', () => x.floor().add(0), [0, -1, 0, 0, 0, 0, 1, -1, 0]],
    ['frexp', () => core.frexp(x).exponent, [-132, -132, 0, 0, -131, -148, 1, 1, -126]],
    ['remainder', () => x.remainder(1).gt(0), bits([1, 1, 0, 0, 1, 1, 0, 0, 1])],
    ['isnan', () => tensor([Number.NaN, 1], { device }).lt(2), bits([0, 1])],
    ['max of NaN', () => tensor([1, Number.NaN, 3], { device }).argmax(), 1],
  ];
  test.each(cases)('%s', async (_, compute, expected) => {
    expect(await compute().toArray()).toEqual(expected);
  });

  test('the extremes are the denormals themselves', async () => {
    const some = x.narrow(0, 0, 6);
    expect(await some.max().item()).toBe(Math.fround(2e-40));
    expect(await some.min().item()).toBe(Math.fround(-1e-40));
    expect(await x.relu().gt(0).sum().item()).toBe(5);
    expect(await core.maximum(x, y).toArray()).toEqual(
      core.maximum(await x.toAsync('cpu'), await y.toAsync('cpu')).toArraySync(),
    );
  });
});
