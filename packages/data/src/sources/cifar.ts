import { cat, fromTypedArray, RuntimeError, type Tensor, takes } from '@sconce/core';
import * as signatures from '../signatures.js';
import { readAllBytes, type SourceLike } from './byte-source.js';

const pixels = 3 * 32 * 32;

/** Images of CIFAR: uint8 [N, 3, 32, 32], with their labels, int64 [N]. */
export interface Cifar {
  readonly images: Tensor;
  readonly labels: Tensor;
}

async function readCifar(
  operation: string,
  sources: readonly SourceLike[],
  labels: number,
): Promise<{ images: Tensor; labels: Tensor[] }> {
  const images: Tensor[] = [];
  const found: Tensor[][] = Array.from({ length: labels }, () => []);
  const record = labels + pixels;
  for (const source of sources) {
    const bytes = await readAllBytes(source);
    const count = bytes.length / record;
    if (count === 0 || !Number.isInteger(count))
      throw new RuntimeError(
        `${operation}: ${bytes.length} bytes are not whole records of ${record} bytes`,
      );
    const data = new Uint8Array(count * pixels);
    for (let i = 0; i < count; i++)
      data.set(bytes.subarray(i * record + labels, (i + 1) * record), i * pixels);
    images.push(fromTypedArray(data, [count, 3, 32, 32], { device: 'cpu' }));
    for (const [k, list] of found.entries()) {
      const values = BigInt64Array.from({ length: count }, (_, i) =>
        BigInt(bytes[i * record + k] as number),
      );
      list.push(fromTypedArray(values, [count], { device: 'cpu' }));
    }
  }
  if (images.length === 0) throw new RuntimeError(`${operation}: no files were given`);
  return { images: cat(images), labels: found.map((list) => cat(list)) };
}

/**
 * Reads files of CIFAR-10 in its binary version (`data_batch_1.bin`, ...).
 *
 * @throws RuntimeError if a file is not of whole records.
 * @see https://www.cs.toronto.edu/~kriz/cifar.html
 * @example const { images, labels } = await readCifar10([1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`));
 */
export async function readCifar10(sources: readonly SourceLike[]): Promise<Cifar> {
  takes('readCifar10', signatures.readCifar10, arguments);
  const { images, labels } = await readCifar('readCifar10', sources, 1);
  return { images, labels: labels[0] as Tensor };
}

/** Reads files of CIFAR-100 in its binary version; `labels` are the hundred classes, `coarse` the twenty above them. */
export async function readCifar100(
  sources: readonly SourceLike[],
): Promise<Cifar & { readonly coarse: Tensor }> {
  takes('readCifar100', signatures.readCifar100, arguments);
  const { images, labels } = await readCifar('readCifar100', sources, 2);
  return { images, coarse: labels[0] as Tensor, labels: labels[1] as Tensor };
}
