import { constant, type Expr, e } from '../../expr.js';
import { chebyshev } from '../bessel.js';
import { type Unary, unary } from '../define.js';
import { ordinaryFar, ordinaryNear } from './bessel-coefficients.js';
import { withoutGradient } from './recurrence.js';

const nearVariable = (x: Expr): Expr => e.sub(e.div(e.mul(x, x), constant(16, x.dtype)), 2);

/** Amplitudes of cosine and sine for x > 8, and these two of x - π/4 (order 0) or x - 3π/4 (order 1). */
function wave(x: Expr, order: 0 | 1) {
  const ratio = e.div(constant(8, x.dtype), x);
  const t = e.sub(e.mul(e.mul(ratio, ratio), 4), 2);
  const [p, q] = [ordinaryFar[`p${order}`], ordinaryFar[`q${order}`]] as const;
  // Angles of multiples of π/4 by the addition theorem, as x - π/4 would round away what matters.
  const [c, s] = [e.cos(x), e.sin(x)];
  const [plus, minus] = [e.mul(e.add(c, s), Math.SQRT1_2), e.mul(e.sub(s, c), Math.SQRT1_2)];
  const [cosine, sine] = order === 0 ? [plus, minus] : [minus, e.neg(plus)];
  const scale = e.sqrt(e.div(constant(2 / Math.PI, x.dtype), x));
  return {
    cosine,
    sine,
    inPhase: e.mul(scale, chebyshev(t, p)),
    shifted: e.mul(scale, e.mul(ratio, chebyshev(t, q))),
  };
}

const firstKind = (x: Expr, order: 0 | 1): Expr => {
  const { cosine, sine, inPhase, shifted } = wave(x, order);
  return e.sub(e.mul(inPhase, cosine), e.mul(shifted, sine));
};
const secondKind = (x: Expr, order: 0 | 1): Expr => {
  const { cosine, sine, inPhase, shifted } = wave(x, order);
  return e.add(e.mul(inPhase, sine), e.mul(shifted, cosine));
};

const j0Near = (x: Expr): Expr => chebyshev(nearVariable(x), ordinaryNear.j0);
const j1Near = (x: Expr): Expr => e.mul(x, chebyshev(nearVariable(x), ordinaryNear.j1));

/** The logarithm and the limits at and left of zero, which both functions of the second kind share. */
const secondNear = (x: Expr, near: Expr, far: Expr): Expr => {
  const regular = e.where(e.le(x, 8), near, far);
  const atZero = e.where(e.eq(x, 0), constant(-Infinity, x.dtype), regular);
  return e.where(e.lt(x, 0), constant(Number.NaN, x.dtype), atZero);
};

const besselJ0Op: Unary = unary('besselJ0', 'float', (x) => {
  const size = e.abs(x);
  return e.where(e.le(size, 8), j0Near(x), firstKind(size, 0));
});
/**
 * The Bessel function of the first kind of order 0.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.bessel_j0
 */
export const besselJ0: Unary = withoutGradient('besselJ0', besselJ0Op);

const besselJ1Op: Unary = unary('besselJ1', 'float', (x) => {
  const size = e.abs(x);
  const far = firstKind(size, 1);
  return e.where(e.le(size, 8), j1Near(x), e.where(e.lt(x, 0), e.neg(far), far));
});
/** The Bessel function of the first kind of order 1. */
export const besselJ1: Unary = withoutGradient('besselJ1', besselJ1Op);

const besselY0Op: Unary = unary('besselY0', 'float', (x) => {
  const rest = chebyshev(nearVariable(x), ordinaryNear.y0);
  const near = e.add(e.mul(e.mul(e.log(x), j0Near(x)), 2 / Math.PI), rest);
  return secondNear(x, near, secondKind(x, 0));
});
/** The Bessel function of the second kind of order 0; -inf at zero, NaN for negative numbers. */
export const besselY0: Unary = withoutGradient('besselY0', besselY0Op);

const besselY1Op: Unary = unary('besselY1', 'float', (x) => {
  const rest = e.mul(x, chebyshev(nearVariable(x), ordinaryNear.y1));
  const pole = e.div(constant(1, x.dtype), x);
  const near = e.add(e.mul(e.sub(e.mul(e.log(x), j1Near(x)), pole), 2 / Math.PI), rest);
  return secondNear(x, near, secondKind(x, 1));
});
/** The Bessel function of the second kind of order 1; -inf at zero, NaN for negative numbers. */
export const besselY1: Unary = withoutGradient('besselY1', besselY1Op);

const sphericalBesselJ0Op: Unary = unary('sphericalBesselJ0', 'float', (x) => {
  const regular = e.where(e.eq(x, 0), constant(1, x.dtype), e.div(e.sin(x), x));
  return e.where(e.eq(e.abs(x), Infinity), constant(0, x.dtype), regular);
});
/** The spherical Bessel function of the first kind of order 0, which is sin(x) / x. */
export const sphericalBesselJ0: Unary = withoutGradient('sphericalBesselJ0', sphericalBesselJ0Op);
