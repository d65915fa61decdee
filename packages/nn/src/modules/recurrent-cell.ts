import {
  addcmul,
  empty,
  formatShape,
  linear,
  RuntimeError,
  relu,
  sigmoid,
  split,
  splitWithSizes,
  type Tensor,
  takes,
  tanh,
  ValueError,
  zeros,
} from '@sconce/core';
import { uniform_ } from '@sconce/init';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { placing } from '../placing.js';
import * as signatures from '../signatures.js';
import { text } from '../text.js';
import type { BiasOptions } from './linear.js';

/** What an Elman network applies to the sum of its products. */
export type RecurrentNonlinearity = 'tanh' | 'relu';

/**
 * The function of that name.
 *
 * @throws ValueError if it is neither `'tanh'` nor `'relu'`.
 */
export function nonlinearityNamed(
  layer: string,
  name: RecurrentNonlinearity,
): (x: Tensor) => Tensor {
  if (name === 'tanh') return (x) => tanh(x);
  if (name === 'relu') return (x) => relu(x);
  throw new ValueError(
    `${layer}: Unknown nonlinearity '${String(name)}', use one of 'tanh', 'relu'`,
  );
}

/** Output and cell state of an LSTM from its gates [N, 4H] (input, forget, cell, output) and the cell state before. */
export function lstmStep(gates: Tensor, cell: Tensor): [output: Tensor, cell: Tensor] {
  const size = cell.size(-1);
  // Input and forget gate lie side by side: one kernel for both.
  const [both, fresh, out] = splitWithSizes(gates, [2 * size, size, size], -1) as Three;
  const [input, forget] = split(sigmoid(both), size, -1) as Two;
  const next = addcmul(forget.mul(cell), input, tanh(fresh));
  return [sigmoid(out).mul(tanh(next)), next];
}

/** State of a GRU from the gates [N, 3H] (reset, update, new) of its input and of the state before. */
export function gruStep(inputGates: Tensor, hiddenGates: Tensor, hidden: Tensor): Tensor {
  const size = hidden.size(-1);
  const parts = [2 * size, size];
  const [inputBoth, inputFresh] = splitWithSizes(inputGates, parts, -1) as Two;
  const [hiddenBoth, hiddenFresh] = splitWithSizes(hiddenGates, parts, -1) as Two;
  const [reset, update] = split(sigmoid(inputBoth.add(hiddenBoth)), size, -1) as Two;
  const fresh = tanh(addcmul(inputFresh, reset, hiddenFresh));
  return addcmul(fresh, update, hidden.sub(fresh));
}

type Two = [Tensor, Tensor];
type Three = [Tensor, Tensor, Tensor];

/** Draws all parameters uniformly in ±1/sqrt(hiddenSize). */
export function resetRecurrent(module: Module, hiddenSize: number): void {
  const bound = hiddenSize > 0 ? 1 / Math.sqrt(hiddenSize) : 0;
  for (const p of module.parameters()) uniform_(p, -bound, bound);
}

/** What the cells share: parameters for `gates` blocks of the hidden size. */
abstract class RecurrentCell extends Module {
  static override readonly stateKeys = {
    weightIh: 'weight_ih',
    weightHh: 'weight_hh',
    biasIh: 'bias_ih',
    biasHh: 'bias_hh',
  };

  readonly inputSize: number;
  readonly hiddenSize: number;
  weightIh: Parameter;
  weightHh: Parameter;
  declare biasIh: Parameter | null;
  declare biasHh: Parameter | null;

  constructor(inputSize: number, hiddenSize: number, gates: number, options: BiasOptions) {
    super();
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const rows = gates * hiddenSize;
    const bias = options.bias !== false;
    this.weightIh = new Parameter(empty([rows, inputSize], placing(options)));
    this.weightHh = new Parameter(empty([rows, hiddenSize], placing(options)));
    for (const name of ['biasIh', 'biasHh']) {
      this.registerParameter(name, bias ? new Parameter(empty([rows], placing(options))) : null);
    }
    this.resetParameters();
  }

  /** Draws all parameters anew: uniform in ±1/sqrt(hiddenSize). */
  resetParameters(): void {
    resetRecurrent(this, this.hiddenSize);
  }

  /** Runs `step` on a batch, also where the input is a single vector and where there is no state yet. */
  protected run(
    input: Tensor,
    states: readonly Tensor[] | null,
    count: number,
    step: (input: Tensor, states: readonly Tensor[]) => Tensor[],
  ): Tensor[] {
    const name = this.getName();
    const rank = input.shape.length;
    if (rank !== 1 && rank !== 2) {
      throw new RuntimeError(
        `${name}: Expected input to be 1-D or 2-D but received ${rank}-D tensor`,
      );
    }
    if (input.size(-1) !== this.inputSize) {
      throw new RuntimeError(
        `${name}: input has inconsistent input_size: got ${input.size(-1)} expected ${this.inputSize}`,
      );
    }
    const shape = [...input.shape.slice(0, -1), this.hiddenSize];
    for (const state of states ?? []) {
      if (state.shape.length !== rank || state.shape.some((size, d) => size !== shape[d])) {
        throw new RuntimeError(
          `${name}: hidden state ${formatShape(state.shape)} does not fit input ${formatShape(input.shape)}, expected ${formatShape(shape)}`,
        );
      }
    }
    const given =
      states ??
      Array.from({ length: count }, () =>
        zeros(shape, { dtype: input.dtype, device: input.device }),
      );
    if (rank === 2) return step(input, given);
    const batch = step(
      input.unsqueeze(0),
      given.map((state) => state.unsqueeze(0)),
    );
    return batch.map((state) => state.squeeze(0));
  }

