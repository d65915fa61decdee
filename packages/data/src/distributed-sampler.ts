import { Generator, randperm, takes, ValueError } from '@sconce/core';
import type { Sampler } from './sampler.js';
import * as signatures from './signatures.js';

/** Options of `DistributedSampler`. */
export interface DistributedSamplerOptions {
  /** Processes that share the dataset. */
  numReplicas: number;
  /** Which of them this is, from 0. */
  rank: number;
  /** Draw a new order at each epoch; default true. */
  shuffle?: boolean;
  /** The same in all processes; default 0. */
  seed?: number;
  /** Leave out the samples that cannot be shared equally, instead of giving some twice; default false. */
  dropLast?: boolean;
}

/**
 * The share of one process in a dataset that several train on: PyTorch's own indices for each rank, epoch and seed. Call
 * `setEpoch` before each epoch, or the order is the same in all.
 *
 * @throws ValueError if `rank` is not below `numReplicas`.
 * @see https://pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
 * @example
 * const sampler = new DistributedSampler(dataset, { numReplicas: 4, rank });
 * sampler.setEpoch(epoch);
 */
export class DistributedSampler implements Sampler {
  readonly numReplicas: number;
  readonly rank: number;
  readonly shuffle: boolean;
  readonly seed: number;
  readonly dropLast: boolean;
  /** How many indices each process gets. */
  readonly length: number;
  readonly #size: number;
  #epoch = 0;

  constructor(dataset: { readonly length: number }, options: DistributedSamplerOptions) {
    takes('DistributedSampler', signatures.DistributedSampler, arguments);
    const { numReplicas, rank, shuffle = true, seed = 0, dropLast = false } = options;
    if (!Number.isInteger(numReplicas) || numReplicas < 1)
      throw new ValueError(
        `DistributedSampler: numReplicas should be a positive integer, got ${numReplicas}`,
      );
    if (!Number.isInteger(rank) || rank < 0 || rank >= numReplicas)
      throw new ValueError(
        `DistributedSampler: Invalid rank ${rank}, rank should be in the interval [0, ${numReplicas - 1}]`,
      );
    this.numReplicas = numReplicas;
    this.rank = rank;
    this.shuffle = shuffle;
    this.seed = seed;
    this.dropLast = dropLast;
    this.#size = dataset.length;
    this.length = dropLast
      ? Math.floor(this.#size / numReplicas)
      : Math.ceil(this.#size / numReplicas);
  }

  /** The epoch that decides, with the seed, on the order. */
  get epoch(): number {
    return this.#epoch;
  }

  setEpoch(epoch: number): void {
    this.#epoch = epoch;
  }

  stateDict(): { epoch: number } {
    return { epoch: this.#epoch };
  }

  loadStateDict(state: { epoch: number }): void {
    this.#epoch = state.epoch;
  }

  *[Symbol.iterator](): globalThis.Generator<number> {
    const size = this.#size;
    let order: number[] | undefined;
    if (this.shuffle) {
      const generator = new Generator().manualSeed(this.seed + this.#epoch);
      const drawn = randperm(size, { generator, device: 'cpu' });
      order = Array.from(drawn.toTypedArraySync(), Number);
      drawn.dispose();
    }
    // What is missing for equal shares is taken from the start again.
    for (let i = 0, at = this.rank; i < this.length; i++, at += this.numReplicas)
      yield order ? (order[at % size] as number) : at % size;
  }
}
