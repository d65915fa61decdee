import { Tensor } from '@sconce/core';
import { isStateful } from '../classes.js';
import { FileError } from '../errors.js';
import { stateBytes } from './rng-state.js';

/**
 * What a checkpoint is made of, by name: whatever has `stateDict()` and `loadStateDict()`, generators, and values that
 * can be saved.
 */
export type CheckpointParts = Readonly<Record<string, unknown>>;

interface GeneratorLike {
  getState(): Uint8Array;
  setState(state: Uint8Array): unknown;
}

const isGenerator = (value: unknown): value is GeneratorLike =>
  typeof value === 'object' &&
  value !== null &&
  typeof (value as Partial<GeneratorLike>).getState === 'function' &&
  typeof (value as Partial<GeneratorLike>).setState === 'function';

/** Whether a part takes its state back in place. */
const isLive = (part: unknown): boolean =>
  isStateful(part) || isGenerator(part) || part instanceof Tensor;

/**
 * Puts saved state into the parts that take it.
 *
 * @throws FileError if the checkpoint lacks a part.
 */
export function restoreParts(
  parts: CheckpointParts,
  saved: Readonly<Record<string, unknown>>,
): void {
  const missing = Object.keys(parts).filter((name) => isLive(parts[name]) && !(name in saved));
  if (missing.length > 0) {
    throw new FileError(
      `restore: the checkpoint has no '${missing.join("', '")}' (it has: ${Object.keys(saved).join(', ')})`,
    );
  }
  for (const [name, part] of Object.entries(parts)) {
    if (isGenerator(part)) part.setState(stateBytes(saved[name]));
    else if (isStateful(part)) part.loadStateDict(saved[name] as never);
    else if (part instanceof Tensor) part.data.copy_(saved[name] as Tensor);
  }
}

/** The devices that tensors in the state of parts live on, as the file names them. */
export function devicesOf(
  value: unknown,
  found = new Set<string>(),
  seen = new Set<unknown>(),
): Set<string> {
  if (value instanceof Tensor) found.add(String(value.device));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || seen.has(value))
    return found;
  seen.add(value);
  if (value instanceof Tensor || isGenerator(value)) return found;
  const children = value instanceof Map ? value.values() : Object.values(value);
  for (const child of children) devicesOf(child, found, seen);
  return found;
}

/** The parts as they are saved: each by its state. */
export function statesOf(parts: CheckpointParts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, part]) => [name, isStateful(part) ? part.stateDict() : part]),
  );
}
