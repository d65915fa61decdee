import {
  celu,
  elu,
  full,
  gelu,
  glu,
  hardshrink,
  hardtanh,
  leakyRelu,
  prelu,
  RuntimeError,
  softplus,
  softshrink,
  type Tensor,
  takes,
  threshold,
} from '@sconce/core';
import { logSoftmax, softmax, softmin } from '../functional/softmax.js';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import type { PlaceOptions } from '../placing.js';
import * as signatures from '../signatures.js';
import { floatText, text } from '../text.js';
import type { InplaceOptions } from './activation.js';

const suffix = (inplace: boolean): string => (inplace ? ', inplace=True' : '');

/** x, or alpha * (e^x - 1) for negative x. @see https://pytorch.org/docs/stable/generated/torch.nn.ELU.html */
export class ELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(alpha = 1, options: InplaceOptions = {}) {
    takes('ELU', signatures.ELU, arguments);
    super();
    this.alpha = alpha;
    this.inplace = options.inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    takes('ELU', signatures.ELU_forward, arguments);
    return elu(input, { alpha: this.alpha, inplace: this.inplace });
  }

  override extraRepr(): string {
    return `alpha=${floatText(this.alpha)}${suffix(this.inplace)}`;
  }
}

/** x, or alpha * (e^(x / alpha) - 1) for negative x. @see https://pytorch.org/docs/stable/generated/torch.nn.CELU.html */
export class CELU extends Module {
  readonly alpha: number;
  readonly inplace: boolean;

  constructor(alpha = 1, options: InplaceOptions = {}) {
    takes('CELU', signatures.CELU, arguments);
    super();
    this.alpha = alpha;
    this.inplace = options.inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    takes('CELU', signatures.CELU_forward, arguments);
    return celu(input, { alpha: this.alpha, inplace: this.inplace });
  }

  override extraRepr(): string {
    return `alpha=${floatText(this.alpha)}${suffix(this.inplace)}`;
  }
}

/** x, or negativeSlope * x for negative x. @see https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html */
export class LeakyReLU extends Module {
  readonly negativeSlope: number;
  readonly inplace: boolean;

  constructor(negativeSlope = 0.01, options: InplaceOptions = {}) {
    takes('LeakyReLU', signatures.LeakyReLU, arguments);
    super();
    this.negativeSlope = negativeSlope;
    this.inplace = options.inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    takes('LeakyReLU', signatures.LeakyReLU_forward, arguments);
    return leakyRelu(input, { negativeSlope: this.negativeSlope, inplace: this.inplace });
  }

  override extraRepr(): string {
    return `negative_slope=${floatText(this.negativeSlope)}${suffix(this.inplace)}`;
  }
}

/** x times the normal distribution function at x. @see https://arxiv.org/abs/1606.08415 */
export class GELU extends Module {
  readonly approximate: 'none' | 'tanh';

  constructor(options: { approximate?: 'none' | 'tanh' } = {}) {
    takes('GELU', signatures.GELU, arguments);
    super();
    this.approximate = options.approximate ?? 'none';
  }

  override forward(input: Tensor): Tensor {
    takes('GELU', signatures.GELU_forward, arguments);
    return gelu(input, { approximate: this.approximate });
  }

  override extraRepr(): string {
    return `approximate='${this.approximate}'`;
  }
}

/** Values limited to [minVal, maxVal]. @see https://pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html */
export class Hardtanh extends Module {
  readonly minVal: number;
  readonly maxVal: number;
  readonly inplace: boolean;

  /** @throws RuntimeError if maxVal is not greater than minVal. */
  constructor(minVal = -1, maxVal = 1, options: InplaceOptions = {}) {
    takes('Hardtanh', signatures.Hardtanh, arguments);
    super();
    if (!(maxVal > minVal))
      throw new RuntimeError(
        `Hardtanh: maxVal (${maxVal}) must be greater than minVal (${minVal})`,
      );
    this.minVal = minVal;
    this.maxVal = maxVal;
    this.inplace = options.inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    takes('Hardtanh', signatures.Hardtanh_forward, arguments);
    return hardtanh(input, { minVal: this.minVal, maxVal: this.maxVal, inplace: this.inplace });
  }

  override extraRepr(): string {
    return `min_val=${floatText(this.minVal)}, max_val=${floatText(this.maxVal)}${suffix(this.inplace)}`;
  }
}

/** x where |x| > lambd, else 0. */
export class Hardshrink extends Module {
  readonly lambd: number;

  constructor(lambd = 0.5) {
    takes('Hardshrink', signatures.Hardshrink, arguments);
    super();
    this.lambd = lambd;
  }

  override forward(input: Tensor): Tensor {
    takes('Hardshrink', signatures.Hardshrink_forward, arguments);
    return hardshrink(input, { lambd: this.lambd });
  }

