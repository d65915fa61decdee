import type { DType, TypedArray } from '@sconce/core';
import type { FunctionName } from './define-dataset.js';
import type { Recipe } from './recipe.js';
import type { ErrorReport } from './worker-error.js';

/** The key that tells messages of loaders from anyone else's. */
export const channel = 'sconce-data';

/** What makes a worker ready for its loader. */
export interface Start {
  kind: 'start';
  id: number;
  numWorkers: number;
  seed: bigint;
  recipe: Recipe;
  iterable: boolean;
  /** Whether samples come in batches. */
  batched: boolean;
  dropLast: boolean;
  /** What collates; `raw` sends samples as they are, to be collated by the loader's own function. */
  collate: FunctionName | 'default' | 'raw';
  init: FunctionName | undefined;
  /** Where its generator continues, instead of at the seed. */
  state: Uint8Array | undefined;
  /** A lock to hold for life, where the platform does not tell of a worker's end. */
  lock: string | undefined;
}

/** What a worker is asked for: samples by index, or so many of an iteration. */
export interface Request {
  kind: 'fetch';
  task: number;
  indices: readonly number[] | number;
  /** Memory for the tensors that are expected, in order. */
  slots: readonly { dtype: DType; data: TypedArray }[];
}

/** A new pass over an iterable dataset. */
export interface Restart {
  kind: 'restart';
}

export type ToWorker = Start | Request | Restart;

/** A tensor of a batch: in the slot of that number, or in memory of its own. */
export interface Leaf {
  slot: number;
  data: TypedArray | undefined;
  dtype: DType;
  shape: readonly number[];
}

/** A value with its tensors taken out: they are leaves, by number. */
export type Tree =
  | readonly ['tensor' | 'array', number]
  | readonly ['list', readonly Tree[]]
  | readonly ['object', Readonly<Record<string, Tree>>]
  | readonly ['value', unknown];

export type FromWorker =
  | { kind: 'ready' }
  | { kind: 'held' }
  | { kind: 'started'; state: Uint8Array }
  | {
      kind: 'batch';
      task: number;
      tree: Tree;
      leaves: readonly Leaf[];
      state: Uint8Array | undefined;
    }
  | { kind: 'end'; task: number }
  | { kind: 'error'; task: number | undefined; error: ErrorReport };
