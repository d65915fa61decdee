import { takes } from '../arguments.js';
import { Device, type DeviceLike } from '../device.js';
import { RuntimeError, ValueError } from '../errors.js';
import { undoable } from '../replay.js';
import { signatures } from '../signatures.js';
import { Mt19937 } from './mt19937.js';
import type { PhiloxPosition } from './philox.js';

/** The seed of a `new Generator()`, PyTorch's own default. */
const DEFAULT_SEED = 67280421310721n;
const PHILOX_STATE_BYTES = 16;

/** Where a generator's numbers are made. */
export interface GeneratorOptions {
  /** The device of the tensors it will fill. Default `'cpu'`. */
  device?: DeviceLike;
}

/**
 * A stream of random numbers with a seed of its own, for every sampling function's `generator`.
 *
 * On `'cpu'` it is PyTorch's mt19937, number for number and state for state; on other devices
 * Philox 4x32-10. A new generator starts from PyTorch's default seed, so it is reproducible.
 *
 * @example
 * const generator = new Generator().manualSeed(7);
 * const order = randperm(10, { generator });
 * @see https://pytorch.org/docs/stable/generated/torch.Generator.html
 */
export class Generator {
  /** The device of the tensors this generator fills. */
  readonly device: Device;
  #engine: Mt19937 | undefined;
  #seed = DEFAULT_SEED;
  #offset = 0n;

  constructor(options: GeneratorOptions = {}) {
    takes('Generator', signatures.Generator, arguments);
    this.device = Device.from(options.device ?? 'cpu');
    if (this.device.type === 'cpu') this.#engine = new Mt19937(DEFAULT_SEED);
  }

  /**
   * Restarts the stream from a seed.
   *
   * @param seed an integer from -2^63 to 2^64 - 1; negative ones count from 2^64 down.
   * @throws ValueError if the seed is not such an integer.
   * @returns this generator.
   */
  manualSeed(seed: number | bigint): this {
    takes('manualSeed', signatures.Generator_manualSeed, arguments);
    this.#remember();
    return this.#restart(toSeed(seed));
  }

  /** Restarts the stream from an unpredictable seed, and returns that seed (of 53 bits). */
  seed(): bigint {
    takes('seed', signatures.Generator_seed, arguments);
    const seed = unpredictableSeed();
    this.#remember();
    this.#restart(seed);
    return seed;
  }

  /** The seed the stream started from, from 0 to 2^64 - 1. */
  initialSeed(): bigint {
    takes('initialSeed', signatures.Generator_initialSeed, arguments);
    return this.#engine?.seed ?? this.#seed;
  }

