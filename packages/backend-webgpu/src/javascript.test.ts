import assert from 'node:assert';
import { init, ones } from '@sconce/core';
import { beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import './index.js';

describe.skipIf(!host.webgpu)('what cannot be read at once', () => {
  beforeAll(() => init('webgpu'));
  const x = () => ones([2], { device: 'webgpu' });

  test('says so where JavaScript asks for the elements', async () => {
    expect(() => JSON.stringify(x())).toThrow('`await t.toArray()`');
    expect(() => assert.deepStrictEqual(x(), x())).toThrow('compare `await t.toArray()`');
    expect(() => structuredClone(x())).toThrow('could not be cloned');
    expect(await Promise.all([...x()].map((t) => t.item()))).toEqual([1, 1]);
  });
});
