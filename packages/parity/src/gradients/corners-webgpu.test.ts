import 'sconce';
import '@sconce/backend-webgpu';
import { init, setDefaultDevice } from '@sconce/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { host } from '../../../../scripts/testing/host.js';
import { byFunction, type Corner, corners, expectCorner } from './corners.js';

/** What GPUs agree on: they may take infinities and NaN for anything. */
const ordinary = (corner: Corner): boolean =>
  !/"(nan|-?inf)"|e\+|\d{5,}\./.test(JSON.stringify(corner));
/** Elementwise operations are the same expressions on every device: those with kernels of their own are left. */
const own =
  /prod|cum|dist|norm|index_|scatter|attention|a(max|min)|m(ax|in)_pool|std|var|softmax|logsumexp|atan2|clamp|median|interpolate|grid_sample|embedding/;

describe.skipIf(!host.webgpu)('derivatives at zeros, ties and bounds on WebGPU', () => {
  beforeAll(async () => {
    await init('webgpu');
    setDefaultDevice('webgpu');
  });
  afterAll(() => setDefaultDevice('cpu'));

  it.each(byFunction(corners.filter((c) => own.test(c.expr) && ordinary(c))))(
    '%s',
    async (_, cases) => {
      expect.hasAssertions();
      for (const corner of cases) {
        await expectCorner(corner, { dtype: 'float32', device: 'webgpu', tolerance: 1e-5 });
      }
    },
    120_000,
  );
});
