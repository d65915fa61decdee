import { empty, linear, type Tensor, takes } from '@sconce/core';
import { calculateFanInAndFanOut, kaimingUniform_, uniform_ } from '@sconce/init';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { type PlaceOptions, placing } from '../placing.js';
import * as signatures from '../signatures.js';
import { text } from '../text.js';

/** Options of layers that may have a bias. */
export interface BiasOptions extends PlaceOptions {
  /** Learn an additive bias; default true. */
  bias?: boolean;
}

/** Gives its input back, whatever it was constructed with. */
export class Identity extends Module {
  constructor(..._ignored: unknown[]) {
    super();
  }

  override forward<T>(input: T): T {
    return input;
  }
}

/**
 * y = x Wᵀ + b: input [..., inFeatures], output [..., outFeatures]; weight [outFeatures, inFeatures].
 *
 * @throws RuntimeError if the last dimension of the input is not `inFeatures`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Linear.html
 * @example new Linear(20, 30)(randn([128, 20])).shape // [128, 30]
 */
export class Linear extends Module {
  readonly inFeatures: number;
  readonly outFeatures: number;
  weight: Parameter;
  declare bias: Parameter | null;

  constructor(inFeatures: number, outFeatures: number, options: BiasOptions = {}) {
    takes('Linear', signatures.Linear, arguments);
    super();
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, inFeatures], placing(options)));
    this.registerParameter(
      'bias',
      options.bias === false ? null : new Parameter(empty([outFeatures], placing(options))),
    );
    this.resetParameters();
  }

  /** Draws weight and bias anew: uniform in ±1/sqrt(inFeatures). */
  resetParameters(): void {
    resetWeightAndBias(this.weight, this.bias);
  }

  override forward(input: Tensor): Tensor {
    takes('Linear', signatures.Linear_forward, arguments);
    return linear(input, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in_features=${this.inFeatures}, out_features=${this.outFeatures}, bias=${text(this.bias !== null)}`;
  }
}

/** PyTorch's default for linear and convolution layers: both uniform in ±1/sqrt(fan in). */
export function resetWeightAndBias(weight: Tensor, bias: Tensor | null): void {
  kaimingUniform_(weight, { a: Math.sqrt(5) });
  if (!bias) return;
  const { fanIn } = calculateFanInAndFanOut(weight);
  if (fanIn > 0) uniform_(bias, -1 / Math.sqrt(fanIn), 1 / Math.sqrt(fanIn));
}
