import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CheckpointManager, data, manualSeed, nn, optim, rand, randn } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sconce-resume-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A run that shuffles, augments at random and drops out; ends after `stop` steps as if it were killed. */
async function run(manager: CheckpointManager | undefined, stop = Number.POSITIVE_INFINITY) {
  manualSeed(0);
  const x = randn([40, 6]);
  const y = x.sum(1, { keepdim: true });
  const noisy = new data.TensorDataset(x, y).map(
    ([a, b]) => [a.add(rand([6]).mul(0.1)), b] as const,
  );
  const loader = new data.DataLoader(noisy, { batchSize: 8, shuffle: true });
  const model = new nn.Sequential(new nn.Linear(6, 16), new nn.Dropout(0.2), new nn.Linear(16, 1));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const parts = { model, optimizer, loader };
  const resumed = await manager?.restore(parts);
  let step = resumed?.step ?? 0;
  const losses: number[] = [];
  for (let epoch = Math.floor(step / loader.length); epoch < 4; epoch++) {
    for await (const [input, target] of loader) {
      optimizer.zeroGrad();
      const loss = nn.functional.mseLoss(model(input), target);
      loss.backward();
      optimizer.step();
      losses.push(loss.itemSync());
      step++;
      await manager?.save(step, parts);
      if (step === stop) return losses;
    }
  }
  return losses;
}

it('a run interrupted within an epoch goes on as if it had not been, bit for bit', async () => {
  const whole = await run(undefined);
  expect(whole).toHaveLength(20);
  for (const stop of [7, 10]) {
    const manager = new CheckpointManager(join(folder, String(stop)));
    const first = await run(manager, stop);
    const rest = await run(manager);
    expect([...first, ...rest]).toEqual(whole);
  }
});
