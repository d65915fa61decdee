import {
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
  maxPool1d,
  maxPool2d,
  maxPool3d,
  type Tensor,
  type ValuesIndices,
} from '@sconce/core';
import { Module } from '../module.js';
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
  /** Round the number of windows up; default false. */
  ceilMode?: boolean;
  /** Give the positions of the maxima too, as `[values, indices]`; default false. */
  returnIndices?: I;
}

/** What a max pooling layer gives: values, or values and positions. */
export type MaxPoolResult<I extends boolean> = I extends true ? ValuesIndices : Tensor;

/** Options under the overload whose result covers both cases. */
const both = <O extends object>(options: O) =>
  options as Omit<O, 'returnIndices'> & { returnIndices: true };

/** What max pooling layers share. */
abstract class MaxPool<I extends boolean> extends Module {
  readonly returnIndices: I;
  readonly kernelSize: Size;
  readonly stride: Size;
  readonly padding: Size;
  readonly dilation: Size;
  readonly ceilMode: boolean;

  constructor(kernelSize: Size, options: MaxPoolLayerOptions<I> = {}) {
    super();
    this.returnIndices = (options.returnIndices ?? false) as I;
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.dilation = options.dilation ?? 1;
    this.ceilMode = options.ceilMode ?? false;
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
    return maxPool1d(input, this.kernelSize, both(this)) as MaxPoolResult<I>;
  }
}

/**
 * The maximum of each window of images [N, C, H, W].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
 */
export class MaxPool2d<I extends boolean = false> extends MaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    return maxPool2d(input, this.kernelSize, both(this)) as MaxPoolResult<I>;
  }
}

/** The maximum of each window of volumes. */
export class MaxPool3d<I extends boolean = false> extends MaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    return maxPool3d(input, this.kernelSize, both(this)) as MaxPoolResult<I>;
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
    super();
    this.kernelSize = kernelSize;
    this.stride = options.stride ?? kernelSize;
    this.padding = options.padding ?? 0;
    this.ceilMode = options.ceilMode ?? false;
    this.countIncludePad = options.countIncludePad ?? true;
    this.divisorOverride = options.divisorOverride ?? undefined;
  }

  override extraRepr(): string {
    return `kernel_size=${text(this.kernelSize)}, stride=${text(this.stride)}, padding=${text(this.padding)}`;
  }
}

/** The mean of each window of signals. */
export class AvgPool1d extends AvgPool {
  override forward(input: Tensor): Tensor {
    return avgPool1d(input, this.kernelSize, this);
  }

  override extraRepr(): string {
    const one = (size: Size) => text(typeof size === 'number' ? [size] : size);
    return `kernel_size=${one(this.kernelSize)}, stride=${one(this.stride)}, padding=${one(this.padding)}`;
  }
}

/** The mean of each window of images. @see https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html */
export class AvgPool2d extends AvgPool {
  override forward(input: Tensor): Tensor {
    return avgPool2d(input, this.kernelSize, this);
  }
}

/** The mean of each window of volumes. */
export class AvgPool3d extends AvgPool {
  override forward(input: Tensor): Tensor {
    return avgPool3d(input, this.kernelSize, this);
  }
}

/** A number of windows for each dimension, or one for all; null keeps a size. */
export type OutputSize = number | readonly (number | null)[];

/** What adaptive pooling layers share. */
abstract class AdaptivePool extends Module {
  readonly outputSize: OutputSize;

  constructor(outputSize: OutputSize) {
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
    return adaptiveAvgPool1d(input, this.outputSize);
  }
}

/** Means over `outputSize` windows of images. @see https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html */
export class AdaptiveAvgPool2d extends AdaptivePool {
  override forward(input: Tensor): Tensor {
    return adaptiveAvgPool2d(input, this.outputSize);
  }
}

/** Means over `outputSize` windows of volumes. */
export class AdaptiveAvgPool3d extends AdaptivePool {
  override forward(input: Tensor): Tensor {
    return adaptiveAvgPool3d(input, this.outputSize);
  }
}

/** What adaptive max pooling layers share. */
abstract class AdaptiveMaxPool<I extends boolean> extends AdaptivePool {
  readonly returnIndices: I;

  constructor(outputSize: OutputSize, options: { returnIndices?: I } = {}) {
    super(outputSize);
    this.returnIndices = (options.returnIndices ?? false) as I;
  }
}

/** Maxima over `outputSize` windows of signals. */
export class AdaptiveMaxPool1d<I extends boolean = false> extends AdaptiveMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    return adaptiveMaxPool1d(input, this.outputSize, both(this)) as MaxPoolResult<I>;
  }
}

/** Maxima over `outputSize` windows of images. */
export class AdaptiveMaxPool2d<I extends boolean = false> extends AdaptiveMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    return adaptiveMaxPool2d(input, this.outputSize, both(this)) as MaxPoolResult<I>;
  }
}

/** Maxima over `outputSize` windows of volumes. */
export class AdaptiveMaxPool3d<I extends boolean = false> extends AdaptiveMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    return adaptiveMaxPool3d(input, this.outputSize, both(this)) as MaxPoolResult<I>;
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
    return lpPool1d(input, this.normType, this.kernelSize, this);
  }
}

/** The p-norm of each window of images. */
export class LPPool2d extends LPPool {
  override forward(input: Tensor): Tensor {
    return lpPool2d(input, this.normType, this.kernelSize, this);
  }
}
