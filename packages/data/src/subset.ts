import { type Generator, IndexError, randperm, takes, ValueError } from '@sconce/core';
import { Dataset, type DatasetLike, isPromise, itemsOf, sampleAt, sizeOf } from './dataset.js';
import * as signatures from './signatures.js';

/**
 * Some samples of another dataset, in a given order.
 *
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.Subset
 */
export class Subset<T> extends Dataset<T> {
  readonly dataset: DatasetLike<T>;
  readonly indices: readonly number[];

  constructor(dataset: DatasetLike<T>, indices: readonly number[]) {
    takes('Subset', signatures.Subset, arguments);
    super();
    this.dataset = dataset;
    this.indices = indices;
    const source = dataset;
    if (!(source instanceof Dataset)) return;
    if (source.getBatch) {
      this.getBatch = (batch, target) =>
        source.getBatch?.(
          batch.map((i) => this.#at(i)),
          target,
        );
    }
    if (source.getItems) {
      this.getItems = (batch) =>
        itemsOf(
          source,
          batch.map((i) => this.#at(i)),
        );
    }
  }

  override get length(): number {
    return this.indices.length;
  }

  override get(index: number): T | Promise<T> {
    return sampleAt(this.dataset, this.#at(index));
  }

  #at(index: number): number {
    const found = this.indices[index];
    if (found === undefined)
      throw new IndexError(
        `Subset: index ${index} is out of range for ${this.indices.length} samples`,
      );
    return found;
  }
}

/** The datasets of a `StackDataset`: a list of them, or named ones. */
export type Stackable =
  | readonly DatasetLike<unknown>[]
  | Readonly<Record<string, DatasetLike<unknown>>>;

/** A sample of each of the datasets, in their form. */
export type Stacked<D> = {
  -readonly [K in keyof D]: D[K] extends DatasetLike<infer T> ? T : never;
};

/**
 * Datasets of one length side by side: the i-th sample is the i-th of each, as a list or as an object.
 *
 * @throws ValueError if there are none, or lengths differ.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.StackDataset
 * @example new StackDataset({ image: photos, caption: captions }).get(0) // { image, caption }
 */
export class StackDataset<const D extends Stackable> extends Dataset<Stacked<D>> {
  readonly datasets: D;

  constructor(datasets: D) {
    takes('StackDataset', signatures.StackDataset, arguments);
    super();
    const sizes = Object.values(datasets).map((d) => sizeOf(d as DatasetLike<unknown>));
    if (sizes.length === 0)
      throw new ValueError('StackDataset: At least one dataset should be passed');
    if (new Set(sizes).size > 1)
      throw new ValueError(
        `StackDataset: Size mismatch between datasets (lengths ${sizes.join(', ')})`,
      );
    this.datasets = datasets;
    const parts = Object.values(datasets) as DatasetLike<unknown>[];
    if (parts.some((d) => d instanceof Dataset && d.getItems)) {
      this.getItems = async (indices) => {
        const columns: (readonly unknown[])[] = [];
        for (const part of parts) columns.push(await itemsOf(part, indices));
        return indices.map((_, i) => this.#form(columns.map((column) => column[i])));
      };
    }
  }

  override get length(): number {
    return sizeOf(Object.values(this.datasets)[0] as DatasetLike<unknown>);
  }

  override get(index: number): Stacked<D> | Promise<Stacked<D>> {
    const values = (Object.values(this.datasets) as DatasetLike<unknown>[]).map((d) =>
      sampleAt(d, index),
    );
    return values.some((x) => isPromise(x))
      ? Promise.all(values).then((all) => this.#form(all))
      : this.#form(values);
  }

  #form(values: readonly unknown[]): Stacked<D> {
    if (Array.isArray(this.datasets)) return values as unknown as Stacked<D>;
    const keys = Object.keys(this.datasets);
    return Object.fromEntries(keys.map((key, i) => [key, values[i]])) as Stacked<D>;
  }
}

/**
 * Splits a dataset at random into parts of the given lengths, or shares that sum to 1.
 *
 * @throws ValueError if the lengths do not sum to the length of the dataset.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.random_split
 * @example const [train, test] = randomSplit(dataset, [0.8, 0.2], { generator });
 */
export function randomSplit<T>(
  dataset: DatasetLike<T>,
  lengths: readonly number[],
  options: { generator?: Generator | null } = {},
): Subset<T>[] {
  takes('randomSplit', signatures.randomSplit, arguments);
  const size = sizeOf(dataset);
  const total = lengths.reduce((a, b) => a + b, 0);
  let counts = [...lengths];
  if (Math.abs(total - 1) < 1e-9 && total <= 1) {
    counts = lengths.map((share) => {
      if (share < 0 || share > 1)
        throw new ValueError(`randomSplit: Fraction ${share} is not between 0 and 1`);
      return Math.floor(size * share);
    });
    // What rounding left over goes to the parts in turn.
    const left = size - counts.reduce((a, b) => a + b, 0);
    for (let i = 0; i < left; i++)
      counts[i % counts.length] = (counts[i % counts.length] as number) + 1;
  } else if (total !== size) {
    throw new ValueError(
      `randomSplit: Sum of input lengths (${total}) does not equal the length of the input dataset (${size})!`,
    );
  }
  const order = Array.from(
    randperm(size, { generator: options.generator, device: 'cpu' }).toTypedArraySync(),
    Number,
  );
  let start = 0;
  return counts.map((count) => {
    const part = order.slice(start, start + count);
    start += count;
    return new Subset(dataset, part);
  });
}
