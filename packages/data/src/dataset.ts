import { IndexError, takes, ValueError } from '@sconce/core';
import type { BatchTarget } from './host.js';
import * as signatures from './signatures.js';

/**
 * Samples by index: what `DataLoader` draws from.
 *
 * @see https://pytorch.org/docs/stable/data.html#map-style-datasets
 * @example
 * class Squares extends Dataset<number> {
 *   get length() { return 10; }
 *   get(i: number) { return i * i; }
 * }
 */
export abstract class Dataset<T> {
  /** Number of samples. */
  abstract get length(): number;

  /** The sample at `index`, 0 to length - 1; may be a promise. */
  abstract get(index: number): T | Promise<T>;

  /**
   * The samples of a batch at once, where that is faster than one by one (PyTorch's `__getitems__`); optional. Without it `get` is
   * called for one after the other, so that random transforms draw in a fixed order.
   */
  getItems?(indices: readonly number[]): readonly T[] | Promise<readonly T[]>;

  /**
   * A whole batch at once, already collated, where that is faster still; optional. Used by `DataLoader` when no `collateFn` is
   * given. `target` is for datasets of this package.
   */
  getBatch?(indices: readonly number[], target?: BatchTarget): unknown;

  /**
   * The samples of this dataset, then those of others.
   *
   * @example const all = train.concat(extra);
   */
  concat<U = T>(...others: DatasetLike<U>[]): ConcatDataset<T | U> {
    return new ConcatDataset<T | U>([this, ...others]);
  }

  /**
   * The same samples after a function, which is called each time one is asked for: the place for transforms.
   *
   * @example const augmented = photos.map(([image, label]) => [augment(image), label] as const);
   */
  map<U>(transform: (sample: T, index: number) => U | Promise<U>): Dataset<U> {
    return new MappedDataset(this, transform);
  }
}

/** What serves as a dataset without being a `Dataset`: samples by index, and how many there are. */
export interface DatasetShape<T> {
  readonly length: number;
  get(index: number): T | Promise<T>;
}

/** A dataset, an object with `length` and `get(index)`, or anything with a length and elements: a plain array is a dataset of its elements. */
export type DatasetLike<T> = Dataset<T> | DatasetShape<T> | ArrayLike<T>;

/** Whether samples come from `get`: arrays have none. */
export const hasGet = <T>(dataset: DatasetLike<T>): dataset is DatasetShape<T> =>
  typeof (dataset as Partial<DatasetShape<T>>).get === 'function';

/** The number of samples. */
export const sizeOf = (dataset: DatasetLike<unknown>): number => dataset.length;

/** The sample at an index. */
export function sampleAt<T>(dataset: DatasetLike<T>, index: number): T | Promise<T> {
  if (hasGet(dataset)) return dataset.get(index);
  if (!(index >= 0 && index < dataset.length))
    throw new IndexError(`dataset: index ${index} is out of range for ${dataset.length} samples`);
  return dataset[index] as T;
}

/** The index at which `itemsOf` is; for messages. */
export interface Cursor {
  index?: number | undefined;
}

/** The samples at some indices, one after the other or as the dataset knows better. */
export async function itemsOf<T>(
  dataset: DatasetLike<T>,
  indices: readonly number[],
  cursor: Cursor = {},
): Promise<readonly T[]> {
  if (dataset instanceof Dataset && dataset.getItems) {
    const samples = await dataset.getItems(indices);
    if (samples.length !== indices.length)
      throw new ValueError(
        `DataLoader: getItems gave ${samples.length} samples for ${indices.length} indices`,
      );
    return samples;
  }
  const samples: T[] = [];
  for (const index of indices) {
    cursor.index = index;
    const sample = sampleAt(dataset, index);
    // Waiting takes a turn of the queue, which samples that are there at once need not pay for.
    samples.push(isPromise(sample) ? await sample : sample);
  }
  cursor.index = undefined;
  return samples;
}

