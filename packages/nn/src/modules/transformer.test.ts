import { arange, manualSeed, ones, rand, type Tensor, tensor, zeros } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import {
  LayerNorm,
  Linear,
  Module,
  MultiheadAttention,
  ReLU,
  Sequential,
  Transformer,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from '../index.js';

// Expected numbers are PyTorch 1.13's with the same seed.

/** sin(0), sin(0.7), sin(1.4), ... */
const waves = (...shape: number[]): Tensor =>
  arange(shape.reduce((a, b) => a * b))
    .mul(0.7)
    .sin()
    .reshape(shape);

function expectValues(actual: Tensor, expected: readonly number[]): void {
  const own = actual.detach().flatten().toArraySync() as number[];
  expect(own.length).toBe(expected.length);
  for (const [i, value] of own.entries()) expect(value).toBeCloseTo(expected[i] as number, 4);
}

describe('MultiheadAttention', () => {
  const output = [
    -0.0349, 0.08332, 0.2429, -0.32973, 0.04041, -0.10003, -0.18896, 0.30911, -0.03802, 0.09439,
    0.1786, -0.2908, 0.03904, -0.09985, -0.1034, 0.23461, -0.03837, 0.096, 0.17087, -0.28516,
    0.03091, -0.08203, -8e-5, 0.1202,
  ];
  const weights = [
    1, 0, 0, 0.51831, 0.48169, 0, 0.47765, 0.52235, 0, 1, 0, 0, 0.50023, 0.49977, 0, 0.28396,
    0.33556, 0.38047,
  ];
  const q = waves(3, 2, 4);
  const attnMask = ones([3, 3]).triu(1).bool();
  const keyPaddingMask = tensor([
    [0, 0, 1],
    [0, 0, 0],
  ]).bool();

  it('attends to itself with masks', () => {
    manualSeed(4);
    const attention = new MultiheadAttention(4, 2);
    const [o, w] = attention(q, q, q, { attnMask, keyPaddingMask });
    expect([o.shape, w?.shape]).toEqual([
      [3, 2, 4],
      [2, 3, 3],
    ]);
    expectValues(o, output);
    expectValues(w as Tensor, weights);
    expect(attention(q, q, q, { needWeights: false })[1]).toBe(null);
    expect([...attention.stateDict().keys()]).toEqual([
      'in_proj_weight',
      'in_proj_bias',
      'out_proj.weight',
      'out_proj.bias',
    ]);
    expect([...attention.namedParameters()].map(([name]) => name)[2]).toBe('out_proj.weight');
    expect(attention.getSubmodule('out_proj')).toBe(attention.outProj);
    expect(attention.toString()).toBe(
      'MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear(in_features=4, out_features=4, bias=True)\n)',
    );
  });

  it('takes the batch first, masks as numbers, and masks for each head', () => {
    manualSeed(4);
    const attention = new MultiheadAttention(4, 2, { batchFirst: true });
    const x = q.transpose(0, 1);
    const additive = (mask: Tensor): Tensor =>
      zeros(mask.shape).maskedFill(mask, Number.NEGATIVE_INFINITY);
    const [o, w] = attention(x, x.clone(), x.clone(), {
      attnMask: additive(attnMask).expand([4, 3, 3]),
      keyPaddingMask: additive(keyPaddingMask),
    });
    expectValues(o.transpose(0, 1), output);
    expectValues(w as Tensor, weights);
  });

  it('has keys and values of other widths, learnt rows and rows of zeros', () => {
    manualSeed(4);
    const attention = new MultiheadAttention(4, 2, {
      kdim: 3,
      vdim: 2,
      addBiasKv: true,
      addZeroAttn: true,
      batchFirst: true,
    });
    const [o, w] = attention(waves(2, 4), waves(3, 3), waves(3, 2), {
      averageAttnWeights: false,
    });
    expect([o.shape, w?.shape]).toEqual([
      [2, 4],
      [2, 2, 5],
    ]);
    expectValues(o, [0.08891, -0.22131, 0.14609, -0.03398, 0.01254, 0.00983, 0.00495, -0.04505]);
    expectValues(
      w as Tensor,
      [
        0.30329, 0.19959, 0.1206, 0.18251, 0.19401, 0.14155, 0.19569, 0.26995, 0.19727, 0.19555,
        0.09049, 0.42633, 0.11312, 0.20613, 0.16392, 0.3125, 0.08995, 0.24788, 0.15913, 0.19054,
      ],
    );
    expect([...attention.stateDict().keys()]).toEqual([
      'q_proj_weight',
      'k_proj_weight',
      'v_proj_weight',
      'in_proj_bias',
      'bias_k',
      'bias_v',
      'out_proj.weight',
      'out_proj.bias',
    ]);
  });

  it('refuses what does not fit', () => {
    expect(() => new MultiheadAttention(4, 3)).toThrow('divisible by num_heads (4 by 3)');
    const attention = new MultiheadAttention(4, 2);
    expect(() => attention(q, q, waves(3, 4))).toThrow('must all be 2-D or all be 3-D');
    const wide = waves(3, 2, 5);
    expect(() => attention(wide, wide, wide)).toThrow('expecting embedding dimensions of 4');
    const long = waves(5, 2, 4);
    expect(() => attention(q, q, long)).toThrow(
      'do not match, got [3, 2, 4], [3, 2, 4], [5, 2, 4]',
    );
    expect(() => attention(q, q, q, { attnMask: zeros([2, 3]) })).toThrow(
      'The shape of the 2D attn_mask is [2, 3], but should be [3, 3]',
    );
    expect(() => attention(q, q, q, { keyPaddingMask: zeros([3, 2]) })).toThrow(
      'expecting key_padding_mask shape of [2, 3], but got [3, 2]',
    );
    expect(() => attention(q, q, q, { attnMask: zeros([3, 3]).long() })).toThrow(
      'only bool and floating types of attn_mask are supported, got int64',
    );
  });
});

describe('transformer layers', () => {
  it('encode', () => {
    manualSeed(5);
    const layer = new TransformerEncoderLayer(4, 2, {
      dimFeedforward: 8,
      dropout: 0,
      activation: 'gelu',
    });
    expectValues(
      layer(waves(2, 1, 4)),
      [-1.67943, 0.22612, 0.91677, 0.53654, 1.04237, 0.95472, -0.93625, -1.06083],
    );
  });

  it('decode, normalising first', () => {
    manualSeed(5);
    const layer = new TransformerDecoderLayer(4, 2, {
      dimFeedforward: 8,
      dropout: 0,
      normFirst: true,
      batchFirst: true,
    });
    expectValues(
      layer(waves(1, 2, 4), waves(1, 3, 4)),
      [-0.2264, 0.60878, 1.34363, 0.80979, -0.06972, -0.33398, -0.23808, -0.62385],
    );
  });

  it('drop as PyTorch does', () => {
    manualSeed(5);
    const layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 8 });
    expectValues(
      layer(waves(2, 1, 4)),
      [-1.69196, 0.28206, 0.88352, 0.52638, 0.91656, 1.06165, -0.79404, -1.18418],
    );
  });

  it('take functions as activation, and refuse unknown names', () => {
    manualSeed(5);
    const options = { dimFeedforward: 8, dropout: 0 };
    const named = new TransformerEncoderLayer(4, 2, options);
    const given = new TransformerEncoderLayer(4, 2, { ...options, activation: (x) => x.relu() });
    given.loadStateDict(named.stateDict());
    const x = waves(2, 1, 4);
    expect(given(x).sub(named(x)).abs().max().itemSync()).toBe(0);
    expect(() => new TransformerEncoderLayer(4, 2, { activation: 'tanh' as 'relu' })).toThrow(
      "option 'activation' must be",
    );
  });
});

