import {
  checking,
  eye,
  formatShape,
  type RandomOptions,
  type Tensor,
  takes,
  ValueError,
} from '@sconce/core';
import * as signatures from './signatures.js';

/** The same memory outside of the graph: initialising is never recorded, on leaves that require grad neither. */
const raw = (tensor: Tensor): Tensor => tensor.detach();

/** Fills with numbers uniform in [a, b), and returns the tensor. @example uniform_(empty([3, 5])) */
export function uniform_(tensor: Tensor, a = 0, b = 1, options: RandomOptions = {}): Tensor {
  takes('uniform_', signatures.uniform_, arguments);
  raw(tensor).uniform_(a, b, options);
  return tensor;
}

/** Fills with normal numbers, and returns the tensor. */
export function normal_(tensor: Tensor, mean = 0, std = 1, options: RandomOptions = {}): Tensor {
  takes('normal_', signatures.normal_, arguments);
  raw(tensor).normal_(mean, std, options);
  return tensor;
}

/** Fills with one value, and returns the tensor. */
export function constant_(tensor: Tensor, value: number): Tensor {
  takes('constant_', signatures.constant_, arguments);
  raw(tensor).fill_(value);
  return tensor;
}

/** Fills with 1, and returns the tensor. */
export const ones_ = checking(
  'ones_',
  signatures.ones_,
  (tensor: Tensor): Tensor => constant_(tensor, 1),
);

/** Fills with 0, and returns the tensor. */
export const zeros_ = checking(
  'zeros_',
  signatures.zeros_,
  (tensor: Tensor): Tensor => constant_(tensor, 0),
);

/**
 * Makes a matrix the identity, and returns it.
 *
 * @throws ValueError if the tensor is not two-dimensional.
 */
export function eye_(tensor: Tensor): Tensor {
  takes('eye_', signatures.eye_, arguments);
  const [n, m] = tensor.shape;
  if (tensor.shape.length !== 2 || n === undefined || m === undefined) {
    throw new ValueError(
      `eye_: Only tensors with 2 dimensions are supported, got shape ${formatShape(tensor.shape)}`,
    );
  }
  raw(tensor).copy_(eye(n, m, { dtype: tensor.dtype, device: tensor.device }));
  return tensor;
}

/**
 * Makes a convolution weight [out, in, ...kernel] pass its inputs through: 1 at the centre of matching channels.
 *
 * @throws ValueError if the tensor has not 3 to 5 dimensions, or `groups` does not divide the first.
 */
export function dirac_(tensor: Tensor, groups = 1): Tensor {
  takes('dirac_', signatures.dirac_, arguments);
  const { shape } = tensor;
  if (shape.length < 3 || shape.length > 5) {
    throw new ValueError(
      `dirac_: Only tensors with 3, 4, or 5 dimensions are supported, got shape ${formatShape(shape)}`,
    );
  }
  const [out, into, ...kernel] = shape as [number, number, ...number[]];
  if (out % groups !== 0)
    throw new ValueError(`dirac_: dim 0 must be divisible by groups (${out} by ${groups})`);
  const perGroup = out / groups;
  const whole = raw(tensor);
  whole.fill_(0);
  // The centres of all channels are a matrix; each group has the identity in it.
  const centre = kernel.reduce((view, size) => view.select(2, Math.floor(size / 2)), whole);
  for (let g = 0; g < groups; g++) {
    const n = Math.min(perGroup, into);
    centre
      .narrow(0, g * perGroup, perGroup)
      .diagonal()
      .narrow(0, 0, n)
      .fill_(1);
  }
  return tensor;
}
