import {
  attentionWithWeights,
  cat,
  empty,
  formatShape,
  isFloatingPoint,
  linear,
  pad,
  RuntimeError,
  scaledDotProductAttention,
  split,
  type Tensor,
  takes,
  zeros,
  zerosLike,
} from '@sconce/core';
import { constant_, xavierNormal_, xavierUniform_ } from '@sconce/init';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { placing } from '../placing.js';
import * as signatures from '../signatures.js';
import { type BiasOptions, Linear } from './linear.js';

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions extends BiasOptions {
  /** Probability of dropping an attention weight, in training; default 0. */
  dropout?: number;
  /** Add learnt biases to the projections; default true. */
  bias?: boolean;
  /** Append a learnt key and value to the sequences; default false. */
  addBiasKv?: boolean;
  /** Append a key and a value of zeros to the sequences; default false. */
  addZeroAttn?: boolean;
  /** Width of the keys; default `embedDim`. */
  kdim?: number | null;
  /** Width of the values; default `embedDim`. */
  vdim?: number | null;
  /** Inputs and output are [N, L, E] instead of [L, N, E]; default false. */
  batchFirst?: boolean;
}

/** Options of a call of `MultiheadAttention`. */
export interface MultiheadAttentionForwardOptions {
  /** Keys to leave out: [N, S] ([S] without a batch), bool (true is left out) or floating (added to the scores). */
  keyPaddingMask?: Tensor | null;
  /** Scores to leave out: [L, S] or [N * heads, L, S], bool (true is left out) or floating (added to the scores). */
  attnMask?: Tensor | null;
  /** Give the attention weights too; default true. */
  needWeights?: boolean;
  /** Give the mean of the weights over the heads instead of those of each head; default true. */
  averageAttnWeights?: boolean;
}

/** A linear layer under the name that PyTorch prints for it. */
class NonDynamicallyQuantizableLinear extends Linear {}

/**
 * Attention of several heads: query [L, N, embedDim], key [S, N, kdim], value [S, N, vdim] (the batch first with
 * `batchFirst`, left out without one). Gives the output [L, N, embedDim] and the weights [N, L, S], or [N, heads, L, S]
 * with `averageAttnWeights: false`, or null with `needWeights: false`. What a query that may attend to nothing takes from the
 * values is then 0; where weights are asked for, it is NaN.
 *
 * @throws RuntimeError if the shapes of inputs or masks do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MultiheadAttention.html (Vaswani et al. 2017)
 * @example const [output, weights] = new MultiheadAttention(16, 4)(query, key, value);
 */
export class MultiheadAttention extends Module {
  static override readonly stateKeys = {
    qProjWeight: 'q_proj_weight',
    kProjWeight: 'k_proj_weight',
    vProjWeight: 'v_proj_weight',
    inProjWeight: 'in_proj_weight',
    inProjBias: 'in_proj_bias',
    outProj: 'out_proj',
    biasK: 'bias_k',
    biasV: 'bias_v',
  };

  readonly embedDim: number;
  readonly numHeads: number;
  readonly kdim: number;
  readonly vdim: number;
  readonly dropout: number;
  readonly addZeroAttn: boolean;
  readonly batchFirst: boolean;
  /** The weights of query, key and value, where keys or values have a width of their own. */
  declare qProjWeight: Parameter | null;
  declare kProjWeight: Parameter | null;
  declare vProjWeight: Parameter | null;
  /** The weights of query, key and value below each other, where all have the same width. */
  declare inProjWeight: Parameter | null;
  declare inProjBias: Parameter | null;
  declare biasK: Parameter | null;
  declare biasV: Parameter | null;
  outProj: Linear;

  /** @throws RuntimeError if `embedDim` is not divisible by `numHeads`. */
  constructor(embedDim: number, numHeads: number, options: MultiheadAttentionOptions = {}) {
    takes('MultiheadAttention', signatures.MultiheadAttention, arguments);
    super();
    if (embedDim % numHeads !== 0) {
      throw new RuntimeError(
        `MultiheadAttention: embed_dim must be divisible by num_heads (${embedDim} by ${numHeads})`,
      );
    }
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.kdim = options.kdim ?? embedDim;
    this.vdim = options.vdim ?? embedDim;
    this.dropout = options.dropout ?? 0;
    this.addZeroAttn = options.addZeroAttn ?? false;
    this.batchFirst = options.batchFirst ?? false;
    const parameter = (name: string, present: boolean, ...shape: number[]): void =>
      this.registerParameter(name, present ? new Parameter(empty(shape, placing(options))) : null);
    const same = this.kdim === embedDim && this.vdim === embedDim;
    parameter('qProjWeight', !same, embedDim, embedDim);
    parameter('kProjWeight', !same, embedDim, this.kdim);
    parameter('vProjWeight', !same, embedDim, this.vdim);
    parameter('inProjWeight', same, 3 * embedDim, embedDim);
    parameter('inProjBias', options.bias ?? true, 3 * embedDim);
    this.outProj = new NonDynamicallyQuantizableLinear(embedDim, embedDim, {
      bias: options.bias,
      ...placing(options),
    });
    parameter('biasK', options.addBiasKv ?? false, 1, 1, embedDim);
    parameter('biasV', options.addBiasKv ?? false, 1, 1, embedDim);
    this.resetParameters();
  }

