import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { collectGarbage } from '../../../../scripts/testing/garbage.js';
import { type Bundle, bundle } from '../../test/bundle.js';
import type * as Datasets from '../../test/datasets.js';
import type * as More from '../../test/more-datasets.js';

let made: Bundle;
let lib: typeof Datasets;
let core: typeof Datasets.core;

beforeAll(async () => {
  made = await bundle(
    ['datasets', 'more-datasets'].map((name) => `packages/data/test/${name}.ts`),
    'node',
  );
  lib = (await import(/* @vite-ignore */ made.url('datasets'))) as typeof Datasets;
  core = lib.core;
}, 60_000);
afterAll(() => made?.remove());
beforeEach(() => {
  core.manualSeed(11);
});

const collectAll = async <B>(loader: AsyncIterable<B>): Promise<B[]> => {
  const batches: B[] = [];
  for await (const batch of loader) batches.push(batch);
  return batches;
};
type Draw = readonly [Datasets.core.Tensor, Datasets.core.Tensor];
const plain = (batches: readonly Draw[]) =>
  batches.map(([a, b]) => ({
    index: Array.from(a.select(1, 0).toTypedArraySync(), Number),
    worker: Number(a.select(1, 1).toTypedArraySync()[0]),
    seed: a.select(1, 2).toTypedArraySync()[0],
    drawn: (b.toArraySync() as number[][]).flat().map((x) => Number(x.toFixed(6))),
  }));

// Printed by PyTorch 1.13: manual_seed(11), 8 samples, batch_size 2, shuffle, num_workers 2.
const SEED = 3325388913236545215n;
const FIRST = [
  { index: [4, 6], worker: 0, seed: SEED, drawn: [0.599726, 0.381336, 0.637629, 0.127659] },
  { index: [1, 7], worker: 1, seed: SEED + 1n, drawn: [0.519743, 0.730724, 0.378785, 0.706955] },
  { index: [3, 0], worker: 0, seed: SEED, drawn: [0.79014, 0.499952, 0.766985, 0.367853] },
  { index: [2, 5], worker: 1, seed: SEED + 1n, drawn: [0.897979, 0.843423, 0.548458, 0.287342] },
];
// The second pass of persistent workers.
const SECOND = [
  { index: [2, 4], worker: 0, seed: SEED, drawn: [0.227625, 0.999423, 0.320142, 0.67856] },
  { index: [1, 5], worker: 1, seed: SEED + 1n, drawn: [0.405446, 0.406721, 0.086844, 0.017853] },
  { index: [6, 7], worker: 0, seed: SEED, drawn: [0.254655, 0.775275, 0.644474, 0.868367] },
  { index: [0, 3], worker: 1, seed: SEED + 1n, drawn: [0.050258, 0.180519, 0.672864, 0.130417] },
];

describe("PyTorch's numbers", () => {
  it('order, seeds and draws of workers, and what is drawn after them', async () => {
    const options = { batchSize: 2, shuffle: true, numWorkers: 2 };
    const loader = new lib.DataLoader(await lib.draws(8), options);
    expect(plain(await collectAll(loader))).toEqual(FIRST);
    expect(core.rand([1]).itemSync()).toBeCloseTo(0.5839, 4);
  });

  it('persistent workers go on with their generators, and no new seed is drawn', async () => {
    const loader = new lib.DataLoader(await lib.draws(8), {
      batchSize: 2,
      shuffle: true,
      numWorkers: 2,
      persistentWorkers: true,
    });
    expect(plain(await collectAll(loader))).toEqual(FIRST);
    expect(plain(await collectAll(loader))).toEqual(SECOND);
    expect(core.rand([1]).itemSync()).toBeCloseTo(0.5831, 4);
    await loader.close();
  });

  it('iterable datasets: workers in turn, leaving out those that have ended', async () => {
    const dataset = await lib.counting([7, 3]);
    const run = async (dropLast: boolean) =>
      (
        await collectAll(new lib.DataLoader(dataset, { batchSize: 2, numWorkers: 2, dropLast }))
      ).map((b) => b.toArraySync());
    expect(await run(false)).toEqual([[0, 1], [100, 101], [2, 3], [102], [4, 5], [6]]);
    expect(await run(true)).toEqual([
      [0, 1],
      [100, 101],
      [2, 3],
      [4, 5],
    ]);
  });

  it('persistent workers iterate anew at each pass', async () => {
    const loader = new lib.DataLoader(await lib.counting([2, 1]), {
      batchSize: 2,
      numWorkers: 2,
      persistentWorkers: true,
    });
    for (let pass = 0; pass < 3; pass++) {
      const batches = await collectAll(loader);
      expect(batches.map((b) => b.toArraySync())).toEqual([[0, 1], [100]]);
    }
    await loader.close();
  });
});

