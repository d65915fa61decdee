import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  empty,
  pad,
  type Tensor,
  takes,
  ValueError,
} from '@sconce/core';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { placing } from '../placing.js';
import * as signatures from '../signatures.js';
import { text } from '../text.js';
import { type BiasOptions, resetWeightAndBias } from './linear.js';

/** A size of every spatial dimension, or one for all. */
export type Size = number | readonly number[];

/** How borders are filled before the convolution. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

/** Options of convolution layers. */
export interface ConvLayerOptions extends BiasOptions {
  /** Step of the window; default 1. */
  stride?: Size;
  /** Added to both sides; default 0. `'same'` keeps the size (stride 1 only), `'valid'` adds nothing. */
  padding?: Size | 'same' | 'valid';
  /** Distance of the kernel's elements; default 1. */
  dilation?: Size;
  /** Channels are connected in this many separate groups; default 1. */
  groups?: number;
  /** Learn an additive bias; default true. */
  bias?: boolean;
  /** Default `'zeros'`. */
  paddingMode?: PaddingMode;
}

/** Options of transposed convolution layers. */
export interface ConvTransposeLayerOptions extends BiasOptions {
  stride?: Size;
  padding?: Size;
  /** Added to one side of the result; default 0. */
  outputPadding?: Size;
  groups?: number;
  bias?: boolean;
  dilation?: Size;
}

const spread = (size: Size, rank: number): number[] =>
  typeof size === 'number' ? new Array<number>(rank).fill(size) : [...size];

/** What all convolution layers share; use `Conv1d`, `Conv2d`, ... */
abstract class ConvBase extends Module {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[] | 'same' | 'valid';
  readonly dilation: readonly number[];
  readonly groups: number;
  readonly paddingMode: PaddingMode;
  weight: Parameter;
  declare bias: Parameter | null;

  constructor(
    rank: number,
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvLayerOptions,
    transposed: boolean,
  ) {
    super();
    const { stride = 1, padding = 0, dilation = 1, groups = 1, paddingMode = 'zeros' } = options;
    if (inChannels % groups !== 0)
      throw new ValueError(
        `${this.getName()}: in_channels must be divisible by groups (${inChannels} by ${groups})`,
      );
    if (outChannels % groups !== 0)
      throw new ValueError(
        `${this.getName()}: out_channels must be divisible by groups (${outChannels} by ${groups})`,
      );
    this.inChannels = inChannels;
    this.outChannels = outChannels;
    this.kernelSize = spread(kernelSize, rank);
    this.stride = spread(stride, rank);
    this.padding = typeof padding === 'string' ? padding : spread(padding, rank);
    this.dilation = spread(dilation, rank);
    this.groups = groups;
    this.paddingMode = paddingMode;
    if (padding === 'same' && this.stride.some((s) => s !== 1)) {
      throw new ValueError(
        `${this.getName()}: padding='same' is not supported for strided convolutions`,
      );
    }
    const [rows, columns] = transposed
      ? [inChannels, outChannels / groups]
      : [outChannels, inChannels / groups];
    this.weight = new Parameter(empty([rows, columns, ...this.kernelSize], placing(options)));
    this.registerParameter(
      'bias',
      options.bias === false ? null : new Parameter(empty([outChannels], placing(options))),
    );
    this.resetParameters();
  }

  /** Draws weight and bias anew: uniform in ±1/sqrt(fan in). */
  resetParameters(): void {
    resetWeightAndBias(this.weight, this.bias);
  }

  protected extraParts(): string[] {
    const { rank } = this;
    const all = (list: readonly number[], value: number) =>
      list.every((x) => x === value) && list.length === rank;
    const parts = [
      `${this.inChannels}, ${this.outChannels}`,
      `kernel_size=${text(this.kernelSize)}`,
      `stride=${text(this.stride)}`,
    ];
    if (typeof this.padding === 'string') parts.push(`padding=${this.padding}`);
    else if (!all(this.padding, 0)) parts.push(`padding=${text(this.padding)}`);
    if (!all(this.dilation, 1)) parts.push(`dilation=${text(this.dilation)}`);
    return parts;
  }

  protected get rank(): number {
    return this.kernelSize.length;
  }

  override extraRepr(): string {
    const parts = this.extraParts();
    if (this.groups !== 1) parts.push(`groups=${this.groups}`);
    if (!this.bias) parts.push('bias=False');
    if (this.paddingMode !== 'zeros') parts.push(`padding_mode=${this.paddingMode}`);
    return parts.join(', ');
  }
}

