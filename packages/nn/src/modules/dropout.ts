import {
  alphaDropout,
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  featureAlphaDropout,
  type Tensor,
  takes,
  ValueError,
} from '@sconce/core';
import { Module } from '../module.js';
import * as signatures from '../signatures.js';
import { floatText, text } from '../text.js';
import type { InplaceOptions } from './activation.js';

/** What dropout layers share. */
abstract class DropoutBase extends Module {
  readonly p: number;
  readonly inplace: boolean;

  /** @throws ValueError if `p` is not in [0, 1]. */
  constructor(p = 0.5, options: InplaceOptions = {}) {
    takes(new.target.name, signatures.DropoutBase, arguments);
    super();
    if (!(p >= 0 && p <= 1))
      throw new ValueError(
        `${this.getName()}: dropout probability has to be between 0 and 1, but got ${p}`,
      );
    this.p = p;
    this.inplace = options.inplace ?? false;
  }

  override extraRepr(): string {
    return `p=${p(this.p)}, inplace=${text(this.inplace)}`;
  }
}

const p = (value: number): string => (value === 0 || value === 1 ? floatText(value) : text(value));

/**
 * In training, zeroes elements with probability `p` and divides the rest by 1 - p; nothing in evaluation.
 *
 * @see https://arxiv.org/abs/1207.0580
 */
export class Dropout extends DropoutBase {
  override forward(input: Tensor): Tensor {
    takes('Dropout', signatures.Dropout_forward, arguments);
    return dropout(input, this.p, { training: this.training, inplace: this.inplace });
  }
}

/** Dropout of whole channels of signals. */
export class Dropout1d extends DropoutBase {
  override forward(input: Tensor): Tensor {
    takes('Dropout1d', signatures.Dropout1d_forward, arguments);
    return dropout1d(input, this.p, { training: this.training, inplace: this.inplace });
  }
}

/** Dropout of whole channels of images. */
export class Dropout2d extends DropoutBase {
  override forward(input: Tensor): Tensor {
    takes('Dropout2d', signatures.Dropout2d_forward, arguments);
    return dropout2d(input, this.p, { training: this.training, inplace: this.inplace });
  }
}

/** Dropout of whole channels of volumes. */
export class Dropout3d extends DropoutBase {
  override forward(input: Tensor): Tensor {
    takes('Dropout3d', signatures.Dropout3d_forward, arguments);
    return dropout3d(input, this.p, { training: this.training, inplace: this.inplace });
  }
}

/** Dropout that keeps mean and variance of SELU networks. @see https://arxiv.org/abs/1706.02515 */
export class AlphaDropout extends DropoutBase {
  override forward(input: Tensor): Tensor {
    takes('AlphaDropout', signatures.AlphaDropout_forward, arguments);
    return alphaDropout(input, this.p, { training: this.training });
  }
}

/** `AlphaDropout` of whole channels. */
export class FeatureAlphaDropout extends DropoutBase {
  override forward(input: Tensor): Tensor {
    takes('FeatureAlphaDropout', signatures.FeatureAlphaDropout_forward, arguments);
    return featureAlphaDropout(input, this.p, { training: this.training });
  }
}
