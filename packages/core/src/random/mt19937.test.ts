import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Mt19937 } from './mt19937.js';
import { fillNormal } from './normal.js';
import { fillUniform } from './uniform.js';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const draw = (engine: Mt19937, n: number): void => {
  for (let i = 0; i < n; i++) engine.random();
};

describe('Mt19937', () => {
  it('gives the first and the ten thousandth number of the C++ standard', () => {
    const engine = new Mt19937();
    expect(engine.random()).toBe(3499211612);
    draw(engine, 9998);
    expect(engine.random()).toBe(4123659995);
  });

  it('uses the low 32 bits of a seed and remembers all 64', () => {
    const wide = new Mt19937(2n ** 32n + 7n);
    expect(wide.seed).toBe(2n ** 32n + 7n);
    expect(wide.random()).toBe(new Mt19937(7n).random());
    expect(new Mt19937(-1n).seed).toBe(2n ** 64n - 1n);
  });

  it('makes 64 bits of two draws, the first one high', () => {
    const words = new Mt19937(3n);
    const high = words.random();
    const low = words.random();
    expect(new Mt19937(3n).random64()).toBe((BigInt(high) << 32n) | BigInt(low));
    expect(BigInt(new Mt19937(3n).random53())).toBe(new Mt19937(3n).random64() & (2n ** 53n - 1n));
  });

  it('fills in blocks what single draws give, across block borders', () => {
    const single = new Mt19937(1n);
    const filled = new Mt19937(1n);
    draw(single, 100);
    draw(filled, 100);
    const out = new Float32Array(1500);
    filled.fillUniformFloat(out);
    expect(Array.from(out)).toEqual(Array.from(out, () => single.uniformFloat()));
    expect(filled.random()).toBe(single.random());
  });
});

describe('states of torch.get_rng_state()', () => {
  it('have the bytes of PyTorch when fresh, amid a block with a cached normal, and later', () => {
    const engine = new Mt19937(2n ** 63n + 5n);
    expect(sha256(engine.getState())).toBe(
      '196d94b91d798b0082f2d69e31748e46046199d8777e3a7a00f267de11223c1d',
    );
    fillUniform(new Float32Array(3), 'float32', engine);
    fillNormal(new Float32Array(1), 'float32', engine);
    expect(sha256(engine.getState())).toBe(
      'd2a2b9c61dd27517293eb93b68119b6e294df4f152c371813bee142d0e53992a',
    );
    fillUniform(new Float32Array(700), 'float32', engine);
    expect(sha256(engine.getState())).toBe(
      'aa116650bbe4390cc3d0c17806d5de85ce1d512084e10be1e6c387f77c1a962e',
    );
    const usedUp = new Mt19937(0n);
    draw(usedUp, 624);
    expect(sha256(usedUp.getState())).toBe(
      '484720ea4ef85e461290eaa19f8373d5342b76961e5cb6987d7c5efcf19f7a34',
    );
  });

  it.each([0, 1, 5, 623, 624, 625])('continue the stream after %i draws', (n) => {
    const engine = new Mt19937(9n);
    draw(engine, n);
    const copy = Mt19937.fromState(engine.getState());
    expect(copy.seed).toBe(9n);
    for (let i = 0; i < 700; i++) expect(copy.random()).toBe(engine.random());
  });

  it('carry the cached normals, and are read from the older layout', () => {
    const engine = new Mt19937(4n);
    engine.cachedNormal = -1.25;
    engine.cachedFloatNormal = 0.5;
    const copy = Mt19937.fromState(engine.getState());
    expect([copy.cachedNormal, copy.cachedFloatNormal]).toEqual([-1.25, 0.5]);
    const legacy = Mt19937.fromState(engine.getState().subarray(0, 5048));
    expect([legacy.cachedNormal, legacy.cachedFloatNormal]).toEqual([-1.25, undefined]);
    expect(legacy.random()).toBe(engine.random());
  });

  it('are refused when they are none', () => {
    expect(() => Mt19937.fromState(new Uint8Array(5))).toThrow(
      'setState: a CPU generator state has 5056 bytes (or 5048 of older PyTorch), got 5; pass what getState() gave',
    );
    expect(() => Mt19937.fromState(new Uint8Array(5056))).toThrow(
      'setState: invalid mt19937 state (left 0, next 0)',
    );
  });
});
