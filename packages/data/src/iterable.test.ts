import { describe, expect, it } from 'vitest';
import { DataLoader, IterableDataset } from './index.js';

const collate = (samples: readonly unknown[]) => samples;
async function all(loader: AsyncIterable<unknown>): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
}

class Counted extends IterableDataset<number> {
  override get length(): number {
    return 5;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    yield* [0, 1, 2, 3, 4];
  }
}

describe('iterable datasets', () => {
  it('have the length that an accessor gives', () => {
    const lengths = [false, true].map(
      (dropLast) => new DataLoader(new Counted(), { batchSize: 2, dropLast }).length,
    );
    expect(lengths).toEqual([3, 2]);
    expect(
      new DataLoader(
        new Counted().map((x) => x * 2),
        { batchSize: 2 },
      ).length,
    ).toBe(3);
    const unknown = IterableDataset.from(() => [1]);
    expect(() => new DataLoader(unknown).length).toThrow('is not known');
  });

  it('may have [Symbol.iterator] alone', async () => {
    class Plain {
      *[Symbol.iterator](): Generator<number> {
        yield* [1, 2, 3];
      }
    }
    // As plain JavaScript has it, where nothing asks for the other method.
    const Sync = class extends (IterableDataset as unknown as new () => object) {
      *[Symbol.iterator](): Generator<number> {
        yield* [1, 2, 3];
      }
    } as unknown as new () => IterableDataset<number>;
    for (const dataset of [new Plain(), new Sync(), new Set([1, 2, 3])]) {
      const loader = new DataLoader(dataset, { batchSize: 2, collateFn: collate });
      expect(await all(loader)).toEqual([[1, 2], [3]]);
      expect(await all(loader)).toEqual([[1, 2], [3]]);
    }
    const sized = {
      length: 3,
      *[Symbol.iterator]() {
        yield* [7, 8, 9];
      },
    };
    const loader = new DataLoader(sized, { batchSize: 2, collateFn: collate });
    expect([loader.length, await all(loader)]).toEqual([2, [[7, 8], [9]]]);
    const stream = {
      async *[Symbol.asyncIterator]() {
        yield* [4, 5];
      },
    };
    expect(await all(new DataLoader(stream, { batchSize: 2, collateFn: collate }))).toEqual([
      [4, 5],
    ]);
  });

  it('that are none, or end for good, are refused', async () => {
    const numbers = (function* () {
      yield 1;
    })();
    expect(() => new DataLoader(numbers)).toThrow('gone through once only');
    expect(() => new DataLoader(new Set([1]), { shuffle: true })).toThrow('shuffle');
    const None =
      class extends (IterableDataset as unknown as new () => object) {} as unknown as new () => IterableDataset<number>;
    await expect(all(new DataLoader(new None()))).rejects.toThrow(
      'must have [Symbol.asyncIterator]',
    );
    expect(() => new DataLoader({} as never)).toThrow(TypeError);
  });

  it('arrays stay known by index', async () => {
    const loader = new DataLoader([1, 2, 3], { batchSize: 2, collateFn: collate });
    expect([loader.length, await all(loader)]).toEqual([2, [[1, 2], [3]]]);
    expect(await all(new DataLoader([], { collateFn: collate }))).toEqual([]);
  });
});
