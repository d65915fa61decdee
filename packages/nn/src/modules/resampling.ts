import {
  bilinear,
  channelShuffle,
  empty,
  foldImage,
  formatShape,
  type InterpolateOptions,
  interpolate,
  type LocalResponseNormOptions,
  localResponseNorm,
  matmul,
  maxUnpool1d,
  maxUnpool2d,
  maxUnpool3d,
  ones,
  pixelShuffle,
  pixelUnshuffle,
  RuntimeError,
  rrelu,
  type Tensor,
  takes,
  unfoldImage,
} from '@sconce/core';
import { uniform_ } from '@sconce/init';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { placing } from '../placing.js';
import * as signatures from '../signatures.js';
import { floatText, text } from '../text.js';
import type { InplaceOptions } from './activation.js';
import type { Size } from './conv.js';
import type { BiasOptions } from './linear.js';

/**
 * Resizes signals, images or volumes to `size`, or by `scaleFactor`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Upsample.html
 * @example new Upsample({ scaleFactor: 2, mode: 'bilinear' })
 */
export class Upsample extends Module {
  readonly options: InterpolateOptions;

  constructor(options: InterpolateOptions) {
    takes('Upsample', signatures.Upsample, arguments);
    super();
    this.options = { mode: 'nearest', ...options };
  }

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.Upsample_forward, arguments);
    return interpolate(input, this.options);
  }

  override extraRepr(): string {
    const { size, scaleFactor, mode } = this.options;
    const factor = (s: number | readonly number[]) =>
      typeof s === 'number' ? floatText(s) : `(${s.map(floatText).join(', ')})`;
    const how =
      scaleFactor !== undefined && scaleFactor !== null
        ? `scale_factor=${factor(scaleFactor)}`
        : `size=${text(size ?? null)}`;
    return `${how}, mode=${mode}`;
  }
}

type Target = Pick<InterpolateOptions, 'size' | 'scaleFactor'>;

/** `Upsample` of images by repetition. */
export class UpsamplingNearest2d extends Upsample {
  constructor(options: Target) {
    takes('UpsamplingNearest2d', signatures.UpsamplingNearest2d, arguments);
    super({ ...options, mode: 'nearest' });
  }
}

/** `Upsample` of images by linear interpolation, corners aligned. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(options: Target) {
    takes('UpsamplingBilinear2d', signatures.UpsamplingBilinear2d, arguments);
    super({ ...options, mode: 'bilinear', alignCorners: true });
  }
}

/** Rearranges [N, C r², H, W] to [N, C, H r, W r]. @see https://arxiv.org/abs/1609.05158 */
export class PixelShuffle extends Module {
  readonly upscaleFactor: number;

  constructor(upscaleFactor: number) {
    takes('PixelShuffle', signatures.PixelShuffle, arguments);
    super();
    this.upscaleFactor = upscaleFactor;
  }

  override forward(input: Tensor): Tensor {
    takes('PixelShuffle', signatures.PixelShuffle_forward, arguments);
    return pixelShuffle(input, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscale_factor=${this.upscaleFactor}`;
  }
}

/** The inverse of `PixelShuffle`. */
export class PixelUnshuffle extends Module {
  readonly downscaleFactor: number;

  constructor(downscaleFactor: number) {
    takes('PixelUnshuffle', signatures.PixelUnshuffle, arguments);
    super();
    this.downscaleFactor = downscaleFactor;
  }

  override forward(input: Tensor): Tensor {
    takes('PixelUnshuffle', signatures.PixelUnshuffle_forward, arguments);
    return pixelUnshuffle(input, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscale_factor=${this.downscaleFactor}`;
  }
}

/** Interleaves the channels of `groups` groups. @see https://arxiv.org/abs/1707.01083 */
export class ChannelShuffle extends Module {
  readonly groups: number;

  constructor(groups: number) {
    takes('ChannelShuffle', signatures.ChannelShuffle, arguments);
    super();
    this.groups = groups;
  }

  override forward(input: Tensor): Tensor {
    takes('ChannelShuffle', signatures.ChannelShuffle_forward, arguments);
    return channelShuffle(input, this.groups);
  }

  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}

/** Options of `Unfold` and `Fold`. */
export interface BlockOptions {
  dilation?: Size;
  padding?: Size;
  stride?: Size;
}

abstract class Blocks extends Module {
  readonly kernelSize: Size;
  readonly dilation: Size;
  readonly padding: Size;
  readonly stride: Size;

