import { formatShape, type Tensor, takes, ValueError } from '@sconce/core';
import * as signatures from './signatures.js';

/** Names of nonlinearities, as `calculateGain` takes them. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

/**
 * The factor by which a nonlinearity shrinks the standard deviation, to be made up for at initialisation.
 *
 * @param param the negative slope of `leakyRelu`; default 0.01.
 * @throws ValueError for an unknown name.
 * @see https://pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain
 * @example calculateGain('relu') // 1.4142135623730951
 */
export function calculateGain(nonlinearity: Nonlinearity, param = 0.01): number {
  takes('calculateGain', signatures.calculateGain, arguments);
  switch (nonlinearity) {
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'convTranspose1d':
    case 'convTranspose2d':
    case 'convTranspose3d':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.sqrt(2);
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + param ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw new ValueError(`calculateGain: unsupported nonlinearity ${String(nonlinearity)}`);
  }
}

/**
 * How many inputs each output of a weight has, and how many outputs each input: [out, in, ...kernel].
 *
 * @throws ValueError if the tensor has fewer than two dimensions.
 */
export function calculateFanInAndFanOut(tensor: Tensor): { fanIn: number; fanOut: number } {
  takes('calculateFanInAndFanOut', signatures.calculateFanInAndFanOut, arguments);
  const [out, into, ...kernel] = tensor.shape;
  if (out === undefined || into === undefined) {
    throw new ValueError(
      `calculateFanInAndFanOut: fan in and fan out can not be computed for tensor with fewer than 2 dimensions, got shape ${formatShape(tensor.shape)}`,
    );
  }
  const receptive = kernel.reduce((n, size) => n * size, 1);
  return { fanIn: into * receptive, fanOut: out * receptive };
}