  protected inputGates(input: Tensor): Tensor {
    return linear(input, this.weightIh, this.biasIh);
  }

  protected hiddenGates(hidden: Tensor): Tensor {
    return linear(hidden, this.weightHh, this.biasHh);
  }

  override extraRepr(): string {
    const bias = this.biasIh === null ? `, bias=${text(false)}` : '';
    return `${this.inputSize}, ${this.hiddenSize}${bias}`;
  }
}

/** Options of `RNNCell`. */
export interface RNNCellOptions extends BiasOptions {
  /** Default `'tanh'`. */
  nonlinearity?: RecurrentNonlinearity;
}

/**
 * One step of an Elman network, tanh(x W_ihᵀ + b_ih + h W_hhᵀ + b_hh): input [N, inputSize] or [inputSize],
 * state [N, hiddenSize] or [hiddenSize], zeros if it is not given.
 *
 * @throws RuntimeError if the shapes of input or state do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNNCell.html
 * @example const h = new RNNCell(10, 20)(randn([3, 10]), zeros([3, 20]));
 */
export class RNNCell extends RecurrentCell {
  readonly nonlinearity: RecurrentNonlinearity;

  /** @throws ValueError if the nonlinearity is not known. */
  constructor(inputSize: number, hiddenSize: number, options: RNNCellOptions = {}) {
    takes('RNNCell', signatures.RNNCell, arguments);
    super(inputSize, hiddenSize, 1, options);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
    nonlinearityNamed('RNNCell', this.nonlinearity);
  }

  override forward(input: Tensor, hidden: Tensor | null = null): Tensor {
    takes('RNNCell', signatures.RNNCell_forward, arguments);
    const activation = nonlinearityNamed('RNNCell', this.nonlinearity);
    const [next] = this.run(input, hidden && [hidden], 1, (x, [h]) => [
      activation(this.inputGates(x).add(this.hiddenGates(h as Tensor))),
    ]);
    return next as Tensor;
  }

  override extraRepr(): string {
    const { nonlinearity } = this;
    return `${super.extraRepr()}${nonlinearity === 'tanh' ? '' : `, nonlinearity=${nonlinearity}`}`;
  }
}

/**
 * One step of a long short-term memory: input [N, inputSize] or [inputSize], state and cell state [N, hiddenSize]
 * or [hiddenSize], zeros if they are not given. Gives the next state and cell state.
 *
 * @throws RuntimeError if the shapes of input or states do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTMCell.html
 * @example const [h, c] = new LSTMCell(10, 20)(randn([3, 10]));
 */
export class LSTMCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options: BiasOptions = {}) {
    takes('LSTMCell', signatures.LSTMCell, arguments);
    super(inputSize, hiddenSize, 4, options);
  }

  override forward(
    input: Tensor,
    state: readonly [hidden: Tensor, cell: Tensor] | null = null,
  ): [hidden: Tensor, cell: Tensor] {
    takes('LSTMCell', signatures.LSTMCell_forward, arguments);
    const [hidden, cell] = this.run(input, state, 2, (x, [h, c]) =>
      lstmStep(this.inputGates(x).add(this.hiddenGates(h as Tensor)), c as Tensor),
    );
    return [hidden as Tensor, cell as Tensor];
  }
}

/**
 * One step of a gated recurrent unit: input [N, inputSize] or [inputSize], state [N, hiddenSize] or [hiddenSize],
 * zeros if it is not given.
 *
 * @throws RuntimeError if the shapes of input or state do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GRUCell.html
 * @example const h = new GRUCell(10, 20)(randn([3, 10]), zeros([3, 20]));
 */
export class GRUCell extends RecurrentCell {
  constructor(inputSize: number, hiddenSize: number, options: BiasOptions = {}) {
    takes('GRUCell', signatures.GRUCell, arguments);
    super(inputSize, hiddenSize, 3, options);
  }

  override forward(input: Tensor, hidden: Tensor | null = null): Tensor {
    takes('GRUCell', signatures.GRUCell_forward, arguments);
    const [next] = this.run(input, hidden && [hidden], 1, (x, [h]) => [
      gruStep(this.inputGates(x), this.hiddenGates(h as Tensor), h as Tensor),
    ]);
    return next as Tensor;
  }
}