  constructor(kernelSize: Size, options: BlockOptions) {
    super();
    this.kernelSize = kernelSize;
    this.dilation = options.dilation ?? 1;
    this.padding = options.padding ?? 0;
    this.stride = options.stride ?? 1;
  }

  /** The options of the function. */
  protected get options(): BlockOptions {
    return { dilation: this.dilation, padding: this.padding, stride: this.stride };
  }

  override extraRepr(): string {
    return `kernel_size=${text(this.kernelSize)}, dilation=${text(this.dilation)}, padding=${text(this.padding)}, stride=${text(this.stride)}`;
  }
}

/** Sliding blocks of images as columns: [N, C, H, W] to [N, C KH KW, blocks]. */
export class Unfold extends Blocks {
  constructor(kernelSize: Size, options: BlockOptions = {}) {
    takes('Unfold', signatures.Unfold, arguments);
    super(kernelSize, options);
  }

  override forward(input: Tensor): Tensor {
    takes('Unfold', signatures.Unfold_forward, arguments);
    return unfoldImage(input, this.kernelSize, this.options);
  }
}

/** Sums columns of sliding blocks back into images of `outputSize`. */
export class Fold extends Blocks {
  readonly outputSize: Size;

  constructor(outputSize: Size, kernelSize: Size, options: BlockOptions = {}) {
    takes('Fold', signatures.Fold, arguments);
    super(kernelSize, options);
    this.outputSize = outputSize;
  }

  override forward(input: Tensor): Tensor {
    takes('Fold', signatures.Fold_forward, arguments);
    return foldImage(input, this.outputSize, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return `output_size=${text(this.outputSize)}, ${super.extraRepr()}`;
  }
}

abstract class MaxUnpool extends Module {
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];

  constructor(
    rank: number,
    kernelSize: Size,
    options: { stride?: Size | null; padding?: Size } = {},
  ) {
    super();
    const spread = (size: Size): readonly number[] =>
      typeof size === 'number' ? new Array<number>(rank).fill(size) : size;
    this.kernelSize = spread(kernelSize);
    this.stride = spread(options.stride ?? kernelSize);
    this.padding = spread(options.padding ?? 0);
  }

  /** @param indices the positions that max pooling gave; `outputSize` chooses among the possible sizes. */
  override forward(input: Tensor, indices: Tensor, outputSize?: readonly number[] | null): Tensor {
    takes(this.constructor.name, signatures.MaxUnpool_forward, arguments);
    const unpool = [maxUnpool1d, maxUnpool2d, maxUnpool3d][
      this.kernelSize.length - 1
    ] as typeof maxUnpool2d;
    return unpool(input, indices, this.kernelSize, {
      stride: this.stride,
      padding: this.padding,
      outputSize,
    });
  }

  override extraRepr(): string {
    return `kernel_size=${text(this.kernelSize)}, stride=${text(this.stride)}, padding=${text(this.padding)}`;
  }
}

/** Puts values back where `maxPool1d` found them, zeros elsewhere. */
export class MaxUnpool1d extends MaxUnpool {
  constructor(kernelSize: Size, options: { stride?: Size | null; padding?: Size } = {}) {
    takes('MaxUnpool1d', signatures.MaxUnpool1d, arguments);
    super(1, kernelSize, options);
  }
}

/** Puts values back where `maxPool2d` found them, zeros elsewhere. */
export class MaxUnpool2d extends MaxUnpool {
  constructor(kernelSize: Size, options: { stride?: Size | null; padding?: Size } = {}) {
    takes('MaxUnpool2d', signatures.MaxUnpool2d, arguments);
    super(2, kernelSize, options);
  }
}

/** Puts values back where `maxPool3d` found them, zeros elsewhere. */
export class MaxUnpool3d extends MaxUnpool {
  constructor(kernelSize: Size, options: { stride?: Size | null; padding?: Size } = {}) {
    takes('MaxUnpool3d', signatures.MaxUnpool3d, arguments);
    super(3, kernelSize, options);
  }
}

/** Normalisation over neighbouring channels. @see https://pytorch.org/docs/stable/generated/torch.nn.LocalResponseNorm.html */
export class LocalResponseNorm extends Module {
  readonly size: number;
  readonly options: Required<LocalResponseNormOptions>;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    takes('LocalResponseNorm', signatures.LocalResponseNorm, arguments);
    super();
    this.size = size;
    this.options = { alpha: 1e-4, beta: 0.75, k: 1, ...options };
  }

  override forward(input: Tensor): Tensor {
    takes('LocalResponseNorm', signatures.LocalResponseNorm_forward, arguments);
    return localResponseNorm(input, this.size, this.options);
  }

