import '@sconce/autograd';
import '@sconce/backend-cpu';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Generator,
  manualSeed,
  ones,
  partName,
  rand,
  randn,
  type Tensor,
  tensor,
  zeros,
} from '@sconce/core';
import { DataLoader, TensorDataset } from '@sconce/data';
import { Dropout, functional, Linear, type Module, ReLU, Sequential } from '@sconce/nn';
import { AdamW, OneCycleLR, SGD } from '@sconce/optim';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointManager, load, type StateDict } from './index.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-manager-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const files = async (): Promise<string[]> => (await readdir(folder)).sort();

/** A run with dropout, shuffling, a schedule and draws of its own; everything that has a state is in `parts`. */
function start() {
  manualSeed(3);
  const x = randn([50, 6]);
  const y = x.sum(1, { keepdim: true });
  const model = new Sequential(new Linear(6, 16), new ReLU(), new Dropout(0.4), new Linear(16, 1));
  const optimizer = new AdamW(model.parameters(), { lr: 0.01, amsgrad: true });
  const scheduler = new OneCycleLR(optimizer, 0.05, { totalSteps: 60 });
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 8, shuffle: true });
  const generator = new Generator().manualSeed(11);
  return { model: model as Module, optimizer, scheduler, loader, generator };
}

/** Trains from where the parts stand; calls `after` with each step, which may stop it. */
async function train(
  parts: ReturnType<typeof start>,
  from: number,
  after: (step: number, loss: number) => Promise<boolean>,
): Promise<void> {
  const { model, optimizer, scheduler, loader, generator } = parts;
  let step = from;
  // After the last batch of a pass the loader's state is that of the next.
  for (let epoch = Math.floor(step / loader.length); epoch < 5; epoch++) {
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      const noisy = x.add(rand(x.shape, { generator }).mul(0.1));
      const loss = functional.mseLoss(model.forward(noisy) as Tensor, y);
      loss.backward();
      optimizer.step();
      scheduler.step();
      if (await after(++step, loss.itemSync())) return;
    }
  }
}

describe('a run that is interrupted and resumed', () => {
  // In the middle of a pass over the data, and at its end.
  it.each([9, 14, 21])(
    'gives the same losses, bit for bit, when stopped after step %i',
    async (stop) => {
      const whole: number[] = [];
      await train(start(), 0, async (_, loss) => {
        whole.push(loss);
        return false;
      });
      expect(whole).toHaveLength(35);

      const losses: number[] = [];
      const manager = new CheckpointManager(folder);
      const first = start();
      await train(first, 0, async (step, loss) => {
        losses.push(loss);
        if (step === stop) await manager.save(step, { ...first, note: 'kept' });
        return step === stop;
      });

      // Another process: nothing is left of the first but its file.
      const second = start();
      rand([17]);
      const resumed = await new CheckpointManager(folder).restore(second);
      expect(resumed?.step).toBe(stop);
      expect(resumed?.values.note).toBe('kept');
      await train(second, stop, async (_, loss) => {
        losses.push(loss);
        return false;
      });
      expect(losses).toEqual(whole);
    },
  );

  it('writes states that PyTorch takes: names, and the 5056 bytes of its generator', async () => {
    const parts = start();
    await new CheckpointManager(folder).save(1, { ...parts, epoch: 4 });
    type Saved = {
      model: StateDict;
      sconce: { rng: StateDict; step: number };
      generator: Tensor;
      epoch: number;
    };
    const saved = await load<Saved>(join(folder, 'checkpoint-0000000001.pt'));
    expect([...saved.model.keys()]).toEqual(['0.weight', '0.bias', '3.weight', '3.bias']);
    expect(saved.epoch).toBe(4);
    expect(saved.sconce.step).toBe(1);
    const states = [saved.sconce.rng.get('cpu'), saved.generator];
    expect(states.map((t) => [t?.dtype, t?.shape])).toEqual([
      ['uint8', [5056]],
      ['uint8', [5056]],
    ]);
  });
});

