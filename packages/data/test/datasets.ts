// Datasets that workers load, and what tests need of the packages, in one module graph.
import '@sconce/backend-cpu';
import { builtinModule, rand, type Tensor, tensor } from '@sconce/core';
import { Dataset, defineDataset, getWorkerInfo, IterableDataset, padCollate } from '@sconce/data';

export * as core from '@sconce/core';
export * from '@sconce/data';

const place = {
  url: import.meta.url,
  worker: () => new Worker(new URL('./datasets.js', import.meta.url), { type: 'module' as const }),
};

/** Index, worker, seed and two random numbers. */
class Draws extends Dataset<readonly [Tensor, Tensor]> {
  readonly length: number;
  constructor(length: number) {
    super();
    this.length = length;
  }
  get(i: number): readonly [Tensor, Tensor] {
    const { id = -1, seed = 0n } = getWorkerInfo() ?? {};
    return [tensor([BigInt(i), BigInt(id), seed]), rand([2])];
  }
}
export const draws = defineDataset(place, (length: number) => new Draws(length), { name: 'draws' });

/** What a dataset of `trouble` does at one index. */
export type Trouble = 'throw' | 'exit' | 'crash' | 'hang' | 'memory' | 'function' | 'none';

function fail(i: number): never {
  throw new RangeError(`sample ${i} is broken`);
}

class Troubled extends Dataset<{ x: Float32Array; i: number }> {
  readonly length = 20;
  readonly kind: Trouble;
  readonly at: number;
  constructor(kind: Trouble, at: number, ticks: Int32Array | undefined) {
    super();
    this.kind = kind;
    this.at = at;
    // A sign of life that stops with the thread.
    if (ticks && getWorkerInfo()) setInterval(() => Atomics.add(ticks, 0, 1), 5);
  }
  async get(i: number): Promise<{ x: Float32Array; i: number }> {
    if (i === this.at && getWorkerInfo()) {
      if (this.kind === 'throw') fail(i);
      if (this.kind === 'exit') {
        const node = builtinModule<typeof import('node:process')>('node:process');
        if (node) node.exit(3);
        else (globalThis as unknown as { close(): void }).close();
      }
      if (this.kind === 'crash') {
        setTimeout(() => fail(i));
        await new Promise(() => {});
      }
      if (this.kind === 'hang') await new Promise(() => {});
      if (this.kind === 'memory') {
        const hoard: number[][] = [];
        for (;;) hoard.push(Array.from({ length: 1e5 }, Math.random));
      }
      if (this.kind === 'function') return { x: (() => 1) as unknown as Float32Array, i };
    }
    return { x: new Float32Array(4).fill(i), i };
  }
}
export const troubled = defineDataset(
  place,
  (kind: Trouble, at: number, ticks?: Int32Array) => new Troubled(kind, at, ticks),
  { name: 'troubled' },
);

export const unmakable = defineDataset(
  place,
  (): number[] => {
    if (getWorkerInfo()) throw new Error('no such folder');
    return [1, 2, 3];
  },
  { name: 'unmakable' },
);

class Counting extends IterableDataset<number> {
  readonly shares: readonly number[];
  constructor(shares: readonly number[]) {
    super();
    this.shares = shares;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {
    const { id } = getWorkerInfo() ?? { id: 0 };
    for (let i = 0; i < (this.shares[id] ?? 0); i++) yield id * 100 + i;
  }
}
export const counting = defineDataset(place, (shares: number[]) => new Counting(shares), {
  name: 'counting',
});

/** As long as their number, of their number. */
class Ragged extends Dataset<{ tokens: BigInt64Array; label: string }> {
  readonly length = 12;
  get(i: number): { tokens: BigInt64Array; label: string } {
    return { tokens: new BigInt64Array(i + 1).fill(BigInt(i)), label: `n${i}` };
  }
}
export const pad = padCollate({ paddingValue: -1 });
let initialised = -1;
export const remember = (id: number): void => {
  initialised = id + 10;
};
export const describeBatch = (samples: readonly { label: string }[]): string =>
  `${samples.map((s) => s.label).join('+')} by ${getWorkerInfo()?.id ?? 'main'}, ${initialised}`;
export const ragged = defineDataset(place, () => new Ragged(), {
  name: 'ragged',
  functions: [pad, remember, describeBatch],
});

/** 16 KiB a sample. */
class Wide extends Dataset<Float32Array> {
  readonly length = 64;
  get(i: number): Float32Array {
    return new Float32Array(4096).fill(i);
  }
}
export const wide = defineDataset(place, () => new Wide(), { name: 'wide' });
export const countingByUrl = defineDataset(
  import.meta.url.startsWith('http') ? new URL('./datasets.js', import.meta.url) : import.meta.url,
  (shares: number[]) => new Counting(shares),
  { name: 'countingByUrl' },
);

/** What the setup of a worker left behind. */
export const prepared = defineDataset(
  place,
  () => [(globalThis as { prepared?: string }).prepared ?? 'nothing'],
  { name: 'prepared' },
);

/** Two of one name, which workers cannot tell apart. */
export const twins = defineDataset(place, () => [1], { name: 'twins' });
defineDataset(place, () => [2], { name: 'twins' });
