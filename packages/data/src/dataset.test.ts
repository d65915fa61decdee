import { arange, float, Generator, Tensor, tensor } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import {
  ChainDataset,
  ConcatDataset,
  DataLoader,
  Dataset,
  defaultCollate,
  defaultConvert,
  IterableDataset,
  lengthsOf,
  padCollate,
  randomSplit,
  StackDataset,
  Subset,
  TensorDataset,
} from './index.js';

const all = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const x of source) list.push(x);
  return list;
};

class Batched extends Dataset<number> {
  readonly asked: (readonly number[])[] = [];
  readonly length = 4;
  get(): number {
    throw new Error('one by one');
  }
  override getItems(indices: readonly number[]): number[] {
    this.asked.push(indices);
    return indices.map((i) => i * i);
  }
}

describe('datasets', () => {
  it('are any object with length and get()', async () => {
    const squares = { length: 3, get: (i: number) => i * i };
    const batches = await all(new DataLoader(squares, { batchSize: 2 }));
    expect(batches.map((batch) => batch.toArraySync())).toEqual([[0, 1], [4]]);
    const rest = new ConcatDataset([new Subset(squares, [2]), [7]]);
    expect([await rest.get(0), await rest.get(1)]).toEqual([4, 7]);
    await expect(all(new DataLoader(squares, { numWorkers: 1 }))).rejects.toThrow(
      /an object with get\(\) cannot be sent to them; make the dataset in a module of its own/,
    );
  });

  it('are concatenated, stacked, mapped and cut', async () => {
    const both = new Subset([1, 2, 3], [2, 0]).concat([7]);
    expect(both).toBeInstanceOf(ConcatDataset);
    expect([0, 1, 2, -1].map((i) => both.get(i))).toEqual([3, 1, 7, 7]);
    const stacked = new StackDataset({ a: [1, 2], b: ['x', 'y'] });
    expect(stacked.get(1)).toEqual({ a: 2, b: 'y' });
    const pairs = new StackDataset([[5, 6, 7], both.map(async (x) => -x)]);
    expect(await pairs.get(2)).toEqual([7, -7]);
  });

  it('that know many samples at once are asked once a batch, through all wrappers', async () => {
    const source = new Batched();
    const dataset = new StackDataset({
      square: new ConcatDataset([new Subset(source, [3, 2, 1]).map((x) => x + 0.5), [100]]),
      name: ['a', 'b', 'c', 'd'],
    });
    const [batch] = await all(new DataLoader(dataset, { batchSize: 4 }));
    expect(batch?.square.toArraySync()).toEqual([9.5, 4.5, 1.5, 100]);
    expect(batch?.name).toEqual(['a', 'b', 'c', 'd']);
    expect(source.asked).toEqual([[3, 2, 1]]);
  });

  it('that iterate are chained and mapped, and lengths add up', async () => {
    const three = IterableDataset.from(() => [1, 2, 3]);
    const chain = three
      .concat(
        IterableDataset.from(async function* () {
          yield 4;
        }),
      )
      .map((x) => x * 10);
    expect(chain.length).toBeUndefined();
    for (let pass = 0; pass < 2; pass++) expect(await all(chain)).toEqual([10, 20, 30, 40]);
    expect(() => new ChainDataset([{ length: 1, get: () => 1 }] as never)).toThrow(
      /use ConcatDataset/,
    );
    expect(() => new ConcatDataset([three] as never)).toThrow(/chain IterableDatasets/);
    const loader = new DataLoader(chain, { batchSize: 3 });
    expect((await all(loader)).map((b) => b.toArraySync())).toEqual([[10, 20, 30], [40]]);
    expect(() => loader.length).toThrow(/length of an IterableDataset is not known/);
    expect(() => new DataLoader(three, { shuffle: true })).toThrow(/unspecified shuffle/);
  });

  it('end their iteration when the loop is left', async () => {
    let closed = false;
    const endless = IterableDataset.from(async function* () {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    });
    for await (const _ of new DataLoader(endless, { batchSize: 2 })) break;
    expect(closed).toBe(true);
  });

  it('of tensors give rows in any order, narrow and wide', () => {
    const order = [5, 6, 7, 2, 2, 3, 0, ...Array.from({ length: 12 }, (_, i) => 20 + i), 1];
    for (const width of [1, 3, 40]) {
      const x = arange(40 * width).reshape(40, width);
      const [rows] = new TensorDataset(x).getBatch(order);
      const wanted = x.indexSelect(0, tensor(order, { dtype: 'int64' }));
      expect(rows?.toArraySync()).toEqual(wanted.toArraySync());
      const [some] = new TensorDataset(x.t().contiguous().t()).getBatch(order);
      expect(some?.toArraySync()).toEqual(wanted.toArraySync());
    }
  });

  it('refuse what does not fit', () => {
    expect(() => new StackDataset({ a: [1], b: [1, 2] })).toThrow(/lengths 1, 2/);
    expect(() => new StackDataset([])).toThrow(/At least one dataset/);
    const rows = new TensorDataset(arange(4));
    expect(() => rows.getBatch([4])).toThrow(/index 4 is out of range for 4 samples/);
  });

  it('are split by shares, the rest going to the parts in turn', () => {
    const parts = randomSplit(
      Array.from({ length: 11 }, (_, i) => i),
      [0.5, 0.3, 0.2],
      {
        generator: new Generator().manualSeed(0),
      },
    );
    expect(parts.map((p) => p.length)).toEqual([6, 3, 2]);
    expect(parts.flatMap((p) => [...p.indices]).sort((a, b) => a - b)).toHaveLength(11);
  });
});