  override extraRepr(): string {
    return floatText(this.lambd);
  }
}

/** x moved towards 0 by lambd, 0 if it is nearer. */
export class Softshrink extends Module {
  readonly lambd: number;

  constructor(lambd = 0.5) {
    takes('Softshrink', signatures.Softshrink, arguments);
    super();
    this.lambd = lambd;
  }

  override forward(input: Tensor): Tensor {
    takes('Softshrink', signatures.Softshrink_forward, arguments);
    return softshrink(input, { lambd: this.lambd });
  }

  override extraRepr(): string {
    return floatText(this.lambd);
  }
}

/** log(1 + e^(beta x)) / beta; linear where beta x > threshold. */
export class Softplus extends Module {
  readonly beta: number;
  readonly threshold: number;

  constructor(beta = 1, threshold = 20) {
    takes('Softplus', signatures.Softplus, arguments);
    super();
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward(input: Tensor): Tensor {
    takes('Softplus', signatures.Softplus_forward, arguments);
    return softplus(input, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${text(this.beta)}, threshold=${text(this.threshold)}`;
  }
}

/** x where x > threshold, else value. */
export class Threshold extends Module {
  readonly threshold: number;
  readonly value: number;
  readonly inplace: boolean;

  constructor(threshold_: number, value: number, options: InplaceOptions = {}) {
    takes('Threshold', signatures.Threshold, arguments);
    super();
    this.threshold = threshold_;
    this.value = value;
    this.inplace = options.inplace ?? false;
  }

  override forward(input: Tensor): Tensor {
    takes('Threshold', signatures.Threshold_forward, arguments);
    return threshold(input, this.threshold, this.value, { inplace: this.inplace });
  }

  override extraRepr(): string {
    return `threshold=${text(this.threshold)}, value=${text(this.value)}${suffix(this.inplace)}`;
  }
}

/** x, or a * x for negative x with a learned `weight` of one element, or one a channel. */
export class PReLU extends Module {
  readonly numParameters: number;
  weight: Parameter;

  constructor(numParameters = 1, options: PlaceOptions & { init?: number } = {}) {
    takes('PReLU', signatures.PReLU, arguments);
    super();
    this.numParameters = numParameters;
    this.weight = new Parameter(
      full([numParameters], options.init ?? 0.25, { dtype: options.dtype, device: options.device }),
    );
  }

  override forward(input: Tensor): Tensor {
    takes('PReLU', signatures.PReLU_forward, arguments);
    return prelu(input, this.weight);
  }

  override extraRepr(): string {
    return `num_parameters=${this.numParameters}`;
  }
}

/** The first half of a dimension times the sigmoid of the second. */
export class GLU extends Module {
  readonly dim: number;

  constructor(dim = -1) {
    takes('GLU', signatures.GLU, arguments);
    super();
    this.dim = dim;
  }

  override forward(input: Tensor): Tensor {
    takes('GLU', signatures.GLU_forward, arguments);
    return glu(input, this.dim);
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/** What softmax layers share. */
abstract class AlongDim extends Module {
  readonly dim: number | null;

  /** @param dim if absent, the one that `functional.softmax` implies. */
  constructor(dim?: number | null) {
    takes(new.target.name, signatures.AlongDim, arguments);
    super();
    this.dim = dim ?? null;
  }

  override extraRepr(): string {
    return `dim=${text(this.dim)}`;
  }
}

/** e^x, scaled so that a dimension sums to 1. */
export class Softmax extends AlongDim {
  override forward(input: Tensor): Tensor {
    takes('Softmax', signatures.Softmax_forward, arguments);
    return softmax(input, this.dim);
  }
}

/** e^-x, scaled so that a dimension sums to 1. */
export class Softmin extends AlongDim {
  override forward(input: Tensor): Tensor {
    takes('Softmin', signatures.Softmin_forward, arguments);
    return softmin(input, this.dim);
  }
}

/** The logarithm of softmax. */
export class LogSoftmax extends AlongDim {
  override forward(input: Tensor): Tensor {
    takes('LogSoftmax', signatures.LogSoftmax_forward, arguments);
    return logSoftmax(input, this.dim);
  }
}

/** Softmax over the channels of images [N, C, H, W] or [C, H, W]. */
export class Softmax2d extends Module {
  override forward(input: Tensor): Tensor {
    takes('Softmax2d', signatures.Softmax2d_forward, arguments);
    if (input.shape.length !== 3 && input.shape.length !== 4) {
      throw new RuntimeError(
        `Softmax2d: requires a 3D or 4D tensor as input, got ${input.shape.length}D`,
      );
    }
    return softmax(input, -3);
  }
}
