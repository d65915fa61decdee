import {
  Device,
  defaultGenerator,
  type Generator,
  takes,
  ValueError,
  yieldToCollector,
} from '@sconce/core';
import type { Collated, Converted } from '../collate.js';
import { type DatasetLike, sizeOf } from '../dataset.js';
import { type IterableDataset, isIterableDataset } from '../iterable-dataset.js';
import { BatchSampler, drawSeed, RandomSampler, SequentialSampler } from '../sampler.js';
import * as signatures from '../signatures.js';
import { functionName } from './define-dataset.js';
import { toDevice } from './device-upload.js';
import { type Collate, IterableFetcher, MapFetcher } from './fetcher.js';
import { type DataLoaderState, packState, type Stateful, unpackState } from './loader-state.js';
import { checkOptions, type DataLoaderOptions } from './options.js';
import { planOf } from './recipe.js';
import { WorkerPool } from './worker-pool.js';

type Indices = readonly number[] | number;

/** What is known of a pass: where it began, and how far it is. */
interface Pass {
  /** The generator's state before the pass drew from it. */
  readonly before: Uint8Array;
  /** What the sampler said of itself then. */
  readonly sampler: unknown;
  readonly baseSeed: bigint;
  /** Where the workers' generators stood. */
  readonly workersBefore: readonly (Uint8Array | undefined)[];
  /** Whether its workers had made a pass already. */
  readonly again: boolean;
  /** Batches given out. */
  position: number;
  pool: WorkerPool | undefined;
  ended: boolean;
}

/** A way to get batches, one after the other. */
interface Source {
  next(): Promise<{ batch: unknown } | undefined>;
  /** Called when the loop ends, also by `break` or an error. */
  close(): Promise<void>;
}

const forgotten = new FinalizationRegistry<{ pool: WorkerPool | undefined }>(
  ({ pool }) => void pool?.close(),
);

