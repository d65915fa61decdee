import { RuntimeError } from '../../errors.js';
import type { Tensor } from '../../tensor.js';
import { unsqueeze } from '../view.js';
import { checkFloats, checkMatrices } from './checks.js';

/** A bound for all matrices, or one for each: a tensor that broadcasts with their batch dimensions. */
export type Tolerance = number | Tensor;

/** Up to which size singular values count as zeros: the greater of both. */
export interface ToleranceOptions {
  /** Absolute; default 0. */
  atol?: Tolerance | null;
  /** As a share of the greatest; default max(m, n) times the dtype's epsilon, or 0 where `atol` is positive. */
  rtol?: Tolerance | null;
}

/** Options of `pinv` and `matrixRank`. */
export interface SpectralOptions extends ToleranceOptions {
  /** The matrices are symmetric, which is quicker; the lower triangle is read. Default false. */
  hermitian?: boolean;
}

/** The distance of 1 from the next number of a dtype. */
export const epsilon = (self: Tensor): number => (self.dtype === 'float64' ? 2 ** -52 : 2 ** -23);

/** The default of `rtol`. */
export const defaultShare = (self: Tensor): number =>
  epsilon(self) * Math.max(...self.shape.slice(-2));

/** One value a row, as a column to compare rows with; numbers stay. */
const asColumn = (tolerance: Tolerance): Tolerance =>
  typeof tolerance === 'number' ? tolerance : unsqueeze(tolerance, -1);

const isPositive = (tolerance: Tolerance): boolean | Tensor =>
  typeof tolerance === 'number' ? tolerance > 0 : tolerance.gt(0);

/** The bound [..., 1] below which the sizes [..., k] of singular values or eigenvalues count as zeros. */
export function cutoff(self: Tensor, sizes: Tensor, options: ToleranceOptions): Tensor {
  const greatest = sizes.amax(-1, { keepdim: true });
  const atol = asColumn(options.atol ?? 0);
  const share = defaultShare(self);
  let rtol: Tolerance;
  if (options.rtol !== undefined && options.rtol !== null) rtol = asColumn(options.rtol);
  else {
    const given = isPositive(atol);
    rtol =
      typeof given === 'boolean'
        ? given
          ? 0
          : share
        : given.logicalNot().to(self.dtype).mul(share);
  }
  const relative = greatest.mul(rtol);
  return typeof atol === 'number'
    ? relative.clampMin(atol)
    : relative.maximum(atol.to(relative.dtype));
}

/** @throws RuntimeError for what has no singular values, or tolerances that are complex or no numbers. */
export function checkSpectral(operation: string, self: Tensor, options: ToleranceOptions): void {
  checkMatrices(operation, self);
  checkFloats(operation, self);
  for (const [name, value] of [
    ['atol', options.atol],
    ['rtol', options.rtol],
  ] as const) {
    if (typeof value === 'number' && Number.isNaN(value)) {
      throw new RuntimeError(`${operation}: ${name} must be a number, got NaN`);
    }
  }
}
