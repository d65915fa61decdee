import {
  type Generator,
  IndexError,
  RuntimeError,
  randperm,
  type Tensor,
  tensor,
  ValueError,
} from '@sconce/core';

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
   * A whole batch at once, already collated, where that is faster than sample by sample; optional.
   * Used by `DataLoader` when no `collateFn` is given.
   */
  getBatch?(indices: readonly number[]): unknown;
}

/** A dataset, or anything with a length and elements: a plain array is a dataset of its elements. */
export type DatasetLike<T> = Dataset<T> | ArrayLike<T>;

/** The number of samples. */
export const sizeOf = (dataset: DatasetLike<unknown>): number => dataset.length;

/** The sample at an index. */
export const sampleAt = <T>(dataset: DatasetLike<T>, index: number): T | Promise<T> =>
  dataset instanceof Dataset ? dataset.get(index) : (dataset[index] as T);

/** As many tensors as were given, each of one sample. */
export type TensorSample<N extends readonly Tensor[]> = { [K in keyof N]: Tensor };

/**
 * Samples that are rows of tensors: the i-th is `[a[i], b[i], ...]`.
 *
 * @throws RuntimeError if the first dimensions differ.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
 * @example new TensorDataset(images, labels)
 */
export class TensorDataset<N extends readonly Tensor[]> extends Dataset<TensorSample<N>> {
  readonly tensors: N;

  constructor(...tensors: N) {
    super();
    const sizes = tensors.map((t) => t.size(0));
    if (new Set(sizes).size > 1)
      throw new RuntimeError(
        `TensorDataset: Size mismatch between tensors (first dimensions ${sizes.join(', ')})`,
      );
    this.tensors = tensors;
  }

  override get length(): number {
    return this.tensors[0]?.size(0) ?? 0;
  }

  override get(index: number): TensorSample<N> {
    return this.tensors.map((t) => t.select(0, index)) as unknown as TensorSample<N>;
  }

  override getBatch(indices: readonly number[]): TensorSample<N> {
    // One gather for each tensor instead of a stack of rows.
    return this.tensors.map((t) =>
      t.indexSelect(0, tensor(indices, { dtype: 'int64', device: t.device })),
    ) as unknown as TensorSample<N>;
  }
}

/** Some samples of another dataset, in a given order. */
export class Subset<T> extends Dataset<T> {
  readonly dataset: DatasetLike<T>;
  readonly indices: readonly number[];

  constructor(dataset: DatasetLike<T>, indices: readonly number[]) {
    super();
    this.dataset = dataset;
    this.indices = indices;
    const source = dataset;
    if (source instanceof Dataset && source.getBatch) {
      this.getBatch = (batch) => source.getBatch?.(batch.map((i) => this.#at(i)));
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

/** Samples of several datasets, one after another. */
export class ConcatDataset<T> extends Dataset<T> {
  readonly datasets: readonly DatasetLike<T>[];
  /** For each dataset, the number of samples up to its end. */
  readonly cumulativeSizes: readonly number[];

  constructor(datasets: readonly DatasetLike<T>[]) {
    super();
    if (datasets.length === 0)
      throw new ValueError('ConcatDataset: datasets should not be an empty iterable');
    this.datasets = datasets;
    let total = 0;
    this.cumulativeSizes = datasets.map((d) => {
      total += sizeOf(d);
      return total;
    });
  }

  override get length(): number {
    return this.cumulativeSizes.at(-1) ?? 0;
  }

  override get(index: number): T | Promise<T> {
    const at = index < 0 ? index + this.length : index;
    const which = this.cumulativeSizes.findIndex((end) => at < end);
    const dataset = this.datasets[which];
    if (at < 0 || dataset === undefined)
      throw new IndexError(
        `ConcatDataset: index ${index} is out of range for ${this.length} samples`,
      );
    return sampleAt(dataset, at - (this.cumulativeSizes[which - 1] ?? 0));
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
