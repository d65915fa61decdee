import { SIDE } from '@sconce-examples/mnist/raw-digits';
import { describe, expect, test } from 'vitest';
import { centerDigit } from './center-digit.js';

/** A drawing of 196 x 196 with a filled rectangle. */
function rectangle(left: number, top: number, width: number, height: number): Uint8Array {
  const ink = new Uint8Array(196 * 196);
  for (let y = top; y < top + height; y++) {
    ink.fill(255, y * 196 + left, y * 196 + left + width);
  }
  return ink;
}

/** The rows and columns that hold ink. */
function extent(digit: Float32Array): number[] {
  const inked = [...digit.keys()].filter((i) => (digit[i] as number) > 0.5);
  const xs = inked.map((i) => i % SIDE);
  const ys = inked.map((i) => Math.floor(i / SIDE));
  return [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
}

describe('centerDigit', () => {
  test('scales a drawing to 20 pixels and centres it, wherever it was drawn', () => {
    for (const [left, top, size] of [
      [0, 0, 40],
      [100, 60, 80],
      [13, 29, 160],
    ] as const) {
      const digit = centerDigit(rectangle(left, top, size, size), 196, 196) as Float32Array;
      expect(extent(digit)).toEqual([4, 23, 4, 23]);
      expect(Math.max(...digit)).toBe(1);
    }
  });

  test('keeps proportions', () => {
    const digit = centerDigit(rectangle(10, 20, 48, 160), 196, 196) as Float32Array;
    const [x0 = 0, x1 = 0, y0 = 0, y1 = 0] = extent(digit);
    expect([x1 - x0 + 1, y1 - y0 + 1]).toEqual([6, 20]);
  });

  test('says when nothing is drawn', () => {
    expect(centerDigit(new Uint8Array(196 * 196), 196, 196)).toBeUndefined();
  });
});