describe('which checkpoints are kept', () => {
  it('the newest, and the best', async () => {
    const manager = new CheckpointManager(folder, { keep: 2, best: 'loss' });
    for (const [step, loss] of [
      [1, 0.5],
      [2, 0.1],
      [3, 0.4],
      [4, 0.3],
      [5, 0.2],
    ] as const) {
      await manager.save(step, { step }, { metrics: { loss } });
    }
    expect(await files()).toEqual([2, 4, 5].map((n) => `checkpoint-000000000${n}.pt`));
    // Another manager sees the same.
    const again = new CheckpointManager(folder, { keep: 2, best: 'loss' });
    expect((await again.list()).map(({ step, metrics }) => [step, metrics.loss])).toEqual([
      [2, 0.1],
      [4, 0.3],
      [5, 0.2],
    ]);
    expect((await again.best())?.step).toBe(2);
    expect((await again.latest())?.step).toBe(5);
    expect((await again.restore({}, { which: 'best' }))?.values).toEqual({ step: 2 });
    expect((await again.restore({}, { which: 4 }))?.values).toEqual({ step: 4 });
    await expect(again.restore({}, { which: 3 })).rejects.toThrow(
      'restore: there is no checkpoint of step 3 (there are: 2, 4, 5)',
    );
    await again.save(6, { step: 6 }, { metrics: { loss: 0.05 } });
    expect(await files()).toEqual([5, 6].map((n) => `checkpoint-000000000${n}.pt`));
  });

  it('by the order in which they were written, so that a run that went back keeps its own', async () => {
    const manager = new CheckpointManager(folder, {
      keep: 2,
      best: { metric: 'accuracy', mode: 'max' },
    });
    for (const step of [1, 2, 3])
      await manager.save(step, { run: 1 }, { metrics: { accuracy: step } });
    await manager.restore({}, { which: 2 });
    await manager.save(1, { run: 2 }, { metrics: { accuracy: 0 } });
    const again = new CheckpointManager(folder, { keep: 2 });
    expect((await again.latest())?.step).toBe(1);
    expect((await again.restore({}))?.values).toEqual({ run: 2 });
    expect((await again.list()).map(({ step }) => step)).toEqual([3, 1]);
  });

  it('what a killed process left is cleared away', async () => {
    const own = partName('checkpoint-0000000009.pt');
    await writeFile(join(folder, own), 'half, and more to come');
    const left = own.replace(/-\d+-\d+-/, '-4194305-1-');
    await writeFile(join(folder, left), 'half');
    await writeFile(join(folder, 'notes.txt'), 'mine');
    await new CheckpointManager(folder).save(1, {});
    expect(await files()).toEqual([own, 'checkpoint-0000000001.pt', 'notes.txt']);
  });
});

describe('restore', () => {
  it('gives undefined at the first start', async () => {
    expect(
      await new CheckpointManager(join(folder, 'none')).restore({ model: new Linear(1, 1) }),
    ).toBeUndefined();
  });

  it('passes over a newest checkpoint that is damaged, and says so', async () => {
    const manager = new CheckpointManager(folder);
    for (const n of [1, 2, 3]) await manager.save(n, { w: ones([1000]).mul(n) });
    for (const [step, at] of [
      [3, 2000],
      [2, 10],
    ] as const) {
      const path = join(folder, `checkpoint-000000000${step}.pt`);
      const bytes = await readFile(path);
      bytes[at] = (bytes[at] as number) ^ 255;
      await writeFile(path, step === 2 ? bytes.subarray(0, 100) : bytes);
    }
    const w = zeros([1000]);
    const restored = await new CheckpointManager(folder).restore({ w });
    expect(restored?.step).toBe(1);
    expect(w.sum().itemSync()).toBe(1000);
    expect(
      restored?.skipped.map(({ path, error }) => [
        path.slice(-6),
        error.message.replace(/^.*?\.pt: ('.*?': )?(not a whole zip file: )?/, ''),
      ]),
    ).toEqual([
      ['002.pt', 'its directory is missing, so it was cut off or is no zip file'],
      [
        '003.pt',
        'the checksum of its bytes is wrong, so the file is damaged; pass { verify: false } to read it all the same',
      ],
    ]);
  });

  it('throws if a part is missing, before it changes anything', async () => {
    const manager = new CheckpointManager(folder);
    const model = new Linear(2, 2);
    await manager.save(1, { model });
    const optimizer = new SGD(model.parameters(), { lr: 1 });
    const before = model.weight.toArraySync();
    await expect(manager.restore({ model, optimizer })).rejects.toThrow(
      "restore: the checkpoint has no 'optimizer' (it has: model)",
    );
    expect(model.weight.toArraySync()).toEqual(before);
  });
});

describe('saveAsync', () => {
  it('writes the state of the call, whatever happens to it later', async () => {
    const manager = new CheckpointManager(folder);
    const w = tensor([1, 2, 3]);
    await manager.saveAsync(1, { w });
    w.fill_(9);
    await manager.saveAsync(2, { w });
    w.fill_(0);
    await manager.wait();
    const saved = async (n: number) =>
      (await load<{ w: Tensor }>(join(folder, `checkpoint-000000000${n}.pt`))).w.toArray();
    expect(await saved(1)).toEqual([1, 2, 3]);
    expect(await saved(2)).toEqual([9, 9, 9]);
  });

  it('throws at once what cannot be saved, and later what could not be written', async () => {
    const manager = new CheckpointManager(folder);
    await expect(manager.saveAsync(1, { f: () => 1 })).rejects.toThrow(
      'save: the value.f is the function f, which a file cannot hold',
    );
    await expect(manager.saveAsync(1, { sconce: 1 })).rejects.toThrow(
      "a part may not be named 'sconce'",
    );
    await expect(manager.saveAsync(-1, {})).rejects.toThrow('save: -1 is no step');
    await rm(folder, { recursive: true });
    await writeFile(folder, 'no folder');
    await expect(manager.save(1, {})).rejects.toThrow(/EEXIST|ENOTDIR/);
    await rm(folder);
  });

  it('wants the metric that the best is judged by', async () => {
    const manager = new CheckpointManager(folder, { best: 'loss' });
    await expect(manager.save(1, {})).rejects.toThrow(
      "save: the best checkpoint is judged by 'loss'; pass { metrics: { loss: ... } }",
    );
    expect(() => new CheckpointManager(folder, { keep: 0 })).toThrow('keep must be at least 1');
  });
});
