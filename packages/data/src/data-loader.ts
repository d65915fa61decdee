import { type Generator, ValueError, yieldToCollector } from '@sconce/core';
import { type Collated, defaultCollate } from './collate.js';
import { Dataset, type DatasetLike, sampleAt, sizeOf } from './dataset.js';
import {
  BatchSampler,
  drawSeed,
  RandomSampler,
  type Sampler,
  SequentialSampler,
} from './sampler.js';

/** Options of `DataLoader`. */
export interface DataLoaderOptions<T, B> {
  /** Samples in a batch; default 1. */
  batchSize?: number;
  /** Draw in a new random order at each pass; default false. */
  shuffle?: boolean;
  /** The order of samples; excludes `shuffle`. */
  sampler?: Sampler | Iterable<number>;
  /** The batches of indices; excludes `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: Iterable<readonly number[]>;
  /** Makes a batch of samples; default `defaultCollate`. */
  collateFn?: (samples: T[]) => B | Promise<B>;
  /** Leave out a last batch that is not full; default false. */
  dropLast?: boolean;
  /** The stream that shuffling draws from. */
  generator?: Generator | null;
}

/**
 * Batches of a dataset, as an async iterable; each `for await` is a pass. Between batches the engine's garbage collector gets its
 * chance to free tensors.
 *
 * @throws ValueError on options that exclude each other.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 * @example
 * const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 64, shuffle: true });
 * for await (const [images, labels] of loader) { ... }
 */
export class DataLoader<T, B = Collated<T>> implements AsyncIterable<B> {
  readonly dataset: DatasetLike<T>;
  readonly batchSampler: Iterable<readonly number[]> & { readonly length?: number };
  readonly generator: Generator | null | undefined;
  readonly #collate: ((samples: T[]) => B | Promise<B>) | undefined;

  constructor(dataset: DatasetLike<T>, options: DataLoaderOptions<T, B> = {}) {
    this.dataset = dataset;
    this.generator = options.generator;
    this.#collate = options.collateFn;
    if (options.batchSampler) {
      if (
        options.batchSize !== undefined ||
        options.shuffle ||
        options.sampler ||
        options.dropLast
      ) {
        throw new ValueError(
          'DataLoader: batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast',
        );
      }
      this.batchSampler = options.batchSampler;
      return;
    }
    if (options.sampler && options.shuffle) {
      throw new ValueError('DataLoader: sampler option is mutually exclusive with shuffle');
    }
    const source = { length: sizeOf(dataset) };
    const order =
      options.sampler ??
      (options.shuffle
        ? new RandomSampler(source, { generator: options.generator })
        : new SequentialSampler(source));
    this.batchSampler = new BatchSampler(order, options.batchSize ?? 1, options.dropLast);
  }

  /** Number of batches in a pass. */
  get length(): number {
    const known = this.batchSampler.length;
    return known ?? [...this.batchSampler].length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    // PyTorch draws a seed for workers at the start of every pass; the stream must advance alike.
    drawSeed(this.generator);
    for (const indices of this.batchSampler) {
      yield await this.#batch(indices);
      await yieldToCollector();
    }
  }

  async #batch(indices: readonly number[]): Promise<B> {
    const { dataset } = this;
    if (!this.#collate && dataset instanceof Dataset && dataset.getBatch)
      return (await dataset.getBatch(indices)) as B;
    const samples = await Promise.all(indices.map((i) => sampleAt(dataset, i)));
    return this.#collate ? this.#collate(samples) : (defaultCollate(samples) as unknown as B);
  }
}