class Loader<T, B> implements AsyncIterable<B>, Stateful {
  readonly dataset: DatasetLike<T> | IterableDataset<T>;
  /** The batches of indices; undefined where samples are not batched, or have no indices. */
  readonly batchSampler: (Iterable<readonly number[]> & { readonly length?: number }) | undefined;
  /** The order of samples; undefined with a `batchSampler` of the user's, or where samples have no indices. */
  readonly sampler: (Iterable<number> & { readonly length?: number }) | undefined;
  readonly generator: Generator | null | undefined;
  readonly batchSize: number | null;
  readonly numWorkers: number;
  readonly #options: DataLoaderOptions<T, B>;
  readonly #device: Device | undefined;
  readonly #kept: { pool: WorkerPool | undefined; baseSeed: bigint } = {
    pool: undefined,
    baseSeed: 0n,
  };
  #pass: Pass | undefined;
  #resume: DataLoaderState | undefined;

  constructor(source: LoadedFrom<T>, options: DataLoaderOptions<T, B> = {}) {
    takes('DataLoader', signatures.DataLoader, arguments);
    const dataset = source as DatasetLike<T> | IterableDataset<T>;
    checkOptions(dataset, options);
    this.dataset = dataset;
    this.generator = options.generator;
    this.numWorkers = options.numWorkers ?? 0;
    this.#options = options;
    this.#device = options.device === undefined ? undefined : Device.from(options.device);
    this.batchSize = options.batchSampler ? null : (options.batchSize ?? 1);
    if (options.batchSize === null) this.batchSize = null;
    forgotten.register(this, this.#kept);
    if (isIterableDataset(dataset)) {
      if (this.batchSize !== null) new BatchSampler([], this.batchSize);
      return;
    }
    if (options.batchSampler) {
      this.batchSampler = options.batchSampler;
      return;
    }
    const size = { length: sizeOf(dataset) };
    this.sampler =
      options.sampler ??
      (options.shuffle
        ? new RandomSampler(size, { generator: options.generator })
        : new SequentialSampler(size));
    if (this.batchSize !== null)
      this.batchSampler = new BatchSampler(this.sampler, this.batchSize, options.dropLast);
  }

  /**
   * Number of batches in a pass.
   *
   * @throws TypeError for an iterable dataset that has no length.
   */
  get length(): number {
    if (isIterableDataset(this.dataset)) {
      const { length } = this.dataset;
      if (length === undefined)
        throw new TypeError('DataLoader: the length of an IterableDataset is not known');
      const batches = length / (this.batchSize ?? 1);
      return this.#options.dropLast ? Math.floor(batches) : Math.ceil(batches);
    }
    const order = this.batchSampler ?? (this.sampler as NonNullable<typeof this.sampler>);
    return order.length ?? [...order].length;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<B, void, undefined> {
    const { pass, source } = await this.#begin();
    let failed = true;
    try {
      for (;;) {
        const next = await source.next();
        if (!next) break;
        pass.position++;
        yield next.batch as B;
        await yieldToCollector();
      }
      failed = false;
      pass.ended = true;
    } finally {
      if (this.#pass === pass && (pass.ended || failed)) this.#pass = undefined;
      await source.close();
    }
  }

  /**
   * Where the loader stands, for a checkpoint: in a loop, after which batch; between passes, which is also after the last batch of one,
   * where its own generator is. Loaded into a loader of the same dataset and options, the next pass goes on with the batch that would have come next, in the
   * same order and with the same draws of its workers. The default generator is not part of it.
   */
  stateDict(): DataLoaderState {
    const pass = this.#pass;
    const own = this.generator?.getState();
    const known = (this.batchSampler ?? this.sampler)?.length;
    if (!pass || pass.position === known) {
      return packState({
        position: null,
        generator: own,
        sampler: this.#stateful?.stateDict?.(),
        baseSeed: this.#kept.pool ? this.#kept.baseSeed : undefined,
        again: this.#kept.pool !== undefined,
        workers: this.#kept.pool?.states,
      });
    }
    return packState({
      position: pass.position,
      generator: pass.before,
      sampler: pass.sampler,
      baseSeed: pass.baseSeed,
      again: pass.again,
      // An iteration is repeated from its start, and draws again on the way.
      workers: isIterableDataset(this.dataset) ? pass.workersBefore : pass.pool?.states,
    });
  }

  /** Makes the next pass continue from a state of `stateDict()`. @throws ValueError if it is none. */
  loadStateDict(state: DataLoaderState): void {
    unpackState(state);
    this.#resume = state;
    this.#pass = undefined;
  }

  /** Ends persistent workers; a later pass starts new ones. */
  async close(): Promise<void> {
    const { pool } = this.#kept;
    this.#kept.pool = undefined;
    await pool?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The sampler, as far as it has a state, which is part of the loader's. */
  get #stateful(): Partial<Stateful> | undefined {
    return (this.sampler ?? this.batchSampler) as Partial<Stateful> | undefined;
  }

  /** Starts a pass, or the rest of one that is resumed. */
  async #begin(): Promise<{ pass: Pass; source: Source }> {
    const resumed = this.#resume && unpackState(this.#resume);
    this.#resume = undefined;
    const generator = this.generator ?? defaultGenerator();
    const sampler = this.#stateful;
    if (resumed?.sampler !== undefined) sampler?.loadStateDict?.(resumed.sampler as never);
    let after: Uint8Array | undefined;
    if (resumed?.generator) {
      // The pass is drawn again from where it began; the default generator has gone on since, and stays where it is.
      if (resumed.position !== null && !this.generator) after = generator.getState();
      generator.setState(resumed.generator);
    }
    const before = generator.getState();
    const samplerState = sampler?.stateDict?.();
    let pool = this.#kept.pool;
    if (pool && (pool.busy || !pool.healthy || resumed)) {
      if (!pool.busy) await this.close();
      pool = undefined;
    }
    const again = pool !== undefined || resumed?.again === true;
    // PyTorch draws a seed for workers at the start of every pass that starts some; the stream must advance alike.
    const baseSeed = pool
      ? this.#kept.baseSeed
      : resumed?.again && resumed.baseSeed !== undefined
        ? resumed.baseSeed
        : drawSeed(this.generator);
    const indices = this.#indices();
    const skip = resumed?.position ?? 0;
    const iterable = isIterableDataset(this.dataset);
    if (!iterable) for (let i = 0; i < skip; i++) indices.next();
    const source = this.numWorkers === 0 ? this.#local(indices) : undefined;
    const workers = resumed?.workers;
    if (!source) pool ??= this.#openPool(baseSeed, workers ?? []);
    const pass: Pass = {
      before,
      sampler: samplerState,
      baseSeed,
      workersBefore: workers ?? pool?.states ?? [],
      again,
      position: skip,
      pool,
      ended: false,
    };
    const chosen =
      source ?? this.#pooled(pool as WorkerPool, indices, again && !resumed, iterable ? 0 : skip);
    if (iterable) for (let i = 0; i < skip; i++) await chosen.next();
    if (after) generator.setState(after);
    this.#pass = pass;
    return { pass, source: chosen };
  }

  #indices(): Iterator<Indices> {
    if (isIterableDataset(this.dataset)) {
      const size = this.batchSize ?? 1;
      return { next: () => ({ done: false, value: size }) };
    }
    const order = this.batchSampler ?? (this.sampler as Iterable<number>);
    return order[Symbol.iterator]() as Iterator<Indices>;
  }

  #local(indices: Iterator<Indices>): Source {
    const { collateFn, dropLast = false } = this.#options;
    const batched = this.batchSize !== null || this.batchSampler !== undefined;
    const settings = { batched, dropLast, collate: collateFn as Collate };
    const fetcher = isIterableDataset(this.dataset)
      ? new IterableFetcher(this.dataset, settings)
      : new MapFetcher(this.dataset, settings);
    const device = this.#device;
    return {
      next: async () => {
        const next = indices.next();
        if (next.done) return undefined;
        const fetched = await fetcher.fetch(next.value);
        return fetched && device ? { batch: toDevice(fetched.batch, device) } : fetched;
      },
      close: async () => {
        indices.return?.();
        await fetcher.close();
      },
    };
  }

  #openPool(baseSeed: bigint, states: readonly (Uint8Array | undefined)[]): WorkerPool {
    const { collateFn, workerInitFn, dropLast = false } = this.#options;
    const { prefetchFactor = 2, timeout = 0, workerOptions = {} } = this.#options;
    const init = workerInitFn && functionName(workerInitFn);
    if (workerInitFn && !init)
      throw new ValueError(
        'DataLoader: workerInitFn runs in the workers, to which functions cannot be sent; list it in defineDataset(..., { functions: [...] }) of the dataset',
      );
    const plan = planOf(this.dataset);
    const collate = collateFn ? (functionName(collateFn) ?? 'raw') : 'default';
    const pool = new WorkerPool({
      plan,
      common: {
        numWorkers: this.numWorkers,
        seed: baseSeed,
        iterable: isIterableDataset(this.dataset),
        batched: this.batchSize !== null || this.batchSampler !== undefined,
        dropLast,
        collate,
        init,
      },
      prefetch: prefetchFactor,
      timeout: timeout * 1000,
      // What is collated here goes to the device after that.
      device: collate === 'raw' ? undefined : this.#device,
      workerOptions,
      states,
    });
    if (this.#options.persistentWorkers && !this.#kept.pool) {
      this.#kept.pool = pool;
      this.#kept.baseSeed = baseSeed;
    }
    return pool;
  }

  #pooled(pool: WorkerPool, indices: Iterator<Indices>, again: boolean, turn: number): Source {
    const { collateFn } = this.#options;
    const own = collateFn && !functionName(collateFn) ? (collateFn as Collate) : undefined;
    const device = this.#device;
    pool.begin(indices, again, turn);
    return {
      next: async () => {
        const next = await pool.next();
        if (!next || !own) return next;
        const batch = await own(next.batch as never);
        return { batch: device ? toDevice(batch, device) : batch };
      },
      close: async () => {
        const kept = this.#kept.pool === pool;
        if (kept && pool.healthy) {
          if (pool.busy) pool.abandon();
          return;
        }
        if (kept) this.#kept.pool = undefined;
        await pool.close();
      },
    };
  }
}

