import { Dense } from './dense.js';

/** The length of rows `from` on of a column, without overflow. */
function columnLength(a: Dense, column: number, from: number): number {
  let scale = 0;
  for (let i = from; i < a.rows; i++) scale = Math.max(scale, Math.abs(a.at(i, column)));
  if (scale === 0 || !Number.isFinite(scale)) return scale;
  let sum = 0;
  for (let i = from; i < a.rows; i++) sum += (a.at(i, column) / scale) ** 2;
  return scale * Math.sqrt(sum);
}

/** Applies I - tau v v^T to columns `from` on of c; v is column `k` of `packed` below the diagonal, and 1 on it. */
export function reflect(packed: Dense, k: number, tau: number, c: Dense, from: number): void {
  if (tau === 0) return;
  const sums = new Float64Array(c.columns);
  const factor = (i: number) => (i === k ? 1 : packed.at(i, k));
  for (let i = k; i < c.rows; i++) {
    const v = factor(i);
    for (let j = from; j < c.columns; j++) sums[j] = (sums[j] as number) + v * c.at(i, j);
  }
  for (let i = k; i < c.rows; i++) {
    const v = tau * factor(i);
    for (let j = from; j < c.columns; j++) c.set(i, j, c.at(i, j) - v * (sums[j] as number));
  }
}

/**
 * The reflection that leaves of column `column`, from row `row` on, one element beta: I - tau v v^T with 1 in the first place of v. Beta and
 * the rest of v take the column's place; gives tau.
 */
export function reflectorOf(a: Dense, row: number, column: number): number {
  const below = columnLength(a, column, row + 1);
  if (below === 0) return 0;
  const alpha = a.at(row, column);
  const beta = alpha >= 0 ? -Math.hypot(alpha, below) : Math.hypot(alpha, below);
  for (let i = row + 1; i < a.rows; i++) a.set(i, column, a.at(i, column) / (alpha - beta));
  a.set(row, column, beta);
  return (beta - alpha) / beta;
}

/** Householder's QR in place of a, which then holds R and the reflectors; gives their factors. */
export function qr(a: Dense): Float64Array {
  const tau = new Float64Array(Math.min(a.rows, a.columns));
  for (let k = 0; k < tau.length; k++) {
    tau[k] = reflectorOf(a, k, k);
    reflect(a, k, tau[k] as number, a, k + 1);
  }
  return tau;
}

/** H_1 ... H_k c, or with `transpose` H_k ... H_1 c, in place of c. */
export function householderMultiply(
  packed: Dense,
  tau: ArrayLike<number>,
  c: Dense,
  transpose: boolean,
): Dense {
  for (let step = 0; step < tau.length; step++) {
    const k = transpose ? step : tau.length - 1 - step;
    reflect(packed, k, tau[k] as number, c, 0);
  }
  return c;
}

/** The first `columns` columns of H_1 ... H_k. */
export function householderProduct(
  packed: Dense,
  tau: ArrayLike<number>,
  columns = packed.columns,
): Dense {
  const q = new Dense(packed.rows, columns);
  for (let i = 0; i < Math.min(q.rows, columns); i++) q.set(i, i, 1);
  for (let k = tau.length - 1; k >= 0; k--) reflect(packed, k, tau[k] as number, q, k);
  return q;
}
