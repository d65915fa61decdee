import { takes } from '@sconce/core';
import * as signatures from './signatures.js';

/**
 * Samples that come one after another and are not known by index: a stream, a large file, a generator.
 *
 * With workers every one of them iterates over the whole; `getWorkerInfo()` tells an iteration which share is its own.
 *
 * @see https://pytorch.org/docs/stable/data.html#iterable-style-datasets
 * @example
 * class Lines extends IterableDataset<string> {
 *   async *[Symbol.asyncIterator]() { yield* readLines('corpus.txt'); }
 * }
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: `length` is optional, so nothing is promised that is not there.
export abstract class IterableDataset<T> implements AsyncIterable<T> {
  /** The samples of a pass; where a class has `[Symbol.iterator]` alone, those. */
  abstract [Symbol.asyncIterator](): AsyncIterator<T>;

  /** The samples of this dataset, then those of others. */
  concat<U = T>(...others: IterableDataset<U>[]): ChainDataset<T | U> {
    return new ChainDataset<T | U>([this, ...others]);
  }

  /** The same samples after a function. */
  map<U>(transform: (sample: T) => U | Promise<U>): IterableDataset<U> {
    return new MappedIterable(this, transform);
  }

  /**
   * A dataset of anything that can be iterated over more than once: the function is called at every pass.
   *
   * @example IterableDataset.from(() => naturalNumbers())
   */
  static from<T>(iterate: () => Iterable<T> | AsyncIterable<T>): IterableDataset<T> {
    return new FunctionIterable(iterate);
  }
}

// A field would stand before the accessors of subclasses, so the type alone knows of it.
// biome-ignore lint/correctness/noUnusedVariables: merged declarations have the same parameters.
export interface IterableDataset<T> {
  /** The number of samples, where it is known. */
  readonly length?: number;
}

Object.defineProperty(IterableDataset.prototype, Symbol.asyncIterator, {
  value(this: Partial<Iterable<unknown>>): AsyncIterator<unknown> {
    const samples = this[Symbol.iterator]?.();
    if (samples !== undefined) return awaited(samples);
    throw new TypeError(
      `${this.constructor.name}: an IterableDataset must have [Symbol.asyncIterator] or [Symbol.iterator]`,
    );
  },
  writable: true,
  configurable: true,
});

async function* awaited<T>(samples: Iterator<T>): AsyncGenerator<T> {
  yield* { [Symbol.iterator]: () => samples };
}

/** What a loader iterates over: an `IterableDataset`, or anything that can be iterated over and is not known by index. */
export const isIterableDataset = (dataset: unknown): dataset is IterableDataset<unknown> =>
  dataset instanceof IterableDataset || isPlainIterable(dataset);

/** Whether something can be iterated over but has no samples by index. */
function isPlainIterable(dataset: unknown): boolean {
  if (typeof dataset !== 'object' || dataset === null || ArrayBuffer.isView(dataset)) return false;
  const { get, length } = dataset as { get?: unknown; length?: unknown };
  const elements = Array.isArray(dataset) || (Number.isInteger(length) && 0 in dataset);
  if (elements || (typeof get === 'function' && length !== undefined)) return false;
  return Symbol.iterator in dataset || Symbol.asyncIterator in dataset;
}

/** The samples of a pass over an iterable dataset. */
export function iterateOver(
  dataset: AsyncIterable<unknown> | Iterable<unknown>,
): AsyncIterator<unknown> {
  return Symbol.asyncIterator in dataset
    ? dataset[Symbol.asyncIterator]()
    : awaited(dataset[Symbol.iterator]());
}

class FunctionIterable<T> extends IterableDataset<T> {
  readonly #iterate: () => Iterable<T> | AsyncIterable<T>;

  constructor(iterate: () => Iterable<T> | AsyncIterable<T>) {
    super();
    this.#iterate = iterate;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    yield* this.#iterate();
  }
}

class MappedIterable<T, U> extends IterableDataset<U> {
  readonly #source: IterableDataset<T>;
  readonly #transform: (sample: T) => U | Promise<U>;

  constructor(source: IterableDataset<T>, transform: (sample: T) => U | Promise<U>) {
    super();
    this.#source = source;
    this.#transform = transform;
    if (source.length !== undefined) (this as { length?: number }).length = source.length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<U> {
    for await (const sample of this.#source) yield await this.#transform(sample);
  }
}

/**
 * The samples of several iterable datasets, one dataset after another.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset
 */
export class ChainDataset<T> extends IterableDataset<T> {
  readonly datasets: readonly IterableDataset<T>[];

  constructor(datasets: readonly IterableDataset<T>[]) {
    takes('ChainDataset', signatures.ChainDataset, arguments);
    super();
    for (const [i, d] of datasets.entries()) {
      if (!(d instanceof IterableDataset))
        throw new TypeError(
          `ChainDataset: only IterableDatasets are chained, but dataset ${i} is none; use ConcatDataset`,
        );
    }
    this.datasets = datasets;
    const lengths = datasets.map((d) => d.length);
    if (!lengths.includes(undefined))
      (this as { length?: number }).length = (lengths as number[]).reduce((a, b) => a + b, 0);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (const dataset of this.datasets) yield* dataset;
  }
}
