import { constant, type Expr, e } from '../../expr.js';
import { define, type EitherBinary } from '../define.js';
import { isDegree, recurrence, withoutGradient } from './recurrence.js';

/** Degrees that are computed by the recurrence outside of [-1, 1]; above, by hyperbolic functions. */
const highest = 16;

/** One of the four kinds, in y = cos t: what its recurrence starts with, and its closed forms. */
interface Kind {
  /** The polynomial of degree 1. */
  readonly linear: (y: Expr) => Expr;
  /** The absolute values at 1 and at -1. */
  readonly ends: (n: Expr) => readonly [Expr, Expr];
  /** In (-1, 1), of the angle t. */
  readonly inside: (n: Expr, t: Expr) => Expr;
  /** Right of 1, of t = acosh(y). */
  readonly right: (n: Expr, t: Expr) => Expr;
  /** Left of -1 up to the sign (-1)^n, of t = acosh(-y). */
  readonly left: (n: Expr, t: Expr) => Expr;
  /** The degree from which on the closed form is used in (-1, 1); for shifted polynomials too. */
  readonly closedAbove: readonly [plain: number, shifted: number];
}

const half = (t: Expr): Expr => e.mul(t, 0.5);
const one = (n: Expr): Expr => constant(1, n.dtype);
const evenOdd = (n: Expr): Expr => e.add(e.add(n, n), 1);
const even = (n: Expr): Expr => e.eq(e.fmod(n, 2), 0);

/** cos((n + 1/2) t) / cos(t / 2), or the same of another pair of functions. */
const quotient =
  (f: (x: Expr) => Expr) =>
  (n: Expr, t: Expr): Expr =>
    e.div(f(e.mul(e.add(n, 0.5), t)), f(half(t)));

const kinds: Readonly<Record<'T' | 'U' | 'V' | 'W', Kind>> = {
  T: {
    linear: (y) => y,
    ends: (n) => [one(n), one(n)],
    inside: (n, t) => e.cos(e.mul(n, t)),
    right: (n, t) => e.cosh(e.mul(n, t)),
    left: (n, t) => e.cosh(e.mul(n, t)),
    closedAbove: [6, 6],
  },
  U: {
    linear: (y) => e.add(y, y),
    ends: (n) => [e.add(n, 1), e.add(n, 1)],
    inside: (n, t) => e.div(e.sin(e.mul(e.add(n, 1), t)), e.sin(t)),
    right: (n, t) => e.div(e.sinh(e.mul(e.add(n, 1), t)), e.sinh(t)),
    left: (n, t) => e.div(e.sinh(e.mul(e.add(n, 1), t)), e.sinh(t)),
    closedAbove: [8, 6],
  },
  V: {
    linear: (y) => e.sub(e.add(y, y), 1),
    ends: (n) => [one(n), evenOdd(n)],
    inside: quotient(e.cos),
    right: quotient(e.cosh),
    left: quotient(e.sinh),
    closedAbove: [8, 6],
  },
  W: {
    linear: (y) => e.add(e.add(y, y), 1),
    ends: (n) => [evenOdd(n), one(n)],
    inside: quotient(e.sin),
    right: quotient(e.sinh),
    left: quotient(e.cosh),
    closedAbove: [8, 4],
  },
};

function polynomial(letter: keyof typeof kinds, shifted: boolean): EitherBinary {
  const kind = kinds[letter];
  const name = `${shifted ? 'shiftedChebyshev' : 'chebyshev'}Polynomial${letter}`;
  const run = define<EitherBinary>({
    name,
    params: 'self~ other~',
    promotion: 'float',
    body: (x: Expr, degree: Expr) => {
      const n = e.trunc(degree);
      const y = shifted ? e.sub(e.add(x, x), 1) : x;
      const size = e.abs(y);
      const twice = e.add(y, y);
      const alternating = (value: Expr) => e.where(even(n), value, e.neg(value));
      const [atOne, atMinusOne] = kind.ends(n);
      const ends = e.where(e.gt(y, 0), atOne, alternating(atMinusOne));
      const low = recurrence(n, one(x), kind.linear(y), highest, (_, q, p) =>
        e.sub(e.mul(twice, q), p),
      );
      const t = e.acosh(size);
      const outside = e.where(e.gt(y, 0), kind.right(n, t), alternating(kind.left(n, t)));
      const closed = e.and(e.lt(size, 1), e.gt(n, kind.closedAbove[shifted ? 1 : 0]));
      const regular = e.where(
        closed,
        kind.inside(n, e.acos(y)),
        e.where(e.gt(n, highest), outside, low),
      );
      const value = e.where(e.eq(size, 1), ends, regular);
      return e.where(isDegree(n), value, constant(0, x.dtype));
    },
  });
  return withoutGradient(name, run);
}

/**
 * The Chebyshev polynomial of the first kind of degree `other` (rounded towards zero; 0 where negative) at `self`.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.chebyshev_polynomial_t
 */
export const chebyshevPolynomialT: EitherBinary = polynomial('T', false);
/** The Chebyshev polynomial of the second kind. */
export const chebyshevPolynomialU: EitherBinary = polynomial('U', false);
/** The Chebyshev polynomial of the third kind. */
export const chebyshevPolynomialV: EitherBinary = polynomial('V', false);
/** The Chebyshev polynomial of the fourth kind. */
export const chebyshevPolynomialW: EitherBinary = polynomial('W', false);
/** The Chebyshev polynomial of the first kind at 2x - 1. */
export const shiftedChebyshevPolynomialT: EitherBinary = polynomial('T', true);
/** The Chebyshev polynomial of the second kind at 2x - 1. */
export const shiftedChebyshevPolynomialU: EitherBinary = polynomial('U', true);
/** The Chebyshev polynomial of the third kind at 2x - 1. */
export const shiftedChebyshevPolynomialV: EitherBinary = polynomial('V', true);
/** The Chebyshev polynomial of the fourth kind at 2x - 1. */
export const shiftedChebyshevPolynomialW: EitherBinary = polynomial('W', true);
