import { gelu, relu, type Tensor, takes, ValueError } from '@sconce/core';
import { Module } from '../module.js';
import type { PlaceOptions } from '../placing.js';
import * as signatures from '../signatures.js';
import { MultiheadAttention } from './attention.js';
import { Dropout } from './dropout.js';
import { Linear } from './linear.js';
import { LayerNorm } from './norm.js';

/** What stands between the two linear layers of a transformer layer: a name, a function, or a module. */
export type TransformerActivation = 'relu' | 'gelu' | ((input: Tensor) => Tensor);

/** Options of transformer layers. */
export interface TransformerLayerOptions extends PlaceOptions {
  /** Width between the two linear layers; default 2048. */
  dimFeedforward?: number;
  /** Probability of dropping an element, in training; default 0.1. */
  dropout?: number;
  /** Default `'relu'`. */
  activation?: TransformerActivation;
  /** Added to the variance in the normalisations; default 1e-5. */
  layerNormEps?: number;
  /** Inputs and output are [N, L, E] instead of [L, N, E]; default false. */
  batchFirst?: boolean;
  /** Normalise what goes into attention and linear layers instead of the sums behind them; default false. */
  normFirst?: boolean;
}

/** Masks of a call of `TransformerEncoderLayer`, as `MultiheadAttention` takes them. */
export interface TransformerEncoderLayerMasks {
  /** [L, L] or [N * heads, L, L]. */
  srcMask?: Tensor | null;
  /** [N, L]. */
  srcKeyPaddingMask?: Tensor | null;
}

/** Masks of a call of a transformer decoder (layer), as `MultiheadAttention` takes them. */
export interface TransformerDecoderMasks {
  /** [L, L] or [N * heads, L, L]. */
  tgtMask?: Tensor | null;
  /** [L, S] or [N * heads, L, S]. */
  memoryMask?: Tensor | null;
  /** [N, L]. */
  tgtKeyPaddingMask?: Tensor | null;
  /** [N, S]. */
  memoryKeyPaddingMask?: Tensor | null;
}

function activationOf(layer: string, activation: TransformerActivation): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return (x) => relu(x);
  if (activation === 'gelu') return (x) => gelu(x);
  throw new ValueError(`${layer}: activation should be relu/gelu, not ${String(activation)}`);
}

const attention = (
  width: number,
  heads: number,
  options: TransformerLayerOptions,
): MultiheadAttention =>
  new MultiheadAttention(width, heads, {
    dropout: options.dropout ?? 0.1,
    batchFirst: options.batchFirst ?? false,
    dtype: options.dtype,
    device: options.device,
  });

const norm = (width: number, options: TransformerLayerOptions): LayerNorm =>
  new LayerNorm(width, {
    eps: options.layerNormEps,
    dtype: options.dtype,
    device: options.device,
  });

const linear = (into: number, out: number, options: TransformerLayerOptions): Linear =>
  new Linear(into, out, { dtype: options.dtype, device: options.device });

/** The output of an attention layer alone. */
const attended = (
  layer: MultiheadAttention,
  query: Tensor,
  memory: Tensor,
  attnMask: Tensor | null | undefined,
  keyPaddingMask: Tensor | null | undefined,
): Tensor => layer(query, memory, memory, { attnMask, keyPaddingMask, needWeights: false })[0];

/**
 * Self-attention and two linear layers, each added to its input and normalised: input and output [L, N, dModel]
 * ([N, L, dModel] with `batchFirst`, [L, dModel] without a batch).
 *
 * @throws RuntimeError if the shapes of input or masks do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoderLayer.html (Vaswani et al. 2017)
 * @example new TransformerEncoderLayer(512, 8)(randn([10, 32, 512])).shape // [10, 32, 512]
 */
export class TransformerEncoderLayer extends Module {
  static override readonly stateKeys = { selfAttn: 'self_attn' };

  readonly normFirst: boolean;
  selfAttn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  readonly activation: (input: Tensor) => Tensor;

