import {
  type ActivationOptions,
  celu,
  checking,
  elu,
  hardtanh,
  leakyRelu,
  relu,
  rrelu,
  selu,
  type Tensor,
  threshold,
} from '@sconce/core';
import * as signatures from '../signatures.js';

/** The options of a function, without the one that says where the result goes. */
type Options<F extends (...args: never[]) => unknown> = Omit<
  NonNullable<Parameters<F>[1]>,
  keyof ActivationOptions
>;

const inplace = <O extends object>(options: O) => ({ ...options, inplace: true }) as const;

/** `relu` that overwrites its input; so do the following. @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu_.html */
export const relu_ = checking(
  'relu_',
  signatures.relu_,
  (input: Tensor): Tensor => relu(input, { inplace: true }),
);
/** `selu` in place. */
export const selu_ = checking(
  'selu_',
  signatures.selu_,
  (input: Tensor): Tensor => selu(input, { inplace: true }),
);
/** `celu` in place. */
export const celu_ = checking(
  'celu_',
  signatures.celu_,
  (input: Tensor, options: Options<typeof celu> = {}): Tensor => celu(input, inplace(options)),
);
/** `elu` in place. */
export const elu_ = checking(
  'elu_',
  signatures.elu_,
  (input: Tensor, options: Options<typeof elu> = {}): Tensor => elu(input, inplace(options)),
);
/** `hardtanh` in place. */
export const hardtanh_ = checking(
  'hardtanh_',
  signatures.hardtanh_,
  (input: Tensor, options: Options<typeof hardtanh> = {}): Tensor =>
    hardtanh(input, inplace(options)),
);
/** `leakyRelu` in place. */
export const leakyRelu_ = checking(
  'leakyRelu_',
  signatures.leakyRelu_,
  (input: Tensor, options: Options<typeof leakyRelu> = {}): Tensor =>
    leakyRelu(input, inplace(options)),
);
/** `rrelu` in place. */
export const rrelu_ = checking(
  'rrelu_',
  signatures.rrelu_,
  (input: Tensor, options: Options<typeof rrelu> = {}): Tensor => rrelu(input, inplace(options)),
);
/** `threshold` in place. */
export const threshold_ = checking(
  'threshold_',
  signatures.threshold_,
  (input: Tensor, limit: number, value: number): Tensor =>
    threshold(input, limit, value, { inplace: true }),
);
