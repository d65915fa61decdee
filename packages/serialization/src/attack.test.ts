import '@sconce/backend-cpu';
import { memoryStats, resetPeakMemoryStats, SconceError } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { attackFiles } from '../test/attacks.js';
import { FileError, load, openTensors } from './index.js';
import { Budget, cost } from './io/budget.js';

const size = 400_000;
const files = await attackFiles(size);

/** What may be more than the budget: what is accepted costs little. */
const accepted = 64 * size + 32 * 2 ** 20;

describe('small files that would exhaust memory or time', () => {
  it.each([...files.keys()])('%s', async (name) => {
    const bytes = files.get(name) as Uint8Array;
    expect(bytes.length).toBeLessThan(2 * size + 400_000);
    resetPeakMemoryStats('cpu');
    const before = memoryStats('cpu').bytes;
    const heap = process.memoryUsage();
    const begin = performance.now();
    for (const read of [
      () => load<unknown>(bytes),
      async () => (await openTensors(bytes)).names.length,
    ]) {
      try {
        await read();
      } catch (error) {
        if (!(error instanceof SconceError)) throw error;
        expect(error).toBeInstanceOf(FileError);
        expect(error.message.length).toBeLessThan(2000);
      }
    }
    // Generous: what is not held back takes minutes, or gigabytes.
    expect(performance.now() - begin).toBeLessThan(20_000);
    const now = process.memoryUsage();
    expect(now.heapUsed - heap.heapUsed + now.arrayBuffers - heap.arrayBuffers).toBeLessThan(
      6 * accepted,
    );
    expect(memoryStats('cpu').peakBytes - before).toBeLessThan(accepted);
  });

  it.each([
    'torch.Size of one list',
    'tuple of one list',
    'set of one list',
    'list of one list',
    'OrderedDict of one list',
    'encode of one text',
    'arrays of one buffer',
    'modules in modules twice',
  ])('are refused for what they would cost: %s', async (name) => {
    for (const format of ['zip', 'legacy']) {
      await expect(load(files.get(`${format}: ${name}`) as Uint8Array)).rejects.toThrow(
        /reading it takes far more work and memory than a file of its size should/,
      );
    }
  });

  it('are refused by their first entry where that is wrong', async () => {
    await expect(load(files.get('safetensors: bogus keys') as Uint8Array)).rejects.toThrow(
      /tensor '0' lacks its dtype, shape or data_offsets/,
    );
  });
});

describe('the budget of a load', () => {
  it('is in proportion to the file, and what the caller says', () => {
    const spent = (budget: Budget): number => {
      let units = 0;
      try {
        for (; ; units++) budget.spend(2 ** 20);
      } catch (error) {
        expect(error).toBeInstanceOf(FileError);
      }
      return units;
    };
    expect(spent(new Budget('x', 0, 64))).toBe(32);
    expect(spent(new Budget('x', 2 ** 20, 64))).toBe(96);
    expect(spent(new Budget('x', 2 ** 20, 64, 10))).toBe(42);
    // Of a large file 1.5 GiB, unless it is itself an eighth of what is taken.
    expect(spent(new Budget('x', 2 ** 30 / 8, 64))).toBe(1536);
    expect(spent(new Budget('x', 2 ** 30, 64))).toBe(8192);
    expect(() => new Budget('x', 1, 64, Number.POSITIVE_INFINITY).spend(2 ** 50)).not.toThrow();
    expect(cost.step).toBeGreaterThan(0);
  });
});
