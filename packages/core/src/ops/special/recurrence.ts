import { guarded } from '../../arguments.js';
import { RuntimeError } from '../../errors.js';
import { type Expr, e } from '../../expr.js';
import { mustRecord } from '../../op.js';

/**
 * A function that gradients do not go through, as in PyTorch: it says so instead of dropping them.
 *
 * @throws RuntimeError from the function if an argument requires grad.
 */
export function withoutGradient<F extends (...args: never[]) => unknown>(name: string, run: F): F {
  return guarded(name, ((...args: never[]) => {
    refuseGradient(name, args);
    return run(...args);
  }) as unknown as F);
}

/** @throws RuntimeError if one of the arguments requires grad. */
export function refuseGradient(name: string, args: readonly unknown[]): void {
  if (mustRecord(args)) {
    throw new RuntimeError(
      `${name}: the derivative is not implemented; call it under noGrad() or on detach()ed tensors`,
    );
  }
}

/** Whether there is a polynomial of that degree: not where it is negative, NaN, or too large for an integer. */
export const isDegree = (n: Expr): Expr => e.and(e.ge(n, 0), e.lt(n, 2 ** 63));

/**
 * The polynomial of degree `n` among those that a three-term recurrence makes of the ones of degree 0 and 1, for
 * degrees to `last`. `next(k, q, p)` is the polynomial of degree k from those of degrees k - 1 and k - 2.
 */
export function recurrence(
  n: Expr,
  first: Expr,
  second: Expr,
  last: number,
  next: (k: number, q: Expr, p: Expr) => Expr,
): Expr {
  let [p, q] = [first, second];
  let result = e.where(e.ge(n, 1), second, first);
  for (let k = 2; k <= last; k++) {
    [p, q] = [q, next(k, q, p)];
    result = e.where(e.ge(n, k), q, result);
  }
  return result;
}
