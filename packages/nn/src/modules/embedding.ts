import {
  embedding,
  embeddingBag,
  empty,
  formatShape,
  RuntimeError,
  type Tensor,
  takes,
} from '@sconce/core';
import { normal_ } from '@sconce/init';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import type { PlaceOptions } from '../placing.js';
import * as signatures from '../signatures.js';
import { floatText, text } from '../text.js';

/** Options of `Embedding`. */
export interface EmbeddingLayerOptions extends PlaceOptions {
  /** A row that stays zero and gets no gradient. */
  paddingIdx?: number | null;
  /** Rows longer than this are shortened when used. */
  maxNorm?: number | null;
  /** The p of the norm for `maxNorm`; default 2. */
  normType?: number;
  /** Divide gradients by how often a row is used in the batch; default false. */
  scaleGradByFreq?: boolean;
}

/**
 * A table of vectors looked up by number: indices of any shape give [..., embeddingDim].
 *
 * @throws RuntimeError if `paddingIdx` is outside of the table.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Embedding.html
 */
export class Embedding extends Module {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly paddingIdx: number | null;
  readonly maxNorm: number | null;
  readonly normType: number;
  readonly scaleGradByFreq: boolean;
  weight: Parameter;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingLayerOptions = {}) {
    takes('Embedding', signatures.Embedding, arguments);
    super();
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    const padding = options.paddingIdx ?? null;
    if (padding !== null && (padding >= numEmbeddings || padding < -numEmbeddings)) {
      throw new RuntimeError(
        `Embedding: Padding_idx must be within num_embeddings (${padding} of ${numEmbeddings})`,
      );
    }
    this.paddingIdx = padding !== null && padding < 0 ? padding + numEmbeddings : padding;
    this.maxNorm = options.maxNorm ?? null;
    this.normType = options.normType ?? 2;
    this.scaleGradByFreq = options.scaleGradByFreq ?? false;
    this.weight = new Parameter(
      empty([numEmbeddings, embeddingDim], { dtype: options.dtype, device: options.device }),
    );
    this.resetParameters();
  }

  /** An embedding with given vectors, [rows, width]; frozen unless told otherwise. */
  static fromPretrained(
    weight: Tensor,
    options: EmbeddingLayerOptions & { freeze?: boolean } = {},
  ): Embedding {
    takes('fromPretrained', signatures.Embedding_fromPretrained, arguments);
    if (weight.shape.length !== 2) {
      throw new RuntimeError(
        `Embedding: Embeddings parameter is expected to be 2-dimensional, got shape ${formatShape(weight.shape)}`,
      );
    }
    const [rows, width] = weight.shape as [number, number];
    const layer = new Embedding(rows, width, {
      dtype: weight.dtype,
      device: weight.device,
      ...options,
    });
    layer.weight = new Parameter(weight, options.freeze === false);
    return layer;
  }

  /** Draws the vectors anew from the normal distribution; the padding row becomes zero. */
  resetParameters(): void {
    normal_(this.weight);
    if (this.paddingIdx !== null) this.weight.detach().select(0, this.paddingIdx).fill_(0);
  }

  override forward(input: Tensor): Tensor {
    takes('Embedding', signatures.Embedding_forward, arguments);
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = this;
    return embedding(input, this.weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
  }

  override extraRepr(): string {
    const parts = [`${this.numEmbeddings}, ${this.embeddingDim}`];
    if (this.paddingIdx !== null) parts.push(`padding_idx=${this.paddingIdx}`);
    if (this.maxNorm !== null) parts.push(`max_norm=${floatText(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${floatText(this.normType)}`);
    if (this.scaleGradByFreq) parts.push(`scale_grad_by_freq=${text(true)}`);
    return parts.join(', ');
  }
}

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagLayerOptions extends EmbeddingLayerOptions {
  /** Rows longer than this are shortened when used. */
  maxNorm?: number | null;
  /** The p of the norm for `maxNorm`; default 2. */
  normType?: number;
  /** Divide gradients by how often a row is used in the batch; default false. */
  scaleGradByFreq?: boolean;
  /** How the vectors of a bag are combined; default `'mean'`. */
  mode?: 'sum' | 'mean' | 'max';
  /** The last offset is the end of the last bag; default false. */
  includeLastOffset?: boolean;
}

/**
 * Sums, means or maxima of the vectors of bags of indices, without the vectors in between.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.EmbeddingBag.html
 */
export class EmbeddingBag extends Embedding {
  readonly mode: 'sum' | 'mean' | 'max';
  readonly includeLastOffset: boolean;

  constructor(numEmbeddings: number, embeddingDim: number, options: EmbeddingBagLayerOptions = {}) {
    takes('EmbeddingBag', signatures.EmbeddingBag, arguments);
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = options;
    const { dtype, device } = options;
    super(numEmbeddings, embeddingDim, {
      paddingIdx,
      maxNorm,
      normType,
      scaleGradByFreq,
      dtype,
      device,
    });
    this.mode = options.mode ?? 'mean';
    this.includeLastOffset = options.includeLastOffset ?? false;
  }

  /** @param offsets where each bag starts in a vector of indices; null for bags that are rows of a matrix. */
  override forward(
    input: Tensor,
    offsets: Tensor | null = null,
    perSampleWeights: Tensor | null = null,
  ): Tensor {
    takes('EmbeddingBag', signatures.EmbeddingBag_forward, arguments);
    const { paddingIdx, maxNorm, normType, scaleGradByFreq, mode, includeLastOffset } = this;
    const options = {
      paddingIdx,
      maxNorm,
      normType,
      scaleGradByFreq,
      mode,
      includeLastOffset,
      perSampleWeights,
    };
    return embeddingBag(input, this.weight, offsets, options);
  }

  override extraRepr(): string {
    const parts = [`${this.numEmbeddings}, ${this.embeddingDim}`];
    if (this.maxNorm !== null) parts.push(`max_norm=${floatText(this.maxNorm)}`);
    if (this.normType !== 2) parts.push(`norm_type=${floatText(this.normType)}`);
    if (this.scaleGradByFreq) parts.push(`scale_grad_by_freq=${text(true)}`);
    parts.push(`mode=${this.mode}`);
    if (this.paddingIdx !== null) parts.push(`padding_idx=${this.paddingIdx}`);
    return parts.join(', ');
  }
}
