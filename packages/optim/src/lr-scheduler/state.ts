import { ValueError } from '@sconce/core';
import type { Scheduled } from './lr-scheduler.js';

/** A scheduler's state as plain data, under the keys of PyTorch's `state_dict()`; arguments of constructors are part of it. */
export type SchedulerStateDict = Record<string, unknown>;

/** What of a scheduler is state: PyTorch's keys by the names of its properties. */
export type StateKeys = Readonly<Record<string, string>>;

const copied = (value: unknown): unknown => (Array.isArray(value) ? [...value] : value);

/** The properties named by `keys`, under PyTorch's names. */
export const stateOf = (owner: object, keys: StateKeys): SchedulerStateDict =>
  Object.fromEntries(
    Object.entries(keys).map(([name, key]) => [key, copied(Reflect.get(owner, name))]),
  );

/** The error of a value that a scheduler cannot have. */
export const stateFault = (owner: object, key: string, expected: string, value: unknown) => {
  const given = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return new ValueError(
    `loadStateDict: ${key} of ${owner.constructor.name} must be ${expected}, got ${given}`,
  );
};

/** Whether a value is a list of so many numbers. */
export const isNumbers = (value: unknown, count: number): value is number[] =>
  Array.isArray(value) && value.length === count && value.every((x) => typeof x === 'number');

/**
 * Checks the values of a state dict against what the properties hold now: their kind, and for lists one number a group.
 * Missing ones stay as they are, as in PyTorch.
 *
 * @returns a function that takes the values over.
 * @throws ValueError if one is of another kind.
 */
export function checkedState(
  owner: { readonly optimizer: Scheduled },
  keys: StateKeys,
  state: SchedulerStateDict,
): () => void {
  if (typeof state !== 'object' || state === null) {
    throw new ValueError(
      `loadStateDict: expected the state of a ${owner.constructor.name}, got ${state}`,
    );
  }
  const groups = owner.optimizer.paramGroups.length;
  const found = Object.entries(keys).filter(([, key]) => Object.hasOwn(state, key));
  for (const [name, key] of found) {
    const own: unknown = Reflect.get(owner, name);
    const value = state[key];
    if (Array.isArray(own)) {
      if (!isNumbers(value, groups)) {
        throw stateFault(owner, key, `${groups} numbers, one a group`, value);
      }
    } else if (typeof value !== typeof own) {
      throw stateFault(owner, key, `a ${typeof own}`, value);
    }
  }
  return () => {
    for (const [name, key] of found) Reflect.set(owner, name, copied(state[key]));
  };
}
