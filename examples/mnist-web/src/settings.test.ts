import { expect, test } from 'vitest';
import { settingsFrom } from './settings.js';

const defaults = settingsFrom('');

test('the address decides how to train', () => {
  expect(settingsFrom('?train=640&epochs=2&device=webgpu&lr=0.01&seed=0')).toEqual({
    ...defaults,
    train: 640,
    epochs: 2,
    device: 'webgpu',
    lr: 0.01,
  });
});

test('what makes no sense is left at the default', () => {
  expect(settingsFrom('?train=9000&epochs=0&test=1.5&device=gpu&lr=x&batchSize=')).toEqual(
    defaults,
  );
  expect(defaults).toMatchObject({ device: 'cpu', train: 8000, test: 2000 });
});
