import { expect, it } from 'vitest';
import { compare, largestDifference } from './resume.js';

it('predicts and trains on as PyTorch did', async () => {
  const file = new URL('../files/checkpoint.pt', import.meta.url);
  const { step, before, after, loss, lr, labels } = await compare(file);
  expect(step).toBe(60);
  expect(lr).toBeCloseTo(0.01 * 0.1 ** 3, 12);
  expect(await before[1].argmax(1).toArray()).toEqual(await labels.toArray());
  expect(await largestDifference(before)).toBeLessThan(1e-5);
  expect(Math.abs(loss[0] - loss[1])).toBeLessThan(1e-6);
  expect(await largestDifference(after)).toBeLessThan(1e-5);
  // The step changed something.
  expect(await largestDifference([before[1], after[1]])).toBeGreaterThan(1e-4);
});
