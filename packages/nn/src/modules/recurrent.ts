import {
  addmm,
  cat,
  dropout,
  empty,
  formatShape,
  linear,
  RuntimeError,
  stack,
  type Tensor,
  transpose,
  ValueError,
  zeros,
} from '@sconce/core';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { text } from '../text.js';
import type { BiasOptions } from './linear.js';
import {
  gruStep,
  lstmStep,
  nonlinearityNamed,
  type RecurrentNonlinearity,
  resetRecurrent,
} from './recurrent-cell.js';

/** Options of recurrent layers. */
export interface RecurrentOptions extends BiasOptions {
  /** Layers stacked on each other; default 1. */
  numLayers?: number;
  /** Input and output are [N, L, ...] instead of [L, N, ...]; default false. States are [layers, N, ...] always. */
  batchFirst?: boolean;
  /** Probability of dropping an element of the output of each layer but the last, in training; default 0. */
  dropout?: number;
  /** Also run backwards through the sequence, and put both outputs side by side; default false. */
  bidirectional?: boolean;
}

/** The parameters of one direction of one layer. */
interface Weights {
  readonly ih: Parameter;
  readonly hh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;
  readonly hr: Parameter | null;
}

/** Runs one direction of one layer: the states after each step, the output first among them. */
type Step = (inputGates: Tensor, states: readonly Tensor[]) => readonly Tensor[];

/** What recurrent layers share; parameters have PyTorch's names (`weight_ih_l0`, ..., `bias_hh_l1_reverse`). */
abstract class Recurrent extends Module {
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;

  constructor(
    name: string,
    inputSize: number,
    hiddenSize: number,
    gates: number,
    options: RecurrentOptions & { projSize?: number },
  ) {
    super();
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = options.numLayers ?? 1;
    this.bias = options.bias ?? true;
    this.batchFirst = options.batchFirst ?? false;
    this.dropout = options.dropout ?? 0;
    this.bidirectional = options.bidirectional ?? false;
    this.projSize = options.projSize ?? 0;
    if (!(this.dropout >= 0 && this.dropout <= 1)) {
      throw new ValueError(`${name}: dropout should be in range [0, 1], but got ${this.dropout}`);
    }
    if (this.projSize < 0 || (this.projSize > 0 && this.projSize >= hiddenSize)) {
      throw new ValueError(
        `${name}: proj_size has to be smaller than hidden_size, got ${this.projSize} and ${hiddenSize}`,
      );
    }
    const { directions, outputSize } = this;
    const add = (key: string, shape: number[]): void =>
      this.registerParameter(key, new Parameter(empty(shape, options)));
    for (let layer = 0; layer < this.numLayers; layer++) {
      const width = layer === 0 ? inputSize : outputSize * directions;
      for (let direction = 0; direction < directions; direction++) {
        const suffix = suffixOf(layer, direction);
        add(`weight_ih${suffix}`, [gates * hiddenSize, width]);
        add(`weight_hh${suffix}`, [gates * hiddenSize, outputSize]);
        if (this.bias) {
          add(`bias_ih${suffix}`, [gates * hiddenSize]);
          add(`bias_hh${suffix}`, [gates * hiddenSize]);
        }
        if (this.projSize > 0) add(`weight_hr${suffix}`, [this.projSize, hiddenSize]);
      }
    }
    this.resetParameters();
  }

  /** Draws all parameters anew: uniform in ±1/sqrt(hiddenSize). */
  resetParameters(): void {
    resetRecurrent(this, this.hiddenSize);
  }

  /** The parameters of each layer and direction: weights, biases, and the projection if there is one. */
  get allWeights(): Parameter[][] {
    return Array.from({ length: this.numLayers * this.directions }, (_, i) => {
      const w = this.weights(i);
      return [w.ih, w.hh, w.biasIh, w.biasHh, w.hr].filter((p): p is Parameter => p !== null);
    });
  }

