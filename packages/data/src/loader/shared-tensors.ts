import { type DType, fromTypedArray, type Tensor, type TypedArray } from '@sconce/core';
import { TensorDataset, type TensorSample } from '../tensor-dataset.js';

/** A tensor as it is handed to a worker: its memory where that is shared, a copy elsewhere. */
export interface HostTensor {
  readonly data: TypedArray;
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** In a worker: a TensorDataset whose rows are read from the memory of the thread that made it. */
export class SharedTensorDataset extends TensorDataset<readonly Tensor[]> {
  constructor(tensors: readonly HostTensor[]) {
    // The reference device takes host memory as it is, without a copy.
    super(
      ...tensors.map(({ data, dtype, shape }) =>
        fromTypedArray(data, shape, { dtype, device: 'reference' }),
      ),
    );
  }

  override get(index: number): TensorSample<readonly Tensor[]> {
    return super.get(index).map((t) => t.to('cpu'));
  }
}
