import { explaining } from '../../explain.js';
import { constant, type Expr, e } from '../../expr.js';
import { define, type EitherBinary, type Unary, unary } from '../define.js';

/**
 * -x ln(x): 0 at zero and -inf for negative numbers.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.entr
 */
export const entr: Unary = unary('entr', 'float', (x) => {
  const left = e.where(e.eq(x, 0), constant(0, x.dtype), constant(-Infinity, x.dtype));
  const value = e.where(e.gt(x, 0), e.mul(e.neg(x), e.log(x)), left);
  return e.where(e.isnan(x), x, value);
});

/**
 * self * log1p(other), 0 where self is 0.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.xlog1py
 */
export const xlog1py: EitherBinary = explaining(
  'xlog1py',
  define<EitherBinary>({
    name: 'xlog1py',
    params: 'self~ other~',
    promotion: 'float',
    body: (a: Expr, b: Expr) =>
      e.where(e.isnan(b), b, e.where(e.eq(a, 0), constant(0, a.dtype), e.mul(a, e.log1p(b)))),
  }),
);
