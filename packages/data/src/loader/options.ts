import { type DeviceLike, type Generator, kindOf, ValueError } from '@sconce/core';
import { isIterableDataset } from '../iterable-dataset.js';
import type { Sampler } from '../sampler.js';
import type { NodeWorkerOptions } from './thread.js';

/** Options of `DataLoader`. */
export interface DataLoaderOptions<T, B> {
  /** Samples in a batch; default 1. Null gives samples one by one, with typed arrays made tensors. */
  batchSize?: number | null;
  /** Draw in a new random order at each pass; default false. */
  shuffle?: boolean;
  /** The order of samples; excludes `shuffle`. */
  sampler?: Sampler | Iterable<number>;
  /** The batches of indices; excludes `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  batchSampler?: Iterable<readonly number[]>;
  /**
   * Threads that make batches ahead of the loop; default 0, which makes them in the loop. The dataset must be one that workers can make
   * for themselves: of `defineDataset`, of tensors, of plain data, or put together from such.
   */
  numWorkers?: number;
  /**
   * Makes a batch of samples (of one sample where `batchSize` is null); default `defaultCollate`. With workers it runs in them if
   * `defineDataset` lists it, and otherwise here, on the samples that they send.
   */
  collateFn?: (samples: T[]) => B | Promise<B>;
  /** Accepted for PyTorch's sake: what devices read from here is never swapped out in a way that pinning would change. */
  pinMemory?: boolean;
  /** Leave out a last batch that is not full; default false. */
  dropLast?: boolean;
  /** Seconds to wait for a batch of a worker before that is an error; default 0, which waits for ever. */
  timeout?: number;
  /** Called in each worker with its number, after seeding; `defineDataset` must list it. */
  workerInitFn?: (workerId: number) => unknown;
  /** The stream that shuffling and the workers' seeds draw from; default: the default generator. */
  generator?: Generator | null;
  /** Batches that each worker makes ahead; default 2. */
  prefetchFactor?: number;
  /** Keep the workers, and the dataset they made, from pass to pass; end them with `close()`. Default false. */
  persistentWorkers?: boolean;
  /** Where the tensors of batches go. With workers they are on their way before the loop asks. */
  device?: DeviceLike;
  /** How worker threads are started, in Node. */
  workerOptions?: NodeWorkerOptions;
}

/** @throws ValueError, with PyTorch's sentences, at options that exclude each other. */
export function checkOptions<T, B>(dataset: unknown, options: DataLoaderOptions<T, B>): void {
  const fail = (message: string): never => {
    throw new ValueError(`DataLoader: ${message}`);
  };
  checkDataset(dataset);
  const { batchSize, shuffle, sampler, batchSampler, dropLast, timeout = 0 } = options;
  const { numWorkers = 0, prefetchFactor, persistentWorkers } = options;
  if (!Number.isInteger(numWorkers) || numWorkers < 0)
    fail(
      `numWorkers option should be a non-negative integer, got ${numWorkers}; use numWorkers: 0 to load in the loop`,
    );
  if (!(timeout >= 0)) fail(`timeout option should be non-negative, got ${timeout}`);
  if (numWorkers === 0 && prefetchFactor !== undefined)
    fail('prefetchFactor option could only be specified with workers; let numWorkers > 0');
  if (prefetchFactor !== undefined && !(Number.isInteger(prefetchFactor) && prefetchFactor > 0))
    fail(`prefetchFactor option should be a positive integer, got ${prefetchFactor}`);
  if (numWorkers === 0 && persistentWorkers) fail('persistentWorkers option needs numWorkers > 0');
  if (isIterableDataset(dataset)) {
    if (shuffle) fail('with an IterableDataset, expected unspecified shuffle option');
    if (sampler) fail('with an IterableDataset, expected unspecified sampler option');
    if (batchSampler) fail('with an IterableDataset, expected unspecified batchSampler option');
  }
  if (sampler && shuffle) fail('sampler option is mutually exclusive with shuffle');
  if (batchSampler && (batchSize !== undefined || shuffle || sampler || dropLast))
    fail(
      'batchSampler option is mutually exclusive with batchSize, shuffle, sampler, and dropLast',
    );
  if (batchSize === null && dropLast)
    fail('batchSize: null disables batching and is mutually exclusive with dropLast');
}

/** @throws TypeError for what is no dataset; in plain JavaScript a forgotten `await` would else load nothing. */
function checkDataset(dataset: unknown): void {
  if (isIterableDataset(dataset)) {
    const once = dataset as unknown as { next?: unknown };
    if (typeof once.next !== 'function') return;
    throw new TypeError(
      'DataLoader: an iterator can be gone through once only; pass IterableDataset.from(() => ...), which begins anew at every pass',
    );
  }
  const { length, then } = Object(dataset) as { length?: unknown; then?: unknown };
  if (Number.isInteger(length)) return;
  const way =
    typeof then === 'function'
      ? 'a promise; await it first'
      : `${kindOf(dataset)}; make one of an iterable with IterableDataset.from`;
  throw new TypeError(
    `DataLoader: a dataset has length and get(index), or is an array or an IterableDataset, but got ${way}`,
  );
}
