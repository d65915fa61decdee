import {
  checking,
  type RandomOptions,
  type Tensor,
  takes,
  tensor as tensorOf,
  ValueError,
} from '@sconce/core';
import { calculateFanInAndFanOut, calculateGain, type Nonlinearity } from './fans.js';
import * as signatures from './signatures.js';
import { normal_, uniform_ } from './simple.js';

/** Options of the Xavier initialisers. */
export interface XavierOptions extends RandomOptions {
  /** Multiplies the standard deviation; default 1. */
  gain?: number;
}

const xavierStd = (tensor: Tensor, gain: number): number => {
  const { fanIn, fanOut } = calculateFanInAndFanOut(tensor);
  return gain * Math.sqrt(2 / (fanIn + fanOut));
};

/**
 * Uniform numbers whose variance keeps the scale of activations and gradients.
 *
 * @see Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010).
 */
export function xavierUniform_(tensor: Tensor, options: XavierOptions = {}): Tensor {
  takes('xavierUniform_', signatures.xavierUniform_, arguments);
  const bound = Math.sqrt(3) * xavierStd(tensor, options.gain ?? 1);
  return uniform_(tensor, -bound, bound, { generator: options.generator });
}

/** Normal numbers whose variance keeps the scale of activations and gradients; see `xavierUniform_`. */
export const xavierNormal_ = checking(
  'xavierNormal_',
  signatures.xavierNormal_,
  (tensor: Tensor, options: XavierOptions = {}): Tensor =>
    normal_(tensor, 0, xavierStd(tensor, options.gain ?? 1), { generator: options.generator }),
);

/** Options of the Kaiming initialisers. */
export interface KaimingOptions extends RandomOptions {
  /** The negative slope of the rectifier that follows; default 0. */
  a?: number;
  /** Whether the variance is kept forward (`'fanIn'`, default) or backward. */
  mode?: 'fanIn' | 'fanOut';
  /** What follows the layer; default `'leakyRelu'`. */
  nonlinearity?: Nonlinearity;
}

function kaimingStd(
  tensor: Tensor,
  { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' }: KaimingOptions,
): number {
  if (mode !== 'fanIn' && mode !== 'fanOut') {
    throw new ValueError(
      `kaiming: Mode ${String(mode)} not supported, please use one of 'fanIn', 'fanOut'`,
    );
  }
  return calculateGain(nonlinearity, a) / Math.sqrt(calculateFanInAndFanOut(tensor)[mode]);
}

/**
 * Uniform numbers scaled for rectifiers.
 *
 * @see He et al., Delving Deep into Rectifiers (2015).
 */
export function kaimingUniform_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  takes('kaimingUniform_', signatures.kaimingUniform_, arguments);
  if (tensor.shape.includes(0)) return tensor;
  const bound = Math.sqrt(3) * kaimingStd(tensor, options);
  return uniform_(tensor, -bound, bound, { generator: options.generator });
}

/** Normal numbers scaled for rectifiers; see `kaimingUniform_`. */
export function kaimingNormal_(tensor: Tensor, options: KaimingOptions = {}): Tensor {
  takes('kaimingNormal_', signatures.kaimingNormal_, arguments);
  if (tensor.shape.includes(0)) return tensor;
  return normal_(tensor, 0, kaimingStd(tensor, options), { generator: options.generator });
}

/** Options of `truncNormal_`. */
export interface TruncNormalOptions extends RandomOptions {
  mean?: number;
  std?: number;
  /** The lower bound; default -2. */
  a?: number;
  /** The upper bound; default 2. */
  b?: number;
}

/** Normal numbers, those outside of [a, b] excluded. */
export function truncNormal_(tensor: Tensor, options: TruncNormalOptions = {}): Tensor {
  takes('truncNormal_', signatures.truncNormal_, arguments);
  const { mean = 0, std = 1, a = -2, b = 2 } = options;
  const cdf = (x: number): number =>
    (1 +
      tensorOf(x / Math.SQRT2, { dtype: 'float64', device: 'cpu' })
        .erf()
        .itemSync()) /
    2;
  const low = cdf((a - mean) / std);
  const high = cdf((b - mean) / std);
  const t = tensor.detach();
  t.uniform_(2 * low - 1, 2 * high - 1, { generator: options.generator });
  t.erfinv_();
  t.mul_(std * Math.SQRT2);
  t.add_(mean);
  t.clamp_(a, b);
  return tensor;
}