  /**
   * The state as bytes: on `'cpu'` the 5056 bytes of `torch.get_rng_state()`, elsewhere seed and
   * Philox offset, 8 bytes each, little-endian.
   */
  getState(): Uint8Array {
    takes('getState', signatures.Generator_getState, arguments);
    if (this.#engine) return this.#engine.getState();
    const state = new Uint8Array(PHILOX_STATE_BYTES);
    const view = new DataView(state.buffer);
    view.setBigUint64(0, this.#seed, true);
    view.setBigUint64(8, this.#offset, true);
    return state;
  }

  /**
   * Continues from a state of `getState()`.
   *
   * @throws RuntimeError if the bytes are no state of a generator of this device.
   * @returns this generator.
   */
  setState(state: Uint8Array): this {
    takes('setState', signatures.Generator_setState, arguments);
    this.#remember();
    if (this.#engine) {
      this.#engine = Mt19937.fromState(state);
      return this;
    }
    if (state.length !== PHILOX_STATE_BYTES) {
      throw new RuntimeError(
        `setState: a generator state of '${this.device.type}' has ${PHILOX_STATE_BYTES} bytes, ` +
          `got ${state.length}; pass what getState() of such a generator gave`,
      );
    }
    const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
    this.#seed = view.getBigUint64(0, true);
    this.#offset = view.getBigUint64(8, true);
    return this;
  }

  /**
   * The engine that CPU sampling draws from; for sampling code, not for users.
   *
   * @throws RuntimeError on other devices, whose streams are Philox positions.
   */
  get engine(): Mt19937 {
    if (this.#engine) {
      this.#remember();
      return this.#engine;
    }
    throw new RuntimeError(
      `generator: expected a 'cpu' generator, got one of '${this.device.type}'; ` +
        "make it with new Generator({ device: 'cpu' })",
    );
  }

  /**
   * Takes the next `blocks` blocks of four words from a Philox stream and returns where they start;
   * for sampling code, not for users.
   *
   * @throws RuntimeError on `'cpu'`, whose stream is an mt19937.
   */
  takePhilox(blocks: number): PhiloxPosition {
    takes('takePhilox', signatures.Generator_takePhilox, arguments);
    if (this.#engine) {
      throw new RuntimeError(
        "generator: a 'cpu' generator cannot fill tensors of another device; " +
          'make one with new Generator({ device })',
      );
    }
    this.#remember();
    const position = { seed: this.#seed, offset: this.#offset };
    this.#offset = BigInt.asUintN(64, this.#offset + BigInt(blocks));
    return position;
  }

  /** A function that has to be repeated draws the same numbers again. */
  #remember(): void {
    undoable(this, () => {
      const [engine, seed, offset] = [this.#engine?.getState(), this.#seed, this.#offset];
      return () => {
        if (engine) this.#engine = Mt19937.fromState(engine);
        this.#seed = seed;
        this.#offset = offset;
      };
    });
  }

  #restart(seed: bigint): this {
    if (this.#engine) this.#engine = new Mt19937(seed);
    this.#seed = seed;
    this.#offset = 0n;
    return this;
  }
}

function toSeed(seed: number | bigint): bigint {
  if (typeof seed === 'number' && !Number.isSafeInteger(seed)) {
    throw new ValueError(
      `manualSeed: ${seed} is not an exact integer; pass a bigint for seeds of 2^53 and more`,
    );
  }
  const integer = BigInt(seed);
  if (integer < -(2n ** 63n) || integer >= 2n ** 64n) {
    throw new ValueError(`manualSeed: a seed must be in [-2^63, 2^64 - 1], got ${seed}`);
  }
  return BigInt.asUintN(64, integer);
}

/** 53 bits, so that the seed can be noted down as an exact number, as in PyTorch. */
function unpredictableSeed(): bigint {
  const [word] = crypto.getRandomValues(new BigUint64Array(1));
  return (word as bigint) & (2n ** 53n - 1n);
}

const defaults = new Map<Device, Generator>();
/** What every default generator was last seeded with; a device that joins later starts from it. */
let commonSeed: bigint | undefined;

/**
 * The generator that sampling functions use on a device when none is given.
 *
 * It starts from the last `manualSeed`, or unpredictably when there was none.
 *
 * @param device default `'cpu'`.
 * @see https://pytorch.org/docs/stable/torch.html#torch.default_generator
 */
export function defaultGenerator(device: DeviceLike = 'cpu'): Generator {
  takes('defaultGenerator', signatures.defaultGenerator, arguments);
  const key = Device.from(device);
  let generator = defaults.get(key);
  if (!generator) {
    generator = new Generator({ device: key });
    if (commonSeed === undefined) generator.seed();
    else generator.manualSeed(commonSeed);
    defaults.set(key, generator);
  }
  return generator;
}

/**
 * Seeds the default generators of all devices, those that are first used later included.
 *
 * @param seed an integer from -2^63 to 2^64 - 1.
 * @throws ValueError if the seed is not such an integer.
 * @returns the default CPU generator.
 * @example manualSeed(0);
 * @see https://pytorch.org/docs/stable/generated/torch.manual_seed.html
 */
export function manualSeed(seed: number | bigint): Generator {
  takes('manualSeed', signatures.manualSeed, arguments);
  return seedAll(toSeed(seed));
}

/**
 * Seeds the default generators of all devices unpredictably, and returns the seed.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.seed.html
 */
export function seed(): bigint {
  takes('seed', signatures.seed, arguments);
  const value = unpredictableSeed();
  seedAll(value);
  return value;
}

function seedAll(value: bigint): Generator {
  commonSeed = value;
  for (const generator of defaults.values()) generator.manualSeed(value);
  return defaultGenerator();
}

/**
 * The seed the default CPU generator started from.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.initial_seed.html
 */
export function initialSeed(): bigint {
  takes('initialSeed', signatures.initialSeed, arguments);
  return defaultGenerator().initialSeed();
}

/**
 * The state of the default CPU generator, in PyTorch's bytes.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.get_rng_state.html
 */
export function getRngState(): Uint8Array {
  takes('getRngState', signatures.getRngState, arguments);
  return defaultGenerator().getState();
}

/**
 * Sets the state of the default CPU generator.
 *
 * @throws RuntimeError if the bytes are no such state.
 * @see https://pytorch.org/docs/stable/generated/torch.set_rng_state.html
 */
export function setRngState(state: Uint8Array): void {
  takes('setRngState', signatures.setRngState, arguments);
  defaultGenerator().setState(state);
}
