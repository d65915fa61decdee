import type { Settings } from './protocol.js';

const defaults: Settings = {
  device: 'cpu',
  epochs: 6,
  train: 8000,
  test: 2000,
  batchSize: 64,
  lr: 0.005,
  seed: 0,
};

/**
 * Settings that an address asks for, e.g. `?train=1280&test=200&epochs=2&device=webgpu`; the defaults for the rest and
 * for what makes no sense.
 */
export function settingsFrom(query: string): Settings {
  const asked = new URLSearchParams(query);
  const number = (name: keyof Settings, least: number, most: number, whole = true): number => {
    const text = asked.get(name);
    const value = Number(text);
    const fits = text && value >= least && value <= most && (!whole || Number.isInteger(value));
    return fits ? value : Number(defaults[name]);
  };
  return {
    device: asked.get('device') === 'webgpu' ? 'webgpu' : 'cpu',
    epochs: number('epochs', 1, 100),
    train: number('train', 1, defaults.train),
    test: number('test', 1, defaults.test),
    batchSize: number('batchSize', 1, 1000),
    lr: number('lr', 1e-6, 1, false),
    seed: number('seed', 0, 2 ** 31 - 1),
  };
}
