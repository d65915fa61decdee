import {
  Device,
  type DeviceLike,
  type DType,
  empty,
  fromTypedArray,
  gradMode,
  IndexError,
  itemSize,
  numel,
  type Tensor,
  type TypedArray,
  tensor,
  typedArray,
} from '@sconce/core';

/** Where the tensors of a batch come to lie: new tensors here, the loader's memory in a worker. */
export interface BatchTarget {
  /** Lets `fill` write the elements of one tensor, and returns what stands for it in the batch. */
  write(
    dtype: DType,
    shape: readonly number[],
    device: DeviceLike,
    fill: (data: TypedArray) => void,
  ): unknown;
}

/** Batches of ordinary tensors. */
export const tensorTarget: BatchTarget = {
  write(dtype, shape, device, fill): Tensor {
    if (Device.from(device).backend.map) {
      const result = empty(shape, { dtype, device });
      fill(hostView(result) as TypedArray);
      return result;
    }
    const data = typedArray(dtype, numel(shape));
    fill(data);
    return fromTypedArray(data, shape, { dtype, device });
  },
};

/**
 * The elements of a tensor in row-major order, in place; undefined where the host cannot address them or they do not
 * lie so. Allocating another tensor may move what was given out before.
 */
export function hostView(t: Tensor): TypedArray | undefined {
  const { backend, buffer } = t.storage;
  if (!backend.map || !t.isContiguous()) return undefined;
  return backend.map(buffer, t.dtype).subarray(t.offset, t.offset + t.numel());
}

/** Whether rows of a tensor can be copied by the host, outside the graph. */
const copiedByHost = (t: Tensor): boolean =>
  t.storage.backend.map !== undefined && t.isContiguous() && !(gradMode.enabled && t.requiresGrad);

/** From this many bytes on, copying a row as a block is faster than element by element. */
const blockBytes = 128;
const blockRows = 8;

/**
 * Rows of a tensor [N, ...] as one tensor [indices, ...]: a single gather.
 *
 * @throws IndexError if an index is not below N.
 */
export function gatherRows(
  source: Tensor,
  indices: ArrayLike<number>,
  target: BatchTarget = tensorTarget,
): unknown {
  const [size = 0, ...rest] = source.shape;
  const count = indices.length;
  for (let i = 0; i < count; i++) {
    const index = indices[i] as number;
    if (!(index >= 0 && index < size))
      throw new IndexError(`TensorDataset: index ${index} is out of range for ${size} samples`);
  }
  if (!copiedByHost(source)) {
    const rows = tensor(Array.from(indices), { dtype: 'int64', device: source.device });
    return source.indexSelect(0, rows);
  }
  const length = numel(rest);
  return target.write(source.dtype, [count, ...rest], source.device, (data) => {
    const from = hostView(source) as Float32Array;
    const to = data as Float32Array;
    const block = length * itemSize(source.dtype) >= blockBytes;
    for (let i = 0; i < count; ) {
      // Rows that follow one another are copied together.
      const first = indices[i] as number;
      let end = i + 1;
      while (end < count && indices[end] === first + end - i) end++;
      const start = first * length;
      const size = (end - i) * length;
      if (block || end - i > blockRows) to.set(from.subarray(start, start + size), i * length);
      else for (let k = 0; k < size; k++) to[i * length + k] = from[start + k] as number;
      i = end;
    }
  });
}

/** Tensors of one shape as rows of one; undefined where that takes the device's own operations. */
export function stackRows(tensors: readonly Tensor[], target: BatchTarget): unknown {
  const [first] = tensors;
  if (!first) return undefined;
  const { dtype, device, shape } = first;
  for (const t of tensors) {
    if (t.dtype !== dtype || t.device !== device || !copiedByHost(t)) return undefined;
    if (t.shape.length !== shape.length || t.shape.some((n, d) => n !== shape[d])) return undefined;
  }
  const length = first.numel();
  return target.write(dtype, [tensors.length, ...shape], device, (data) => {
    tensors.forEach((t, i) => {
      (data as Float32Array).set(hostView(t) as Float32Array, i * length);
    });
  });
}
