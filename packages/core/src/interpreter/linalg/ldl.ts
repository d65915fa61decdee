import type { Dense } from './dense.js';

/** Bunch and Kaufman's bound on the growth of elements, (1 + sqrt 17) / 8. */
const bound = (1 + Math.sqrt(17)) / 8;

/** Exchanges rows and columns `p` < `q` of the lower triangle of the symmetric matrix that begins at `from`. */
function exchange(a: Dense, p: number, q: number, from: number): void {
  const n = a.rows;
  const swap = (i: number, j: number, k: number, l: number) => {
    const kept = a.at(i, j);
    a.set(i, j, a.at(k, l));
    a.set(k, l, kept);
  };
  for (let i = q + 1; i < n; i++) swap(i, p, i, q);
  for (let i = p + 1; i < q; i++) swap(i, p, q, i);
  swap(p, p, q, q);
  for (let j = from; j < p; j++) swap(p, j, q, j);
}

/**
 * L D L^T in place of the lower triangle of a symmetric matrix, with LAPACK's choice of pivots and its notation of them; the
 * upper triangle becomes 0.
 *
 * Bunch and Kaufman, "Some stable methods for calculating inertia and solving symmetric linear systems" (1977).
 */
export function ldl(a: Dense): { pivots: Int32Array; info: number } {
  const n = a.rows;
  for (let i = 0; i < n; i++) for (let j = i + 1; j < n; j++) a.set(i, j, 0);
  const pivots = new Int32Array(n);
  let info = 0;
  const size = (i: number, j: number) => Math.abs(i >= j ? a.at(i, j) : a.at(j, i));
  /** The row of the greatest element of column `k` at or below `from`, `except` left out, and its size. */
  const greatest = (k: number, from: number, except = -1): [number, number] => {
    let row = from;
    let best = 0;
    for (let i = from; i < n; i++) {
      if (i !== except && size(i, k) > best) {
        best = size(i, k);
        row = i;
      }
    }
    return [row, best];
  };
  for (let k = 0; k < n; ) {
    const diagonal = size(k, k);
    const [row, column] = k + 1 < n ? greatest(k, k + 1) : [k, 0];
    let width = 1;
    let chosen = k;
    if (Math.max(diagonal, column) === 0 || Number.isNaN(diagonal)) {
      if (info === 0) info = k + 1;
      pivots[k] = k + 1;
      k++;
      continue;
    }
    if (diagonal < bound * column) {
      const [, other] = greatest(row, k, row);
      if (diagonal < bound * column * (column / other)) {
        chosen = row;
        if (size(row, row) < bound * other) width = 2;
      }
    }
    const place = k + width - 1;
    if (chosen !== place) {
      // Rows of L that are already made keep their order: LAPACK applies exchanges as it solves.
      exchange(a, place, chosen, k);
    }
    if (width === 1) {
      eliminateOne(a, k);
      pivots[k] = chosen + 1;
    } else {
      eliminateTwo(a, k);
      pivots[k] = -(chosen + 1);
      pivots[k + 1] = -(chosen + 1);
    }
    k += width;
  }
  return { pivots, info };
}

function eliminateOne(a: Dense, k: number): void {
  const pivot = a.at(k, k);
  for (let j = k + 1; j < a.rows; j++) {
    const factor = a.at(j, k) / pivot;
    for (let i = j; i < a.rows; i++) a.set(i, j, a.at(i, j) - a.at(i, k) * factor);
  }
  for (let i = k + 1; i < a.rows; i++) a.set(i, k, a.at(i, k) / pivot);
}

function eliminateTwo(a: Dense, k: number): void {
  const off = a.at(k + 1, k);
  const first = a.at(k + 1, k + 1) / off;
  const second = a.at(k, k) / off;
  const scale = 1 / (first * second - 1) / off;
  for (let j = k + 2; j < a.rows; j++) {
    const [x, y] = [a.at(j, k), a.at(j, k + 1)];
    const left = scale * (first * x - y);
    const right = scale * (second * y - x);
    for (let i = j; i < a.rows; i++) {
      a.set(i, j, a.at(i, j) - a.at(i, k) * left - a.at(i, k + 1) * right);
    }
    a.set(j, k, left);
    a.set(j, k + 1, right);
  }
}

/** Solves a x = b in place of b, from the result of `ldl`. */
export function ldlSolve(factors: Dense, pivots: ArrayLike<number>, b: Dense): Dense {
  const n = factors.rows;
  const pivot = (k: number) => pivots[k] as number;
  for (let k = 0; k < n; ) {
    if (pivot(k) > 0) {
      b.swapRows(k, pivot(k) - 1);
      for (let i = k + 1; i < n; i++) b.addRow(i, k, -factors.at(i, k));
      for (let c = 0; c < b.columns; c++) b.set(k, c, b.at(k, c) / factors.at(k, k));
      k++;
      continue;
    }
    b.swapRows(k + 1, -pivot(k) - 1);
    for (let i = k + 2; i < n; i++) {
      b.addRow(i, k, -factors.at(i, k));
      b.addRow(i, k + 1, -factors.at(i, k + 1));
    }
    const off = factors.at(k + 1, k);
    const first = factors.at(k, k) / off;
    const second = factors.at(k + 1, k + 1) / off;
    const divisor = first * second - 1;
    for (let c = 0; c < b.columns; c++) {
      const [x, y] = [b.at(k, c) / off, b.at(k + 1, c) / off];
      b.set(k, c, (second * x - y) / divisor);
      b.set(k + 1, c, (first * y - x) / divisor);
    }
    k += 2;
  }
  for (let k = n - 1; k >= 0; ) {
    const width = pivot(k) > 0 ? 1 : 2;
    for (let column = k; column > k - width; column--) {
      for (let i = k + 1; i < n; i++) b.addRow(column, i, -factors.at(i, column));
    }
    b.swapRows(k, Math.abs(pivot(k)) - 1);
    k -= width;
  }
  return b;
}
