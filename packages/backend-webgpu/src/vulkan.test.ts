import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { hasDriver } from './vulkan.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sconce-vulkan-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test.skipIf(process.platform !== 'linux')('looks where the loader of Vulkan looks', () => {
  for (const name of ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES'])
    vi.stubEnv(name, undefined);
  const driver = join(folder, 'icd.json');
  vi.stubEnv('VK_ICD_FILENAMES', driver);
  expect(hasDriver()).toBe(false);
  writeFileSync(driver, '{}');
  expect(hasDriver()).toBe(true);
  vi.stubEnv('VK_DRIVER_FILES', join(folder, 'nowhere'));
  expect(hasDriver()).toBe(false);
  vi.stubEnv('VK_DRIVER_FILES', `${join(folder, 'nowhere')}:${folder}`);
  expect(hasDriver()).toBe(true);
  vi.stubEnv('VK_DRIVER_FILES', undefined);
  vi.stubEnv('VK_ICD_FILENAMES', undefined);
  vi.stubEnv('XDG_DATA_DIRS', folder);
  mkdirSync(join(folder, 'vulkan', 'icd.d'), { recursive: true });
  writeFileSync(join(folder, 'vulkan', 'icd.d', 'a.json'), '{}');
  expect(hasDriver()).toBe(true);
});