describe('collating', () => {
  it('takes typed arrays, bigints, floats and nested containers', () => {
    const batch = defaultCollate([
      { x: new Float32Array([1, 2]), n: 1n, f: float(1), t: [tensor([1]), 'a'] as const },
      { x: new Float32Array([3, 4]), n: 2n, f: float(2), t: [tensor([2]), 'b'] as const },
    ]);
    expect(batch.x.toArraySync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect([batch.n.dtype, batch.f.dtype, batch.t[0].shape]).toEqual(['int64', 'float32', [2, 1]]);
    expect(batch.t[1]).toEqual(['a', 'b']);
  });

  it('refuses null, and samples of different kinds', () => {
    expect(() => defaultCollate([null])).toThrow(/batch must contain tensors.*found null/);
    expect(() => defaultCollate([{ a: 1 }, { b: 1 }] as object[])).toThrow(
      /sample 1 .* has no 'a'/,
    );
    expect(() => defaultCollate([1, 'a'] as unknown[])).toThrow(
      /sample 0 of the batch is a number, but sample 1 is string/,
    );
    expect(() => defaultCollate([new Float32Array(2), new Float32Array(3)])).toThrow(
      /expected Float32Array\(2\) .* sample 1 has length 3/,
    );
    expect(() => defaultCollate([tensor([1]), tensor([1, 2])])).toThrow(
      /stack: expects each tensor to be equal size/,
    );
  });

  it('keeps gradients', () => {
    const w = tensor([1, 2], { requiresGrad: false });
    expect(defaultCollate([w.select(0, 0), w.select(0, 1)]).toArraySync()).toEqual([1, 2]);
    expect(defaultCollate([w, w.flip([0])]).toArraySync()).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  it('pads sequences of several lengths', () => {
    const samples = [
      { x: tensor([[1, 1]]), n: 1 },
      {
        x: tensor([
          [2, 2],
          [3, 3],
        ]),
        n: 2,
      },
    ];
    const first = padCollate({ paddingValue: 9 })(samples);
    expect(first.x.toArraySync()).toEqual([
      [
        [1, 1],
        [9, 9],
      ],
      [
        [2, 2],
        [3, 3],
      ],
    ]);
    expect(first.n.toArraySync()).toEqual([1, 2]);
    expect(padCollate({ batchFirst: false })(samples).x.shape).toEqual([2, 2, 2]);
    expect(lengthsOf(samples.map((s) => s.x)).toArraySync()).toEqual([1, 2]);
    expect(() => padCollate()([tensor([[1, 2]]), tensor([[1, 2, 3]])])).toThrow(
      /may differ in length alone, but got \[1, 2\] float32 in sample 0 and \[1, 3\]/,
    );
  });

  it('leaves single samples as they are, with typed arrays made tensors', async () => {
    const sample = defaultConvert({ x: new Int32Array([1]), y: [2, 'z', null] as const });
    expect(sample.x).toBeInstanceOf(Tensor);
    expect(sample.y).toEqual([2, 'z', null]);
    const loader = new DataLoader([{ x: new Int32Array([1]), y: 'a' }], { batchSize: null });
    const [only] = await all(loader);
    expect(only?.x.toArraySync()).toEqual([1]);
    expect(only?.y).toBe('a');
  });
});

describe('the loader', () => {
  it('says what does not go together', () => {
    const build = (options: object) => () => new DataLoader([1], options);
    expect(build({ numWorkers: -1 })).toThrow(/non-negative/);
    expect(build({ timeout: -1 })).toThrow(/timeout option should be non-negative/);
    expect(build({ prefetchFactor: 2 })).toThrow(/let numWorkers > 0/);
    expect(build({ persistentWorkers: true })).toThrow(/needs numWorkers > 0/);
    expect(build({ batchSampler: [[1]], batchSize: 2 })).toThrow(/mutually exclusive/);
    expect(build({ batchSize: null, dropLast: true })).toThrow(/mutually exclusive with dropLast/);
  });

  it('says what is no dataset', async () => {
    const load = (dataset: unknown) => new DataLoader(dataset as number[], { sampler: [4] });
    expect(() => load(Promise.resolve([1]))).toThrow(/^DataLoader: .* but got a promise; await it/);
    expect(() => load(undefined)).toThrow(/but got undefined; .*IterableDataset.from/);
    expect(() => load({ get: () => 1 })).toThrow(TypeError);
    expect(() => load(new Set([1]))).toThrow(/unspecified sampler option/);
    await expect(all(load([1, 2]))).rejects.toThrow(
      'dataset: index 4 is out of range for 2 samples',
    );
  });

  it('goes on where a state says, in the order that was drawn', async () => {
    const generator = new Generator().manualSeed(4);
    const options = { batchSize: 3, shuffle: true };
    const numbers = Array.from({ length: 10 }, (_, i) => i);
    const read = async (loader: AsyncIterable<Tensor>) =>
      (await all(loader)).map((b) => b.toArraySync());
    const first = new DataLoader(numbers, { ...options, generator });
    await read(first);
    const between = first.stateDict();
    let state = between;
    const rest: unknown[] = [];
    let seen = 0;
    for await (const b of first) {
      if (seen++ === 1) state = first.stateDict();
      else if (seen > 2) rest.push(b.toArraySync());
    }
    const after = await read(first);
    const second = new DataLoader(numbers, { ...options, generator: new Generator() });
    second.loadStateDict(state);
    expect(await read(second)).toEqual(rest);
    expect(await read(second)).toEqual(after);
    second.loadStateDict(between);
    expect((await read(second)).slice(2)).toEqual(rest);
    expect(() => second.loadStateDict({ ...state, version: 2 })).toThrow(/version 2/);
    expect(() => second.loadStateDict({ ...state, position: -1 })).toThrow(/must hold a position/);
  });

  it('waits for samples that are promises, in order', async () => {
    class Slow extends Dataset<number> {
      readonly length = 4;
      readonly order: number[] = [];
      async get(i: number): Promise<number> {
        await new Promise((resolve) => setTimeout(resolve, 8 - 2 * i));
        this.order.push(i);
        return i;
      }
    }
    const slow = new Slow();
    const [batch] = await all(new DataLoader(slow, { batchSize: 4 }));
    expect(batch?.toArraySync()).toEqual([0, 1, 2, 3]);
    expect(slow.order).toEqual([0, 1, 2, 3]);
  });
});
