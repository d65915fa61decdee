import { fromTypedArray, Generator, randperm, type Tensor } from 'sconce';
import { type RawDigits, SIDE } from './raw-digits.js';

/** Images [N, 1, 28, 28] with values from 0 to 1, and their labels [N] (int64). */
export interface Digits {
  images: Tensor;
  labels: Tensor;
}

/**
 * Puts digits in an order that `seed` decides and splits them: the first 8,000 to train, the others to test.
 * `train` and `test` take fewer of them.
 */
export function splitDigits(
  { pixels, labels }: RawDigits,
  seed: number,
  { train = 8000, test = Number.POSITIVE_INFINITY } = {},
): { train: Digits; test: Digits } {
  const generator = new Generator().manualSeed(seed);
  const order = Array.from(
    randperm(labels.length, { generator, device: 'cpu' }).toTypedArraySync(),
    Number,
  );
  const size = SIDE * SIDE;
  const pick = (indices: number[]): Digits => {
    const images = new Float32Array(indices.length * size);
    for (const [i, index] of indices.entries()) {
      for (let p = 0; p < size; p++) {
        images[i * size + p] = (pixels[index * size + p] as number) / 255;
      }
    }
    const wanted = BigInt64Array.from(indices, (index) => BigInt(labels[index] as number));
    return {
      images: fromTypedArray(images, [indices.length, 1, SIDE, SIDE]),
      labels: fromTypedArray(wanted, [indices.length]),
    };
  };
  return {
    train: pick(order.slice(0, 8000).slice(0, train)),
    test: pick(order.slice(8000).slice(0, test)),
  };
}