describe('what workers make', () => {
  it('comes in shared memory, without a copy, and is given back', async () => {
    const dataset = await lib.wide();
    const before = core.memoryStats('cpu').bytes;
    let most = 0;
    let shared = 0;
    for await (const x of new lib.DataLoader(dataset, { batchSize: 8, numWorkers: 2 })) {
      const { backend, buffer } = x.storage;
      if (backend.map?.(buffer, 'float32').buffer instanceof SharedArrayBuffer) shared++;
      expect(x.select(1, 4095).toArraySync()).toEqual(x.select(1, 0).toArraySync());
      most = Math.max(most, core.memoryStats('cpu').bytes - before);
      x.dispose();
    }
    expect(shared).toBe(8);
    // Four batches of 128 KiB are under way, and one is in use.
    expect(most).toBeLessThan(6 * 8 * 16384 + 65536);
    expect(core.memoryStats('cpu').bytes - before).toBeLessThan(65536);
  });

  it('is the same as without workers, for built-in datasets too', async () => {
    const x = core.arange(30).reshape(10, 3);
    const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
    const base = new lib.StackDataset({
      row: new lib.TensorDataset(x, x.mul(2).to('float32')),
      name: names,
    });
    const dataset = new lib.Subset(new lib.ConcatDataset([base, base]), [19, 0, 3, 12, 7]);
    const run = async (numWorkers: number) =>
      (await collectAll(new lib.DataLoader(dataset, { batchSize: 2, numWorkers }))).map((b) => [
        b.row.map((t) => [t.dtype, t.toArraySync()]),
        b.name,
      ]);
    expect(await run(2)).toEqual(await run(0));
    const tensors = new lib.TensorDataset(x);
    const rows = await collectAll(
      new lib.DataLoader(tensors, { batchSize: 4, numWorkers: 2, dropLast: true }),
    );
    expect(rows.map(([t]) => t.toArraySync())).toEqual([
      x.narrow(0, 0, 4).toArraySync(),
      x.narrow(0, 4, 4).toArraySync(),
    ]);
  });

  it('of datasets of several modules side by side', async () => {
    const other = (await import(/* @vite-ignore */ made.url('more-datasets'))) as typeof More;
    const both = new lib.ConcatDataset<unknown>([await lib.prepared(), await other.letters('ab')]);
    const [batch] = await collectAll(new lib.DataLoader(both, { batchSize: 3, numWorkers: 1 }));
    expect(batch).toEqual(['nothing', 'a', 'b']);
  });

  it('batches of changing size, collated by a function of the module', async () => {
    const loader = new lib.DataLoader(await lib.ragged(), {
      batchSize: 3,
      collateFn: lib.pad,
      persistentWorkers: true,
      numWorkers: 2,
    });
    for (let pass = 0; pass < 2; pass++) {
      const batches = await collectAll(loader);
      expect(batches.map((b) => b.tokens.shape)).toEqual([
        [3, 3],
        [3, 6],
        [3, 9],
        [3, 12],
      ]);
      expect(batches[0]?.tokens.toArraySync()).toEqual([
        [0, -1, -1],
        [1, 1, -1],
        [2, 2, 2],
      ]);
      expect(batches[3]?.label).toEqual(['n9', 'n10', 'n11']);
    }
    await loader.close();
  });

  it('functions of the module run in workers, others here', async () => {
    const dataset = await lib.ragged();
    const there = new lib.DataLoader(dataset, {
      batchSize: 6,
      numWorkers: 2,
      collateFn: lib.describeBatch,
      workerInitFn: lib.remember,
    });
    expect(await collectAll(there)).toEqual([
      'n0+n1+n2+n3+n4+n5 by 0, 10',
      'n6+n7+n8+n9+n10+n11 by 1, 11',
    ]);
    const here = new lib.DataLoader(dataset, {
      batchSize: 6,
      numWorkers: 2,
      collateFn: (samples) => samples.map((s) => Number(s.tokens[0])),
    });
    expect(await collectAll(here)).toEqual([
      [0, 1, 2, 3, 4, 5],
      [6, 7, 8, 9, 10, 11],
    ]);
    const init = new lib.DataLoader(dataset, { numWorkers: 1, workerInitFn: () => 1 });
    await expect(collectAll(init)).rejects.toThrow(/list it in defineDataset/);
  });

  it('after a setup of their own', async () => {
    const setup = 'data:text/javascript,globalThis.prepared="by setup"';
    const options = { numWorkers: 1, workerOptions: { setup } };
    expect(await collectAll(new lib.DataLoader(await lib.prepared(), options))).toEqual([
      ['by setup'],
    ]);
  });

  it.skipIf('typescript' in process.features && process.features.typescript)(
    'not of TypeScript where nothing runs it, which is said',
    async () => {
      const module = join(made.folder, 'own.ts');
      await writeFile(module, 'export const x: number = 1;');
      const dataset = await lib.defineDataset(pathToFileURL(module), () => [1])();
      const loader = new lib.DataLoader(dataset, { numWorkers: 1 });
      await expect(collectAll(loader)).rejects.toThrow(
        /Unknown file extension "\.ts".*start it under tsx, use Node 22\.18 or newer/,
      );
    },
  );

  it('single samples, where nothing is batched', async () => {
    const loader = new lib.DataLoader(await lib.ragged(), { batchSize: null, numWorkers: 2 });
    const samples = await collectAll(loader);
    expect(samples.map((s) => s.label)).toEqual(Array.from({ length: 12 }, (_, i) => `n${i}`));
    expect(samples[2]?.tokens.toArraySync()).toEqual([2, 2, 2]);
  });
});

