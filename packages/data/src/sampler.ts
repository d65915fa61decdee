import {
  empty,
  Generator,
  multinomial,
  randint,
  randperm,
  type Tensor,
  takes,
  tensor,
  ValueError,
} from '@sconce/core';
import * as signatures from './signatures.js';

/** An order in which samples are drawn; each iteration is a new pass. */
export interface Sampler<I = number> extends Iterable<I> {
  /** How many indices a pass gives. */
  readonly length: number;
}

/** Options of samplers that draw. */
export interface SamplerOptions {
  /** The stream to draw from; default: seeded from the default generator at each pass. */
  generator?: Generator | null;
}

/** The values of a tensor that nobody else uses. */
function numbers(t: Tensor): number[] {
  const values = Array.from(t.toTypedArraySync(), Number);
  t.dispose();
  return values;
}

/** One number of 63 random bits, as PyTorch seeds its samplers and loaders. */
export function drawSeed(generator?: Generator | null): bigint {
  const drawn = empty([], { dtype: 'int64', device: 'cpu' }).random_(null, null, { generator });
  const [seed] = drawn.toTypedArraySync() as BigInt64Array;
  drawn.dispose();
  return seed as bigint;
}

/** Indices 0 to length - 1 in order. */
export class SequentialSampler implements Sampler {
  readonly length: number;

  constructor(source: ArrayLike<unknown> | { readonly length: number }) {
    takes('SequentialSampler', signatures.SequentialSampler, arguments);
    this.length = source.length;
  }

  *[Symbol.iterator](): Generator_ {
    for (let i = 0; i < this.length; i++) yield i;
  }
}

type Generator_ = globalThis.Generator<number>;

/** Options of `RandomSampler`. */
export interface RandomSamplerOptions extends SamplerOptions {
  /** Draw with replacement; default false. */
  replacement?: boolean;
  /** How many to draw; default: the length of the source. */
  numSamples?: number;
}

/**
 * Indices in random order, in PyTorch's order for the same seed.
 *
 * @throws ValueError if `numSamples` is not positive.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
 */
export class RandomSampler implements Sampler {
  readonly #size: number;
  readonly #replacement: boolean;
  readonly #generator: Generator | null | undefined;
  readonly length: number;

  constructor(source: { readonly length: number }, options: RandomSamplerOptions = {}) {
    takes('RandomSampler', signatures.RandomSampler, arguments);
    this.#size = source.length;
    this.#replacement = options.replacement ?? false;
    this.#generator = options.generator;
    this.length = options.numSamples ?? source.length;
    if (!Number.isInteger(this.length) || this.length <= 0) {
      throw new ValueError(
        `RandomSampler: num_samples should be a positive integer value, but got num_samples=${this.length}`,
      );
    }
  }

  *[Symbol.iterator](): Generator_ {
    const n = this.#size;
    const generator = this.#generator ?? new Generator().manualSeed(drawSeed());
    if (this.#replacement) {
      // In blocks of 32, as PyTorch draws them.
      for (let left = this.length; left > 0; left -= 32) {
        yield* numbers(randint(0, n, [Math.min(left, 32)], { generator, device: 'cpu' }));
      }
      return;
    }
    const pass = (): number[] => numbers(randperm(n, { generator, device: 'cpu' }));
    for (let left = this.length; left >= n; left -= n) yield* pass();
    // PyTorch draws the order of an incomplete pass even when nothing of it is used.
    yield* pass().slice(0, this.length % n);
  }
}

/** The given indices in random order. */
export class SubsetRandomSampler implements Sampler {
  readonly #indices: readonly number[];
  readonly #generator: Generator | null | undefined;

  constructor(indices: readonly number[], options: SamplerOptions = {}) {
    takes('SubsetRandomSampler', signatures.SubsetRandomSampler, arguments);
    this.#indices = indices;
    this.#generator = options.generator;
  }

  get length(): number {
    return this.#indices.length;
  }

  *[Symbol.iterator](): Generator_ {
    for (const i of numbers(randperm(this.length, { generator: this.#generator, device: 'cpu' })))
      yield this.#indices[i] as number;
  }
}

/** Indices drawn in proportion to weights, which need not sum to 1. */
export class WeightedRandomSampler implements Sampler {
  readonly #weights: Tensor;
  readonly #replacement: boolean;
  readonly #generator: Generator | null | undefined;
  readonly length: number;

  constructor(
    weights: readonly number[],
    numSamples: number,
    options: SamplerOptions & { replacement?: boolean } = {},
  ) {
    takes('WeightedRandomSampler', signatures.WeightedRandomSampler, arguments);
    if (!Number.isInteger(numSamples) || numSamples <= 0) {
      throw new ValueError(
        `WeightedRandomSampler: num_samples should be a positive integer value, but got num_samples=${numSamples}`,
      );
    }
    this.#weights = tensor(weights, { dtype: 'float64', device: 'cpu' });
    this.length = numSamples;
    this.#replacement = options.replacement ?? true;
    this.#generator = options.generator;
  }

  *[Symbol.iterator](): Generator_ {
    yield* numbers(
      multinomial(this.#weights, this.length, this.#replacement, { generator: this.#generator }),
    );
  }
}

/** Groups the indices of another sampler into batches. */
export class BatchSampler implements Sampler<number[]> {
  readonly #sampler: Iterable<number> & { readonly length?: number };
  readonly batchSize: number;
  readonly dropLast: boolean;

  /** @throws ValueError if `batchSize` is not a positive integer. */
  constructor(
    sampler: Iterable<number> & { readonly length?: number },
    batchSize: number,
    dropLast = false,
  ) {
    takes('BatchSampler', signatures.BatchSampler, arguments);
    if (!Number.isInteger(batchSize) || batchSize <= 0) {
      throw new ValueError(
        `BatchSampler: batch_size should be a positive integer value, but got batch_size=${batchSize}`,
      );
    }
    this.#sampler = sampler;
    this.batchSize = batchSize;
    this.dropLast = dropLast;
  }

  get length(): number {
    const n = (this.#sampler.length ?? 0) / this.batchSize;
    return this.dropLast ? Math.floor(n) : Math.ceil(n);
  }

  *[Symbol.iterator](): globalThis.Generator<number[]> {
    let batch: number[] = [];
    for (const index of this.#sampler) {
      batch.push(index);
      if (batch.length === this.batchSize) {
        yield batch;
        batch = [];
      }
    }
    if (batch.length > 0 && !this.dropLast) yield batch;
  }
}
