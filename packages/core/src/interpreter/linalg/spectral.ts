import { EigenvalueDecomposition, type Matrix, SingularValueDecomposition, wrap } from 'ml-matrix';
import { Dense } from './dense.js';
import { householderProduct, qr } from './householder.js';

/** x times a power of two, which may itself be out of range. */
function timesPower(x: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return x * 2 ** half * 2 ** (exponent - half);
}

/** The exponent of the greatest element: the library squares, and must get elements of size about 1. */
function exponentOf({ data }: Dense): number {
  const greatest = data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  return greatest === 0 ? 0 : Math.floor(Math.log2(greatest));
}

const scaled = ({ rows, columns, data }: Dense, exponent: number): Dense =>
  new Dense(
    rows,
    columns,
    data.map((x) => timesPower(x, exponent)),
  );

const wrapped = (a: Dense) => wrap(a.data as unknown as number[], { rows: a.rows });

/** The first `columns` columns of a matrix of the library. */
function denseOf(m: Matrix, columns: number): Dense {
  const made = new Dense(m.rows, columns);
  for (let i = 0; i < m.rows; i++) for (let j = 0; j < columns; j++) made.set(i, j, m.get(i, j));
  return made;
}

/** Eigenvalues in ascending order and eigenvectors (columns) of a symmetric matrix, of which one triangle is read. */
export function eigh(
  a: Dense,
  upper: boolean,
): { values: Float64Array; vectors: Dense; info: number } {
  const n = a.rows;
  const full = new Dense(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const value = upper ? a.at(j, i) : a.at(i, j);
      full.set(i, j, value);
      full.set(j, i, value);
    }
  }
  if (!full.isFinite()) {
    return {
      values: new Float64Array(n).fill(NaN),
      vectors: new Dense(n, n, new Float64Array(n * n).fill(NaN)),
      info: n,
    };
  }
  if (n === 0) return { values: new Float64Array(0), vectors: full, info: 0 };
  const exponent = exponentOf(full);
  const found = new EigenvalueDecomposition(wrapped(scaled(full, -exponent)), {
    assumeSymmetric: true,
  });
  return {
    values: Float64Array.from(found.realEigenvalues, (x) => timesPower(x, exponent)),
    vectors: denseOf(found.eigenvectorMatrix, n),
    info: 0,
  };
}

/** Orthonormal columns and as many more as make them a basis of the whole space. */
function completed(basis: Dense): Dense {
  const { rows, columns } = basis;
  if (columns === rows) return basis;
  const packed = basis.clone();
  const whole = householderProduct(packed, qr(packed), rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) whole.set(i, j, basis.at(i, j));
  }
  return whole;
}

/** The singular values in descending order and, as wanted, the vectors on both sides: `full` bases or the first ones. */
export function svd(
  a: Dense,
  vectors: boolean,
  full: boolean,
): { s: Float64Array; u: Dense; v: Dense; info: number } {
  const { rows, columns } = a;
  const k = Math.min(rows, columns);
  const [width, height] = full ? [rows, columns] : [k, k];
  if (!a.isFinite()) {
    const nans = (m: number, n: number) => new Dense(m, n, new Float64Array(m * n).fill(NaN));
    return {
      s: new Float64Array(k).fill(NaN),
      u: nans(rows, width),
      v: nans(columns, height),
      info: -4,
    };
  }
  if (k === 0) {
    const corner = (n: number, m: number) => (m === n ? Dense.identity(n) : new Dense(n, m));
    return { s: new Float64Array(0), u: corner(rows, width), v: corner(columns, height), info: 0 };
  }
  const exponent = exponentOf(a);
  const found = new SingularValueDecomposition(wrapped(scaled(a, -exponent)), {
    computeLeftSingularVectors: vectors,
    computeRightSingularVectors: vectors,
    autoTranspose: true,
  });
  const s = Float64Array.from(found.diagonal, (x) => timesPower(x, exponent)).subarray(0, k);
  if (!vectors) return { s, u: new Dense(0, 0), v: new Dense(0, 0), info: 0 };
  const [u, v] = [denseOf(found.leftSingularVectors, k), denseOf(found.rightSingularVectors, k)];
  return { s, u: full ? completed(u) : u, v: full ? completed(v) : v, info: 0 };
}