describe('a device', () => {
  it('has the tensors ahead of the loop, and none when it is left', async () => {
    const dataset = await lib.wide();
    const before = core.memoryStats('reference').storages;
    const options = { batchSize: 8, numWorkers: 2, device: 'reference' } as const;
    let seen = 0;
    for await (const x of new lib.DataLoader(dataset, options)) {
      expect(String(x.device)).toBe('reference');
      expect(x.select(0, 1).select(0, 0).itemSync()).toBe(8 * seen + 1);
      // Two workers make two batches each.
      if (seen === 1)
        await vi.waitFor(() =>
          expect(core.memoryStats('reference').storages - before).toBeGreaterThanOrEqual(5),
        );
      x.dispose();
      if (++seen === 3) break;
    }
    expect(core.memoryStats('reference').storages - before).toBe(0);
    const here = new lib.DataLoader(dataset, {
      ...options,
      collateFn: (samples: Float32Array[]) => core.tensor(samples.map((s) => s[0] as number)),
    });
    const [first] = await collectAll(here);
    expect([String(first?.device), first?.shape]).toEqual(['reference', [8]]);
  });
});

describe('what goes wrong', () => {
  const run = async (
    kind: Datasets.Trouble,
    options: Datasets.DataLoaderOptions<{ x: Float32Array; i: number }, never> = {},
  ): Promise<{ seen: number; error: Datasets.DataWorkerError }> => {
    const loader = new lib.DataLoader(await lib.troubled(kind, 5), {
      batchSize: 2,
      numWorkers: 2,
      ...(options as object),
    });
    let seen = 0;
    try {
      for await (const { i } of loader) seen += typeof i === 'number' ? 1 : i.numel();
    } catch (error) {
      return { seen, error: error as Datasets.DataWorkerError };
    }
    throw new Error('no error came');
  };

  it("an error comes in order, with the index and the worker's stack", async () => {
    const { seen, error } = await run('throw');
    expect(seen).toBe(4);
    expect(error).toBeInstanceOf(lib.DataWorkerError);
    expect(error.message).toBe(
      'DataLoader: worker 0 failed at index 5: RangeError: sample 5 is broken',
    );
    expect([error.workerId, error.index]).toEqual([0, 5]);
    expect(error.stack).toMatch(/in worker 0:\nRangeError: sample 5 is broken\n\s+at fail /);
    expect((error.cause as Error).stack).toMatch(/datasets/);
  });

  it('a worker that exits', async () => {
    const { seen, error } = await run('exit');
    expect(seen).toBe(4);
    expect(error.message).toBe('DataLoader: worker 0 exited unexpectedly (code 3)');
  });

  it('a worker that crashes outside of a sample', async () => {
    const { error } = await run('crash');
    expect(error.message).toBe('DataLoader: worker 0 died: RangeError: sample 5 is broken');
    expect(error.stack).toMatch(/at fail /);
  });

  it('a worker that runs out of memory', async () => {
    const { error } = await run('memory', {
      workerOptions: { resourceLimits: { maxOldGenerationSizeMb: 96 } },
    });
    expect(error.message).toMatch(/worker 0 died: .*reaching memory limit.*use smaller batches/);
  });

  it('a worker that hangs', async () => {
    const { seen, error } = await run('hang', { timeout: 4 });
    expect(seen).toBe(4);
    expect(error.message).toBe('DataLoader: worker 0 gave no batch: timed out after 4 s');
  });

  it('what cannot be sent', async () => {
    const { error } = await run('function', { batchSize: null });
    expect(error.message).toMatch(/a batch holds a function, which cannot be sent from a worker/);
  });

  it('a dataset that cannot be made', async () => {
    const loader = new lib.DataLoader(await lib.unmakable(), { numWorkers: 1 });
    await expect(collectAll(loader)).rejects.toThrow(
      'DataLoader: worker 0 could not start: Error: no such folder',
    );
  });

  it('datasets that workers cannot make are refused with the way out', async () => {
    class Own extends lib.Dataset<number> {
      length = 3;
      get(i: number): number {
        return i;
      }
    }
    const refused = (dataset: Datasets.Dataset<number>) =>
      collectAll(new lib.DataLoader(dataset, { numWorkers: 1 }));
    await expect(refused(new Own())).rejects.toThrow(
      /workers make datasets for themselves, and a Own cannot be sent to them; make the dataset in a module of its own with defineDataset/,
    );
    await expect(refused(new lib.ConcatDataset([[1], [2]]).map((x) => x + 1))).rejects.toThrow(
      /the function given to map\(\) cannot be sent/,
    );
    const odd = new lib.DataLoader([() => 1, () => 2] as unknown as number[], { numWorkers: 1 });
    await expect(collectAll(odd)).rejects.toThrow(/an element of the array is a function/);
    const tensors = new lib.DataLoader([[core.ones([2])]], { numWorkers: 1 });
    await expect(collectAll(tensors)).rejects.toThrow(/an element of the array is a tensor/);
    const twice = new lib.DataLoader(await lib.twins(), { numWorkers: 1 });
    await expect(collectAll(twice)).rejects.toThrow(/several datasets are named 'twins' in file:/);
  });
});

