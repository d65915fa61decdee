import {
  formatShape,
  full,
  RuntimeError,
  type Tensor,
  type TensorOptions,
  takes,
} from '@sconce/core';
import { xavierUniform_ } from '@sconce/init';
import { copyModule } from '../copy.js';
import { Module } from '../module.js';
import { placing } from '../placing.js';
import * as signatures from '../signatures.js';
import { ModuleList } from './container.js';
import { LayerNorm } from './norm.js';
import {
  TransformerDecoderLayer,
  type TransformerDecoderMasks,
  TransformerEncoderLayer,
  type TransformerEncoderLayerMasks,
  type TransformerLayerOptions,
} from './transformer-layer.js';

/** A module from a tensor to a tensor. */
type Mapping = Module & { forward(input: Tensor): Tensor };

/** A layer that takes what `TransformerEncoderLayer` takes. */
export type EncoderLayer = Module & {
  forward(src: Tensor, masks?: TransformerEncoderLayerMasks): Tensor;
};

/** A layer that takes what `TransformerDecoderLayer` takes. */
export type DecoderLayer = Module & {
  forward(tgt: Tensor, memory: Tensor, masks?: TransformerDecoderMasks): Tensor;
};

/** Options of stacks of transformer layers. */
export interface TransformerStackOptions {
  /** Applied to the output; default none. */
  norm?: Mapping | null;
}

/** Masks of a call of `TransformerEncoder`, as `MultiheadAttention` takes them. */
export interface TransformerEncoderMasks {
  /** [L, L] or [N * heads, L, L]. */
  mask?: Tensor | null;
  /** [N, L]. */
  srcKeyPaddingMask?: Tensor | null;
}

/** As many copies of a layer, without drawing random numbers. */
const copies = <M extends Module>(layer: M, count: number): ModuleList<M> =>
  new ModuleList(Array.from({ length: count }, () => copyModule(layer)));

/**
 * Encoder layers, one after another: copies of `encoderLayer`, which begin with the same parameters.
 * A layer of another class may have no `#private` fields: copies would lack them.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerEncoder.html
 * @example new TransformerEncoder(new TransformerEncoderLayer(512, 8), 6)(randn([10, 32, 512]));
 */
export class TransformerEncoder extends Module {
  readonly numLayers: number;
  layers: ModuleList<EncoderLayer>;
  norm: Mapping | null;

  constructor(
    encoderLayer: EncoderLayer,
    numLayers: number,
    options: TransformerStackOptions = {},
  ) {
    takes('TransformerEncoder', signatures.TransformerEncoder, arguments);
    super();
    this.numLayers = numLayers;
    this.layers = copies(encoderLayer, numLayers);
    this.norm = options.norm ?? null;
  }

  override forward(src: Tensor, masks: TransformerEncoderMasks = {}): Tensor {
    takes('TransformerEncoder', signatures.TransformerEncoder_forward, arguments);
    const given = { srcMask: masks.mask, srcKeyPaddingMask: masks.srcKeyPaddingMask };
    let x = src;
    for (const layer of this.layers) x = layer(x, given);
    return this.norm ? this.norm(x) : x;
  }
}

/**
 * Decoder layers, one after another: copies of `decoderLayer`, which begin with the same parameters.
 * A layer of another class may have no `#private` fields: copies would lack them.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.TransformerDecoder.html
 * @example new TransformerDecoder(new TransformerDecoderLayer(512, 8), 6)(tgt, memory);
 */
export class TransformerDecoder extends Module {
  readonly numLayers: number;
  layers: ModuleList<DecoderLayer>;
  norm: Mapping | null;

  constructor(
    decoderLayer: DecoderLayer,
    numLayers: number,
    options: TransformerStackOptions = {},
  ) {
    takes('TransformerDecoder', signatures.TransformerDecoder, arguments);
    super();
    this.numLayers = numLayers;
    this.layers = copies(decoderLayer, numLayers);
    this.norm = options.norm ?? null;
  }

  override forward(tgt: Tensor, memory: Tensor, masks: TransformerDecoderMasks = {}): Tensor {
    takes('TransformerDecoder', signatures.TransformerDecoder_forward, arguments);
    let x = tgt;
    for (const layer of this.layers) x = layer(x, memory, masks);
    return this.norm ? this.norm(x) : x;
  }
}

