import {
  type FractionalPoolOptions,
  fractionalMaxPool2d,
  fractionalMaxPool3d,
  type Tensor,
  takes,
  ValueError,
} from '@sconce/core';
import { Module } from '../module.js';
import * as signatures from '../signatures.js';
import type { Size } from './conv.js';
import type { MaxPoolResult } from './pooling.js';

/** Options of fractional pooling layers: just one of `outputSize` and `outputRatio`. */
export interface FractionalPoolLayerOptions<I extends boolean = boolean>
  extends FractionalPoolOptions {
  /** Give the positions of the maxima too, as `[values, indices]`; default false. */
  returnIndices?: I;
}

/** What fractional pooling layers share. */
abstract class FractionalMaxPool<I extends boolean> extends Module {
  static override readonly stateKeys = { randomSamples: '_random_samples' };

  readonly kernelSize: Size;
  readonly options: Omit<FractionalPoolOptions, 'randomSamples'>;
  /** What decides the windows, [N, C, dimensions] in [0, 1); null: drawn anew at each call. */
  declare randomSamples: Tensor | null;

  constructor(kernelSize: Size, options: FractionalPoolLayerOptions<I> = {}) {
    takes(new.target.name, signatures.FractionalMaxPool, arguments);
    super();
    this.kernelSize = kernelSize;
    const { randomSamples = null, ...rest } = options;
    this.options = rest;
    this.registerBuffer('randomSamples', randomSamples);
    const { outputSize = null, outputRatio = null } = options;
    if (outputSize !== null && outputRatio !== null) {
      throw new ValueError(
        `${this.getName()}: only one of outputSize and outputRatio may be specified`,
      );
    }
    if (outputSize === null && outputRatio === null) {
      throw new ValueError(
        `${this.getName()}: requires specifying either an outputSize or an outputRatio`,
      );
    }
    const ratios = outputRatio === null ? [] : [outputRatio].flat();
    if (ratios.some((r) => !(r > 0 && r < 1))) {
      throw new ValueError(
        `${this.getName()}: outputRatio must be between 0 and 1, got ${ratios.join(', ')}`,
      );
    }
  }

  /** The options under the overload whose result covers both cases. */
  protected get current(): FractionalPoolOptions & { returnIndices: true } {
    const given = { ...this.options, randomSamples: this.randomSamples };
    return given as FractionalPoolOptions & { returnIndices: true };
  }
}

/**
 * Maxima over windows at random places of images [N, C, H, W] or [C, H, W], as many as make a chosen output size.
 *
 * @throws ValueError unless one of `outputSize` and `outputRatio` is given.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html
 * @example new FractionalMaxPool2d(3, { outputSize: [13, 12] })(randn([20, 16, 50, 32])).shape // [20, 16, 13, 12]
 */
export class FractionalMaxPool2d<I extends boolean = false> extends FractionalMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('FractionalMaxPool2d', signatures.FractionalMaxPool2d_forward, arguments);
    return fractionalMaxPool2d(input, this.kernelSize, this.current) as MaxPoolResult<I>;
  }
}

/** The same for volumes [N, C, D, H, W] or [C, D, H, W]. */
export class FractionalMaxPool3d<I extends boolean = false> extends FractionalMaxPool<I> {
  override forward(input: Tensor): MaxPoolResult<I> {
    takes('FractionalMaxPool3d', signatures.FractionalMaxPool3d_forward, arguments);
    return fractionalMaxPool3d(input, this.kernelSize, this.current) as MaxPoolResult<I>;
  }
}