  override extraRepr(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (this.projSize !== 0) parts.push(`proj_size=${this.projSize}`);
    if (this.numLayers !== 1) parts.push(`num_layers=${this.numLayers}`);
    if (!this.bias) parts.push(`bias=${text(false)}`);
    if (this.batchFirst) parts.push(`batch_first=${text(true)}`);
    if (this.dropout !== 0) parts.push(`dropout=${text(this.dropout)}`);
    if (this.bidirectional) parts.push(`bidirectional=${text(true)}`);
    return parts.join(', ');
  }

  /** How the gates of all inputs are computed, and how a step goes on from them. */
  protected abstract plan(weights: Weights): { bias: Tensor | null; step: Step };

  /** Runs all layers on a sequence; states are [layers * directions, N, size], zeros where none are given. */
  protected run(
    input: Tensor,
    states: readonly Tensor[] | null,
    sizes: readonly number[],
  ): { output: Tensor; states: Tensor[] } {
    const rank = input.shape.length;
    this.checkInput(input);
    const batched = rank === 3;
    const timeMajor = this.batchFirst && batched ? transpose(input, 0, 1) : input;
    const sequence = batched ? timeMajor : input.unsqueeze(1);
    const [length, batch] = sequence.shape as [number, number, number];
    if (length === 0) {
      throw new RuntimeError(
        `${this.getName()}: Expected sequence length to be larger than 0 in RNN, got input ${formatShape(input.shape)}`,
      );
    }
    const rows = this.numLayers * this.directions;
    const first = sizes.map((size, i) => {
      const given = states?.[i];
      if (!given) return zeros([rows, batch, size], { dtype: input.dtype, device: input.device });
      this.checkState(given, batched ? [rows, batch, size] : [rows, size]);
      return batched ? given : given.unsqueeze(1);
    });
    const last: Tensor[][] = [];
    let x = sequence;
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0) x = dropout(x, this.dropout, { training: this.training });
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < this.directions; direction++) {
        const row = layer * this.directions + direction;
        const start = first.map((state) => state.select(0, row));
        const ran = this.runDirection(x, start, row, direction === 1);
        outputs.push(ran.output);
        last.push(ran.states);
      }
      x = outputs.length === 1 ? (outputs[0] as Tensor) : cat(outputs, 2);
    }
    const finals = sizes.map((_, i) => stack(last.map((state) => state[i] as Tensor)));
    if (!batched) {
      return { output: x.squeeze(1), states: finals.map((state) => state.squeeze(1)) };
    }
    return { output: this.batchFirst ? transpose(x, 0, 1) : x, states: finals };
  }

  private runDirection(
    x: Tensor,
    start: readonly Tensor[],
    row: number,
    reverse: boolean,
  ): { output: Tensor; states: Tensor[] } {
    const weights = this.weights(row);
    const { bias, step } = this.plan(weights);
    // The products with the inputs do not depend on the states: one matmul for all steps.
    const gates = linear(x, weights.ih, bias).unbind(0);
    if (reverse) gates.reverse();
    let states = start;
    const outputs = gates.map((inputGates) => {
      states = step(inputGates, states);
      return states[0] as Tensor;
    });
    return { output: stack(reverse ? outputs.reverse() : outputs), states: [...states] };
  }

  private get directions(): number {
    return this.bidirectional ? 2 : 1;
  }

  /** Width of the output of one direction. */
  protected get outputSize(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }

  private weights(row: number): Weights {
    const suffix = suffixOf(Math.floor(row / this.directions), row % this.directions);
    const own = this as unknown as Record<string, Parameter | undefined>;
    const found = (name: string): Parameter | null => own[name + suffix] ?? null;
    return {
      ih: found('weight_ih') as Parameter,
      hh: found('weight_hh') as Parameter,
      biasIh: found('bias_ih'),
      biasHh: found('bias_hh'),
      hr: found('weight_hr'),
    };
  }

  private checkInput(input: Tensor): void {
    const rank = input.shape.length;
    if (rank !== 2 && rank !== 3) {
      throw new RuntimeError(
        `${this.getName()}: Expected input to be 2-D or 3-D but received ${rank}-D tensor`,
      );
    }
    if (input.size(-1) !== this.inputSize) {
      throw new RuntimeError(
        `${this.getName()}: input.size(-1) must be equal to input_size. Expected ${this.inputSize}, got ${input.size(-1)}`,
      );
    }
  }

  private checkState(state: Tensor, shape: readonly number[]): void {
    if (state.shape.length !== shape.length || state.shape.some((size, d) => size !== shape[d])) {
      throw new RuntimeError(
        `${this.getName()}: Expected hidden size ${formatShape(shape)}, got ${formatShape(state.shape)}`,
      );
    }
  }
}

