import { type RawDigits, SIDE } from '@sconce-examples/mnist/raw-digits';

const SIZE = SIDE * SIDE;

/** Digits as one file: the pixels of all, then the labels of all, a byte each. */
export function packDigits({ pixels, labels }: RawDigits): Uint8Array {
  const packed = new Uint8Array(pixels.length + labels.length);
  packed.set(pixels);
  packed.set(labels, pixels.length);
  return packed;
}

/** Reads what `packDigits` made. @throws Error if it is something else. */
export function unpackDigits(packed: Uint8Array): RawDigits {
  const count = packed.length / (SIZE + 1);
  if (count === 0 || !Number.isInteger(count)) {
    throw new Error(`digits: a file of ${packed.length} bytes does not hold whole digits`);
  }
  return { pixels: packed.subarray(0, count * SIZE), labels: packed.subarray(count * SIZE) };
}
