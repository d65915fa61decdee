import type { SoftmaxOptions, Tensor } from '@sconce/core';
import * as core from '@sconce/core';
import { checking } from '@sconce/core';
import * as signatures from '../signatures.js';

/** The dimension that PyTorch takes where none is given: the classes of [C], [C, H, W], [N, C] and [N, C, ...]. */
const implied = (input: Tensor): number => {
  const rank = input.shape.length;
  return rank === 0 || rank === 1 || rank === 3 ? 0 : 1;
};

/**
 * e^x / sum(e^x) along `dim`; without one (as in old code) along 0 for 0, 1 and 3 dimensions and along 1 else.
 *
 * @throws NotImplementedError for integers without a floating `dtype`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html
 */
export const softmax = checking(
  'softmax',
  signatures.softmax,
  (input: Tensor, dim?: number | null, options?: SoftmaxOptions): Tensor =>
    core.softmax(input, dim ?? implied(input), options),
);

/** The logarithm of `softmax`, without the loss of accuracy of computing one after the other; `dim` as there. */
export const logSoftmax = checking(
  'logSoftmax',
  signatures.logSoftmax,
  (input: Tensor, dim?: number | null, options?: SoftmaxOptions): Tensor =>
    core.logSoftmax(input, dim ?? implied(input), options),
);

/** `softmax` of the negated tensor; `dim` as there. */
export const softmin = checking(
  'softmin',
  signatures.softmin,
  (input: Tensor, dim?: number | null, options?: SoftmaxOptions): Tensor =>
    core.softmin(input, dim ?? implied(input), options),
);
