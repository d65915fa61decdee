import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Allocation, Allocator } from './allocator.js';

const limit = 2 ** 32;

test('random allocations never overlap, are aligned, and all memory comes back', () => {
  const command = fc.record({
    release: fc.boolean(),
    size: fc.integer({ min: 0, max: 22 }),
    extra: fc.nat(4096),
    pick: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
      let end = 65536;
      const allocator = new Allocator(65536, (to) => {
        end = to;
        return to <= 2 ** 30;
      });
      const held: Allocation[] = [];
      for (const { release, size, extra, pick } of commands) {
        if (release && held.length > 0) {
          allocator.release(held.splice(pick % held.length, 1)[0] as Allocation);
          continue;
        }
        const bytes = 2 ** size + extra;
        const made = allocator.allocate(bytes);
        if (!made) continue;
        expect(made.pointer % 64).toBe(0);
        expect(made.bytes).toBeGreaterThanOrEqual(bytes);
        expect(made.pointer + made.bytes).toBeLessThanOrEqual(end);
        held.push(made);
      }
      const sorted = [...held].sort((a, b) => a.pointer - b.pointer);
      for (let i = 1; i < sorted.length; i++) {
        const [left, right] = [sorted[i - 1] as Allocation, sorted[i] as Allocation];
        expect(left.pointer + left.bytes).toBeLessThanOrEqual(right.pointer);
      }
      for (const one of held) allocator.release(one);
      expect(allocator.used).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('memory released is used again before any is added', () => {
  let grown = 0;
  const allocator = new Allocator(0, () => {
    grown++;
    return true;
  });
  for (let i = 0; i < 1000; i++) {
    const all = [40_000, 1_000_000, 64, 5_000_000].map((n) => allocator.allocate(n) as Allocation);
    for (const one of all) allocator.release(one);
  }
  expect(grown).toBe(1);
});

test('neighbours that are free become one block', () => {
  const allocator = new Allocator(0, (end) => end <= 2 ** 26);
  const parts = Array.from({ length: 63 }, () => allocator.allocate(2 ** 20) as Allocation);
  expect(allocator.allocate(2 ** 21)).toBeUndefined();
  for (const part of parts) allocator.release(part);
  expect(allocator.allocate(63 * 2 ** 20)).toBeDefined();
});

test('reaches up to the last of 4 GiB and no further', () => {
  const allocator = new Allocator(0, (end) => end <= limit);
  const blocks = [1, 1, 1, 1].map((n) => allocator.allocate(n * 2 ** 30));
  expect(blocks.map((b) => b?.pointer)).toEqual([0, 1, 2, 3].map((n) => n * 2 ** 30));
  expect(allocator.allocate(1)).toBeUndefined();
  expect(allocator.usage()).toEqual([{ bytes: 2 ** 30, count: 4 }]);
  allocator.release(blocks[3] as Allocation);
  expect(allocator.allocate(2 ** 30)?.pointer).toBe(3 * 2 ** 30);
});

test('usage names the sizes that take most first', () => {
  const allocator = new Allocator(0, () => true);
  for (let i = 0; i < 3; i++) allocator.allocate(10);
  allocator.allocate(100_000);
  expect(allocator.usage()).toEqual([
    { bytes: 100_000, count: 1 },
    { bytes: 64, count: 3 },
  ]);
});
