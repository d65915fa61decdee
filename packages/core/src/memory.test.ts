import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Backend, DeviceBuffer } from './backend.js';
import { Device, registerBackend } from './device.js';
import type { DType } from './dtype.js';
import { itemSize } from './dtype.js';
import { collect, memoryStats, resetPeakMemoryStats, yieldToCollector } from './memory.js';
import { keepStorage, tidy } from './scope.js';
import { Storage } from './storage.js';

// Tens of thousands of steps take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

/** A device that only counts. */
class Counter implements Backend {
  readonly synchronous = true;
  readonly live = new Set<DeviceBuffer>();
  supports = () => true;
  allocate(dtype: DType, length: number): DeviceBuffer {
    const buffer = { bytes: Math.max(64, itemSize(dtype) * length) };
    this.live.add(buffer);
    return buffer;
  }
  release(buffer: DeviceBuffer): void {
    if (!this.live.delete(buffer)) throw new Error('released twice');
  }
  write(): void {}
  read = () => Promise.resolve(new Uint8Array());
  execute(): void {}
  synchronize = () => Promise.resolve();
}

let backend: Counter;
let device: Device;
let made = 0;

beforeEach(() => {
  const name = `counter${'abcdefghijklmnopqrstuvwxyz'[made++]}`;
  backend = new Counter();
  registerBackend(name, { open: () => backend });
  device = Device.from(name);
});

const create = (length: number) => new Storage(device, 'float32', length);
const megabytes = () => memoryStats(device).bytes / 2 ** 20;

describe('freeing by garbage collection', () => {
  // One step: an "activation" of 4 MB, one of 64 KB, and a few small tensors, none released by hand.
  const step = () => {
    create(2 ** 20);
    create(2 ** 14);
    for (let i = 0; i < 4; i++) create(16);
  };
  const steps = 20_000;
  const flat = 600; // the largest budget is 512 MB

  test('a synchronous loop stays flat', () => {
    for (let i = 0; i < steps; i++) step();
    expect(memoryStats(device).peakBytes / 2 ** 20).toBeLessThan(flat);
    collect();
    expect(megabytes()).toBeLessThan(10);
  });

  test('a loop that awaits promises only stays flat', async () => {
    for (let i = 0; i < steps; i++) {
      step();
      await Promise.resolve();
    }
    expect(memoryStats(device).peakBytes / 2 ** 20).toBeLessThan(flat);
  });

  test('a loop that awaits tasks stays flat', async () => {
    for (let i = 0; i < steps; i++) {
      step();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(memoryStats(device).peakBytes / 2 ** 20).toBeLessThan(flat);
  });

  test('a million small tensors stay flat', () => {
    const survivors: Storage[] = [];
    for (let i = 0; i < 1_000_000; i++) {
      const s = create(16);
      if (i % 1000 === 0) survivors.push(s);
    }
    expect(memoryStats(device).peakBytes / 2 ** 20).toBeLessThan(100);
    collect();
    // A survivor keeps at most 32 of its neighbours.
    expect(memoryStats(device).storages).toBeLessThanOrEqual((survivors.length + 1) * 32);
    expect(survivors.every((s) => backend.live.has(s.buffer))).toBe(true);
  });

  test('what is still in use is never taken', () => {
    const held = Array.from({ length: 100 }, (_, i) => create(i * 100));
    for (let i = 0; i < 500; i++) step();
    collect();
    expect(held.every((s) => backend.live.has(s.buffer))).toBe(true);
  });

  test('released by hand, no collection is needed and nothing is released twice', () => {
    for (let i = 0; i < 100_000; i++) {
      const [big, small] = [create(2 ** 20), create(8)];
      big.dispose();
      small.dispose();
      small.dispose();
    }
    expect(backend.live.size).toBe(0);
    expect(memoryStats(device)).toEqual({ bytes: 0, peakBytes: 2 ** 22 + 64, storages: 0 });
    collect();
  });
});

test('memoryStats counts bytes, storages and the peak', () => {
  const a = create(1000);
  const b = create(2000);
  expect(memoryStats(device)).toEqual({ bytes: 12000, peakBytes: 12000, storages: 2 });
  b.dispose();
  expect(memoryStats(device)).toEqual({ bytes: 4000, peakBytes: 12000, storages: 1 });
  resetPeakMemoryStats(device);
  expect(memoryStats(device).peakBytes).toBe(4000);
  expect(a.disposed).toBe(false);
});

test('yieldToCollector lets a task run, but not at every call', async () => {
  let tasks = 0;
  const timer = setInterval(() => tasks++, 1);
  const begin = performance.now();
  while (performance.now() - begin < 200) await yieldToCollector();
  clearInterval(timer);
  expect(tasks).toBeGreaterThan(0);
});

describe('tidy', () => {
  test('disposes all but what is returned or kept', () => {
    const outside = create(4);
    let kept: Storage | undefined;
    const inside: Storage[] = [];
    const result = tidy(() => {
      for (let i = 0; i < 5; i++) inside.push(create(4));
      kept = inside[4] as Storage;
      keepStorage(kept);
      return { first: inside[0], rest: [{ second: inside[1] }] };
    });
    expect(inside.map((s) => s.disposed)).toEqual([false, false, true, true, false]);
    expect(result.first?.disposed).toBe(false);
    expect(outside.disposed).toBe(false);
  });

  test('finds the storage and the gradient of returned tensors', () => {
    const tensor = tidy(() => ({ storage: create(4), grad: { storage: create(4) } }));
    expect([tensor.storage.disposed, tensor.grad.storage.disposed]).toEqual([false, false]);
  });

  test('what the inner scope returns belongs to the outer one', () => {
    let inner: Storage | undefined;
    const outer = tidy(() => {
      inner = tidy(() => create(4));
      expect(inner.disposed).toBe(false);
      return create(4);
    });
    expect(inner?.disposed).toBe(true);
    expect(outer.disposed).toBe(false);
  });

  test('disposes everything when the function throws', () => {
    let s: Storage | undefined;
    expect(() =>
      tidy(() => {
        s = create(4);
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(s?.disposed).toBe(true);
  });

  test('covers an async function across await, and nobody else', async () => {
    const inside: Storage[] = [];
    const other: Storage[] = [];
    const work = tidy(async (scope) => {
      inside.push(create(4));
      await new Promise((resolve) => setTimeout(resolve, 5));
      inside.push(create(4));
      inside.push(scope.run(() => create(4)));
      const nested = tidy(() => create(4));
      inside.push(nested);
      return inside[2];
    });
    other.push(create(4)); // made while the scope waits
    await work;
    expect(inside.map((s) => s.disposed)).toEqual([true, true, false, true]);
    expect(other[0]?.disposed).toBe(false);
    expect(create(4).disposed).toBe(false);
  });

  test('an async function that rejects disposes too', async () => {
    let s: Storage | undefined;
    await expect(
      tidy(async () => {
        await Promise.resolve();
        s = create(4);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(s?.disposed).toBe(true);
  });
});
