import { fromTypedArray, Tensor, ValueError } from '@sconce/core';

/** What has a position or state that a checkpoint can hold. */
export interface Stateful {
  stateDict(): unknown;
  loadStateDict(state: never): void;
}

/** The state of a `DataLoader`: numbers, strings and uint8 tensors, which every format of checkpoints holds. */
export interface DataLoaderState {
  readonly version: number;
  /** Batches given out in the pass under way; null between passes. */
  readonly position: number | null;
  /** The generator's state at the start of the pass (uint8); between passes that of the loader's own, if it has one. */
  readonly generator: Tensor | null;
  /** What the sampler said of itself at the start of the pass. */
  readonly sampler: unknown;
  /** The seed that the workers' derive from, in decimal. */
  readonly baseSeed: string | null;
  /** Whether the workers were kept from an earlier pass. */
  readonly again: boolean;
  /** The states of the workers' generators (uint8). */
  readonly workers: readonly (Tensor | null)[];
}

/** The parts of a state, as the loader uses them. */
export interface Parts {
  position: number | null;
  generator: Uint8Array | undefined;
  sampler: unknown;
  baseSeed: bigint | undefined;
  again: boolean;
  workers: readonly (Uint8Array | undefined)[] | undefined;
}

const tensorOf = (bytes: Uint8Array | undefined): Tensor | null =>
  bytes ? fromTypedArray(bytes.slice(), undefined, { device: 'cpu' }) : null;

const bytesOf = (t: Tensor | null): Uint8Array | undefined =>
  t === null ? undefined : (t.toTypedArraySync() as Uint8Array);

export function packState(parts: Parts): DataLoaderState {
  return {
    version: 1,
    position: parts.position,
    generator: tensorOf(parts.generator),
    sampler: parts.sampler ?? null,
    baseSeed: parts.baseSeed === undefined ? null : String(parts.baseSeed),
    again: parts.again,
    workers: (parts.workers ?? []).map(tensorOf),
  };
}

/** @throws ValueError if a value is no state of a loader. */
export function unpackState(state: DataLoaderState): Parts {
  const isState = (t: unknown): boolean =>
    t === null || (t instanceof Tensor && t.dtype === 'uint8' && t.ndim === 1);
  const { version, position, generator, workers } = state;
  if (version !== 1)
    throw new ValueError(
      `loadStateDict: expected the state of a DataLoader (version 1), got version ${version}`,
    );
  const whole = position === null || (Number.isInteger(position) && position >= 0);
  if (!whole || !isState(generator) || !Array.isArray(workers) || !workers.every(isState))
    throw new ValueError(
      'loadStateDict: the state of a DataLoader must hold a position and states of generators, as stateDict() gives them',
    );
  return {
    position,
    generator: bytesOf(generator),
    sampler: state.sampler ?? undefined,
    baseSeed: state.baseSeed === null ? undefined : BigInt(state.baseSeed),
    again: state.again,
    workers: workers.length > 0 ? workers.map(bytesOf) : undefined,
  };
}