  override extraRepr(): string {
    const { alpha, beta, k } = this.options;
    return `${this.size}, alpha=${floatText(alpha)}, beta=${floatText(beta)}, k=${floatText(k)}`;
  }
}

/**
 * Normalisation over neighbouring channels of images [n, channels, h, w], as Torch7 did: the sum of squares reaches
 * (size - 1) / 2 channels to both sides, and has the first channel wherever that window does not begin at it.
 * That last part is an oversight in PyTorch's forward, which is kept so that ported networks give the same numbers; new ones want
 * `LocalResponseNorm`. The gradient is that of this forward, which PyTorch's is not.
 *
 * @throws RuntimeError if the input is not 4D.
 * @see https://github.com/pytorch/pytorch/blob/v1.13.1/torch/nn/modules/_functions.py
 */
export class CrossMapLRN2d extends Module {
  readonly size: number;
  readonly options: Required<LocalResponseNormOptions>;

  constructor(size: number, options: LocalResponseNormOptions = {}) {
    takes('CrossMapLRN2d', signatures.CrossMapLRN2d, arguments);
    super();
    this.size = size;
    this.options = { alpha: 1e-4, beta: 0.75, k: 1, ...options };
  }

  override forward(input: Tensor): Tensor {
    takes('CrossMapLRN2d', signatures.CrossMapLRN2d_forward, arguments);
    if (input.ndim !== 4) {
      throw new RuntimeError(
        `CrossMapLRN2d: expected images [n, channels, height, width], got ${formatShape(input.shape)}`,
      );
    }
    const { alpha, beta, k } = this.options;
    const channels = input.shape[1] as number;
    const reach = Math.floor((this.size - 1) / 2);
    const window = ones([channels, channels], { dtype: input.dtype, device: input.device })
      .triu(-reach)
      .tril(reach);
    window.select(1, 0).fill_(1);
    const total = matmul(window, input.square().flatten(2)).reshape(input.shape);
    return input.mul(
      total
        .mul(alpha / this.size)
        .add(k)
        .pow(-beta),
    );
  }

  override extraRepr(): string {
    const { alpha, beta, k } = this.options;
    return `${this.size}, alpha=${text(alpha)}, beta=${text(beta)}, k=${text(k)}`;
  }
}

/** y = x1ᵀ A x2 + b for each output. @see https://pytorch.org/docs/stable/generated/torch.nn.Bilinear.html */
export class Bilinear extends Module {
  readonly in1Features: number;
  readonly in2Features: number;
  readonly outFeatures: number;
  weight: Parameter;
  declare bias: Parameter | null;

  constructor(
    in1Features: number,
    in2Features: number,
    outFeatures: number,
    options: BiasOptions = {},
  ) {
    takes('Bilinear', signatures.Bilinear, arguments);
    super();
    this.in1Features = in1Features;
    this.in2Features = in2Features;
    this.outFeatures = outFeatures;
    this.weight = new Parameter(empty([outFeatures, in1Features, in2Features], placing(options)));
    this.registerParameter(
      'bias',
      options.bias === false ? null : new Parameter(empty([outFeatures], placing(options))),
    );
    this.resetParameters();
  }

  /** Draws weight and bias anew: uniform in ±1/sqrt(in1Features). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.in1Features);
    uniform_(this.weight, -bound, bound);
    if (this.bias) uniform_(this.bias, -bound, bound);
  }

  override forward(input1: Tensor, input2: Tensor): Tensor {
    takes('Bilinear', signatures.Bilinear_forward, arguments);
    return bilinear(input1, input2, this.weight, this.bias);
  }

  override extraRepr(): string {
    return `in1_features=${this.in1Features}, in2_features=${this.in2Features}, out_features=${this.outFeatures}, bias=${text(this.bias !== null)}`;
  }
}

/** Leaky ReLU whose slope is drawn anew for each element in training. @see https://arxiv.org/abs/1505.00853 */
export class RReLU extends Module {
  readonly lower: number;
  readonly upper: number;
  readonly inplace: boolean;

  constructor(lower = 1 / 8, upper = 1 / 3, options: InplaceOptions = {}) {
    takes('RReLU', signatures.RReLU, arguments);
    super();
    this.lower = lower;
    this.upper = upper;
    this.inplace = options.inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    takes('RReLU', signatures.RReLU_forward, arguments);
    const { lower, upper, training, inplace } = this;
    return rrelu(input, { lower, upper, training, inplace });
  }

  override extraRepr(): string {
    return `lower=${text(this.lower)}, upper=${text(this.upper)}${this.inplace ? ', inplace=True' : ''}`;
  }
}
