import {
  CheckpointManager,
  data,
  Generator,
  manualSeed,
  nn,
  optim,
  rand,
  type Tensor,
  tensor,
} from 'sconce';

/** How long and where a run is. */
export interface RunOptions {
  /** Where checkpoints are kept; a run that was killed is resumed from there. */
  folder: string;
  epochs: number;
  /** Steps from one checkpoint to the next. */
  every: number;
  onResume?: (step: number) => void;
  onStep?: (step: number, loss: number) => void | Promise<void>;
}

/** Points on two spirals, and to which of them they belong. Shapes: [2n, 2] and [2n]. */
export function spirals(n: number): [points: Tensor, labels: Tensor] {
  const points: number[][] = [];
  const labels: bigint[] = [];
  for (let i = 0; i < n; i++) {
    const angle = 0.5 + (3 * Math.PI * i) / n;
    for (const sign of [1, -1]) {
      points.push([(sign * angle * Math.cos(angle)) / 10, (sign * angle * Math.sin(angle)) / 10]);
      labels.push(sign === 1 ? 0n : 1n);
    }
  }
  return [tensor(points), tensor(labels)];
}

/** Trains a network to tell two spirals apart, from the newest checkpoint on. Returns how many steps were taken in all. */
export async function train(options: RunOptions): Promise<number> {
  manualSeed(0);
  const [points, labels] = spirals(256);
  const model = new nn.Sequential(
    new nn.Linear(2, 64),
    new nn.Tanh(),
    new nn.Dropout(0.1),
    new nn.Linear(64, 64),
    new nn.Tanh(),
    new nn.Linear(64, 2),
  );
  const optimizer = new optim.AdamW(model.parameters(), { lr: 0.01 });
  const loader = new data.DataLoader(new data.TensorDataset(points, labels), {
    batchSize: 32,
    shuffle: true,
  });
  const scheduler = new optim.CosineAnnealingLR(optimizer, options.epochs * loader.length);
  const noise = new Generator().manualSeed(1);
  const criterion = new nn.CrossEntropyLoss();

  // Everything that has a state.
  const parts = { model, optimizer, scheduler, loader, noise };
  const manager = new CheckpointManager(options.folder, { keep: 2 });
  const resumed = await manager.restore(parts);
  let step = resumed?.step ?? 0;
  if (resumed) options.onResume?.(step);

  // The loader goes on in the middle of a pass, or with the next one if the last was at its end.
  for (let epoch = Math.floor(step / loader.length); epoch < options.epochs; epoch++) {
    for await (const [x, y] of loader) {
      optimizer.zeroGrad();
      const moved = x.add(rand(x.shape, { generator: noise }).sub(0.5).mul(0.02));
      const loss = criterion(model(moved) as Tensor, y);
      loss.backward();
      optimizer.step();
      scheduler.step();
      step++;
      await options.onStep?.(step, await loss.item());
      // Copies the state and returns; the file is written while training goes on.
      if (step % options.every === 0) await manager.saveAsync(step, parts);
    }
  }
  await manager.wait();
  return step;
}
