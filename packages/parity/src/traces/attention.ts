import { arange, full, manualSeed, randint, randn, silu, type Tensor } from '@sconce/core';
import * as nn from '@sconce/nn';
import { AdamW, CosineAnnealingLR, LambdaLR, type SGD } from '@sconce/optim';
import { buildOptimizer } from '../mapping/optimizers.js';
import { apply, layer } from './layer.js';
import type { Trace } from './trace.js';

const F = nn.functional;

class Block extends nn.Module {
  ln1: nn.LayerNorm;
  attn: nn.Module;
  ln2: nn.LayerNorm;
  fc1: nn.Linear;
  fc2: nn.Linear;

  constructor(width: number, heads: number) {
    super();
    this.ln1 = new nn.LayerNorm(width);
    this.attn = layer('MultiheadAttention', [width, heads], { batch_first: true });
    this.ln2 = new nn.LayerNorm(width);
    this.fc1 = new nn.Linear(width, 2 * width);
    this.fc2 = new nn.Linear(2 * width, width);
  }

  override forward(input: Tensor, mask: Tensor): Tensor {
    const q = this.ln1(input);
    const options = { attn_mask: mask, need_weights: false };
    const [attended] = apply<[Tensor]>('MultiheadAttention', this.attn, [q, q, q], options);
    const x = input.add(attended);
    return x.add(this.fc2(silu(this.fc1(this.ln2(x)))));
  }
}

class LanguageModel extends nn.Module {
  emb = new nn.Embedding(15, 16);
  pos = new nn.Embedding(10, 16);
  blocks = new nn.ModuleList([new Block(16, 2), new Block(16, 2)]);
  head = new nn.Linear(16, 15);

  override forward(x: Tensor): Tensor {
    const length = x.size(1);
    const { device } = x;
    const mask = full([length, length], -Infinity, { device }).triu(1);
    let h = this.emb(x).add(this.pos(arange(length, { device })));
    for (const block of this.blocks) h = block(h, mask);
    return this.head(h);
  }
}

/** A tiny causal language model of MultiheadAttention; NAdam, CosineAnnealingLR, label smoothing. */
export const mhaGpt: Trace = async function* (seed, device) {
  manualSeed(seed);
  const sequences = randint(0, 15, [10, 11]).to(device);
  const model = new LanguageModel();
  yield model.to(device);
  const optimizer = buildOptimizer<SGD>('NAdam', [...model.parameters()], [['lr', 5e-3]]);
  const scheduler = new CosineAnnealingLR(optimizer, 30, { etaMin: 1e-4 });
  for (;;) {
    const logits = model(sequences.at(':, :-1'));
    const targets = sequences.at(':, 1:');
    const loss = F.crossEntropy(logits.transpose(1, 2), targets, { labelSmoothing: 0.1 });
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    scheduler.step();
    yield await loss.item();
  }
};

class Classifier extends nn.Module {
  emb = new nn.Embedding(20, 16);
  pos = new nn.Parameter(randn([1, 8, 16]).mul(0.02));
  enc = layer('TransformerEncoder', [
    layer('TransformerEncoderLayer', [16, 4, 32], { dropout: 0, batch_first: true }),
    2,
  ]);
  fc = new nn.Linear(16, 3);

  override forward(x: Tensor): Tensor {
    const encoded = apply<Tensor>('TransformerEncoder', this.enc, [this.emb(x).add(this.pos)]);
    return this.fc(encoded.mean(1));
  }
}

/** A TransformerEncoder classifier; AdamW with linear warm-up by LambdaLR. */
export const transformerClassifier: Trace = async function* (seed, device) {
  manualSeed(seed);
  const x = randint(0, 20, [12, 8]).to(device);
  const y = randint(0, 3, [12]).to(device);
  const model = new Classifier();
  yield model.to(device);
  const optimizer = new AdamW(model.parameters(), { lr: 3e-3, weightDecay: 0.01 });
  const scheduler = new LambdaLR(optimizer, (step) => Math.min(1, (step + 1) / 10));
  for (;;) {
    optimizer.zeroGrad();
    const loss = F.crossEntropy(model(x), y);
    loss.backward();
    optimizer.step();
    scheduler.step();
    yield await loss.item();
  }
};
