import { manualSeed, randint, type Tensor } from '@sconce/core';
import * as nn from '@sconce/nn';
import { Adam } from '@sconce/optim';
import type { Value } from '../corpus/value.js';
import { callTorch } from '../mapping/call.js';
import { apply, layer } from './layer.js';
import type { Trace } from './trace.js';

const F = nn.functional;

class Net extends nn.Module {
  emb = new nn.Embedding(30, 8);
  lstm = layer('LSTM', [8, 12], { num_layers: 2, bidirectional: true, batch_first: true });
  fc = new nn.Linear(24, 4);

  override forward(x: Tensor): Tensor {
    const [out] = apply<[Tensor]>('LSTM', this.lstm, [this.emb(x)]);
    return this.fc(out.at(':, -1'));
  }
}

/** Embedding, a two-layer bidirectional LSTM and a linear layer; Adam with clipped gradients. */
export const lstmClassifier: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = randint(0, 30, [16, 10]).to(device);
  const y = randint(0, 4, [16]).to(device);
  const model = new Net();
  yield model.to(device);
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  for (;;) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), y);
    loss.backward();
    const clipped: Value[] = [[...model.parameters()], 1];
    callTorch('torch.nn.utils.clip_grad_norm_', clipped, new Map());
    optimizer.step();
    yield await loss.item();
  }
};