describe('leaving the loop', () => {
  it('ends the threads and gives the memory back', async () => {
    const ticks = new Int32Array(new SharedArrayBuffer(4));
    const dataset = await lib.troubled('none', 0, ticks);
    // What earlier tests dropped must not go meanwhile.
    await collectGarbage();
    const before = core.memoryStats('cpu').storages;
    for (const leave of ['break', 'throw'] as const) {
      const loader = new lib.DataLoader(dataset, { batchSize: 2, numWorkers: 2 });
      const loop = async () => {
        let seen = 0;
        for await (const batch of loader) {
          batch.x.dispose();
          batch.i.dispose();
          if (++seen < 3) continue;
          if (leave === 'throw') throw new Error('mine');
          break;
        }
      };
      if (leave === 'break') await loop();
      else await expect(loop()).rejects.toThrow('mine');
      const stopped = Atomics.load(ticks, 0);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(Atomics.load(ticks, 0)).toBe(stopped);
      expect(core.memoryStats('cpu').storages).toBe(before);
    }
  });

  it('of persistent workers drops what they have in hand, and the next pass is whole', async () => {
    const loader = new lib.DataLoader(await lib.wide(), {
      batchSize: 8,
      numWorkers: 2,
      persistentWorkers: true,
    });
    const before = core.memoryStats('cpu').bytes;
    for (let pass = 0; pass < 3; pass++) {
      for await (const x of loader) {
        x.dispose();
        break;
      }
    }
    const firsts: number[] = [];
    for await (const x of loader) {
      firsts.push(x.select(0, 0).select(0, 0).itemSync());
      x.dispose();
    }
    expect(firsts).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
    await vi.waitFor(() => expect(core.memoryStats('cpu').bytes - before).toBeLessThan(65536));
    await loader.close();
  });

  it('leaves no tensor to a tidy around the loop while workers write', async () => {
    const dataset = await lib.wide();
    const kept = await core.tidy(async () => {
      const sums: number[] = [];
      for await (const x of new lib.DataLoader(dataset, { batchSize: 16, numWorkers: 2 }))
        sums.push(x.sum().itemSync());
      return sums;
    });
    expect(kept).toHaveLength(4);
    expect(kept[0]).toBe(4096 * 120);
  });
});

