import { manualSeed, rand, randint, sin } from '@sconce/core';
import { DataLoader, TensorDataset } from '@sconce/data';
import * as nn from '@sconce/nn';
import { Adam, SGD } from '@sconce/optim';
import type { Trace } from './trace.js';

const F = nn.functional;

/** MLP classifier, Adam, mini-batches from a shuffling DataLoader. */
export const mlpClassifier: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([96, 10]).to(device);
  const y = randint(0, 3, [96]).to(device);
  const model = new nn.Sequential(new nn.Linear(10, 24), new nn.ReLU(), new nn.Linear(24, 3));
  yield model.to(device);
  const loader = new DataLoader(new TensorDataset(x, y), { batchSize: 20, shuffle: true });
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  for (;;) {
    for await (const [xb, yb] of loader) {
      const loss = F.crossEntropy(model(xb), yb);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      yield await loss.item();
    }
  }
};

/** MLP regression, SGD with momentum, full batch. */
export const mlpRegression: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([64, 4]).to(device);
  const y = sin(x.at(':, :1').mul(3)).add(x.at(':, 1:2').mul(x.at(':, 2:3')));
  const model = new nn.Sequential(
    new nn.Linear(4, 32),
    new nn.Tanh(),
    new nn.Linear(32, 32),
    new nn.ReLU(),
    new nn.Linear(32, 1),
  );
  yield model.to(device);
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
  for (;;) {
    const loss = F.mseLoss(model(x), y);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    yield await loss.item();
  }
};
