import { conv1d, formatShape, RuntimeError, type Tensor, takes } from '@sconce/core';
import * as signatures from '../signatures.js';

/**
 * A convolution of sequences with the time first: input [T, N, in], weight [kernel, in, out], bias [out], result
 * [T + 2 * pad - kernel + 1, N, out].
 *
 * @throws RuntimeError if the shapes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.conv_tbc.html
 * @example convTbc(randn([10, 2, 3]), randn([5, 3, 4]), zeros([4])).shape // [6, 2, 4]
 */
export function convTbc(input: Tensor, weight: Tensor, bias: Tensor, pad = 0): Tensor {
  takes('convTbc', signatures.convTbc, arguments);
  const fits =
    input.shape.length === 3 &&
    weight.shape.length === 3 &&
    input.shape[2] === weight.shape[1] &&
    bias.shape.length === 1 &&
    bias.shape[0] === weight.shape[2];
  if (!fits) {
    throw new RuntimeError(
      `convTbc: Input must have 3 dims: time, batch, in_channels; Weight tensor must have 3 dims: kernel_width, in_channels, out_channels; Bias must be 1-D, got ${formatShape(input.shape)}, ${formatShape(weight.shape)} and ${formatShape(bias.shape)}`,
    );
  }
  const channelsFirst = conv1d(input.permute([1, 2, 0]), weight.permute([2, 1, 0]), bias, {
    padding: pad,
  });
  return channelsFirst.permute([2, 0, 1]);
}
