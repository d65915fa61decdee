import { explaining } from '../../explain.js';
import { constant, type Expr, e } from '../../expr.js';
import { define, type EitherBinary } from '../define.js';
import { hurwitz } from '../polygamma.js';
import { refuseGradient } from './recurrence.js';

const zetaOp = define<EitherBinary>({
  name: 'zeta',
  params: 'self~ other~',
  promotion: 'float',
  body: (s: Expr, q: Expr) => {
    const lit = (value: number) => constant(value, s.dtype);
    const f = e.sub(q, e.floor(q));
    const positive = hurwitz(e.where(e.gt(q, 0), q, f), s);
    // Left of zero the terms from q to f - 1 are a difference of two sums to the right, up to the sign.
    const before = e.sub(hurwitz(e.sub(lit(1), f), s), hurwitz(e.sub(lit(1), q), s));
    const signed = e.where(e.eq(e.fmod(s, 2), 0), before, e.neg(before));
    const whole = e.eq(q, e.floor(q));
    const fractional = e.ne(s, e.floor(s));
    // Where both sides overflow, the one whose first term is nearer to zero is the larger.
    const both = e.where(e.gt(f, 0.5), signed, positive);
    const sum = e.where(e.eq(positive, Infinity), both, e.add(positive, signed));
    const negative = e.where(fractional, lit(Number.NaN), sum);
    const left = e.where(whole, lit(Infinity), negative);
    const value = e.where(e.le(q, 0), left, positive);
    const above = e.where(e.eq(s, 1), lit(Infinity), value);
    return e.where(e.lt(s, 1), lit(Number.NaN), above);
  },
});
/**
 * The Hurwitz zeta function, the sum of (k + other)^-self over k >= 0; NaN for `self` below 1.
 *
 * @throws RuntimeError if `self` requires grad: only the derivative to `other` is there.
 * @see https://pytorch.org/docs/stable/special.html#torch.special.zeta
 */
export const zeta: EitherBinary = explaining('zeta', (self, other, options) => {
  refuseGradient('zeta', [self]);
  return zetaOp(self, other, options);
});