  /** @throws ValueError if the activation is not known. */
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    takes('TransformerEncoderLayer', signatures.TransformerEncoderLayer, arguments);
    super();
    const { dimFeedforward = 2048, dropout = 0.1 } = options;
    this.normFirst = options.normFirst ?? false;
    this.selfAttn = attention(dModel, nhead, options);
    this.linear1 = linear(dModel, dimFeedforward, options);
    this.dropout = new Dropout(dropout);
    this.linear2 = linear(dimFeedforward, dModel, options);
    this.norm1 = norm(dModel, options);
    this.norm2 = norm(dModel, options);
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.activation = activationOf('TransformerEncoderLayer', options.activation ?? 'relu');
  }

  override forward(src: Tensor, masks: TransformerEncoderLayerMasks = {}): Tensor {
    takes('TransformerEncoderLayer', signatures.TransformerEncoderLayer_forward, arguments);
    const attend = (x: Tensor): Tensor =>
      this.dropout1(attended(this.selfAttn, x, x, masks.srcMask, masks.srcKeyPaddingMask));
    const feed = (x: Tensor): Tensor =>
      this.dropout2(this.linear2(this.dropout(this.activation(this.linear1(x)))));
    if (this.normFirst) {
      const x = src.add(attend(this.norm1(src)));
      return x.add(feed(this.norm2(x)));
    }
    const x = this.norm1(src.add(attend(src)));
    return this.norm2(x.add(feed(x)));
  }
}

/**
 * Self-attention, attention to the encoder's output and two linear layers, each added to its input and normalised:
 * tgt and output [L, N, dModel], memory [S, N, dModel] (the batch first with `batchFirst`, left out without one).
 *
 * @throws RuntimeError if the shapes of inputs or masks do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoderLayer.html (Vaswani et al. 2017)
 * @example new TransformerDecoderLayer(512, 8)(tgt, memory, { tgtMask: mask });
 */
export class TransformerDecoderLayer extends Module {
  static override readonly stateKeys = { selfAttn: 'self_attn', multiheadAttn: 'multihead_attn' };

  readonly normFirst: boolean;
  selfAttn: MultiheadAttention;
  multiheadAttn: MultiheadAttention;
  linear1: Linear;
  dropout: Dropout;
  linear2: Linear;
  norm1: LayerNorm;
  norm2: LayerNorm;
  norm3: LayerNorm;
  dropout1: Dropout;
  dropout2: Dropout;
  dropout3: Dropout;
  readonly activation: (input: Tensor) => Tensor;

  /** @throws ValueError if the activation is not known. */
  constructor(dModel: number, nhead: number, options: TransformerLayerOptions = {}) {
    takes('TransformerDecoderLayer', signatures.TransformerDecoderLayer, arguments);
    super();
    const { dimFeedforward = 2048, dropout = 0.1 } = options;
    this.normFirst = options.normFirst ?? false;
    this.selfAttn = attention(dModel, nhead, options);
    this.multiheadAttn = attention(dModel, nhead, options);
    this.linear1 = linear(dModel, dimFeedforward, options);
    this.dropout = new Dropout(dropout);
    this.linear2 = linear(dimFeedforward, dModel, options);
    this.norm1 = norm(dModel, options);
    this.norm2 = norm(dModel, options);
    this.norm3 = norm(dModel, options);
    this.dropout1 = new Dropout(dropout);
    this.dropout2 = new Dropout(dropout);
    this.dropout3 = new Dropout(dropout);
    this.activation = activationOf('TransformerDecoderLayer', options.activation ?? 'relu');
  }

  override forward(tgt: Tensor, memory: Tensor, masks: TransformerDecoderMasks = {}): Tensor {
    takes('TransformerDecoderLayer', signatures.TransformerDecoderLayer_forward, arguments);
    const attend = (x: Tensor): Tensor =>
      this.dropout1(attended(this.selfAttn, x, x, masks.tgtMask, masks.tgtKeyPaddingMask));
    const look = (x: Tensor): Tensor =>
      this.dropout2(
        attended(this.multiheadAttn, x, memory, masks.memoryMask, masks.memoryKeyPaddingMask),
      );
    const feed = (x: Tensor): Tensor =>
      this.dropout3(this.linear2(this.dropout(this.activation(this.linear1(x)))));
    if (this.normFirst) {
      const x = tgt.add(attend(this.norm1(tgt)));
      const y = x.add(look(this.norm2(x)));
      return y.add(feed(this.norm3(y)));
    }
    const x = this.norm1(tgt.add(attend(tgt)));
    const y = this.norm2(x.add(look(x)));
    return this.norm3(y.add(feed(y)));
  }
}
