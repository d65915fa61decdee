import { RuntimeError } from '../errors.js';

const N = 624;
const M = 397;
const STATE_BYTES = 5056;
/** The layout PyTorch wrote before it kept float normals: the same without the last eight bytes. */
const LEGACY_STATE_BYTES = 5048;

/**
 * The Mersenne Twister MT19937 as PyTorch's CPU generator runs it: same seeding, same order of
 * draws, same bytes of state.
 *
 * Only the low 32 bits of a seed reach the twister, as in PyTorch; all 64 are remembered.
 *
 * @example
 * const engine = new Mt19937(5489n);
 * engine.random(); // 3499211612
 * @see Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998
 */
export class Mt19937 {
  /** The 64-bit seed this engine started from. */
  readonly seed: bigint;
  /** The second number of the last Box-Muller pair, waiting for the next scalar double normal. */
  cachedNormal: number | undefined;
  /** As `cachedNormal`, for PyTorch's float variant; kept so that states travel unchanged. */
  cachedFloatNormal: number | undefined;

  readonly #words = new Uint32Array(N);
  readonly #block = new Uint32Array(N);
  /** Words of the block handed out; 624 means that the next draw makes a new block. */
  #used = N;
  /** PyTorch writes a never-used state differently from a used-up block. */
  #fresh = true;

  /** @param seed any integer; taken modulo 2^64. Defaults to the 5489 of the reference code. */
  constructor(seed: bigint = 5489n) {
    this.seed = BigInt.asUintN(64, seed);
    const words = this.#words;
    let previous = Number(this.seed & 0xffffffffn);
    words[0] = previous;
    for (let i = 1; i < N; i++) {
      previous = (Math.imul(1812433253, previous ^ (previous >>> 30)) + i) >>> 0;
      words[i] = previous;
    }
  }

  /** The next 32 random bits, as a number from 0 to 2^32 - 1. */
  random(): number {
    if (this.#used === N) this.#refill();
    return this.#block[this.#used++] as number;
  }

  /** The next 64 random bits: the first draw is the high word. */
  random64(): bigint {
    const high = this.random();
    return (BigInt(high) << 32n) | BigInt(this.random());
  }

  /** The low 53 of the next 64 random bits, as an exact integer. */
  random53(): number {
    const high = this.random();
    return (high & 0x1fffff) * 4294967296 + this.random();
  }

  /** A number in [0, 1) of 24 random bits: PyTorch's `float` uniform. */
  uniformFloat(): number {
    return (this.random() & 0xffffff) * 2 ** -24;
  }

  /** A number in [0, 1) of 53 random bits: PyTorch's `double` uniform. */
  uniformDouble(): number {
    return this.random53() * 2 ** -53;
  }

  /** Fills `out` with float uniforms in [0, 1), as `out.length` calls of `uniformFloat` would. */
  fillUniformFloat(out: Float32Array | Float64Array): void {
    for (let done = 0; done < out.length; ) {
      if (this.#used === N) this.#refill();
      const block = this.#block;
      const start = this.#used - done;
      const end = Math.min(out.length, N - start);
      for (let i = done; i < end; i++)
        out[i] = ((block[start + i] as number) & 0xffffff) * 2 ** -24;
      this.#used = start + end;
      done = end;
    }
  }

  /**
   * The state in the 5056 bytes of `torch.get_rng_state()`, so that states interchange.
   *
   * @see https://pytorch.org/docs/stable/generated/torch.get_rng_state.html
   */
  getState(): Uint8Array {
    const state = new Uint8Array(STATE_BYTES);
    const view = new DataView(state.buffer);
    view.setBigUint64(0, this.seed, true);
    view.setInt32(8, this.#fresh ? 1 : N + 1 - this.#used, true);
    view.setInt32(12, 1, true);
    view.setUint32(16, this.#fresh ? 0 : this.#used, true);
    for (let i = 0; i < N; i++) view.setUint32(24 + 8 * i, this.#words[i] as number, true);
    if (this.cachedNormal !== undefined) {
      view.setFloat64(5024, this.cachedNormal, true);
      view.setInt32(5040, 1, true);
    }
    if (this.cachedFloatNormal !== undefined) {
      view.setFloat32(5048, this.cachedFloatNormal, true);
      view.setUint8(5052, 1);
    }
    return state;
  }

  /**
   * An engine that continues from a state of `getState()` or of `torch.get_rng_state()`.
   *
   * @throws RuntimeError if the bytes are not such a state.
   */
  static fromState(state: Uint8Array): Mt19937 {
    if (state.length !== STATE_BYTES && state.length !== LEGACY_STATE_BYTES) {
      throw new RuntimeError(
        `setState: a CPU generator state has ${STATE_BYTES} bytes (or ${LEGACY_STATE_BYTES} of older ` +
          `PyTorch), got ${state.length}; pass what getState() gave`,
      );
    }
    const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
    const left = view.getInt32(8, true);
    const next = view.getUint32(16, true);
    const fresh = left === 1 && next === 0;
    if (view.getInt32(12, true) !== 1 || (!fresh && (left !== N + 1 - next || next === 0))) {
      throw new RuntimeError(
        `setState: invalid mt19937 state (left ${left}, next ${next}); pass what getState() gave`,
      );
    }
    const engine = new Mt19937(view.getBigUint64(0, true));
    for (let i = 0; i < N; i++) engine.#words[i] = view.getUint32(24 + 8 * i, true);
    engine.#fresh = fresh;
    engine.#used = fresh ? N : next;
    engine.#temper();
    if (view.getInt32(5040, true) !== 0) engine.cachedNormal = view.getFloat64(5024, true);
    if (state.length === STATE_BYTES && view.getUint8(5052) !== 0) {
      engine.cachedFloatNormal = view.getFloat32(5048, true);
    }
    return engine;
  }

  #refill(): void {
    const w = this.#words;
    // Three stretches, so that no index needs a modulo.
    for (let i = 0; i < N - M; i++) {
      w[i] = (w[i + M] as number) ^ twist(w[i] as number, w[i + 1] as number);
    }
    for (let i = N - M; i < N - 1; i++) {
      w[i] = (w[i + M - N] as number) ^ twist(w[i] as number, w[i + 1] as number);
    }
    w[N - 1] = (w[M - 1] as number) ^ twist(w[N - 1] as number, w[0] as number);
    this.#temper();
    this.#used = 0;
    this.#fresh = false;
  }

  #temper(): void {
    for (let i = 0; i < N; i++) {
      let y = this.#words[i] as number;
      y ^= y >>> 11;
      y ^= (y << 7) & 0x9d2c5680;
      y ^= (y << 15) & 0xefc60000;
      this.#block[i] = y ^ (y >>> 18);
    }
  }
}

const twist = (u: number, v: number): number =>
  (((u & 0x80000000) | (v & 0x7fffffff)) >>> 1) ^ (-(v & 1) & 0x9908b0df);
