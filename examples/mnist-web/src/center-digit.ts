import { SIDE } from '@sconce-examples/mnist/raw-digits';

/** MNIST's digits are scaled to this many pixels, and their centre of mass lies in the middle. */
const INNER = 20;

/**
 * Brings a drawing into the form of MNIST's digits.
 *
 * @param ink how dark each pixel is, from 0 to 255, row by row
 * @returns 28 * 28 values from 0 to 1; undefined if nothing is drawn
 */
export function centerDigit(
  ink: ArrayLike<number>,
  width: number,
  height: number,
): Float32Array | undefined {
  let [left, right, top, bottom] = [width, -1, height, -1];
  let [mass, massX, massY] = [0, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = ink[y * width + x] as number;
      if (value === 0) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      mass += value;
      massX += value * (x + 0.5);
      massY += value * (y + 0.5);
    }
  }
  if (mass === 0) return undefined;
  /** Pixels of the drawing to one of the digit. */
  const step = Math.max(right - left + 1, bottom - top + 1) / INNER;
  const digit = new Float32Array(SIDE * SIDE);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const fromX = Math.round(massX / mass + (x - SIDE / 2) * step);
      const fromY = Math.round(massY / mass + (y - SIDE / 2) * step);
      const size = Math.max(1, Math.round(step));
      let sum = 0;
      for (let sy = Math.max(0, fromY); sy < Math.min(height, fromY + size); sy++) {
        for (let sx = Math.max(0, fromX); sx < Math.min(width, fromX + size); sx++) {
          sum += ink[sy * width + sx] as number;
        }
      }
      digit[y * SIDE + x] = sum / (size * size * 255);
    }
  }
  return digit;
}
