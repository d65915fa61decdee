import {
  type AvgPoolOptions,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  adaptiveMaxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  lpPool1d,
  lpPool2d,
  type MaxPoolOptions,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type Tensor,
  takes,
  type ValuesIndices,
} from '@sconce/core';
import { Module } from '../module.js';
import * as signatures from '../signatures.js';
import { floatText, text } from '../text.js';
import type { Size } from './conv.js';

/** Options of max pooling layers. */
export interface MaxPoolLayerOptions<I extends boolean = boolean> {
  /** Step of the window; default: its size. */
  stride?: Size | null;
  /** Added to both sides, never chosen; default 0. */
  padding?: Size;
  /** Distance of the window's elements; default 1. */
  dilation?: Size;
  /** Give the positions of the maxima too, as `[values, indices]`; default false. */
  returnIndices?: I;
  /** Round the number of windows up; default false. */
  ceilMode?: boolean;
}

/** What a max pooling layer gives: values, or values and positions. */
export type MaxPoolResult<I extends boolean> = I extends true ? ValuesIndices : Tensor;

/** What max pooling layers share. */
abstract class MaxPool<I extends boolean> extends Module {
  readonly returnIndices: I;
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Size;
  readonly dilation: Size;
  readonly ceilMode: boolean;

  constructor(kernelSize: Size, options: MaxPoolLayerOptions<I> = {}) {
    takes(new.target.name, signatures.MaxPool, arguments);
    super();
    this.returnIndices = (options.returnIndices ?? false) as I;
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.ceilMode = options.ceilMode ?? false;
  }

  /** The options of the function, under the overload whose result covers both cases. */
  protected get options(): MaxPoolOptions & { returnIndices: true } {
    const { stride, padding, dilation, ceilMode, returnIndices } = this;
    return { stride, padding, dilation, ceilMode, returnIndices: returnIndices as true };
  }

  override extraRepr(): string {
    return `kernel_size=${text(this.kernelSize)}, stride=${text(this.stride)}, padding=${text(this.padding)}, dilation=${text(this.dilation)}, ceil_mode=${text(this.ceilMode)}`;
  }
}

/**
 * The maximum of each window of signals.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
 */
export class MaxPool1d<I extends boolean = false> extends MaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('MaxPool1d', signatures.MaxPool1d_forward, arguments);
    return maxPool1d(input, this.kernelSize, this.options) as MaxPoolResult<I>;
  }
}

/**
 * The maximum of each window of images [N, C, H, W].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d<I extends boolean = false> extends MaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('MaxPool2d', signatures.MaxPool2d_forward, arguments);
    return maxPool2d(input, this.kernelSize, this.options) as MaxPoolResult<I>;
  }
}

/** The maximum of each window of volumes. */
export class MaxPool3d<I extends boolean = false> extends MaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('MaxPool3d', signatures.MaxPool3d_forward, arguments);
    return maxPool3d(input, this.kernelSize, this.options) as MaxPoolResult<I>;
  }
}

/** Options of average pooling layers. */
export interface AvgPoolLayerOptions {
  /** Step of the window; default: its size. */
  stride?: Size | null;
  /** Zeros added to both sides; default 0. */
  padding?: Size;
  /** Round the number of windows up; default false. */
  ceilMode?: boolean;
  /** Count the padding in the mean; default true. */
  countIncludePad?: boolean;
  /** Divide by this instead of the window's size (images and volumes). */
  divisorOverride?: number | null;
}

/** What average pooling layers share. */
abstract class AvgPool extends Module {
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Size;
  readonly ceilMode: boolean;
  readonly countIncludePad: boolean;
  readonly divisorOverride: number | undefined;

  constructor(kernelSize: Size, options: AvgPoolLayerOptions = {}) {
    takes(new.target.name, signatures.AvgPool, arguments);
    super();
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    this.divisorOverride = options.divisorOverride ?? undefined;
  }

  /** The options of the function. */
  protected get options(): AvgPoolOptions {
    const { stride, padding, ceilMode, countIncludePad, divisorOverride } = this;
    return { stride, padding, ceilMode, countIncludePad, divisorOverride };
  }

  override extraRepr(): string {
    return `kernel_size=${text(this.kernelSize)}, stride=${text(this.stride)}, padding=${text(this.padding)}`;
  }
}