describe('transformer stacks', () => {
  it('encode with copies of one layer, drawing nothing for them', () => {
    manualSeed(6);
    const layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 8, dropout: 0 });
    const encoder = new TransformerEncoder(layer, 2, { norm: new LayerNorm(4) });
    const mask = Transformer.generateSquareSubsequentMask(2);
    expectValues(
      encoder(waves(2, 1, 4), { mask }),
      [-1.63571, 1.08221, 0.27144, 0.28206, 0.62173, 0.90361, -1.66643, 0.14109],
    );
    expect(rand([1]).itemSync()).toBeCloseTo(0.06234633922576904, 7);
    const [first, second] = [...encoder.layers] as TransformerEncoderLayer[];
    expect(first?.linear1.weight).not.toBe(layer.linear1.weight);
    first?.linear1.weight.detach().fill_(0);
    expect(second?.linear1.weight.detach().abs().max().itemSync()).toBeGreaterThan(0);
    expect([...encoder.stateDict().keys()][12]).toBe('layers.1.self_attn.in_proj_weight');
  });

  it('copy layers of other classes', () => {
    class Plain extends Module {
      body = new Sequential(new Linear(2, 2), new ReLU());
      scale = 3;
      override forward(src: Tensor): Tensor {
        return this.body(src).mul(this.scale);
      }
    }
    const plain = new Plain();
    const x = waves(3, 2);
    const twice = plain(plain(x));
    const stack = new TransformerEncoder(plain, 2);
    expect(stack(x).sub(twice).abs().max().itemSync()).toBe(0);
    expect([...stack.parameters()].length).toBe(4);
  });

  it('translate', () => {
    manualSeed(7);
    const model = new Transformer({
      dModel: 4,
      nhead: 2,
      numEncoderLayers: 1,
      numDecoderLayers: 2,
      dimFeedforward: 8,
      dropout: 0,
    });
    expectValues(
      model(waves(3, 1, 4), waves(2, 1, 4)),
      [-1.53784, 1.09311, -0.1907, 0.63543, 0.51352, 1.35632, -0.66246, -1.20738],
    );
    expect([...model.parameters()].length).toBe(52);
    expect(() => model(zeros([3, 1, 4]), zeros([2, 2, 4]))).toThrow(
      'Transformer: src [3, 1, 4] and tgt [2, 2, 4] must have the same batch size',
    );
  });
});