/** A `DataLoader`; see the constructor of the same name. */
export type DataLoader<T, B = Collated<T>> = Loader<T, B>;

/** What a loader takes: samples by index, or anything that can be iterated over more than once. */
export type LoadedFrom<T> = DatasetLike<T> | IterableDataset<T> | Iterable<T> | AsyncIterable<T>;

/** The constructor of `DataLoader`; without batches the samples are what `defaultConvert` makes of them. */
export interface DataLoaderConstructor {
  new <T>(
    dataset: LoadedFrom<T>,
    options: DataLoaderOptions<T, Converted<T>> & { batchSize: null; collateFn?: undefined },
  ): DataLoader<T, Converted<T>>;
  new <T, B>(
    dataset: LoadedFrom<T>,
    options: Omit<DataLoaderOptions<T, B>, 'collateFn'> & {
      batchSize: null;
      collateFn: (sample: T) => B | Promise<B>;
    },
  ): DataLoader<T, B>;
  new <T, B = Collated<T>>(
    dataset: LoadedFrom<T>,
    options?: DataLoaderOptions<T, B>,
  ): DataLoader<T, B>;
}

/**
 * Batches of a dataset, as an async iterable; each `for await` is a pass. Order and draws are PyTorch's for the same seed, with
 * workers too: they are seeded with the loader's base seed plus their number, and their batches arrive in order. Between batches the
 * engine's garbage collector gets its chance to free tensors.
 *
 * Leaving the loop early ends what was started for it. Errors of workers are `DataWorkerError`s with the worker's own stack.
 *
 * @throws ValueError on options that exclude each other, or a dataset that workers cannot make.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
 * @example
 * const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 64, shuffle: true, numWorkers: 2 });
 * for await (const [images, labels] of loader) { ... }
 */
export const DataLoader: DataLoaderConstructor = Loader as DataLoaderConstructor;
