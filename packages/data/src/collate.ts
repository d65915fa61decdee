import { type DType, stack, Tensor, type TypedArray, tensor } from '@sconce/core';

/** What a batch of samples of type T becomes: tensors get a first dimension, containers keep their form. */
export type Collated<T> = T extends Tensor | number | boolean | bigint | TypedArray
  ? Tensor
  : T extends string
    ? string[]
    : T extends readonly unknown[]
      ? { [K in keyof T]: Collated<T[K]> }
      : T extends object
        ? { [K in keyof T]: Collated<T[K]> }
        : T[];

/**
 * Puts samples together: tensors and typed arrays are stacked, numbers become a tensor (int64 if all are whole, the
 * default float otherwise), arrays and objects are collated element by element, strings stay a list.
 *
 * @throws TypeError if samples differ in kind or length.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.default_collate
 */
export function defaultCollate<T>(batch: readonly T[]): Collated<T> {
  return collate(batch) as Collated<T>;
}

function collate(batch: readonly unknown[]): unknown {
  const [first] = batch;
  if (first instanceof Tensor) return stack(batch as Tensor[]);
  if (ArrayBuffer.isView(first)) return stack(batch.map((x) => tensor(x as TypedArray)));
  switch (typeof first) {
    case 'number': {
      const dtype: DType | undefined = batch.every(Number.isInteger) ? 'int64' : undefined;
      return tensor(batch as number[], { dtype });
    }
    case 'boolean':
    case 'bigint':
      return tensor(batch as boolean[]);
    case 'string':
      return [...batch];
  }
  if (Array.isArray(first)) {
    if (batch.some((x) => !Array.isArray(x) || x.length !== first.length)) {
      throw new TypeError(
        'defaultCollate: each element in list of batch should be of equal size; pad them, or pass a collateFn',
      );
    }
    return first.map((_, i) => collate(batch.map((x) => (x as unknown[])[i])));
  }
  if (first !== null && typeof first === 'object') {
    return Object.fromEntries(
      Object.keys(first).map((key) => [
        key,
        collate(batch.map((x) => (x as Record<string, unknown>)[key])),
      ]),
    );
  }
  throw new TypeError(
    `defaultCollate: batch must contain tensors, numbers, strings, arrays or objects; found ${first === null ? 'null' : typeof first}`,
  );
}
