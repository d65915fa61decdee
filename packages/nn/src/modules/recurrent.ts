import { addmm, linear, type Tensor, takes, transpose } from '@sconce/core';
import * as signatures from '../signatures.js';
import type { PackedSequence } from '../utils/rnn.js';
import { Recurrent, type RecurrentOptions, type Step, type Weights } from './recurrent-base.js';
import {
  gruStep,
  lstmStep,
  nonlinearityNamed,
  type RecurrentNonlinearity,
} from './recurrent-cell.js';

/** The call of a layer with sequences of several lengths. */
type PackedCall<State, Result> = (
  input: PackedSequence,
  state?: State | null,
) => [output: PackedSequence, state: Result];

/** Both biases are added to the gates alike: once, for all steps. */
const sumOfBiases = ({ biasIh, biasHh }: Weights): Tensor | null =>
  biasIh && biasHh ? biasIh.add(biasHh) : null;

export interface RNN extends PackedCall<Tensor, Tensor> {}

/** Options of `RNN`. */
export type RNNOptions = RecurrentOptions & {
  /** Default `'tanh'`. */
  nonlinearity?: RecurrentNonlinearity;
};

/**
 * Elman networks stacked on each other: input [L, N, inputSize] ([N, L, inputSize] with `batchFirst`, [L, inputSize]
 * without a batch). Gives the output of the last layer for every step, [L, N, directions * hiddenSize], and the last
 * state of every layer, [layers * directions, N, hiddenSize].
 *
 * @throws RuntimeError if the shapes of input or state do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
 * @example const [output, h] = new RNN(10, 20, { numLayers: 2 })(randn([5, 3, 10]));
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: adds the call with a packed sequence
export class RNN extends Recurrent {
  readonly nonlinearity: RecurrentNonlinearity;

  /** @throws ValueError if the nonlinearity is not known, or `dropout` is not in [0, 1]. */
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    takes('RNN', signatures.RNN, arguments);
    super('RNN', inputSize, hiddenSize, 1, options);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
    nonlinearityNamed('RNN', this.nonlinearity);
  }

  override forward(
    input: PackedSequence,
    hidden?: Tensor | null,
  ): [output: PackedSequence, hidden: Tensor];
  override forward(input: Tensor, hidden?: Tensor | null): [output: Tensor, hidden: Tensor];
  override forward(
    input: Tensor | PackedSequence,
    hidden: Tensor | null = null,
  ): [output: Tensor | PackedSequence, hidden: Tensor] {
    takes('RNN', signatures.RNN_forward, arguments);
    const { output, states } = this.run(input, hidden && [hidden], [this.hiddenSize]);
    return [output, states[0] as Tensor];
  }

  protected override plan(weights: Weights): { bias: Tensor | null; step: Step } {
    const activation = nonlinearityNamed('RNN', this.nonlinearity);
    const hh = transpose(weights.hh, 0, 1);
    return {
      bias: sumOfBiases(weights),
      step: (gates, [hidden]) => [activation(addmm(gates, hidden as Tensor, hh))],
    };
  }
}

/** State and cell state, each [layers * directions, N, size]. */
export type LSTMState = readonly [hidden: Tensor, cell: Tensor];

export interface LSTM extends PackedCall<LSTMState, [hidden: Tensor, cell: Tensor]> {}

/** Options of `LSTM`. */
export type LSTMOptions = RecurrentOptions & {
  /** Width to which outputs are projected; default 0, no projection. */
  projSize?: number;
};

/**
 * Long short-term memories stacked on each other: input [L, N, inputSize] ([N, L, inputSize] with `batchFirst`,
 * [L, inputSize] without a batch). Gives the output of the last layer for every step, [L, N, directions * hiddenSize],
 * and the last states and cell states of every layer, [layers * directions, N, hiddenSize]; outputs and states have
 * the width `projSize` where that is given.
 *
 * @throws RuntimeError if the shapes of input or states do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LSTM.html
 * @example const [output, [h, c]] = new LSTM(10, 20, { numLayers: 2 })(randn([5, 3, 10]));
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: adds the call with a packed sequence
export class LSTM extends Recurrent {
  /** @throws ValueError if `projSize` is not smaller than `hiddenSize`, or `dropout` is not in [0, 1]. */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    takes('LSTM', signatures.LSTM, arguments);
    super('LSTM', inputSize, hiddenSize, 4, options);
  }

  override forward(
    input: PackedSequence,
    state?: LSTMState | null,
  ): [output: PackedSequence, state: [hidden: Tensor, cell: Tensor]];
  override forward(
    input: Tensor,
    state?: LSTMState | null,
  ): [output: Tensor, state: [hidden: Tensor, cell: Tensor]];
  override forward(
    input: Tensor | PackedSequence,
    state: LSTMState | null = null,
  ): [output: Tensor | PackedSequence, state: [hidden: Tensor, cell: Tensor]] {
    takes('LSTM', signatures.LSTM_forward, arguments);
    const { output, states } = this.run(input, state, [this.outputSize, this.hiddenSize]);
    return [output, [states[0] as Tensor, states[1] as Tensor]];
  }

  protected override plan(weights: Weights): { bias: Tensor | null; step: Step } {
    const hh = transpose(weights.hh, 0, 1);
    return {
      bias: sumOfBiases(weights),
      step: (gates, [hidden, cell]) => {
        const [output, next] = lstmStep(addmm(gates, hidden as Tensor, hh), cell as Tensor);
        return [weights.hr ? linear(output, weights.hr) : output, next];
      },
    };
  }
}

export interface GRU extends PackedCall<Tensor, Tensor> {}

/**
 * Gated recurrent units stacked on each other: input [L, N, inputSize] ([N, L, inputSize] with `batchFirst`,
 * [L, inputSize] without a batch). Gives the output of the last layer for every step, [L, N, directions * hiddenSize],
 * and the last state of every layer, [layers * directions, N, hiddenSize].
 *
 * @throws RuntimeError if the shapes of input or state do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
 * @example const [output, h] = new GRU(10, 20, { bidirectional: true })(randn([5, 3, 10]));
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: adds the call with a packed sequence
export class GRU extends Recurrent {
  /** @throws ValueError if `dropout` is not in [0, 1]. */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    takes('GRU', signatures.GRU, arguments);
    super('GRU', inputSize, hiddenSize, 3, options);
  }

  override forward(
    input: PackedSequence,
    hidden?: Tensor | null,
  ): [output: PackedSequence, hidden: Tensor];
  override forward(input: Tensor, hidden?: Tensor | null): [output: Tensor, hidden: Tensor];
  override forward(
    input: Tensor | PackedSequence,
    hidden: Tensor | null = null,
  ): [output: Tensor | PackedSequence, hidden: Tensor] {
    takes('GRU', signatures.GRU_forward, arguments);
    const { output, states } = this.run(input, hidden && [hidden], [this.hiddenSize]);
    return [output, states[0] as Tensor];
  }

  protected override plan(weights: Weights): { bias: Tensor | null; step: Step } {
    return {
      bias: weights.biasIh,
      step: (gates, [hidden]) => {
        const state = hidden as Tensor;
        return [gruStep(gates, linear(state, weights.hh, weights.biasHh), state)];
      },
    };
  }
}
