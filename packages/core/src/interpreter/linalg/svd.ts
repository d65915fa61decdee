import { Dense } from './dense.js';
import {
  householderMultiply,
  householderProduct,
  qr,
  reflect,
  reflectorOf,
} from './householder.js';
import { type Rotation, rotateRows, rotationOf } from './rotation.js';
import { exponentOf, nans, scaled, timesPower } from './scaling.js';

/** Steps for each singular value after which the rest count as not found; two or three are usual. */
const patience = 60;

/** From how many times more rows than columns on it pays to take the triangle of QR first. */
const tall = 1.5;

/** Singular values and vectors of a matrix with at least as many rows as columns. */
interface Parts {
  readonly s: Float64Array;
  /** Left vectors as rows. */
  readonly left: Dense | undefined;
  /** Right vectors as rows. */
  readonly right: Dense | undefined;
  readonly info: number;
}

/** An upper bidiagonal matrix, and the rows of the bases in which it is one. */
interface Bidiagonal {
  readonly diagonal: Float64Array;
  /** Element i stands right of diagonal element i. */
  readonly beside: Float64Array;
  readonly left: Dense | undefined;
  readonly right: Dense | undefined;
}

/** Householder's reduction by reflections from both sides, in place of `a`; `bases` is how many left vectors are wanted. */
function bidiagonalize(a: Dense, bases: number): Bidiagonal {
  const { rows: m, columns: n, data } = a;
  const tau = new Float64Array(n);
  // Reflectors of rows stand as columns here, one place up and left.
  const across = new Dense(Math.max(n - 1, 0), Math.max(n - 1, 0));
  const tauAcross = new Float64Array(across.rows);
  const beside = new Float64Array(n);
  for (let k = 0; k < n; k++) {
    tau[k] = reflectorOf(a, k, k);
    reflect(a, k, tau[k] as number, a, k + 1);
    if (k + 1 >= n) continue;
    for (let j = k + 1; j < n; j++) across.set(j - 1, k, a.at(k, j));
    const factor = reflectorOf(across, k, k);
    tauAcross[k] = factor;
    beside[k] = across.at(k, k);
    if (factor === 0) continue;
    const v = Float64Array.from({ length: n - 1 - k }, (_, j) =>
      j === 0 ? 1 : across.at(k + j, k),
    );
    for (let i = k + 1; i < m; i++) {
      const row = i * n + k + 1;
      let sum = 0;
      for (let j = 0; j < v.length; j++) sum += (data[row + j] as number) * (v[j] as number);
      sum *= factor;
      for (let j = 0; j < v.length; j++) {
        data[row + j] = (data[row + j] as number) - sum * (v[j] as number);
      }
    }
  }
  const diagonal = Float64Array.from({ length: n }, (_, i) => a.at(i, i));
  if (bases === 0) return { diagonal, beside, left: undefined, right: undefined };
  const right = Dense.identity(n);
  const inner = householderProduct(across, tauAcross);
  for (let i = 1; i < n; i++) for (let j = 1; j < n; j++) right.set(j, i, inner.at(i - 1, j - 1));
  return { diagonal, beside, left: householderProduct(a, tau, bases).transposed(), right };
}

/** One bidiagonal matrix on its way to a diagonal one. */
class Diagonalization {
  readonly #d: Float64Array;
  readonly #e: Float64Array;
  readonly #left: Dense | undefined;
  readonly #right: Dense | undefined;
  readonly #turn: Rotation = { c: 1, s: 0, r: 0 };
  /** What counts as nothing on the diagonal. */
  readonly #negligible: number;

  constructor({ diagonal, beside, left, right }: Bidiagonal) {
    this.#d = diagonal;
    this.#e = beside;
    this.#left = left;
    this.#right = right;
    let greatest = 0;
    for (const x of diagonal) greatest = Math.max(greatest, Math.abs(x));
    for (const x of beside) greatest = Math.max(greatest, Math.abs(x));
    this.#negligible = greatest * Number.EPSILON;
  }

  /** Runs the implicit QR algorithm; gives how many values did not converge. */
  run(): number {
    let last = this.#d.length - 1;
    for (let step = patience * this.#d.length; last > 0; step--) {
      if (step === 0) return last + 1;
      const first = this.#blockEndingAt(last);
      if (first === last) {
        last--;
        continue;
      }
      const zero = this.#zeroIn(first, last);
      if (zero === last) this.#clearColumn(first, last);
      else if (zero !== undefined) this.#clearRow(zero, last);
      else this.#chase(first, last);
    }
    return 0;
  }

  /** Where the block begins whose elements beside the diagonal are not negligible. */
  #blockEndingAt(last: number): number {
    let first = last;
    while (first > 0) {
      const sum = Math.abs(this.#diagonal(first)) + Math.abs(this.#diagonal(first - 1));
      if (Math.abs(this.#beside(first - 1)) <= Number.EPSILON * sum) {
        this.#e[first - 1] = 0;
        break;
      }
      first--;
    }
    return first;
  }

  #diagonal(i: number): number {
    return this.#d[i] as number;
  }

