import { autogradEngine, empty, rand, type Tensor } from '@sconce/core';
import '@sconce/backend-cpu';
import '@sconce/autograd';
import { expect, test } from 'vitest';
import { collectGarbage } from '../../../scripts/testing/garbage.js';

test('errors about full memory can say what graphs hold, and since when', async () => {
  const w = rand([8, 8]).requiresGrad_();
  const step = (): Tensor => w.mul(2).exp().sum();
  const kept: Tensor[] = [];
  // Functions of their own, whose frames keep nothing.
  const steps = (count: number, keep: boolean): void => {
    for (let i = 0; i < count; i++) {
      const loss = step();
      loss.backward();
      if (keep) kept.push(loss);
    }
  };
  steps(5, false);
  steps(40, true);
  steps(3, false);
  await collectGarbage();
  const text = autogradEngine()?.held?.() ?? '';
  const count = Number(/up to (\d+) graph nodes/.exec(text)?.[1]);
  expect(count).toBeGreaterThanOrEqual(120);
  expect(count).toBeLessThan(180);
  const since = Number(/since after backward pass (\d+) of (\d+)/.exec(text)?.[1]);
  expect(since).toBeGreaterThanOrEqual(4);
  expect(since).toBeLessThanOrEqual(5);
  expect(text).toMatch(/item\(\).*detach\(\).*noGrad\(\)/);
  kept.length = 0;
  steps(1, false);
  await collectGarbage();
  // The frames of the last step may still hold something.
  expect(autogradEngine()?.held?.() ?? 'up to 0 graph nodes').toMatch(/up to [0-6] graph nodes/);
});

test('a memory filled beside kept graphs names them', () => {
  const kept = rand([4]).requiresGrad_().mul(2).exp();
  const held = empty([3 * 2 ** 30], { dtype: 'uint8' });
  expect(() => empty([2 ** 30], { dtype: 'uint8' })).toThrow(
    /out of memory on cpu: 1 GiB asked for.* autograd keeps up to \d+ graph nodes with what they saved .*detach\(\)/,
  );
  held.dispose();
  expect(kept.requiresGrad).toBe(true);
});
