import { ValueError } from '@sconce/core';
import { collateInto, defaultConvert } from '../collate.js';
import { type Cursor, Dataset, type DatasetLike, itemsOf, sampleAt } from '../dataset.js';
import { type BatchTarget, tensorTarget } from '../host.js';
import { type IterableDataset, iterateOver } from '../iterable-dataset.js';

/** What makes a batch of samples; undefined is `defaultCollate`, or `defaultConvert` of single ones. */
export type Collate = ((samples: never) => unknown) | undefined;

/** How batches are made. */
export interface FetchSettings {
  /** Whether samples come in batches, or one at a time. */
  readonly batched: boolean;
  readonly dropLast: boolean;
  readonly collate: Collate;
}

/** Makes batches, in this thread. */
export interface Fetcher {
  /** The batch of these indices, or of so many of an iteration; undefined at its end. */
  fetch(
    indices: readonly number[] | number,
    target?: BatchTarget,
    cursor?: Cursor,
  ): Promise<{ batch: unknown } | undefined>;
  /** Ends an iteration. */
  close(): Promise<void>;
}

const finish = async (
  samples: unknown,
  { batched, collate }: FetchSettings,
  target: BatchTarget,
): Promise<{ batch: unknown }> => {
  if (collate) return { batch: await collate(samples as never) };
  return {
    batch: batched ? collateInto(samples as unknown[], target) : defaultConvert(samples),
  };
};

/** Batches of samples by index. */
export class MapFetcher implements Fetcher {
  readonly #dataset: DatasetLike<unknown>;
  readonly #settings: FetchSettings;

  constructor(dataset: DatasetLike<unknown>, settings: FetchSettings) {
    this.#dataset = dataset;
    this.#settings = settings;
  }

  async fetch(
    indices: readonly number[] | number,
    target = tensorTarget,
    cursor: Cursor = {},
  ): Promise<{ batch: unknown }> {
    const dataset = this.#dataset;
    if (typeof indices === 'number') {
      cursor.index = indices;
      return finish(await sampleAt(dataset, indices), this.#settings, target);
    }
    if (!this.#settings.collate && dataset instanceof Dataset && dataset.getBatch)
      return { batch: await dataset.getBatch(indices, target) };
    return finish(await itemsOf(dataset, indices, cursor), this.#settings, target);
  }

  async close(): Promise<void> {}
}

/** Batches of what an iterable dataset gives. */
export class IterableFetcher implements Fetcher {
  readonly #iterator: AsyncIterator<unknown>;
  readonly #settings: FetchSettings;
  #ended = false;
  #seen = 0;

  constructor(dataset: IterableDataset<unknown>, settings: FetchSettings) {
    this.#iterator = iterateOver(dataset);
    this.#settings = settings;
  }

  async fetch(
    count: readonly number[] | number,
    target = tensorTarget,
    cursor: Cursor = {},
  ): Promise<{ batch: unknown } | undefined> {
    if (typeof count !== 'number')
      throw new ValueError('DataLoader: an IterableDataset is not asked for indices');
    const samples: unknown[] = [];
    while (!this.#ended && samples.length < count) {
      cursor.index = this.#seen;
      const next = await this.#iterator.next();
      if (next.done) this.#ended = true;
      else {
        samples.push(next.value);
        this.#seen++;
      }
    }
    cursor.index = undefined;
    const { batched, dropLast } = this.#settings;
    if (samples.length === 0 || (batched && dropLast && samples.length < count)) return undefined;
    return finish(batched ? samples : samples[0], this.#settings, target);
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#iterator.return?.();
    this.#ended = true;
  }
}