  #beside(i: number): number {
    return this.#e[i] as number;
  }

  #zeroIn(first: number, last: number): number | undefined {
    for (let i = last; i >= first; i--) {
      if (Math.abs(this.#diagonal(i)) <= this.#negligible) {
        this.#d[i] = 0;
        return i;
      }
    }
    return undefined;
  }

  /** Where a diagonal element is 0, rotations of rows clear what stands right of it. */
  #clearRow(zero: number, last: number): void {
    let stray = this.#beside(zero);
    this.#e[zero] = 0;
    for (let k = zero + 1; k <= last && stray !== 0; k++) {
      rotationOf(this.#diagonal(k), stray, this.#turn);
      const { c, s, r } = this.#turn;
      this.#d[k] = r;
      rotateRows(this.#left, k, zero, c, s);
      if (k === last) break;
      stray = -s * this.#beside(k);
      this.#e[k] = c * this.#beside(k);
    }
  }

  /** Where the last diagonal element is 0, rotations of columns clear what stands above it. */
  #clearColumn(first: number, last: number): void {
    let stray = this.#beside(last - 1);
    this.#e[last - 1] = 0;
    for (let k = last - 1; k >= first && stray !== 0; k--) {
      rotationOf(this.#diagonal(k), stray, this.#turn);
      const { c, s, r } = this.#turn;
      this.#d[k] = r;
      rotateRows(this.#right, k, last, c, s);
      if (k === first) break;
      stray = -s * this.#beside(k - 1);
      this.#e[k - 1] = c * this.#beside(k - 1);
    }
  }

  /** A step of the QR algorithm: a bulge, made by Wilkinson's shift, is chased down the diagonal. */
  #chase(first: number, last: number): void {
    const turn = this.#turn;
    const [above, corner, end] = [
      this.#diagonal(last - 1),
      this.#beside(last - 1),
      this.#diagonal(last),
    ];
    const before = last - 1 > first ? this.#beside(last - 2) : 0;
    const product = above * corner;
    const half = (above * above + before * before - end * end - corner * corner) / 2;
    const root = Math.sqrt(half * half + product * product);
    const divisor = half >= 0 ? half + root : half - root;
    const shift = end * end + corner * corner - (divisor === 0 ? 0 : (product * product) / divisor);
    const start = this.#diagonal(first);
    let y = start * start - shift;
    let z = start * this.#beside(first);
    for (let k = first; k < last; k++) {
      rotationOf(y, z, turn);
      let { c, s } = turn;
      if (k > first) this.#e[k - 1] = turn.r;
      const [d, e, next] = [this.#diagonal(k), this.#beside(k), this.#diagonal(k + 1)];
      const e2 = c * e - s * d;
      const next2 = c * next;
      rotateRows(this.#right, k, k + 1, c, s);
      rotationOf(c * d + s * e, s * next, turn);
      ({ c, s } = turn);
      this.#d[k] = turn.r;
      y = c * e2 + s * next2;
      this.#d[k + 1] = c * next2 - s * e2;
      rotateRows(this.#left, k, k + 1, c, s);
      if (k + 1 < last) {
        z = s * this.#beside(k + 1);
        this.#e[k + 1] = c * this.#beside(k + 1);
      }
    }
    this.#e[last - 1] = y;
  }
}

/** The decomposition of a matrix with at least as many rows as columns; `bases` is how many left vectors are wanted, 0 for none of either side. */
function decompose(a: Dense, bases: number): Parts {
  const { rows: m, columns: n } = a;
  if (m > tall * n && bases > 0) return decomposeTall(a, bases);
  const matrix = bidiagonalize(a, bases);
  const info = new Diagonalization(matrix).run();
  const { diagonal, left, right } = matrix;
  diagonal.forEach((x, i) => {
    if (x >= 0) return;
    diagonal[i] = -x;
    if (right) for (let j = 0; j < n; j++) right.set(i, j, -right.at(i, j));
  });
  const order = Array.from(diagonal.keys()).sort(
    (i, j) => (diagonal[j] as number) - (diagonal[i] as number),
  );
  return {
    s: Float64Array.from(order, (i) => diagonal[i] as number),
    left: left && reordered(left, order),
    right: right && reordered(right, order),
    info,
  };
}

/** By the triangle of QR, whose decomposition costs as much for few rows as for many. */
function decomposeTall(a: Dense, bases: number): Parts {
  const { rows: m, columns: n } = a;
  const tau = qr(a);
  const triangle = new Dense(n, n);
  for (let i = 0; i < n; i++) for (let j = i; j < n; j++) triangle.set(i, j, a.at(i, j));
  const { s, left, right, info } = decompose(triangle, n);
  const whole = new Dense(m, bases);
  for (let i = 0; i < bases; i++) whole.set(i, i, 1);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) whole.set(i, j, (left as Dense).at(j, i));
  return { s, left: householderMultiply(a, tau, whole, false).transposed(), right, info };
}

/** The rows in the given order, those that it does not name behind. */
function reordered(rows: Dense, order: readonly number[]): Dense {
  const { columns, data } = rows;
  const made = rows.clone();
  order.forEach((from, to) => {
    made.data.set(data.subarray(from * columns, (from + 1) * columns), to * columns);
  });
  return made;
}

/**
 * The singular values in descending order and, as wanted, the vectors on both sides: `full` bases or the first ones. Golub and Kahan's
 * bidiagonalization, then the implicit QR algorithm.
 *
 * @see https://doi.org/10.1137/1.9781421407944 Golub and Van Loan, Matrix Computations, 8.6
 */
export function svd(
  a: Dense,
  vectors: boolean,
  full: boolean,
): { s: Float64Array; u: Dense; v: Dense; info: number } {
  const { rows, columns } = a;
  const k = Math.min(rows, columns);
  const [width, height] = full ? [rows, columns] : [k, k];
  if (!a.isFinite()) {
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
  const wide = rows < columns;
  const work = scaled(wide ? a.transposed() : a, -exponent);
  const bases = vectors ? (full ? work.rows : k) : 0;
  const { s, left, right, info } = decompose(work, bases);
  const values = s.map((x) => timesPower(x, exponent));
  if (!left || !right) return { s: values, u: new Dense(0, 0), v: new Dense(0, 0), info };
  const [u, v] = wide ? [right, left] : [left, right];
  return { s: values, u: u.transposed(), v: v.transposed(), info };
}
