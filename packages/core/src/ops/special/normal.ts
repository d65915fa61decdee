import { constant, type Expr, e } from '../../expr.js';
import { chebyshev } from '../bessel.js';
import { type Unary, unary } from '../define.js';
import { normalTail, scaledErfc } from './normal-coefficients.js';

/** e^(x²) erfc(x). */
function scaledComplement(x: Expr): Expr {
  const size = e.abs(x);
  const t = e.div(e.mul(e.sub(size, 3.75), 2), e.add(size, 3.75));
  const right = e.div(chebyshev(t, scaledErfc), e.add(e.add(size, size), 1));
  const far = e.div(constant(1 / Math.sqrt(Math.PI), x.dtype), size);
  const positive = e.where(e.gt(size, 1e10), far, right);
  const left = e.sub(e.mul(e.exp(e.mul(x, x)), 2), positive);
  return e.where(e.lt(x, 0), left, positive);
}

/**
 * e^(x²) erfc(x), which neither under- nor overflows for positive x.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.erfcx
 */
export const erfcx: Unary = unary('erfcx', 'float', scaledComplement);

/**
 * The area under the standard normal density left of x.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.ndtr
 */
export const ndtr: Unary = unary('ndtr', 'float', (x) => {
  const z = e.mul(x, Math.SQRT1_2);
  const size = e.abs(z);
  const tail = e.mul(e.erfc(size), 0.5);
  const outer = e.where(e.gt(z, 0), e.sub(constant(1, x.dtype), tail), tail);
  const inner = e.add(e.mul(e.erf(z), 0.5), 0.5);
  return e.where(e.lt(size, Math.SQRT1_2), inner, outer);
});

/** The logarithm of `ndtr`, exact where that is tiny. */
export const logNdtr: Unary = unary('logNdtr', 'float', (x) => {
  const z = e.mul(x, Math.SQRT1_2);
  const left = e.sub(e.log(e.mul(scaledComplement(e.neg(z)), 0.5)), e.mul(z, z));
  const right = e.log1p(e.mul(e.erfc(z), -0.5));
  return e.where(e.lt(x, -1), left, right);
});

const between = (z: Expr, low: number, high: number): Expr =>
  e.mul(e.sub(z, (low + high) / 2), 4 / (high - low));

/**
 * The inverse of `ndtr`; NaN outside of [0, 1].
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.ndtri
 */
export const ndtri: Unary = unary('ndtri', 'float', (p) => {
  const upper = e.sub(constant(1, p.dtype), p);
  const smaller = e.min(p, upper);
  const s = e.sqrt(e.mul(e.log(smaller), -2));
  const z = e.div(constant(1, p.dtype), s);
  const rest = e.where(
    e.gt(z, 1 / 8),
    chebyshev(between(z, 1 / 8, 1 / 2), normalTail.near),
    chebyshev(between(z, 1 / 40, 1 / 8), normalTail.far),
  );
  const size = e.sub(s, e.mul(z, e.add(e.log(s), rest)));
  const tail = e.where(e.lt(p, upper), e.neg(size), size);
  const middle = e.mul(e.erfinv(e.sub(e.add(p, p), 1)), Math.SQRT2);
  const value = e.where(e.lt(smaller, Math.exp(-2)), tail, middle);
  const low = e.where(e.eq(p, 0), constant(-Infinity, p.dtype), value);
  return e.where(e.eq(p, 1), constant(Infinity, p.dtype), low);
});
