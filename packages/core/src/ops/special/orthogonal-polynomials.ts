import { constant, type Expr, e } from '../../expr.js';
import { isScalar, scalarValue } from '../../scalar.js';
import { define, type EitherBinary } from '../define.js';
import { isDegree, recurrence, withoutGradient } from './recurrence.js';

/** Steps for degrees given as a tensor, whose values are not looked at. */
const usual = 128;

/** What makes the polynomial of degree k of those of degrees k - 1 (q) and k - 2 (p) at x. */
interface Family {
  readonly linear: (x: Expr) => Expr;
  readonly next: (x: Expr, k: number, q: Expr, p: Expr) => Expr;
}

const families: Readonly<Record<'H' | 'He' | 'L' | 'P', Family>> = {
  H: {
    linear: (x) => e.add(x, x),
    next: (x, k, q, p) => e.sub(e.mul(e.add(x, x), q), e.mul(p, 2 * (k - 1))),
  },
  He: {
    linear: (x) => x,
    next: (x, k, q, p) => e.sub(e.mul(x, q), e.mul(p, k - 1)),
  },
  L: {
    linear: (x) => e.sub(constant(1, x.dtype), x),
    next: (x, k, q, p) => {
      const factor = e.add(e.sub(constant(1, x.dtype), x), 2 * (k - 1));
      return e.div(e.sub(e.mul(factor, q), e.mul(p, k - 1)), k);
    },
  },
  P: {
    linear: (x) => x,
    next: (x, k, q, p) => e.div(e.sub(e.mul(e.mul(x, 2 * k - 1), q), e.mul(p, k - 1)), k),
  },
};

function polynomial(name: string, letter: keyof typeof families): EitherBinary {
  const { linear, next } = families[letter];
  const upTo = (last: number) =>
    define<EitherBinary>({
      name,
      params: 'self~ other~',
      promotion: 'float',
      body: (x: Expr, degree: Expr) => {
        const n = e.trunc(degree);
        const value = recurrence(n, constant(1, x.dtype), linear(x), last, (k, q, p) =>
          next(x, k, q, p),
        );
        const known = e.where(e.gt(n, last), constant(Number.NaN, x.dtype), value);
        return e.where(isDegree(n), known, constant(0, x.dtype));
      },
    });
  const first = upTo(usual);
  const longer = new Map<number, EitherBinary>();
  return withoutGradient(name, (self, other, options) => {
    const degree = isScalar(other) ? Number(scalarValue(other)) : 0;
    if (!(degree > usual)) return first(self, other, options);
    const last = 2 ** Math.ceil(Math.log2(degree + 1));
    let run = longer.get(last);
    if (!run) {
      run = upTo(last);
      longer.set(last, run);
    }
    return run(self, other, options);
  });
}

/**
 * The physicist's Hermite polynomial of degree `other` (rounded towards zero; 0 where negative) at `self`.
 * Degrees in a tensor may be up to 128 (NaN beyond); a plain number any.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.hermite_polynomial_h
 */
export const hermitePolynomialH: EitherBinary = polynomial('hermitePolynomialH', 'H');
/** The probabilist's Hermite polynomial; degrees as in `hermitePolynomialH`. */
export const hermitePolynomialHe: EitherBinary = polynomial('hermitePolynomialHe', 'He');
/** The Laguerre polynomial; degrees as in `hermitePolynomialH`. */
export const laguerrePolynomialL: EitherBinary = polynomial('laguerrePolynomialL', 'L');
/** The Legendre polynomial; degrees as in `hermitePolynomialH`. */
export const legendrePolynomialP: EitherBinary = polynomial('legendrePolynomialP', 'P');
