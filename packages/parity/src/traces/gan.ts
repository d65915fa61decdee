import { manualSeed, ones, rand, randn, zeros } from '@sconce/core';
import * as nn from '@sconce/nn';
import { Adam } from '@sconce/optim';
import type { Trace } from './trace.js';

class Gan extends nn.Module {
  g = new nn.Sequential(new nn.Linear(4, 16), new nn.LeakyReLU(0.2), new nn.Linear(16, 2));
  d = new nn.Sequential(new nn.Linear(2, 16), new nn.LeakyReLU(0.2), new nn.Linear(16, 1));
}

/** A discriminator step on `fake.detach()`, then a generator step; yields the sum of both losses. */
export const gan: Trace = async function* (seed, device) {
  manualSeed(seed);
  const model = new Gan();
  yield model.to(device);
  const criterion = new nn.BCEWithLogitsLoss();
  const options = { lr: 2e-3, betas: [0.5, 0.999] as [number, number] };
  const discriminator = new Adam(model.d.parameters(), options);
  const generator = new Adam(model.g.parameters(), options);
  for (;;) {
    const real = rand([16, 2]).mul(0.5).add(0.25).to(device);
    const fake = model.g(randn([16, 4]).to(device));
    const dLoss = criterion(model.d(real), ones([16, 1], { device })).add(
      criterion(model.d(fake.detach()), zeros([16, 1], { device })),
    );
    discriminator.zeroGrad();
    dLoss.backward();
    discriminator.step();
    const gLoss = criterion(model.d(fake), ones([16, 1], { device }));
    generator.zeroGrad();
    gLoss.backward();
    generator.step();
    yield (await dLoss.item()) + (await gLoss.item());
  }
};