/** Options of `Transformer`. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Width of the sequences; default 512. */
  dModel?: number;
  /** Heads of each attention; default 8. */
  nhead?: number;
  /** Default 6. */
  numEncoderLayers?: number;
  /** Default 6. */
  numDecoderLayers?: number;
  /** Stands in for the encoder; default none. */
  customEncoder?: (Module & TransformerEncoderCall) | null;
  /** Stands in for the decoder; default none. */
  customDecoder?: DecoderLayer | null;
}

interface TransformerEncoderCall {
  forward(src: Tensor, masks?: TransformerEncoderMasks): Tensor;
}

/** Masks of a call of `Transformer`, as `MultiheadAttention` takes them. */
export interface TransformerMasks extends TransformerEncoderLayerMasks, TransformerDecoderMasks {}

/**
 * Encoder and decoder: src [S, N, dModel] and tgt [L, N, dModel] give [L, N, dModel] (the batch first with
 * `batchFirst`, left out without one).
 *
 * @throws RuntimeError if src and tgt do not fit each other.
 * @see https://arxiv.org/abs/1706.03762 and https://pytorch.org/docs/stable/generated/torch.nn.Transformer.html
 * @example new Transformer({ nhead: 16, numEncoderLayers: 12 })(src, tgt);
 */
export class Transformer extends Module {
  readonly dModel: number;
  readonly nhead: number;
  readonly batchFirst: boolean;
  encoder: Module & TransformerEncoderCall;
  decoder: DecoderLayer;

  constructor(options: TransformerOptions = {}) {
    takes('Transformer', signatures.Transformer, arguments);
    super();
    const { dModel = 512, nhead = 8 } = options;
    const norm = (): LayerNorm =>
      new LayerNorm(dModel, {
        eps: options.layerNormEps,
        dtype: options.dtype,
        device: options.device,
      });
    this.dModel = dModel;
    this.nhead = nhead;
    this.batchFirst = options.batchFirst ?? false;
    const { dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst } = options;
    const layer = { dimFeedforward, dropout, activation, layerNormEps, batchFirst, normFirst };
    const layerOptions = { ...layer, ...placing(options) };
    this.encoder =
      options.customEncoder ??
      new TransformerEncoder(
        new TransformerEncoderLayer(dModel, nhead, layerOptions),
        options.numEncoderLayers ?? 6,
        { norm: norm() },
      );
    this.decoder =
      options.customDecoder ??
      new TransformerDecoder(
        new TransformerDecoderLayer(dModel, nhead, layerOptions),
        options.numDecoderLayers ?? 6,
        { norm: norm() },
      );
    this.resetParameters();
  }

  /** Draws all matrices anew (Xavier); vectors stay. */
  resetParameters(): void {
    for (const p of this.parameters()) if (p.shape.length > 1) xavierUniform_(p);
  }

  override forward(src: Tensor, tgt: Tensor, masks: TransformerMasks = {}): Tensor {
    takes('Transformer', signatures.Transformer_forward, arguments);
    const batchDim = this.batchFirst ? 0 : 1;
    const batched = src.shape.length === 3;
    const fits =
      src.shape.length === tgt.shape.length &&
      src.size(-1) === this.dModel &&
      tgt.size(-1) === this.dModel &&
      (!batched || src.size(batchDim) === tgt.size(batchDim));
    if (!fits) {
      throw new RuntimeError(
        `Transformer: src ${formatShape(src.shape)} and tgt ${formatShape(tgt.shape)} must have the same batch size and d_model (${this.dModel}) features`,
      );
    }
    const memory = this.encoder(src, {
      mask: masks.srcMask,
      srcKeyPaddingMask: masks.srcKeyPaddingMask,
    });
    return this.decoder(tgt, memory, {
      tgtMask: masks.tgtMask,
      memoryMask: masks.memoryMask,
      tgtKeyPaddingMask: masks.tgtKeyPaddingMask,
      memoryKeyPaddingMask: masks.memoryKeyPaddingMask,
    });
  }

  /** The mask [size, size] that keeps each position from attending to later ones: -Infinity above the diagonal. */
  static generateSquareSubsequentMask(size: number, options: TensorOptions = {}): Tensor {
    takes(
      'generateSquareSubsequentMask',
      signatures.Transformer_generateSquareSubsequentMask,
      arguments,
    );
    return full([size, size], Number.NEGATIVE_INFINITY, options).triu(1);
  }
}