export const isPromise = <T>(x: T | Promise<T>): x is Promise<T> =>
  typeof (x as { then?: unknown } | null | undefined)?.then === 'function';

/** What `Dataset.map` makes. */
export class MappedDataset<T, U> extends Dataset<U> {
  readonly dataset: DatasetLike<T>;
  readonly transform: (sample: T, index: number) => U | Promise<U>;

  constructor(dataset: DatasetLike<T>, transform: (sample: T, index: number) => U | Promise<U>) {
    super();
    this.dataset = dataset;
    this.transform = transform;
    if (dataset instanceof Dataset && dataset.getItems) {
      this.getItems = async (indices) => {
        const samples = await itemsOf(dataset, indices);
        const results: U[] = [];
        for (const [i, sample] of samples.entries())
          results.push(await this.transform(sample, indices[i] as number));
        return results;
      };
    }
  }

  override get length(): number {
    return sizeOf(this.dataset);
  }

  override get(index: number): U | Promise<U> {
    const sample = sampleAt(this.dataset, index);
    return isPromise(sample)
      ? sample.then((x) => this.transform(x, index))
      : this.transform(sample, index);
  }
}

/**
 * Samples of several datasets, one after another.
 *
 * @throws ValueError if there are none.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset
 * @example new ConcatDataset([photos, drawings])
 */
export class ConcatDataset<T> extends Dataset<T> {
  readonly datasets: readonly DatasetLike<T>[];
  /** For each dataset, the number of samples up to its end. */
  readonly cumulativeSizes: readonly number[];

  constructor(datasets: readonly DatasetLike<T>[]) {
    takes('ConcatDataset', signatures.ConcatDataset, arguments);
    super();
    if (datasets.length === 0)
      throw new ValueError('ConcatDataset: datasets should not be an empty iterable');
    for (const [i, d] of datasets.entries()) {
      if (!Number.isInteger((d as { length?: unknown }).length))
        throw new TypeError(
          `ConcatDataset: dataset ${i} has no length; chain IterableDatasets with ChainDataset`,
        );
    }
    this.datasets = datasets;
    let total = 0;
    this.cumulativeSizes = datasets.map((d) => {
      total += sizeOf(d);
      return total;
    });
    if (datasets.some((d) => d instanceof Dataset && d.getItems))
      this.getItems = (indices) => this.#items(indices);
  }

  override get length(): number {
    return this.cumulativeSizes.at(-1) ?? 0;
  }

  override get(index: number): T | Promise<T> {
    const [dataset, at] = this.#find(index);
    return sampleAt(dataset, at);
  }

  #find(index: number): [DatasetLike<T>, number] {
    const at = index < 0 ? index + this.length : index;
    let low = 0;
    let high = this.datasets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (at < (this.cumulativeSizes[middle] as number)) high = middle;
      else low = middle + 1;
    }
    const dataset = this.datasets[low];
    if (!(at >= 0) || dataset === undefined)
      throw new IndexError(
        `ConcatDataset: index ${index} is out of range for ${this.length} samples`,
      );
    return [dataset, at - (this.cumulativeSizes[low - 1] ?? 0)];
  }

  /** Each dataset is asked once for all it has to give. */
  async #items(indices: readonly number[]): Promise<T[]> {
    const asked = new Map<DatasetLike<T>, { at: number[]; place: number[] }>();
    for (const [place, index] of indices.entries()) {
      const [dataset, at] = this.#find(index);
      const entry = asked.get(dataset) ?? { at: [], place: [] };
      entry.at.push(at);
      entry.place.push(place);
      asked.set(dataset, entry);
    }
    const result = new Array<T>(indices.length);
    for (const [dataset, { at, place }] of asked) {
      const samples = await itemsOf(dataset, at);
      for (const [i, p] of place.entries()) result[p] = samples[i] as T;
    }
    return result;
  }
}
