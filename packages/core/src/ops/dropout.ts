import { RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import type { Tensor } from '../tensor.js';
import { leakyRelu } from './activation.js';
import { add, mul } from './binary.js';
import { dropoutMask, rreluNoise } from './random.js';
import type { RandomOptions } from './random-fill.js';
import { squeeze, unsqueeze } from './view.js';

/** Options of the dropout family. */
export interface DropoutOptions extends RandomOptions {
  /** Without it nothing is dropped; default true. */
  training?: boolean;
  /** Overwrite the tensor itself; default false. */
  inplace?: boolean;
}

function check(name: string, p: number): void {
  if (!(p >= 0 && p <= 1)) {
    throw new RuntimeError(`${name}: dropout probability has to be between 0 and 1, but got ${p}`);
  }
}

const scaled = (self: Tensor, mask: Tensor, inplace: boolean | undefined): Tensor =>
  inplace ? self.mul_(mask) : mul(self, mask);

/**
 * Elements zeroed with probability `p` (default 0.5), the others divided by 1 - p.
 *
 * @throws RuntimeError if `p` is not in [0, 1].
 * @see https://arxiv.org/abs/1207.0580
 */
export const dropout = explaining(
  'dropout',
  (self: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor => {
    check('dropout', p);
    const { training = true, inplace } = options;
    if (!training || p === 0 || self.numel() === 0) return self;
    if (p === 1) return inplace ? self.mul_(0) : mul(self, 0);
    return scaled(self, dropoutMask(self, self.shape, p, options), inplace);
  },
);

/** One decision for each channel, that holds for all positions behind the first two dimensions. */
const channelShape = (self: Tensor): number[] => self.shape.map((size, d) => (d < 2 ? size : 1));

function featureDropout(name: string, self: Tensor, p: number, options: DropoutOptions): Tensor {
  check(name, p);
  const { training = true, inplace } = options;
  if (!training || p === 0 || self.numel() === 0) return self;
  if (self.shape.length < 2) {
    throw new RuntimeError(`${name}: Feature dropout requires at least 2 dimensions in the input`);
  }
  if (p === 1) return inplace ? self.mul_(0) : mul(self, 0);
  return scaled(self, dropoutMask(self, channelShape(self), p, options), inplace);
}

/** With a batch of one added where there is none. */
const channelDropout =
  (dims: number) =>
  (self: Tensor, p = 0.5, options: DropoutOptions = {}): Tensor => {
    const name = `dropout${dims}d`;
    if (self.shape.length === dims + 2) return featureDropout(name, self, p, options);
    return squeeze(featureDropout(name, unsqueeze(self, 0), p, options), 0);
  };

type Dropout = (self: Tensor, p?: number, options?: DropoutOptions) => Tensor;

/** Whole channels of [N, C, L] or [C, L] zeroed with probability `p`. */
export const dropout1d: Dropout = explaining('dropout1d', channelDropout(1));
/** Whole channels of [N, C, H, W] zeroed with probability `p`; a tensor of 3 dimensions is [N, C, L], as in PyTorch. */
export const dropout2d: Dropout = explaining('dropout2d', (self, p = 0.5, options = {}) =>
  featureDropout('dropout2d', self, p, options),
);
/** Whole channels of [N, C, D, H, W] or [C, D, H, W] zeroed with probability `p`. */
export const dropout3d: Dropout = explaining('dropout3d', channelDropout(3));

/** What selu tends to on the negative side, negated. */
const alpha = 1.7580993408473766;

function alphaMasked(
  self: Tensor,
  shape: readonly number[],
  p: number,
  options: DropoutOptions,
): Tensor {
  const a = 1 / Math.sqrt((alpha ** 2 * p + 1) * (1 - p));
  // The mask's factors are 0 and 1 / (1 - p): this makes them 0 and 1.
  const kept = dropoutMask(self, shape, p, options).mul(1 - p);
  const offset = kept
    .sub(1)
    .mul(alpha * a)
    .add(alpha * a * p);
  return add(mul(self, kept.mul(a)), offset);
}

function alphaForm(name: string, shapeOf: (self: Tensor) => readonly number[]): Dropout {
  return (self, p = 0.5, options = {}) => {
    check(name, p);
    if (!(options.training ?? false) || p === 0 || self.numel() === 0) return self;
    const result = p === 1 ? self.mul(0) : alphaMasked(self, shapeOf(self), p, options);
    return options.inplace ? self.copy_(result) : result;
  };
}

/**
 * Dropout that keeps mean and variance of selu's outputs; here `training` defaults to false, as in PyTorch.
 *
 * @see https://arxiv.org/abs/1706.02515
 */
export const alphaDropout: Dropout = explaining(
  'alphaDropout',
  alphaForm('alphaDropout', (self) => self.shape),
);
/** `alphaDropout` of whole channels. */
export const featureAlphaDropout: Dropout = explaining(
  'featureAlphaDropout',
  alphaForm('featureAlphaDropout', channelShape),
);

/** Options of `rrelu`. */
export interface RreluOptions extends DropoutOptions {
  /** Default 1/8. */
  lower?: number;
  /** Default 1/3. */
  upper?: number;
}

/** `leakyRelu` with slopes drawn from [lower, upper) in training (default: off), their mean otherwise. */
export const rrelu = explaining('rrelu', (self: Tensor, options: RreluOptions = {}): Tensor => {
  const { lower = 1 / 8, upper = 1 / 3, training = false, inplace } = options;
  if (!training) return leakyRelu(self, { negativeSlope: (lower + upper) / 2, inplace });
  return scaled(self, rreluNoise(self, lower, upper, options), inplace);
});