const suffixOf = (layer: number, direction: number): string =>
  `_l${layer}${direction === 1 ? '_reverse' : ''}`;

/** Both biases are added to the gates alike: once, for all steps. */
const sumOfBiases = ({ biasIh, biasHh }: Weights): Tensor | null =>
  biasIh && biasHh ? biasIh.add(biasHh) : null;

/** Options of `RNN`. */
export interface RNNOptions extends RecurrentOptions {
  /** Default `'tanh'`. */
  nonlinearity?: RecurrentNonlinearity;
}

/**
 * Elman networks stacked on each other: input [L, N, inputSize] ([N, L, inputSize] with `batchFirst`, [L, inputSize]
 * without a batch). Gives the output of the last layer for every step, [L, N, directions * hiddenSize], and the last
 * state of every layer, [layers * directions, N, hiddenSize].
 *
 * @throws RuntimeError if the shapes of input or state do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.RNN.html
 * @example const [output, h] = new RNN(10, 20, { numLayers: 2 })(randn([5, 3, 10]));
 */
export class RNN extends Recurrent {
  readonly nonlinearity: RecurrentNonlinearity;

  /** @throws ValueError if the nonlinearity is not known, or `dropout` is not in [0, 1]. */
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    super('RNN', inputSize, hiddenSize, 1, options);
    this.nonlinearity = options.nonlinearity ?? 'tanh';
    nonlinearityNamed('RNN', this.nonlinearity);
  }

  override forward(input: Tensor, hidden: Tensor | null = null): [output: Tensor, hidden: Tensor] {
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

/** Options of `LSTM`. */
export interface LSTMOptions extends RecurrentOptions {
  /** Width to which outputs are projected; default 0, no projection. */
  projSize?: number;
}

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
export class LSTM extends Recurrent {
  /** @throws ValueError if `projSize` is not smaller than `hiddenSize`, or `dropout` is not in [0, 1]. */
  constructor(inputSize: number, hiddenSize: number, options: LSTMOptions = {}) {
    super('LSTM', inputSize, hiddenSize, 4, options);
  }

  override forward(
    input: Tensor,
    state: readonly [hidden: Tensor, cell: Tensor] | null = null,
  ): [output: Tensor, state: [hidden: Tensor, cell: Tensor]] {
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

/**
 * Gated recurrent units stacked on each other: input [L, N, inputSize] ([N, L, inputSize] with `batchFirst`,
 * [L, inputSize] without a batch). Gives the output of the last layer for every step, [L, N, directions * hiddenSize],
 * and the last state of every layer, [layers * directions, N, hiddenSize].
 *
 * @throws RuntimeError if the shapes of input or state do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GRU.html
 * @example const [output, h] = new GRU(10, 20, { bidirectional: true })(randn([5, 3, 10]));
 */
export class GRU extends Recurrent {
  /** @throws ValueError if `dropout` is not in [0, 1]. */
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super('GRU', inputSize, hiddenSize, 3, options);
  }

  override forward(input: Tensor, hidden: Tensor | null = null): [output: Tensor, hidden: Tensor] {
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
