import type { Dense } from './dense.js';
import { solveTriangular } from './triangular.js';

/** Gaussian elimination in place of a, with exchanges of rows or without; pivots count from 1. */
export function lu(a: Dense, pivot: boolean): { pivots: Int32Array; info: number } {
  const steps = Math.min(a.rows, a.columns);
  const pivots = new Int32Array(steps);
  let info = 0;
  for (let j = 0; j < steps; j++) {
    let best = j;
    if (pivot) {
      for (let i = j + 1; i < a.rows; i++) {
        if (Math.abs(a.at(i, j)) > Math.abs(a.at(best, j))) best = i;
      }
    }
    pivots[j] = best + 1;
    a.swapRows(j, best);
    const divisor = a.at(j, j);
    if (divisor === 0) {
      if (info === 0) info = j + 1;
      continue;
    }
    for (let i = j + 1; i < a.rows; i++) {
      const factor = a.at(i, j) / divisor;
      a.set(i, j, factor);
      a.addRow(i, j, -factor, j + 1);
    }
  }
  return { pivots, info };
}

/** The order of `length` rows after exchanges. */
export function permutation(pivots: ArrayLike<number>, length: number): Float64Array {
  const order = Float64Array.from({ length }, (_, i) => i);
  for (let i = 0; i < pivots.length; i++) {
    const other = (pivots[i] as number) - 1;
    const kept = order[i] as number;
    order[i] = order[other] as number;
    order[other] = kept;
  }
  return order;
}

/** Solves a x = b, or that of the transposed a, in place of b. */
export function luSolve(
  factors: Dense,
  pivots: ArrayLike<number>,
  b: Dense,
  adjoint: boolean,
): Dense {
  if (!adjoint) {
    for (let i = 0; i < pivots.length; i++) b.swapRows(i, (pivots[i] as number) - 1);
    solveTriangular(factors, b, false, true);
    return solveTriangular(factors, b, true, false);
  }
  const turned = factors.transposed();
  solveTriangular(turned, b, false, false);
  solveTriangular(turned, b, true, true);
  for (let i = pivots.length - 1; i >= 0; i--) b.swapRows(i, (pivots[i] as number) - 1);
  return b;
}
