import type { TypedArray } from './dtype.js';

/** One run of a function that `withReads` may have to leave and repeat. */
export interface Attempt {
  /** What was read so far, in order, by this and the runs before. */
  readonly values: readonly TypedArray[];
  next: number;
  /** What was made in this run, and what is noted already: it needs no second note. */
  readonly noted: WeakSet<object>;
  /** Takes back what this run did to things that existed before it; last first. */
  readonly undo: (() => void)[];
  /** What may only be done once the function is through. */
  readonly after: (() => void)[];
  /** The first thing this run did that cannot be taken back. */
  final: string | undefined;
}

/** The run under way, if the function that is running may have to be repeated. */
export let attempt: Attempt | undefined;

/** Runs `fn` as an attempt. */
export function attempting<T>(next: Attempt, fn: () => T): T {
  const outer = attempt;
  attempt = next;
  try {
    return fn();
  } finally {
    attempt = outer;
  }
}

/**
 * Notes how to take back a change; does nothing where nothing is repeated.
 *
 * @param thing what changes, if it is enough to take back its first change.
 * @param remember is called before the change, and gives what takes it back.
 */
export function undoable(thing: object | undefined, remember: () => () => void): void {
  if (attempt === undefined) return;
  if (thing !== undefined) {
    if (attempt.noted.has(thing)) return;
    attempt.noted.add(thing);
  }
  attempt.undo.push(remember());
}

/** Notes that something is done that cannot be repeated: a function that has to be is then ended with an error that names it. */
export function once(what: string): void {
  if (attempt !== undefined) attempt.final ??= what;
}

/** Does something when it is certain that the function is not repeated; at once where it cannot be. */
export function whenDone(action: () => void): void {
  if (attempt === undefined) action();
  else attempt.after.push(action);
}
