import {
  cat,
  dropout,
  empty,
  formatShape,
  linear,
  RuntimeError,
  splitWithSizes,
  stack,
  type Tensor,
  transpose,
  ValueError,
  zeros,
} from '@sconce/core';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { placing } from '../placing.js';
import { text } from '../text.js';
import { PackedSequence } from '../utils/rnn.js';
import type { BiasOptions } from './linear.js';
import { resetRecurrent } from './recurrent-cell.js';

/** Options of recurrent layers. */
export interface RecurrentOptions extends BiasOptions {
  /** Layers stacked on each other; default 1. */
  numLayers?: number;
  /** Learn an additive bias; default true. */
  bias?: boolean;
  /** Input and output are [N, L, ...] instead of [L, N, ...]; default false. States are [layers, N, ...] always. */
  batchFirst?: boolean;
  /** Probability of dropping an element of the output of each layer but the last, in training; default 0. */
  dropout?: number;
  /** Also run backwards through the sequence, and put both outputs side by side; default false. */
  bidirectional?: boolean;
}

/** The parameters of one direction of one layer. */
export interface Weights {
  readonly ih: Parameter;
  readonly hh: Parameter;
  readonly biasIh: Parameter | null;
  readonly biasHh: Parameter | null;
  readonly hr: Parameter | null;
}

/** One step: the states behind it, the output first among them. */
export type Step = (inputGates: Tensor, states: readonly Tensor[]) => readonly Tensor[];

/** What recurrent layers share; parameters have PyTorch's names (`weight_ih_l0`, ..., `bias_hh_l1_reverse`). */
export abstract class Recurrent extends Module {
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
      this.registerParameter(key, new Parameter(empty(shape, placing(options))));
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
    input: Tensor | PackedSequence,
    states: readonly Tensor[] | null,
    sizes: readonly number[],
  ): { output: Tensor | PackedSequence; states: Tensor[] } {
    if (input instanceof PackedSequence) return this.runPacked(input, states, sizes);
    this.checkInput(input, [2, 3]);
    const batched = input.shape.length === 3;
    const sequence = batched ? input : input.unsqueeze(this.batchFirst ? 0 : 1);
    const timeMajor = this.batchFirst ? transpose(sequence, 0, 1) : sequence;
    const [length, batch] = timeMajor.shape as [number, number, number];
    if (length === 0) {
      throw new RuntimeError(
        `${this.getName()}: Expected sequence length to be larger than 0 in RNN, got input ${formatShape(input.shape)}`,
      );
    }
    const first = this.firstStates(input, states, batched ? [batch] : [], sizes);
    const ran = this.runLayers(
      timeMajor.reshape([length * batch, this.inputSize]),
      batched ? first : first.map((state) => state.unsqueeze(1)),
      new Array<number>(length).fill(batch),
    );
    const whole = ran.output.reshape([length, batch, this.directions * this.outputSize]);
    if (!batched) {
      return { output: whole.squeeze(1), states: ran.states.map((state) => state.squeeze(1)) };
    }
    return { output: this.batchFirst ? transpose(whole, 0, 1) : whole, states: ran.states };
  }

  private runPacked(
    input: PackedSequence,
    states: readonly Tensor[] | null,
    sizes: readonly number[],
  ): { output: PackedSequence; states: Tensor[] } {
    const { data, sortedIndices, unsortedIndices } = input;
    this.checkInput(data, [2]);
    const batchSizes = input.sizes();
    const first = this.firstStates(data, states, [batchSizes[0] as number], sizes);
    const ran = this.runLayers(
      data,
      sortedIndices && states ? first.map((state) => state.indexSelect(1, sortedIndices)) : first,
      batchSizes,
    );
    return {
      output: input.with(ran.output),
      states: unsortedIndices
        ? ran.states.map((state) => state.indexSelect(1, unsortedIndices))
        : ran.states,
    };
  }

  private firstStates(
    input: Tensor,
    states: readonly Tensor[] | null,
    batch: readonly number[],
    sizes: readonly number[],
  ): Tensor[] {
    return sizes.map((size, i) => {
      const shape = [this.numLayers * this.directions, ...batch, size];
      const given = states?.[i];
      if (!given) return zeros(shape, { dtype: input.dtype, device: input.device });
      this.checkState(given, shape);
      return given;
    });
  }

  /** Runs all layers on the rows of all steps, `batchSizes` of each. */
  private runLayers(
    rows: Tensor,
    first: readonly Tensor[],
    batchSizes: readonly number[],
  ): { output: Tensor; states: Tensor[] } {
    const last: Tensor[][] = [];
    let x = rows;
    for (let layer = 0; layer < this.numLayers; layer++) {
      if (layer > 0) x = dropout(x, this.dropout, { training: this.training });
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < this.directions; direction++) {
        const row = layer * this.directions + direction;
        const start = first.map((state) => state.select(0, row));
        const ran = this.runDirection(x, start, row, batchSizes);
        outputs.push(ran.output);
        last.push(ran.states);
      }
      x = outputs.length === 1 ? (outputs[0] as Tensor) : cat(outputs, 1);
    }
    return { output: x, states: first.map((_, i) => stack(last.map((s) => s[i] as Tensor))) };
  }

  private runDirection(
    x: Tensor,
    start: readonly Tensor[],
    row: number,
    batchSizes: readonly number[],
  ): { output: Tensor; states: Tensor[] } {
    const reverse = row % this.directions === 1;
    const weights = this.weights(row);
    const { bias, step } = this.plan(weights);
    // The products with the inputs do not depend on the states: one matmul for all steps.
    const gates = splitWithSizes(linear(x, weights.ih, bias), batchSizes, 0);
    const steps = [...batchSizes.keys()];
    if (reverse) steps.reverse();
    const outputs: Tensor[] = [];
    const ended: (readonly Tensor[])[] = [];
    let running = batchSizes[steps[0] as number] as number;
    let states = start.map((state) =>
      running < state.size(0) ? rowsOf(state, 0, running) : state,
    );
    for (const t of steps) {
      const size = batchSizes[t] as number;
      // Forwards, sequences end; backwards, they begin where they end.
      if (size < running) {
        ended.unshift(states.map((state) => rowsOf(state, size, running)));
        states = states.map((state) => rowsOf(state, 0, size));
      } else if (size > running) {
        const from = running;
        states = states.map((state, i) => cat([state, rowsOf(start[i] as Tensor, from, size)]));
      }
      running = size;
      states = [...step(gates[t] as Tensor, states)];
      outputs[t] = states[0] as Tensor;
    }
    const whole = (state: Tensor, i: number): Tensor =>
      ended.length === 0 ? state : cat([state, ...ended.map((part) => part[i] as Tensor)]);
    return { output: cat(outputs), states: states.map(whole) };
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

  private checkInput(input: Tensor, ranks: readonly number[]): void {
    const rank = input.shape.length;
    if (!ranks.includes(rank)) {
      throw new RuntimeError(
        `${this.getName()}: Expected input to be ${ranks.map((r) => `${r}-D`).join(' or ')} but received ${rank}-D tensor`,
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

const rowsOf = (state: Tensor, from: number, to: number): Tensor =>
  state.narrow(0, from, to - from);

const suffixOf = (layer: number, direction: number): string =>
  `_l${layer}${direction === 1 ? '_reverse' : ''}`;