abstract class ConvNd extends ConvBase {
  constructor(
    rank: number,
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvLayerOptions,
  ) {
    super(rank, inChannels, outChannels, kernelSize, options, false);
  }

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.ConvNd_forward, arguments);
    const convolve = [conv1d, conv2d, conv3d][this.rank - 1] as typeof conv2d;
    const { stride, padding, dilation, groups } = this;
    if (this.paddingMode === 'zeros')
      return convolve(input, this.weight, this.bias, { stride, padding, dilation, groups });
    const padded = pad(input, this.borders(), { mode: this.paddingMode });
    return convolve(padded, this.weight, this.bias, { stride, dilation, groups });
  }

  /** Amounts for `pad`: last dimension first, before and after. */
  private borders(): number[] {
    return this.kernelSize
      .map((size, i): [number, number] => {
        if (this.padding === 'valid') return [0, 0];
        if (this.padding !== 'same') return [this.padding[i] as number, this.padding[i] as number];
        const total = (this.dilation[i] as number) * (size - 1);
        return [Math.floor(total / 2), total - Math.floor(total / 2)];
      })
      .reverse()
      .flat();
  }
}

/**
 * Convolution of signals: [N, C, L] or [C, L] with weight [outChannels, inChannels / groups, K].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
 */
export class Conv1d extends ConvNd {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvLayerOptions = {},
  ) {
    takes('Conv1d', signatures.Conv1d, arguments);
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution of images: [N, C, H, W] or [C, H, W] with weight [outChannels, inChannels / groups, KH, KW].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
 * @example new Conv2d(3, 16, 3, { padding: 1 })
 */
export class Conv2d extends ConvNd {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvLayerOptions = {},
  ) {
    takes('Conv2d', signatures.Conv2d, arguments);
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/**
 * Convolution of volumes: [N, C, D, H, W] or [C, D, H, W].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
 */
export class Conv3d extends ConvNd {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvLayerOptions = {},
  ) {
    takes('Conv3d', signatures.Conv3d, arguments);
    super(3, inChannels, outChannels, kernelSize, options);
  }
}

abstract class ConvTransposeNd extends ConvBase {
  readonly outputPadding: readonly number[];

  constructor(
    rank: number,
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvTransposeLayerOptions,
  ) {
    super(rank, inChannels, outChannels, kernelSize, options, true);
    this.outputPadding = spread(options.outputPadding ?? 0, rank);
  }

  /** @param outputSize the wanted spatial size, among those the stride leaves open; replaces `outputPadding`. */
  override forward(input: Tensor, outputSize?: readonly number[]): Tensor {
    takes(this.constructor.name, signatures.ConvTransposeNd_forward, arguments);
    const convolve = [convTranspose1d, convTranspose2d, convTranspose3d][
      this.rank - 1
    ] as typeof convTranspose2d;
    const { stride, dilation, groups } = this;
    const padding = this.padding as readonly number[];
    const outputPadding = outputSize ? this.paddingFor(input, outputSize) : this.outputPadding;
    return convolve(input, this.weight, this.bias, {
      stride,
      padding,
      outputPadding,
      dilation,
      groups,
    });
  }

  private paddingFor(input: Tensor, outputSize: readonly number[]): number[] {
    const wanted = outputSize.slice(-this.rank);
    return input.shape.slice(-this.rank).map((size, i) => {
      const smallest =
        (size - 1) * (this.stride[i] as number) -
        2 * ((this.padding as readonly number[])[i] as number) +
        (this.dilation[i] as number) * ((this.kernelSize[i] as number) - 1) +
        1;
      const extra = (wanted[i] ?? Number.NaN) - smallest;
      if (!(extra >= 0 && extra < (this.stride[i] as number))) {
        throw new ValueError(
          `${this.getName()}: requested an output size of [${wanted}], but valid sizes of dimension ${i} range from ${smallest} to ${smallest + (this.stride[i] as number) - 1}`,
        );
      }
      return extra;
    });
  }

  protected override extraParts(): string[] {
    const parts = super.extraParts();
    if (this.outputPadding.some((x) => x !== 0))
      parts.push(`output_padding=${text(this.outputPadding)}`);
    return parts;
  }
}

/** Transposed convolution of signals. @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html */
export class ConvTranspose1d extends ConvTransposeNd {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvTransposeLayerOptions = {},
  ) {
    takes('ConvTranspose1d', signatures.ConvTranspose1d, arguments);
    super(1, inChannels, outChannels, kernelSize, options);
  }
}

/** Transposed convolution of images. @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html */
export class ConvTranspose2d extends ConvTransposeNd {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvTransposeLayerOptions = {},
  ) {
    takes('ConvTranspose2d', signatures.ConvTranspose2d, arguments);
    super(2, inChannels, outChannels, kernelSize, options);
  }
}

/** Transposed convolution of volumes. @see https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html */
export class ConvTranspose3d extends ConvTransposeNd {
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: Size,
    options: ConvTransposeLayerOptions = {},
  ) {
    takes('ConvTranspose3d', signatures.ConvTranspose3d, arguments);
    super(3, inChannels, outChannels, kernelSize, options);
  }
}
