import { explaining } from '../../explain.js';
import { op } from '../../op.js';
import type { Tensor } from '../../tensor.js';
import { arange } from '../create.js';
import { type Named, named } from '../named.js';
import { type Writing, writing } from '../writing.js';
import { checkFloats, checkSquare } from './checks.js';
import { factorLu, liesInRows, turned } from './routine.js';

/** The diagonal of U and the determinant of P, 1 or -1. */
function diagonalAndSign(lu: Tensor, pivots: Tensor): { diagonal: Tensor; parity: Tensor } {
  const n = lu.shape.at(-1) as number;
  const places = arange(1, n + 1, { dtype: 'int32', device: lu.device });
  const exchanges = pivots.ne(places).sum(-1);
  const parity = exchanges.remainder(2).mul(-2).add(1).to(lu.dtype);
  return { diagonal: lu.diagonal({ dim1: -2, dim2: -1 }), parity };
}

const determinant = op(
  'linalgDet',
  'self turn',
  (self: Tensor, turn: boolean): Named<['result', 'LU', 'pivots']> => {
    const { lu, pivots } = factorLu(turn ? turned(self) : self);
    const { diagonal, parity } = diagonalAndSign(lu, pivots);
    return named(['result', 'LU', 'pivots'], diagonal.prod(-1).mul(parity), lu, pivots);
  },
);

/**
 * The determinants of square matrices: [...] of [..., n, n].
 *
 * @throws RuntimeError if they are not square matrices of float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.det.html
 */
export const det: Writing<(self: Tensor) => Tensor> = writing(
  'linalg.det',
  (self: Tensor): Tensor => {
    checkSquare('linalg.det', self);
    checkFloats('linalg.det', self);
    return determinant(self, liesInRows(self)).result;
  },
);

const logDeterminant = op(
  'linalgSlogdet',
  'self turn',
  (self: Tensor, turn: boolean): Named<['sign', 'logabsdet', 'LU', 'pivots']> => {
    const { lu, pivots } = factorLu(turn ? turned(self) : self);
    const { diagonal, parity } = diagonalAndSign(lu, pivots);
    const sign = diagonal.sgn().prod(-1).mul(parity);
    const logabsdet = diagonal.abs().log().sum(-1);
    return named(['sign', 'logabsdet', 'LU', 'pivots'], sign, logabsdet, lu, pivots);
  },
);

/**
 * The signs and the logarithms of the absolute values of determinants; 0 and -Infinity for singular matrices.
 *
 * @throws RuntimeError if they are not square matrices of float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.slogdet.html
 */
export const slogdet = writing('linalg.slogdet', (self: Tensor): Named<['sign', 'logabsdet']> => {
  checkSquare('linalg.slogdet', self);
  checkFloats('linalg.slogdet', self);
  const { sign, logabsdet } = logDeterminant(self, liesInRows(self));
  return named(['sign', 'logabsdet'], sign, logabsdet);
});

/**
 * The logarithms of determinants; NaN for negative ones.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.logdet.html
 */
export const logdet = explaining('logdet', (self: Tensor): Tensor => {
  checkSquare('logdet', self);
  checkFloats('logdet', self);
  const { sign, logabsdet } = logDeterminant(self, liesInRows(self));
  return logabsdet.add(sign.log());
});
