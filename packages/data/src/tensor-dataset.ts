import { RuntimeError, type Tensor, takes } from '@sconce/core';
import { Dataset } from './dataset.js';
import { type BatchTarget, gatherRows } from './host.js';
import * as signatures from './signatures.js';

/** As many tensors as were given, each of one sample. */
export type TensorSample<N extends readonly Tensor[]> = { [K in keyof N]: Tensor };

/**
 * Samples that are rows of tensors: the i-th is `[a[i], b[i], ...]`. `DataLoader` takes a batch by one gather for each tensor.
 *
 * @throws RuntimeError if the first dimensions differ, or a tensor has none.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
 * @example new TensorDataset(images, labels)
 */
export class TensorDataset<N extends readonly Tensor[]> extends Dataset<TensorSample<N>> {
  readonly tensors: N;

  constructor(...tensors: N) {
    takes('TensorDataset', signatures.TensorDataset, arguments);
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

  override getBatch(indices: readonly number[], target?: BatchTarget): TensorSample<N> {
    return this.tensors.map((t) => gatherRows(t, indices, target)) as unknown as TensorSample<N>;
  }
}