describe('resuming', () => {
  it('goes on with the batch that would have come next, draws of workers included', async () => {
    const options = { batchSize: 2, shuffle: true, numWorkers: 2 };
    const dataset = await lib.draws(16);
    const whole = plain(await collectAll(new lib.DataLoader(dataset, options)));
    core.manualSeed(11);
    const first = new lib.DataLoader(dataset, options);
    let state: Datasets.DataLoaderState | undefined;
    let seen = 0;
    for await (const _ of first) {
      if (++seen < 3) continue;
      state = first.stateDict();
      break;
    }
    // Another process: its default generator stands somewhere else, and stays there.
    core.manualSeed(99);
    const expected = core.rand([1]).itemSync();
    core.manualSeed(99);
    const second = new lib.DataLoader(dataset, options);
    second.loadStateDict(state as Datasets.DataLoaderState);
    expect(plain(await collectAll(second))).toEqual(whole.slice(3));
    expect(core.rand([1]).itemSync()).toBe(expected);
  });

  it('persistent workers in a later pass, and an iterable dataset', async () => {
    const options = { batchSize: 2, shuffle: true, numWorkers: 2, persistentWorkers: true };
    const loader = new lib.DataLoader(await lib.draws(8), options);
    await collectAll(loader);
    let state: Datasets.DataLoaderState | undefined;
    for await (const _ of loader) {
      state = loader.stateDict();
      break;
    }
    await loader.close();
    const second = new lib.DataLoader(await lib.draws(8), options);
    second.loadStateDict(state as Datasets.DataLoaderState);
    expect(plain(await collectAll(second))).toEqual(SECOND.slice(1));
    await second.close();

    const count = async () =>
      new lib.DataLoader(await lib.counting([7, 3]), { batchSize: 2, numWorkers: 2 });
    const third = await count();
    for await (const b of third) {
      state = third.stateDict();
      if (b.select(0, 0).itemSync() === 100) break;
    }
    const fourth = await count();
    fourth.loadStateDict(state as Datasets.DataLoaderState);
    expect((await collectAll(fourth)).map((b) => b.toArraySync())).toEqual([
      [2, 3],
      [102],
      [4, 5],
      [6],
    ]);
  });
});

describe('what keeps a process alive', () => {
  const run = async (name: string, body: string): Promise<string> => {
    const file = join(made.folder, `${name}.mjs`);
    await writeFile(file, `import * as lib from ${JSON.stringify(made.url('datasets'))};\n${body}`);
    const ended = await promisify(execFile)(process.execPath, [file], { timeout: 50_000 });
    return ended.stdout.trim();
  };
  const open = (persistent: boolean) => `
    const options = { batchSize: 2, numWorkers: 2, persistentWorkers: ${persistent} };
    const loader = new lib.DataLoader(await lib.draws(64), options);
    const it = loader[Symbol.asyncIterator]();
    await it.next();
    console.log('taken');`;

  it.each([false, true])(
    'not an iterator that was left (persistent workers: %s)',
    async (p) => {
      expect(await run(`left-${p}`, open(p))).toBe('taken');
    },
    60_000,
  );

  it('but one that is awaited, to the end and when it is closed', async () => {
    const body = `${open(false)}
      let count = 1;
      while (!(await it.next()).done) count++;
      console.log(count);
      const other = loader[Symbol.asyncIterator]();
      await other.next();
      await other.return();
      console.log('closed');`;
    expect(await run('awaited', body)).toBe('taken\n32\nclosed');
  }, 60_000);
});
