import {
  constantPadNd,
  cosineSimilarity,
  pad,
  pairwiseDistance,
  type Tensor,
  takes,
} from '@sconce/core';
import { Module } from '../module.js';
import * as signatures from '../signatures.js';
import { floatText, text } from '../text.js';

/** Merges dimensions `startDim` (1) to `endDim` (-1): all but the batch, by default. */
export class Flatten extends Module {
  readonly startDim: number;
  readonly endDim: number;

  constructor(startDim = 1, endDim = -1) {
    takes('Flatten', signatures.Flatten, arguments);
    super();
    this.startDim = startDim;
    this.endDim = endDim;
  }

  override forward(input: Tensor): Tensor {
    takes('Flatten', signatures.Flatten_forward, arguments);
    return input.flatten(this.startDim, this.endDim);
  }

  override extraRepr(): string {
    return `start_dim=${this.startDim}, end_dim=${this.endDim}`;
  }
}

/** Splits one dimension into several. */
export class Unflatten extends Module {
  readonly dim: number;
  readonly unflattenedSize: readonly number[];

  constructor(dim: number, unflattenedSize: readonly number[]) {
    takes('Unflatten', signatures.Unflatten, arguments);
    super();
    this.dim = dim;
    this.unflattenedSize = unflattenedSize;
  }

  override forward(input: Tensor): Tensor {
    takes('Unflatten', signatures.Unflatten_forward, arguments);
    return input.unflatten(this.dim, this.unflattenedSize);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, unflattened_size=${text(this.unflattenedSize)}`;
  }
}

/** Amounts for each side, the last dimension first, or one for all. */
export type PadAmounts = number | readonly number[];

abstract class Padding extends Module {
  readonly padding: readonly number[];

  constructor(rank: number, padding: PadAmounts) {
    super();
    this.padding =
      typeof padding === 'number' ? new Array<number>(2 * rank).fill(padding) : padding;
  }

  override extraRepr(): string {
    return text(this.padding);
  }
}

abstract class ConstantPad extends Padding {
  readonly value: number;

  constructor(rank: number, padding: PadAmounts, value: number) {
    super(rank, padding);
    this.value = value;
  }

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.ConstantPad_forward, arguments);
    return constantPadNd(input, this.padding, this.value);
  }

  override extraRepr(): string {
    return `padding=${text(this.padding)}, value=${floatText(this.value)}`;
  }
}

/** Pads signals with a value. */
export class ConstantPad1d extends ConstantPad {
  constructor(padding: PadAmounts, value: number) {
    takes('ConstantPad1d', signatures.ConstantPad1d, arguments);
    super(1, padding, value);
  }
}

/** Pads images with a value. */
export class ConstantPad2d extends ConstantPad {
  constructor(padding: PadAmounts, value: number) {
    takes('ConstantPad2d', signatures.ConstantPad2d, arguments);
    super(2, padding, value);
  }
}

/** Pads volumes with a value. */
export class ConstantPad3d extends ConstantPad {
  constructor(padding: PadAmounts, value: number) {
    takes('ConstantPad3d', signatures.ConstantPad3d, arguments);
    super(3, padding, value);
  }
}

/** Pads images with zeros. */
export class ZeroPad2d extends Padding {
  constructor(padding: PadAmounts) {
    takes('ZeroPad2d', signatures.ZeroPad2d, arguments);
    super(2, padding);
  }

  override forward(input: Tensor): Tensor {
    takes('ZeroPad2d', signatures.ZeroPad2d_forward, arguments);
    return constantPadNd(input, this.padding, 0);
  }
}

abstract class MirrorPad extends Padding {
  protected abstract readonly mode: 'reflect' | 'replicate';

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.MirrorPad_forward, arguments);
    return pad(input, this.padding, { mode: this.mode });
  }
}

/** Pads signals with their mirror image, the border not repeated. */
export class ReflectionPad1d extends MirrorPad {
  protected override readonly mode = 'reflect';
  constructor(padding: PadAmounts) {
    takes('ReflectionPad1d', signatures.ReflectionPad1d, arguments);
    super(1, padding);
  }
}

/** Pads images with their mirror image, the border not repeated. */
export class ReflectionPad2d extends MirrorPad {
  protected override readonly mode = 'reflect';
  constructor(padding: PadAmounts) {
    takes('ReflectionPad2d', signatures.ReflectionPad2d, arguments);
    super(2, padding);
  }
}

/** Pads volumes with their mirror image, the border not repeated. */
export class ReflectionPad3d extends MirrorPad {
  protected override readonly mode = 'reflect';
  constructor(padding: PadAmounts) {
    takes('ReflectionPad3d', signatures.ReflectionPad3d, arguments);
    super(3, padding);
  }
}

/** Pads signals by repeating the border. */
export class ReplicationPad1d extends MirrorPad {
  protected override readonly mode = 'replicate';
  constructor(padding: PadAmounts) {
    takes('ReplicationPad1d', signatures.ReplicationPad1d, arguments);
    super(1, padding);
  }
}

/** Pads images by repeating the border. */
export class ReplicationPad2d extends MirrorPad {
  protected override readonly mode = 'replicate';
  constructor(padding: PadAmounts) {
    takes('ReplicationPad2d', signatures.ReplicationPad2d, arguments);
    super(2, padding);
  }
}

/** Pads volumes by repeating the border. */
export class ReplicationPad3d extends MirrorPad {
  protected override readonly mode = 'replicate';
  constructor(padding: PadAmounts) {
    takes('ReplicationPad3d', signatures.ReplicationPad3d, arguments);
    super(3, padding);
  }
}

/** The cosine of the angle between vectors along a dimension. */
export class CosineSimilarity extends Module {
  readonly dim: number;
  readonly eps: number;

  constructor(options: { dim?: number; eps?: number } = {}) {
    takes('CosineSimilarity', signatures.CosineSimilarity, arguments);
    super();
    this.dim = options.dim ?? 1;
    this.eps = options.eps ?? 1e-8;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    takes('CosineSimilarity', signatures.CosineSimilarity_forward, arguments);
    return cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps });
  }
}

/** The p-norm of the difference of vectors. */
export class PairwiseDistance extends Module {
  readonly norm: number;
  readonly eps: number;
  readonly keepdim: boolean;

  constructor(options: { p?: number; eps?: number; keepdim?: boolean } = {}) {
    takes('PairwiseDistance', signatures.PairwiseDistance, arguments);
    super();
    this.norm = options.p ?? 2;
    this.eps = options.eps ?? 1e-6;
    this.keepdim = options.keepdim ?? false;
  }

  override forward(x1: Tensor, x2: Tensor): Tensor {
    takes('PairwiseDistance', signatures.PairwiseDistance_forward, arguments);
    return pairwiseDistance(x1, x2, { p: this.norm, eps: this.eps, keepdim: this.keepdim });
  }
}
