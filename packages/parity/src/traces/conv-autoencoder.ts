import { manualSeed, rand } from '@sconce/core';
import * as nn from '@sconce/nn';
import type { LRScheduler, SGD } from '@sconce/optim';
import type { Value } from '../corpus/value.js';
import { buildOptimizer, buildScheduler } from '../mapping/optimizers.js';
import { layer } from './layer.js';
import type { Trace } from './trace.js';

const F = nn.functional;

/** A convolutional autoencoder: strides, transposed convolution, upsampling; Adamax and OneCycleLR. */
export const convAutoencoder: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = rand([6, 1, 16, 16]).to(device);
  const model = new nn.Sequential(
    new nn.Conv2d(1, 6, 3, { stride: 2, padding: 1 }),
    new nn.GroupNorm(2, 6),
    new nn.PReLU(),
    new nn.Conv2d(6, 8, 3, { padding: 1, paddingMode: 'reflect' }),
    new nn.Hardswish(),
    layer('Upsample', [], { scale_factor: 2, mode: 'bilinear', align_corners: false }),
    new nn.AvgPool2d(2),
    new nn.ConvTranspose2d(8, 1, 4, { stride: 2, padding: 1 }),
    new nn.Sigmoid(),
  );
  yield model.to(device);
  const optimizer = buildOptimizer<SGD>('Adamax', [...model.parameters()], [['lr', 0.01]]);
  const given = new Map<string, Value>([
    ['max_lr', 0.03],
    ['total_steps', 30],
  ]);
  const scheduler = buildScheduler<LRScheduler>('OneCycleLR', optimizer, given);
  for (let step = 0; ; step++) {
    optimizer.zeroGrad();
    const loss = F.binaryCrossEntropy(model(x), x);
    loss.backward();
    optimizer.step();
    if (step < 29) scheduler.step();
    yield await loss.item();
  }
};
