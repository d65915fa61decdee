import { constant, e } from '../../expr.js';
import { chebyshev, i1, scaledI0, scaledI1 } from '../bessel.js';
import { type Unary, unary } from '../define.js';
import { i0 } from '../values.js';
import { modified } from './bessel-coefficients.js';
import { withoutGradient } from './recurrence.js';

/** e^-|x| i0(x), which does not overflow. @see https://pytorch.org/docs/stable/special.html#torch.special.i0e */
export const i0e: Unary = unary('i0e', 'float', scaledI0);
/** e^-|x| i1(x), which does not overflow. @see https://pytorch.org/docs/stable/special.html#torch.special.i1e */
export const i1e: Unary = unary('i1e', 'float', scaledI1);

/** The modified Bessel function of the first kind of order 0; another name of `i0`. */
export const modifiedBesselI0: Unary = i0;
/** The modified Bessel function of the first kind of order 1; another name of `i1`. */
export const modifiedBesselI1: Unary = i1;

const secondKind = (order: 0 | 1, scaled: boolean): Unary => {
  const name = `${scaled ? 'scaledModified' : 'modified'}BesselK${order}`;
  const run = unary(name, 'float', (x) => {
    const t = e.sub(e.mul(x, x), 2);
    const growth = e.exp(x);
    const log = e.log(e.mul(x, 0.5));
    const product = e.mul(e.mul(log, growth), order === 0 ? scaledI0(x) : scaledI1(x));
    const near =
      order === 0
        ? e.sub(chebyshev(t, modified.k0Near), product)
        : e.add(product, e.div(chebyshev(t, modified.k1Near), x));
    const series = order === 0 ? modified.k0Far : modified.k1Far;
    const far = e.div(chebyshev(e.sub(e.div(constant(8, x.dtype), x), 2), series), e.sqrt(x));
    const value = scaled
      ? e.where(e.le(x, 2), e.mul(near, growth), far)
      : e.where(e.le(x, 2), near, e.mul(e.exp(e.neg(x)), far));
    const atZero = e.where(e.eq(x, 0), constant(Infinity, x.dtype), value);
    return e.where(e.lt(x, 0), constant(Number.NaN, x.dtype), atZero);
  });
  return withoutGradient(name, run);
};

/**
 * The modified Bessel function of the second kind of order 0; inf at zero, NaN for negative numbers.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.modified_bessel_k0
 */
export const modifiedBesselK0: Unary = secondKind(0, false);
/** The modified Bessel function of the second kind of order 1; inf at zero, NaN for negative numbers. */
export const modifiedBesselK1: Unary = secondKind(1, false);
/** e^x times `modifiedBesselK0`. */
export const scaledModifiedBesselK0: Unary = secondKind(0, true);
/** e^x times `modifiedBesselK1`. */
export const scaledModifiedBesselK1: Unary = secondKind(1, true);
