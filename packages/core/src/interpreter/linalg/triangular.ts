import { Dense } from './dense.js';

/** The lower or upper factor of a symmetric positive-definite matrix, of which that triangle is read; and `info`. */
export function cholesky(a: Dense, upper: boolean): { factor: Dense; info: number } {
  const n = a.rows;
  const factor = new Dense(n, n);
  const read = upper ? (i: number, j: number) => a.at(j, i) : (i: number, j: number) => a.at(i, j);
  const done = (info: number) => ({ factor: upper ? factor.transposed() : factor, info });
  for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) factor.set(i, j, read(i, j));
  for (let j = 0; j < n; j++) {
    let square = factor.at(j, j);
    for (let k = 0; k < j; k++) square -= factor.at(j, k) ** 2;
    // Also where it is NaN.
    if (!(square > 0)) return done(j + 1);
    const pivot = Math.sqrt(square);
    factor.set(j, j, pivot);
    for (let i = j + 1; i < n; i++) {
      let sum = factor.at(i, j);
      for (let k = 0; k < j; k++) sum -= factor.at(i, k) * factor.at(j, k);
      factor.set(i, j, sum / pivot);
    }
  }
  return done(0);
}

/** Solves a x = b in place of b, for triangular a; `unit`: its diagonal counts as ones. */
export function solveTriangular(a: Dense, b: Dense, upper: boolean, unit: boolean): Dense {
  const n = a.rows;
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    const [from, to] = upper ? [i + 1, n] : [0, i];
    for (let k = from; k < to; k++) b.addRow(i, k, -a.at(i, k));
    if (unit) continue;
    const pivot = a.at(i, i);
    for (let c = 0; c < b.columns; c++) b.set(i, c, b.at(i, c) / pivot);
  }
  return b;
}
