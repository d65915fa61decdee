import { formatShape, RuntimeError } from '../../errors.js';
import { op } from '../../op.js';
import { readAllSync } from '../../read.js';
import type { Tensor } from '../../tensor.js';
import { copyInto } from '../copy.js';
import { matmul } from '../matmul.js';
import { type Named, named } from '../named.js';
import { where } from '../ternary.js';
import { detach, squeeze, unsqueeze } from '../view.js';
import { writing } from '../writing.js';
import { checkFloats, checkInfo, checkMatrices, checkSameDtype, expandBatches } from './checks.js';
import {
  columns,
  decomposeSingular,
  factorQr,
  firstRows,
  firstZero,
  fresh,
  multiplyReflectors,
  solveTriangles,
  stretched,
  turned,
} from './routine.js';
import { cutoff, defaultShare } from './tolerance.js';

const drivers = ['gelsy', 'gels', 'gelsd', 'gelss'] as const;

/** How least squares are solved: `gels` takes full rank for granted, the others find the rank. */
export type LstsqDriver = (typeof drivers)[number];

/** Results of `linalg.lstsq`. */
type Solved = Named<['solution', 'residuals', 'rank', 'singularValues']>;

const solved = (solution: Tensor, residuals: Tensor, rank: Tensor, values: Tensor): Solved =>
  named(['solution', 'residuals', 'rank', 'singularValues'], solution, residuals, rank, values);

/** By QR, full rank taken for granted; for fewer rows than columns the shortest solution. */
function byQr(a: Tensor, b: Tensor): Solved {
  const [m, n] = a.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const none = () => fresh(a, [0]);
  const batch = b.shape.slice(0, -2);
  const factors = factorQr(m >= n ? a : turned(a));
  const [packed, tau] = [stretched(factors.packed, batch, 2), stretched(factors.tau, batch, 1)];
  const r = firstRows(packed, k);
  if (k > 0) checkInfo('linalg.lstsq', firstZero(firstRows(factors.packed, k)), 'leastSquares');
  const rank = fresh(a, [0], 'int64');
  if (m < n) {
    const short = solveTriangles(turned(r), b, false);
    const padded = columns(b, [...b.shape.slice(0, -2), n, b.shape.at(-1) as number]).fill_(0);
    copyInto(firstRows(padded, m), short);
    return solved(multiplyReflectors(packed, tau, padded, true, false), none(), rank, none());
  }
  const turnedB = multiplyReflectors(packed, tau, b, true, true);
  const residuals =
    m > n
      ? turnedB
          .narrow(-2, n, m - n)
          .square()
          .sum(-2)
      : none();
  return solved(solveTriangles(r, firstRows(turnedB, n), true), residuals, rank, none());
}

/** By singular values: the shortest of the solutions, whatever the rank. */
function bySvd(a: Tensor, b: Tensor, rcond: number, driver: LstsqDriver): Solved {
  const [m, n] = a.shape.slice(-2) as [number, number];
  const { u, s, vh, info } = decomposeSingular(a, 'reduced');
  if (driver !== 'gelsy') checkInfo('linalg.lstsq', info, 'leastSquares');
  const empty = Math.min(m, n) === 0;
  const counted = empty ? s.ne(0) : s.gt(cutoff(a, s, { rtol: rcond }));
  const rank = counted.sum(-1);
  const scaled = matmul(turned(u), b).mul(where(counted, s.reciprocal(), 0).unsqueeze(-1));
  const solution = columns(a, [...b.shape.slice(0, -2), n, b.shape.at(-1) as number]);
  copyInto(solution, matmul(turned(vh), scaled));
  const none = () => fresh(a, [0]);
  if (driver === 'gelsy') return solved(solution, none(), rank, none());
  const full = m > n && readAllSync(rank, 'linalg.lstsq').every((r) => Number(r) === n);
  const residuals = full ? b.sub(matmul(a, solution)).square().sum(-2) : none();
  return solved(solution, residuals, rank, s);
}

const leastSquares = op(
  'linalgLstsq',
  'self b rcond driver',
  (self: Tensor, b: Tensor, rcond: number, driver: LstsqDriver): Solved =>
    driver === 'gels' ? byQr(self, b) : bySvd(self, b, rcond, driver),
);

/** Options of `linalg.lstsq`. */
export interface LstsqOptions {
  /** Singular values up to this share of the greatest count as zeros; default max(m, n) times the dtype's epsilon. */
  rcond?: number | null;
  /** `'gels'` takes full rank for granted; `'gelsy'` (default), `'gelsd'` and `'gelss'` find the rank, by singular values. */
  driver?: LstsqDriver | null;
}

/**
 * Least squares: the solution x that makes A x - b smallest, of A [..., m, n] and b [..., m, k] or one vector a matrix [..., m]; where
 * there are several, the shortest. Batches broadcast.
 *
 * Also gives `residuals` [..., k], the sums of squares that are left (m > n and full rank; not of `gelsy`), `rank` [...] (not of
 * `gels`) and `singularValues` (of `gelsd` and `gelss`); empty where absent.
 *
 * @throws RuntimeError if shapes, dtypes or the driver do not fit; LinAlgError for `gels` without full rank.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.lstsq.html
 * @example const { solution } = linalg.lstsq(A, b);
 */
export const lstsq = writing(
  'linalg.lstsq',
  (self: Tensor, b: Tensor, options: LstsqOptions = {}): Solved => {
    const operation = 'linalg.lstsq';
    checkMatrices(operation, self, 'input');
    if (b.shape.length < 1) {
      throw new RuntimeError(`${operation}: other must have at least 1 dimension.`);
    }
    checkFloats(operation, self);
    checkSameDtype(operation, self, b, ['input', 'other']);
    const driver = options.driver ?? 'gelsy';
    if (!drivers.includes(driver)) {
      throw new RuntimeError(
        `${operation}: parameter \`driver\` should be one of (gels, gelsy, gelsd, gelss), got ${driver}`,
      );
    }
    const missing = self.shape.length - b.shape.length;
    if (missing < 0 || missing > 1) {
      throw new RuntimeError(
        `${operation}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1, got shapes ${formatShape(self.shape)} and ${formatShape(b.shape)}`,
      );
    }
    const right = missing === 1 ? unsqueeze(b, -1) : b;
    if (self.shape.at(-2) !== right.shape.at(-2)) {
      throw new RuntimeError(
        `${operation}: input.size(-2) should match other.size(${missing === 1 ? -1 : -2}), got shapes ${formatShape(self.shape)} and ${formatShape(b.shape)}`,
      );
    }
    const sides = expandBatches(operation, [self, right])[1] as Tensor;
    const rcond = options.rcond ?? defaultShare(self);
    const found = leastSquares(self, sides, rcond, driver);
    // Gradients flow through the solution alone.
    return solved(
      missing === 1 ? squeeze(found.solution, -1) : found.solution,
      detach(found.residuals),
      found.rank,
      detach(found.singularValues),
    );
  },
);
