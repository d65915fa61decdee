import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Device } from '../device.js';
import {
  defaultGenerator,
  Generator,
  getRngState,
  initialSeed,
  manualSeed,
  seed,
  setRngState,
} from './generator.js';
import { fillNormal } from './normal.js';
import { fillUniform } from './uniform.js';

const rand = (generator: Generator, n = 2): number[] => {
  const out = new Float32Array(n);
  fillUniform(out, 'float32', generator.engine);
  return Array.from(out);
};

describe('Generator', () => {
  it('starts from the default seed of PyTorch', () => {
    expect(new Generator().initialSeed()).toBe(67280421310721n);
    expect(new Generator({ device: 'webgpu' }).initialSeed()).toBe(67280421310721n);
    expect(new Generator().device.type).toBe('cpu');
  });

  it('counts negative seeds from 2^64 down, and refuses what is no seed', () => {
    const generator = new Generator().manualSeed(-3);
    expect(generator.initialSeed()).toBe(2n ** 64n - 3n);
    expect(rand(generator)).toEqual([0.6248647570610046, 0.5075611472129822]);
    expect(generator.manualSeed(2n ** 64n - 1n).initialSeed()).toBe(2n ** 64n - 1n);
    expect(() => generator.manualSeed(2n ** 64n)).toThrow(
      'manualSeed: a seed must be in [-2^63, 2^64 - 1], got 18446744073709551616',
    );
    expect(() => generator.manualSeed(1.5)).toThrow('manualSeed: 1.5 is not an exact integer');
    expect(() => generator.manualSeed(2 ** 53)).toThrow('pass a bigint for seeds of 2^53 and more');
  });

  it('forgets a waiting normal when it is seeded', () => {
    const generator = new Generator().manualSeed(1);
    const first = new Float32Array(1);
    fillNormal(first, 'float32', generator.engine);
    generator.manualSeed(1);
    const again = new Float32Array(1);
    fillNormal(again, 'float32', generator.engine);
    expect(again).toEqual(first);
  });

  it('seeds itself unpredictably with 53 bits', () => {
    const generator = new Generator();
    const [a, b] = [generator.seed(), generator.seed()];
    expect(a).not.toBe(b);
    expect(generator.initialSeed()).toBe(b);
    expect(b).toBeLessThan(2n ** 53n);
  });

  it('continues from a state', () => {
    const generator = new Generator().manualSeed(5);
    rand(generator);
    const state = generator.getState();
    const next = rand(generator);
    expect(rand(new Generator().setState(state))).toEqual(next);
    expect(generator.setState(state).initialSeed()).toBe(5n);
    expect(rand(generator)).toEqual(next);
  });

  it('hands out consecutive Philox blocks on other devices, and saves where it is', () => {
    const generator = new Generator({ device: Device.from('cuda') }).manualSeed(-1);
    expect(generator.takePhilox(3)).toEqual({ seed: 2n ** 64n - 1n, offset: 0n });
    const state = generator.getState();
    expect(state.length).toBe(16);
    expect(generator.takePhilox(1).offset).toBe(3n);
    expect(generator.takePhilox(1).offset).toBe(4n);
    expect(generator.setState(state).takePhilox(2)).toEqual({
      seed: 2n ** 64n - 1n,
      offset: 3n,
    });
    expect(generator.manualSeed(8).takePhilox(1)).toEqual({ seed: 8n, offset: 0n });
  });

  it('says when it is used for the wrong device', () => {
    expect(() => new Generator({ device: Device.from('cuda') }).engine).toThrow(
      "generator: expected a 'cpu' generator, got one of 'cuda'",
    );
    expect(() => new Generator().takePhilox(1)).toThrow(
      "generator: a 'cpu' generator cannot fill tensors of another device",
    );
    expect(() =>
      new Generator({ device: Device.from('cuda') }).setState(new Uint8Array(5056)),
    ).toThrow("setState: a generator state of 'cuda' has 16 bytes, got 5056");
  });
});

describe('default generators', () => {
  let before: Uint8Array;
  beforeEach(() => {
    before = getRngState();
  });
  afterEach(() => setRngState(before));

  it('are all seeded by manualSeed, those first used later too', () => {
    const early = defaultGenerator('early');
    early.takePhilox(5);
    expect(manualSeed(42)).toBe(defaultGenerator());
    expect(rand(defaultGenerator(), 1)).toEqual([0.8822692632675171]);
    expect(early.takePhilox(1)).toEqual({ seed: 42n, offset: 0n });
    expect(defaultGenerator('late').takePhilox(1)).toEqual({ seed: 42n, offset: 0n });
    expect(defaultGenerator('late')).toBe(defaultGenerator('late'));
    expect(initialSeed()).toBe(42n);
  });

  it('are seeded unpredictably by seed', () => {
    const value = seed();
    expect(initialSeed()).toBe(value);
    expect(defaultGenerator('other').initialSeed()).toBe(value);
  });

  it('are saved and set as PyTorch does', () => {
    manualSeed(0);
    const state = getRngState();
    const first = rand(defaultGenerator());
    setRngState(state);
    expect(rand(defaultGenerator())).toEqual(first);
    expect(first).toEqual([0.49625658988952637, 0.7682217955589294]);
  });
});