  /** Draws projections and learnt keys anew (Xavier) and sets biases to zero; the output's weight stays. */
  resetParameters(): void {
    for (const p of [this.inProjWeight, this.qProjWeight, this.kProjWeight, this.vProjWeight]) {
      if (p) xavierUniform_(p);
    }
    if (this.inProjBias) constant_(this.inProjBias, 0);
    if (this.outProj.bias) constant_(this.outProj.bias, 0);
    if (this.biasK) xavierNormal_(this.biasK);
    if (this.biasV) xavierNormal_(this.biasV);
  }

  override forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: MultiheadAttentionForwardOptions = {},
  ): [output: Tensor, weights: Tensor | null] {
    takes('MultiheadAttention', signatures.MultiheadAttention_forward, arguments);
    const { needWeights = true, averageAttnWeights = true } = options;
    const batched = this.checkInputs(query, key, value);
    // Without a batch, the batch of one is put where `batchFirst` expects it.
    const lift = (t: Tensor): Tensor => (batched ? t : t.unsqueeze(this.batchFirst ? 0 : 1));
    const [q, k, v] = this.project(query, key, value).map((t) => this.heads(lift(t))) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const [batch, , length] = q.shape as [number, number, number, number];
    const keys = this.withExtraRows(k, this.biasK);
    const values = this.withExtraRows(v, this.biasV);
    const how = {
      attnMask: this.mask(options, [batch, this.numHeads, length, k.size(2)], batched, q),
      dropoutP: this.training ? this.dropout : 0,
    };
    const [attended, weights] = needWeights
      ? attentionWithWeights(q, keys, values, how)
      : [scaledDotProductAttention(q, keys, values, how), null];
    const order = this.batchFirst ? [0, 2, 1, 3] : [2, 0, 1, 3];
    const joined = attended.permute(order);
    const merged = joined.reshape([...joined.shape.slice(0, 2), this.embedDim]);
    const output = this.outProj(merged);
    const given = averageAttnWeights ? (weights?.mean(1) ?? null) : weights;
    if (batched) return [output, given];
    return [output.squeeze(this.batchFirst ? 0 : 1), given?.squeeze(0) ?? null];
  }

  /** Query, key and value times their weights; equal inputs share one product. */
  private project(query: Tensor, key: Tensor, value: Tensor): Tensor[] {
    const { embedDim, inProjWeight, inProjBias } = this;
    if (!inProjWeight) {
      const biases = inProjBias ? split(inProjBias, embedDim) : [];
      return [
        linear(query, this.qProjWeight as Parameter, biases[0]),
        linear(key, this.kProjWeight as Parameter, biases[1]),
        linear(value, this.vProjWeight as Parameter, biases[2]),
      ];
    }
    if (query === key && key === value) {
      return split(linear(query, inProjWeight, inProjBias), embedDim, -1);
    }
    const part = (input: Tensor, from: number, count: number): Tensor =>
      linear(
        input,
        inProjWeight.narrow(0, from * embedDim, count * embedDim),
        inProjBias?.narrow(0, from * embedDim, count * embedDim),
      );
    if (key === value) return [part(query, 0, 1), ...split(part(key, 1, 2), embedDim, -1)];
    return [part(query, 0, 1), part(key, 1, 1), part(value, 2, 1)];
  }

  /** [L, N, E] or [N, L, E] as [N, heads, L, E / heads]. */
  private heads(t: Tensor): Tensor {
    const [a, b] = t.shape as [number, number, number];
    const split = t.reshape([a, b, this.numHeads, this.embedDim / this.numHeads]);
    return split.permute(this.batchFirst ? [0, 2, 1, 3] : [1, 2, 0, 3]);
  }

  /** Keys or values with the learnt row and the row of zeros behind them, where the layer has these. */
  private withExtraRows(t: Tensor, learnt: Parameter | null): Tensor {
    const [batch, heads, , width] = t.shape as [number, number, number, number];
    const rows = [t];
    if (learnt) rows.push(learnt.reshape([1, heads, 1, width]).expand([batch, heads, 1, width]));
    if (this.addZeroAttn) {
      rows.push(zeros([batch, heads, 1, width], { dtype: t.dtype, device: t.device }));
    }
    return rows.length === 1 ? t : cat(rows, 2);
  }

  /** What is added to the scores [N, heads, L, S]. */
  private mask(
    { attnMask, keyPaddingMask }: MultiheadAttentionForwardOptions,
    [batch, heads, length, source]: readonly [number, number, number, number],
    batched: boolean,
    like: Tensor,
  ): Tensor | null {
    let sum: Tensor | null = null;
    if (attnMask) {
      const whole = [batch * heads, length, source];
      const flat = whole.slice(1);
      const { shape } = attnMask;
      if (shape.length !== 2 && shape.length !== 3) {
        throw new RuntimeError(
          `MultiheadAttention: attn_mask's dimension ${shape.length} is not supported, expected ${formatShape(flat)} or ${formatShape(whole)}`,
        );
      }
      const wanted = shape.length === 2 ? flat : whole;
      if (shape.some((size, d) => size !== wanted[d])) {
        throw new RuntimeError(
          `MultiheadAttention: The shape of the ${shape.length}D attn_mask is ${formatShape(shape)}, but should be ${formatShape(wanted)}.`,
        );
      }
      const added = additive('attn_mask', attnMask, like);
      sum = shape.length === 2 ? added : added.reshape([batch, heads, length, source]);
    }
    if (keyPaddingMask) {
      const { shape } = keyPaddingMask;
      const wanted = batched ? [batch, source] : [source];
      if (shape.length !== wanted.length || shape.some((size, d) => size !== wanted[d])) {
        throw new RuntimeError(
          `MultiheadAttention: expecting key_padding_mask shape of ${formatShape(wanted)}, but got ${formatShape(shape)}`,
        );
      }
      const added = additive('key_padding_mask', keyPaddingMask, like).reshape([
        batch,
        1,
        1,
        source,
      ]);
      sum = sum ? sum.add(added) : added;
    }
    const extra = (this.biasK ? 1 : 0) + (this.addZeroAttn ? 1 : 0);
    return sum && extra > 0 ? pad(sum, [0, extra]) : sum;
  }

  private checkInputs(query: Tensor, key: Tensor, value: Tensor): boolean {
    const shapes = (): string => [query, key, value].map((t) => formatShape(t.shape)).join(', ');
    const rank = query.shape.length;
    if (rank !== 2 && rank !== 3) {
      throw new RuntimeError(
        `MultiheadAttention: query should be unbatched 2D or batched 3D tensor but received ${rank}-D query tensor`,
      );
    }
    if (key.shape.length !== rank || value.shape.length !== rank) {
      throw new RuntimeError(
        `MultiheadAttention: query, key and value must all be 2-D or all be 3-D, got ${shapes()}`,
      );
    }
    if (
      query.size(-1) !== this.embedDim ||
      key.size(-1) !== this.kdim ||
      value.size(-1) !== this.vdim
    ) {
      throw new RuntimeError(
        `MultiheadAttention: was expecting embedding dimensions of ${this.embedDim}, ${this.kdim} and ${this.vdim}, but got ${shapes()}`,
      );
    }
    const batchDim = this.batchFirst ? 0 : 1;
    const mismatch =
      key.shape.slice(0, -1).some((size, d) => size !== value.shape[d]) ||
      (rank === 3 && query.shape[batchDim] !== key.shape[batchDim]);
    if (mismatch) {
      throw new RuntimeError(
        `MultiheadAttention: sequence and batch dims of query, key and value do not match, got ${shapes()}`,
      );
    }
    return rank === 3;
  }
}

/** A mask as numbers to add: -Infinity where a bool mask is true. */
function additive(name: string, mask: Tensor, like: Tensor): Tensor {
  if (isFloatingPoint(mask.dtype)) return mask;
  if (mask.dtype !== 'bool' && mask.dtype !== 'uint8') {
    throw new RuntimeError(
      `MultiheadAttention: only bool and floating types of ${name} are supported, got ${mask.dtype}`,
    );
  }
  return zerosLike(mask, { dtype: like.dtype }).maskedFill(
    mask.to('bool'),
    Number.NEGATIVE_INFINITY,
  );
}
