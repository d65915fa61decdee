import { grad } from '@sconce/autograd';
import { manualSeed, rand } from '@sconce/core';
import * as nn from '@sconce/nn';
import { SGD } from '@sconce/optim';
import { buildOptimizer } from '../mapping/optimizers.js';
import type { Trace } from './trace.js';

const F = nn.functional;

/** Gradient accumulation over three micro-batches; Adagrad. */
export const gradAccum: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([36, 5]).to(device);
  const y = x.sum(1).gt(2.5).long();
  const model = new nn.Sequential(new nn.Linear(5, 16), new nn.ELU(), new nn.Linear(16, 2));
  yield model.to(device);
  const optimizer = buildOptimizer<SGD>('Adagrad', [...model.parameters()], [['lr', 0.05]]);
  optimizer.zeroGrad();
  for (;;) {
    let total = 0;
    for (let k = 0; k < 3; k++) {
      const logits = model(x.narrow(0, k * 12, 12));
      const loss = F.crossEntropy(logits, y.narrow(0, k * 12, 12)).div(3);
      loss.backward();
      total += await loss.item();
    }
    optimizer.step();
    optimizer.zeroGrad();
    yield total;
  }
};

/** Double backward: the loss with a gradient penalty, computed with `createGraph`. */
export const gradPenalty: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([16, 3]).to(device);
  const y = x.at(':, 0').sub(x.at(':, 1')).unsqueeze(1);
  const model = new nn.Sequential(
    new nn.Linear(3, 12),
    new nn.Tanh(),
    new nn.Linear(12, 12),
    new nn.Softplus(),
    new nn.Linear(12, 1),
  );
  yield model.to(device);
  const optimizer = new SGD(model.parameters(), { lr: 0.05, momentum: 0.5 });
  for (;;) {
    const xi = x.clone().requiresGrad_();
    const out = model(xi);
    const [g] = grad(out.sum(), [xi], { createGraph: true });
    if (!g) throw new Error('grad: no gradient of the input');
    const penalty = g.norm(2, 1).sub(1).pow(2).mean();
    const loss = out.sub(y).pow(2).mean().add(penalty.mul(0.1));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    yield await loss.item();
  }
};
