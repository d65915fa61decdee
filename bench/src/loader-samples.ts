import { Dataset, defineDataset } from '@sconce/data';

export const count = 60_000;
export const side = 28;

/** Images and labels handed out one by one, as a dataset of one's own does. */
class Digits extends Dataset<readonly [Float32Array, number]> {
  readonly #images: Float32Array;
  readonly #labels: Uint8Array;

  constructor(images: Float32Array, labels: Uint8Array) {
    super();
    this.#images = images;
    this.#labels = labels;
  }

  override get length(): number {
    return this.#labels.length;
  }

  override get(index: number): readonly [Float32Array, number] {
    const size = side * side;
    const image = this.#images.subarray(index * size, (index + 1) * size);
    return [image, this.#labels[index] as number];
  }
}

export const digits = defineDataset(
  import.meta.url,
  (images: Float32Array, labels: Uint8Array) => new Digits(images, labels),
);