/** The mean of each window of signals. */
export class AvgPool1d extends AvgPool {
  override forward(input: Tensor): Tensor {
    takes('AvgPool1d', signatures.AvgPool1d_forward, arguments);
    return avgPool1d(input, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    const one = (size: Size) => text(typeof size === 'number' ? [size] : size);
    return `kernel_size=${one(this.kernelSize)}, stride=${one(this.stride)}, padding=${one(this.padding)}`;
  }
}

/** The mean of each window of images. @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html */
export class AvgPool2d extends AvgPool {
  override forward(input: Tensor): Tensor {
    takes('AvgPool2d', signatures.AvgPool2d_forward, arguments);
    return avgPool2d(input, this.kernelSize, this.options);
  }
}

/** The mean of each window of volumes. */
export class AvgPool3d extends AvgPool {
  override forward(input: Tensor): Tensor {
    takes('AvgPool3d', signatures.AvgPool3d_forward, arguments);
    return avgPool3d(input, this.kernelSize, this.options);
  }
}

/** A number of windows for each dimension, or one for all; null keeps a size. */
export type OutputSize = number | readonly (number | null)[];

/** What adaptive pooling layers share. */
abstract class AdaptivePool extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
    takes(new.target.name, signatures.AdaptivePool, arguments);
    super();
    this.outputSize = outputSize;
  }

  override extraRepr(): string {
    const size = this.outputSize;
    return `output_size=${typeof size === 'number' ? size : `(${size.map((s) => s ?? 'None').join(', ')}${size.length === 1 ? ',' : ''})`}`;
  }
}

/** Means over `outputSize` windows of signals. */
export class AdaptiveAvgPool1d extends AdaptivePool {
  override forward(input: Tensor): Tensor {
    takes('AdaptiveAvgPool1d', signatures.AdaptiveAvgPool1d_forward, arguments);
    return adaptiveAvgPool1d(input, this.outputSize);
  }
}

/** Means over `outputSize` windows of images. @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html */
export class AdaptiveAvgPool2d extends AdaptivePool {
  override forward(input: Tensor): Tensor {
    takes('AdaptiveAvgPool2d', signatures.AdaptiveAvgPool2d_forward, arguments);
    return adaptiveAvgPool2d(input, this.outputSize);
  }
}

/** Means over `outputSize` windows of volumes. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  override forward(input: Tensor): Tensor {
    takes('AdaptiveAvgPool3d', signatures.AdaptiveAvgPool3d_forward, arguments);
    return adaptiveAvgPool3d(input, this.outputSize);
  }
}

/** What adaptive max pooling layers share. */
abstract class AdaptiveMaxPool<I extends boolean> extends AdaptivePool {
  readonly returnIndices: I;

  constructor(outputSize: OutputSize, options: { returnIndices?: I } = {}) {
    takes(new.target.name, signatures.AdaptiveMaxPool, arguments);
    super(outputSize);
    this.returnIndices = (options.returnIndices ?? false) as I;
  }
}

/** Maxima over `outputSize` windows of signals. */
export class AdaptiveMaxPool1d<I extends boolean = false> extends AdaptiveMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('AdaptiveMaxPool1d', signatures.AdaptiveMaxPool1d_forward, arguments);
    return adaptiveMaxPool1d(input, this.outputSize, {
      returnIndices: this.returnIndices as true,
    }) as MaxPoolResult<I>;
  }
}

/** Maxima over `outputSize` windows of images. */
export class AdaptiveMaxPool2d<I extends boolean = false> extends AdaptiveMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('AdaptiveMaxPool2d', signatures.AdaptiveMaxPool2d_forward, arguments);
    return adaptiveMaxPool2d(input, this.outputSize, {
      returnIndices: this.returnIndices as true,
    }) as MaxPoolResult<I>;
  }
}

/** Maxima over `outputSize` windows of volumes. */
export class AdaptiveMaxPool3d<I extends boolean = false> extends AdaptiveMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('AdaptiveMaxPool3d', signatures.AdaptiveMaxPool3d_forward, arguments);
    return adaptiveMaxPool3d(input, this.outputSize, {
      returnIndices: this.returnIndices as true,
    }) as MaxPoolResult<I>;
  }
}

/** What power-average pooling layers share. */
abstract class LPPool extends Module {
  readonly normType: number;
  readonly kernelSize: Size;
  readonly stride: Size | undefined;
  readonly ceilMode: boolean;

  constructor(
    normType: number,
    kernelSize: Size,
    options: { stride?: Size | null; ceilMode?: boolean } = {},
  ) {
    takes(new.target.name, signatures.LPPool, arguments);
    super();
    this.normType = normType;
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? undefined;
    this.ceilMode = options.ceilMode ?? false;
  }

  override extraRepr(): string {
    const stride = this.stride === undefined ? 'None' : text(this.stride);
    const norm = Number.isInteger(this.normType) ? String(this.normType) : floatText(this.normType);
    return `norm_type=${norm}, kernel_size=${text(this.kernelSize)}, stride=${stride}, ceil_mode=${text(this.ceilMode)}`;
  }
}

/** The p-norm of each window of signals. */
export class LPPool1d extends LPPool {
  override forward(input: Tensor): Tensor {
    takes('LPPool1d', signatures.LPPool1d_forward, arguments);
    return lpPool1d(input, this.normType, this.kernelSize, {
      stride: this.stride,
      ceilMode: this.ceilMode,
    });
  }
}

/** The p-norm of each window of images. */
export class LPPool2d extends LPPool {
  override forward(input: Tensor): Tensor {
    takes('LPPool2d', signatures.LPPool2d_forward, arguments);
    return lpPool2d(input, this.normType, this.kernelSize, {
      stride: this.stride,
      ceilMode: this.ceilMode,
    });
  }
}
