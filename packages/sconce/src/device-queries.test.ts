import { InterpreterBackend } from '@sconce/core';
import { describe, expect, test, vi } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import {
  currentDevice,
  Device,
  deviceCount,
  deviceName,
  deviceProperties,
  init,
  isAvailable,
  ones,
  registerBackend,
  setDefaultDevice,
} from './index.js';

test('of the cpu', async () => {
  expect([await isAvailable('cpu'), await deviceCount('cpu')]).toEqual([true, 1]);
  const cpu = await deviceProperties('cpu');
  expect(cpu).toMatchObject({ type: 'cpu', index: 0 });
  expect(cpu.name.length).toBeGreaterThan(0);
  expect(cpu.cores).toBeGreaterThan(0);
  expect(cpu.totalMemory).toBeGreaterThan(2 ** 20);
  expect(await deviceName('cpu:1')).toBe(cpu.name);
  expect((await deviceProperties('cpu:1')).index).toBe(1);
});

test('of what is not there', async () => {
  expect([await isAvailable('cuda'), await deviceCount('cuda')]).toEqual([false, 0]);
  expect(await isAvailable('no such name')).toBe(false);
  await expect(deviceProperties(Device.from('cuda'))).rejects.toThrow(
    "deviceProperties: there is no device 'cuda' here",
  );
  registerBackend('late', { openAsync: () => Promise.reject(new Error('no')) });
  registerBackend('early', { openAsync: async () => new InterpreterBackend() });
  expect([await isAvailable('late'), await isAvailable('early')]).toEqual([false, true]);
});

test('of the current device', () => {
  expect(currentDevice().type).toBe('cpu');
  setDefaultDevice('reference');
  expect([currentDevice().type, ones([1]).device.type]).toEqual(['reference', 'reference']);
  setDefaultDevice('cpu');
});

describe('of webgpu', () => {
  test.skipIf(!host.webgpu)('names, and where numbers end', async () => {
    const count = await deviceCount('webgpu');
    expect([await isAvailable('webgpu'), count > 0]).toEqual([true, true]);
    const first = await deviceProperties('webgpu');
    expect(first).toMatchObject({ type: 'webgpu', index: 0 });
    expect(first.name.length).toBeGreaterThan(0);
    expect(first.maxTensorBytes).toBeGreaterThan(2 ** 20);
    const last = Device.from(`webgpu:${2 * count - 1}`);
    expect((await init(last)).ready).toBe(true);
    const beyond = /^webgpu: there is no 'webgpu:7': this machine has (one GPU|2 GPUs) \('.*'\)/;
    await expect(init('webgpu:7')).rejects.toThrow(beyond);
    expect(Device.from('webgpu:7').ready).toBe(false);
  });

  test('is absent without a word where there is no driver', async () => {
    const said = ['warn', 'error', 'log'].map((name) =>
      vi.spyOn(console, name as 'warn').mockImplementation(() => {}),
    );
    vi.stubEnv('VK_DRIVER_FILES', '/nowhere/icd.json');
    expect(await isAvailable('webgpu')).toBe(process.platform !== 'linux' && host.webgpu !== null);
    for (const spy of said) expect(spy).not.toHaveBeenCalled();
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });
});
