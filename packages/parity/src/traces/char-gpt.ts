import {
  arange,
  manualSeed,
  ones,
  randint,
  softmax,
  stack,
  type Tensor,
  tensor,
} from '@sconce/core';
import * as nn from '@sconce/nn';
import { AdamW } from '@sconce/optim';
import type { Trace } from './trace.js';

const F = nn.functional;

class Attention extends nn.Module {
  heads: number;
  qkv: nn.Linear;
  proj: nn.Linear;
  declare mask: Tensor;

  constructor(width: number, heads: number, length: number) {
    super();
    this.heads = heads;
    this.qkv = new nn.Linear(width, 3 * width);
    this.proj = new nn.Linear(width, width);
    this.registerBuffer('mask', ones([length, length]).tril().view(1, 1, length, length));
  }

  override forward(x: Tensor): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const split = (t: Tensor) =>
      t.view(batch, length, this.heads, width / this.heads).transpose(1, 2);
    const [q, k, v] = this.qkv(x).split(width, 2).map(split) as [Tensor, Tensor, Tensor];
    const scores = q.matmul(k.transpose(-2, -1)).mul(1 / Math.sqrt(width / this.heads));
    const masked = scores.maskedFill(this.mask.at(`:, :, :${length}, :${length}`).eq(0), -Infinity);
    const y = softmax(masked, -1).matmul(v);
    return this.proj(y.transpose(1, 2).contiguous().view(batch, length, width));
  }
}

class Block extends nn.Module {
  ln1: nn.LayerNorm;
  attn: Attention;
  ln2: nn.LayerNorm;
  mlp: nn.Sequential;

  constructor(width: number, heads: number, length: number) {
    super();
    this.ln1 = new nn.LayerNorm(width);
    this.attn = new Attention(width, heads, length);
    this.ln2 = new nn.LayerNorm(width);
    this.mlp = new nn.Sequential(
      new nn.Linear(width, 4 * width),
      new nn.GELU(),
      new nn.Linear(4 * width, width),
    );
  }

  override forward(input: Tensor): Tensor {
    const x = input.add(this.attn(this.ln1(input)));
    return x.add(this.mlp(this.ln2(x)));
  }
}

class Gpt extends nn.Module {
  wte: nn.Embedding;
  wpe: nn.Embedding;
  blocks: nn.ModuleList<Block>;
  ln_f: nn.LayerNorm;
  head: nn.Linear;

  constructor(vocabulary: number, width = 24, heads = 3, length = 16, layers = 2) {
    super();
    this.wte = new nn.Embedding(vocabulary, width);
    this.wpe = new nn.Embedding(length, width);
    this.blocks = new nn.ModuleList(
      Array.from({ length: layers }, () => new Block(width, heads, length)),
    );
    this.ln_f = new nn.LayerNorm(width);
    this.head = new nn.Linear(width, vocabulary, { bias: false });
    this.apply((m) => {
      if (m instanceof nn.Linear || m instanceof nn.Embedding) nn.init.normal_(m.weight, 0, 0.02);
      if (m instanceof nn.Linear && m.bias !== null) nn.init.zeros_(m.bias);
    });
    this.head.weight = this.wte.weight;
  }

  override forward(indices: Tensor): Tensor {
    let x = this.wte(indices).add(this.wpe(arange(indices.size(1), { device: indices.device })));
    for (const block of this.blocks) x = block(x);
    return this.head(this.ln_f(x));
  }
}

const text =
  "to be, or not to be, that is the question: whether 'tis nobler in the mind to suffer the slings and arrows";

/** A character-level GPT of explicit operations, with tied weights and AdamW on two groups. */
export const charGpt: Trace = async function* (seed, device) {
  manualSeed(seed);
  const characters = [...new Set(text)].sort();
  const data = tensor(
    [...text].map((c) => characters.indexOf(c)),
    { dtype: 'int64', device },
  );
  const model = new Gpt(characters.length);
  yield model.to(device);
  const parameters = [...model.parameters()];
  const optimizer = new AdamW(
    [
      { params: parameters.filter((p) => p.ndim >= 2), weightDecay: 0.1 },
      { params: parameters.filter((p) => p.ndim < 2), weightDecay: 0 },
    ],
    { lr: 3e-3, betas: [0.9, 0.95] },
  );
  for (;;) {
    const starts = (await randint(text.length - 17, [8]).toArray()) as number[];
    const x = stack(starts.map((i) => data.narrow(0, i, 16)));
    const y = stack(starts.map((i) => data.narrow(0, i + 1, 16)));
    const logits = model(x);
    const loss = F.crossEntropy(logits.view(-1, logits.size(-1)), y.view(-1));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    yield await loss.item();
  }
};