describe('a sequence that is nothing but padding', () => {
  const keyPaddingMask = tensor([
    [false, false, true],
    [true, true, true],
  ]);
  const masks = {
    bool: () => keyPaddingMask,
    'of -Infinity': () => zeros([2, 3]).maskedFill(keyPaddingMask, -Infinity),
  };
  const finite = (t: Tensor | null | undefined): boolean =>
    Boolean((t as Tensor).isfinite().all().itemSync());
  const gradientsAreFinite = (module: Module, x: Tensor): boolean =>
    finite(x.grad) && [...module.parameters()].every((p) => finite(p.grad));

  it.each(Object.entries(masks))('gives 0, and no gradient, without weights: %s', (_, mask) => {
    const attention = new MultiheadAttention(4, 2, { batchFirst: true });
    const x = waves(2, 3, 4).requiresGrad_();
    const options = { keyPaddingMask: mask(), needWeights: false };
    const [output] = attention(x, x, x, options);
    // The bias of the last layer is 0.
    expect(output.select(0, 1).detach().toArraySync()).toEqual(zeros([3, 4]).toArraySync());
    output.sum().backward();
    expect(gradientsAreFinite(attention, x)).toBe(true);
    expect(x.grad?.select(0, 1).toArraySync()).toEqual(zeros([3, 4]).toArraySync());
    const causal = ones([3, 3]).triu(1).bool();
    expect(finite(attention(x, x, x, { ...options, attnMask: causal })[0].detach())).toBe(true);
  });

  it('has NaN where weights are asked for', () => {
    const attention = new MultiheadAttention(4, 2, { batchFirst: true });
    const x = waves(2, 3, 4);
    const [output, weights] = attention(x, x, x, { keyPaddingMask });
    for (const t of [output, weights as Tensor]) {
      const own = t.detach().select(0, 1).flatten().toArraySync() as number[];
      expect(own.every(Number.isNaN)).toBe(true);
      expect(finite(t.detach().select(0, 0))).toBe(true);
    }
  });

  it('leaves layers and stacks of them without NaN, as does a query that sees no key', () => {
    const layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 8, batchFirst: true });
    const blind = ones([3, 3]).bool().triu(1);
    blind.select(0, 0).fill_(true);
    for (const module of [layer, new TransformerEncoder(layer, 2)]) {
      const x = waves(2, 3, 4).requiresGrad_();
      const output = module(x, {
        [module === layer ? 'srcMask' : 'mask']: blind,
        srcKeyPaddingMask: keyPaddingMask,
      });
      expect(finite(output.detach())).toBe(true);
      output.square().sum().backward();
      expect(gradientsAreFinite(module, x)).toBe(true);
    }
    const decoder = new TransformerDecoderLayer(4, 2, { dimFeedforward: 8, batchFirst: true });
    const x = waves(2, 3, 4).requiresGrad_();
    const masked = decoder(x, waves(2, 3, 4), {
      tgtKeyPaddingMask: keyPaddingMask,
      memoryKeyPaddingMask: keyPaddingMask,
    });
    masked.square().sum().backward();
    expect(gradientsAreFinite(decoder, x)).toBe(true);
  });
});
