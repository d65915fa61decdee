import { formatShape, RuntimeError } from '../../errors.js';
import { op } from '../../op.js';
import { sameShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { copyInto } from '../copy.js';
import { type Named, named } from '../named.js';
import { writing } from '../writing.js';
import { checkFloats, checkMatrices, checkSameDtype } from './checks.js';
import {
  columns,
  factorQr,
  firstColumns,
  firstRows,
  fresh,
  multiplyReflectors,
  reflectorsProduct,
} from './routine.js';

/** How much of Q: as many columns as R has rows (`reduced`), all (`complete`), or none (`r`). */
export type QrMode = 'reduced' | 'complete' | 'r';

const decompose = op('linalgQr', 'self mode', (self: Tensor, mode: QrMode) => {
  const [m, n] = self.shape.slice(-2) as [number, number];
  const k = Math.min(m, n);
  const { packed, tau } = factorQr(self);
  const R = firstRows(packed, mode === 'complete' ? m : k).triu();
  if (mode === 'r') return named(['Q', 'R'], fresh(self, [0]), R);
  if (mode === 'reduced' || m <= n) {
    const reflectors = firstColumns(packed, mode === 'reduced' ? k : m);
    return named(['Q', 'R'], reflectorsProduct(reflectors, tau), R);
  }
  const wide = columns(self, [...self.shape.slice(0, -2), m, m]);
  copyInto(firstColumns(wide, n), packed);
  return named(['Q', 'R'], reflectorsProduct(wide, tau), R);
});

/**
 * Matrices [..., m, n] as Q R, with orthonormal columns and an upper triangle: [..., m, k] and [..., k, n] with k = min(m, n); in mode
 * `complete` [..., m, m] and [..., m, n]; in mode `r` Q is empty.
 *
 * @throws RuntimeError for another mode, or matrices that are not float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.qr.html
 * @example const { Q, R } = linalg.qr(A);
 */
export const qr = writing(
  'linalg.qr',
  (self: Tensor, mode: QrMode = 'reduced'): Named<['Q', 'R']> => {
    checkMatrices('linalg.qr', self);
    checkFloats('linalg.qr', self);
    if (!['reduced', 'complete', 'r'].includes(mode)) {
      throw new RuntimeError(
        `linalg.qr: received unrecognized mode '${mode}' but expected one of 'reduced' (default), 'r', or 'complete'`,
      );
    }
    return decompose(self, mode);
  },
);

/** As `linalg.qr`: reduced, or with `some: false` complete. */
export const qrOf = writing(
  'qr',
  (self: Tensor, options: { some?: boolean } = {}): Named<['Q', 'R']> =>
    qr(self, (options.some ?? true) ? 'reduced' : 'complete'),
);

const pack = op('geqrf', 'self', (self: Tensor): Named<['a', 'tau']> => {
  const { packed, tau } = factorQr(self);
  return named(['a', 'tau'], packed, tau);
});

/**
 * The QR decomposition of matrices [..., m, n] as LAPACK packs it: R in the upper triangle of `a`, the reflectors whose product is
 * Q below it, and their factors `tau` [..., min(m, n)].
 *
 * @throws RuntimeError if the matrices are not float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.geqrf.html
 */
export const geqrf = writing('geqrf', (self: Tensor): Named<['a', 'tau']> => {
  checkMatrices('geqrf', self);
  checkFloats('geqrf', self);
  return pack(self);
});

/** @throws RuntimeError if `tau` does not belong to those reflectors. */
function checkReflectors(operation: string, input: Tensor, tau: Tensor): void {
  if (input.shape.length < 2) {
    throw new RuntimeError(
      `${operation}: input must have at least 2 dimensions, got shape ${formatShape(input.shape)}.`,
    );
  }
  const [columnCount, factors] = [input.shape.at(-1) as number, tau.shape.at(-1) as number];
  if (factors > columnCount) {
    throw new RuntimeError(
      `${operation}: tau.shape[-1] must be less than or equal to input.shape[-1], got ${factors} and ${columnCount}`,
    );
  }
  if (
    tau.shape.length !== input.shape.length - 1 ||
    !sameShape(tau.shape.slice(0, -1), input.shape.slice(0, -2))
  ) {
    throw new RuntimeError(
      `${operation}: Expected batch dimensions of tau to be equal to input.shape[:-2] = ${formatShape(input.shape.slice(0, -2))}, but got tau of shape ${formatShape(tau.shape)}`,
    );
  }
  checkFloats(operation, input);
  checkSameDtype(operation, input, tau, ['input', 'tau']);
}

const product = op('linalgHouseholderProduct', 'input tau', reflectorsProduct);

/**
 * The first n columns of the product of reflectors: [..., m, n] from `input` [..., m, n], packed as by `geqrf`, and `tau`
 * [..., k], k <= n <= m.
 *
 * @throws RuntimeError if shapes or dtypes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.householder_product.html
 */
export const householderProduct = writing(
  'linalg.householderProduct',
  (input: Tensor, tau: Tensor): Tensor => {
    checkReflectors('linalg.householderProduct', input, tau);
    const [m, n] = input.shape.slice(-2) as [number, number];
    if (m < n) {
      throw new RuntimeError(
        `linalg.householderProduct: input.shape[-2] must be greater than or equal to input.shape[-1], got ${m} and ${n}`,
      );
    }
    return product(input, tau);
  },
);

/** As `linalg.householderProduct`. */
export const orgqr = householderProduct;

/** Options of `ormqr`. */
export interface OrmqrOptions {
  /** Q stands to the left of `other`; default true. */
  left?: boolean;
  /** Take Q^T; default false. */
  transpose?: boolean;
}

const multiply = op(
  'ormqr',
  'self tau other left transpose',
  (self: Tensor, tau: Tensor, other: Tensor, left: boolean, transpose: boolean): Tensor =>
    multiplyReflectors(self, tau, other, left, transpose),
);

/**
 * The product of Q, given as reflectors `input` [..., m, k] packed as by `geqrf` with factors `tau` [..., k], and matrices: Q other, or
 * other Q with `left: false`.
 *
 * @throws RuntimeError if shapes or dtypes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.ormqr.html
 */
export const ormqr = writing(
  'ormqr',
  (input: Tensor, tau: Tensor, other: Tensor, options: OrmqrOptions = {}): Tensor => {
    const left = options.left ?? true;
    if (input.shape.length < 2) checkReflectors('ormqr', input, tau);
    if (other.shape.length < 2) {
      throw new RuntimeError(
        `ormqr: other must have at least 2 dimensions, got shape ${formatShape(other.shape)}.`,
      );
    }
    checkReflectors('ormqr', input, tau);
    checkSameDtype('ormqr', input, other, ['input', 'other']);
    const side = left ? -2 : -1;
    if (
      other.shape.at(side) !== input.shape.at(-2) ||
      (tau.shape.at(-1) as number) > (input.shape.at(-2) as number)
    ) {
      throw new RuntimeError(
        `ormqr: other.shape[${side}] must be equal to input.shape[-2] and not less than tau.shape[-1], got other ${formatShape(other.shape)}, input ${formatShape(input.shape)} and tau ${formatShape(tau.shape)}`,
      );
    }
    if (!sameShape(other.shape.slice(0, -2), input.shape.slice(0, -2))) {
      throw new RuntimeError(
        `ormqr: Expected batch dimensions of other to be equal to input.shape[:-2] = ${formatShape(input.shape.slice(0, -2))}, but got other of shape ${formatShape(other.shape)}`,
      );
    }
    return multiply(input, tau, other, left, options.transpose ?? false);
  },
);
