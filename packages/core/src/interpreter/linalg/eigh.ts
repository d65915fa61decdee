import { Dense } from './dense.js';
import { householderProduct, reflectorOf } from './householder.js';
import { length, rotateRows } from './rotation.js';
import { exponentOf, nans, scaled, timesPower } from './scaling.js';

/** Steps after which an eigenvalue counts as not found; two or three are usual. */
const patience = 60;

/** A symmetric tridiagonal matrix, and the reflectors that lead to it from a symmetric one. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Element i stands beside diagonal elements i and i + 1. */
  readonly beside: Float64Array;
  readonly tau: Float64Array;
}

/** Householder's reduction of a symmetric matrix, of which the lower triangle is read; `a` holds the reflectors after. */
function tridiagonalize(a: Dense): Tridiagonal {
  const n = a.rows;
  const { data } = a;
  const beside = new Float64Array(n);
  const tau = new Float64Array(Math.max(n - 1, 0));
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k + 1 < n; k++) {
    const factor = reflectorOf(a, k + 1, k);
    tau[k] = factor;
    beside[k] = a.at(k + 1, k);
    if (factor === 0) continue;
    v[k + 1] = 1;
    for (let i = k + 2; i < n; i++) v[i] = a.at(i, k);
    // w = A v, each element of the triangle used for both places where it stands.
    w.fill(0, k + 1);
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const vi = v[i] as number;
      let sum = 0;
      for (let j = k + 1; j < i; j++) {
        const x = data[row + j] as number;
        sum += x * (v[j] as number);
        w[j] = (w[j] as number) + x * vi;
      }
      w[i] = (w[i] as number) + sum + (data[row + i] as number) * vi;
    }
    let inner = 0;
    for (let i = k + 1; i < n; i++) inner += (w[i] as number) * (v[i] as number);
    const back = (factor * factor * inner) / 2;
    for (let i = k + 1; i < n; i++) w[i] = factor * (w[i] as number) - back * (v[i] as number);
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const [vi, wi] = [v[i] as number, w[i] as number];
      for (let j = k + 1; j <= i; j++) {
        data[row + j] = (data[row + j] as number) - vi * (w[j] as number) - wi * (v[j] as number);
      }
    }
  }
  return { diagonal: Float64Array.from({ length: n }, (_, i) => a.at(i, i)), beside, tau };
}

/** The transposed product of the reflectors that `tridiagonalize` left in `a`. */
function reflectors(a: Dense, tau: Float64Array): Dense {
  const n = a.rows;
  const packed = new Dense(n - 1, n - 1);
  for (let i = 1; i < n; i++) for (let j = 0; j < i; j++) packed.set(i - 1, j, a.at(i, j));
  const q = householderProduct(packed, tau);
  const whole = Dense.identity(n);
  for (let i = 1; i < n; i++) for (let j = 1; j < n; j++) whole.set(j, i, q.at(i - 1, j - 1));
  return whole;
}

/**
 * The implicit QL algorithm with Wilkinson's shift: `diagonal` becomes the eigenvalues, the rows of `vectors` are rotated along.
 * Gives how many values did not converge.
 */
function diagonalize({ diagonal: d, beside: e }: Tridiagonal, vectors: Dense | undefined): number {
  const n = d.length;
  const at = (x: Float64Array, i: number) => x[i] as number;
  let missed = 0;
  for (let first = 0; first < n; first++) {
    for (let step = 0; ; step++) {
      let last = first;
      while (last + 1 < n) {
        const sum = Math.abs(at(d, last)) + Math.abs(at(d, last + 1));
        if (Math.abs(at(e, last)) <= Number.EPSILON * sum) break;
        last++;
      }
      if (last === first) break;
      if (step === patience) {
        missed++;
        break;
      }
      const half = (at(d, first + 1) - at(d, first)) / (2 * at(e, first));
      const root = length(half, 1);
      let g = at(d, last) - at(d, first) + at(e, first) / (half >= 0 ? half + root : half - root);
      let [s, c, p] = [1, 1, 0];
      let i = last - 1;
      for (; i >= first; i--) {
        const [f, b] = [s * at(e, i), c * at(e, i)];
        const r = length(f, g);
        e[i + 1] = r;
        if (r === 0) {
          // The matrix falls apart here.
          d[i + 1] = at(d, i + 1) - p;
          e[last] = 0;
          break;
        }
        s = f / r;
        c = g / r;
        g = at(d, i + 1) - p;
        const t = (at(d, i) - g) * s + 2 * c * b;
        p = s * t;
        d[i + 1] = g + p;
        g = c * t - b;
        rotateRows(vectors, i + 1, i, c, s);
      }
      if (i >= first) continue;
      d[first] = at(d, first) - p;
      e[first] = g;
      e[last] = 0;
    }
  }
  return missed;
}

/**
 * Eigenvalues in ascending order and eigenvectors (columns) of a symmetric matrix, of which one triangle is read:
 * Householder's tridiagonalization, then the implicit QL algorithm.
 *
 * @see https://doi.org/10.1137/1.9781421407944 Golub and Van Loan, Matrix Computations, 8.3
 */
export function eigh(
  a: Dense,
  upper: boolean,
  wanted = true,
): { values: Float64Array; vectors: Dense; info: number } {
  const n = a.rows;
  const lower = new Dense(n, n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) lower.set(i, j, upper ? a.at(j, i) : a.at(i, j));
  }
  if (!lower.isFinite()) {
    return { values: new Float64Array(n).fill(NaN), vectors: nans(n, n), info: n };
  }
  if (n === 0) return { values: new Float64Array(0), vectors: lower, info: 0 };
  const exponent = exponentOf(lower);
  const work = scaled(lower, -exponent);
  const matrix = tridiagonalize(work);
  const rows = wanted ? reflectors(work, matrix.tau) : undefined;
  const info = diagonalize(matrix, rows);
  const { diagonal } = matrix;
  const order = Array.from(diagonal.keys()).sort(
    (i, j) => (diagonal[i] as number) - (diagonal[j] as number),
  );
  const values = Float64Array.from(order, (i) => timesPower(diagonal[i] as number, exponent));
  const vectors = new Dense(n, n);
  if (rows) {
    order.forEach((from, j) => {
      for (let i = 0; i < n; i++) vectors.set(i, j, rows.at(from, i));
    });
  }
  return { values, vectors, info };
}
