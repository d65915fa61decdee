import { constant, type Expr, e, scalar } from '../expr.js';

/**
 * Builds expressions once for each set of arguments (strings, numbers, bools), which must be all they depend on:
 * sizes are not among them, they are run-time scalars.
 */
export function memo<A extends readonly (string | number | boolean)[], R>(
  build: (...args: A) => R,
): (...args: A) => R {
  const made = new Map<string, R>();
  return (...args) => {
    const key = args.join();
    let found = made.get(key);
    if (found === undefined) {
      found = build(...args);
      made.set(key, found);
    }
    return found;
  };
}

/** The `index`-th run-time number, as an int32. */
export const int = (index: number): Expr => scalar(index, 'int32');

/** Whether all hold; true of none. */
export const allOf = (conditions: readonly Expr[]): Expr =>
  conditions.length === 0
    ? constant(true, 'bool')
    : conditions.reduce((all, condition) => e.and(all, condition));

/** 0 <= x < limit. */
export const within = (x: Expr, limit: Expr): Expr => e.and(e.ge(x, 0), e.lt(x, limit));
