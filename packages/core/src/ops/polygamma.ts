import { RuntimeError } from '../errors.js';
import { constant, type Expr, e } from '../expr.js';
import type { Tensor } from '../tensor.js';
import { define } from './define.js';
import { writing } from './writing.js';

/** Bernoulli numbers B2, B4, ... over (2j)!, of the Euler-Maclaurin expansion. */
const bernoulli = [
  1 / 12,
  -1 / 720,
  1 / 30240,
  -1 / 1209600,
  1 / 47900160,
  -691 / 1307674368000,
  1 / 74724249600,
] as const;

/** Terms summed as they are, before the expansion takes over. */
const terms = 12;

/** The sum over k >= 0 of (x + k)^-s, for s above 1 and positive x, or whole s. */
export function hurwitz(x: Expr, s: Expr): Expr {
  const lit = (value: number) => constant(value, x.dtype);
  const power = (base: Expr) => e.pow(base, e.neg(s));
  let total = power(x);
  for (let k = 1; k < terms; k++) total = e.add(total, power(e.add(x, lit(k))));
  const far = e.add(x, lit(terms));
  const rest = power(far);
  total = e.add(total, e.add(e.div(e.mul(rest, far), e.sub(s, 1)), e.mul(rest, 0.5)));
  // s (s + 1) ... (s + 2j) far^-(s + 2j + 1)
  let factor = e.div(e.mul(s, rest), far);
  bernoulli.forEach((b, j) => {
    total = e.add(total, e.mul(factor, lit(b)));
    const next = e.mul(e.add(s, lit(2 * j + 1)), e.add(s, lit(2 * j + 2)));
    factor = e.div(e.mul(factor, next), e.mul(far, far));
  });
  return total;
}

const polygammaOp = define<(self: Tensor, n: number, factor: number) => Tensor>({
  name: 'polygamma',
  params: 'self n~ factor~',
  promotion: 'float',
  body: (x: Expr, n: Expr, factor: Expr) => {
    const lit = (value: number) => constant(value, x.dtype);
    const s = e.add(n, 1);
    // Left of 1/2 the trigamma function is reflected; higher orders are summed from where they are.
    const reflected = e.and(e.eq(n, lit(1)), e.lt(x, lit(0.5)));
    const at = e.where(reflected, e.sub(lit(1), x), x);
    const direct = e.mul(factor, hurwitz(at, s));
    const slope = e.div(lit(Math.PI), e.sin(e.mul(x, lit(Math.PI))));
    const value = e.where(reflected, e.sub(e.mul(slope, slope), direct), direct);
    return e.where(e.eq(x, Infinity), e.mul(factor, 0), value);
  },
});

/**
 * The `n`-th derivative of `digamma`.
 *
 * @throws RuntimeError unless `n` is a whole number, not negative.
 * @see https://pytorch.org/docs/stable/special.html#torch.special.polygamma
 */
export const polygamma = writing(
  'polygamma',
  (n: number, self: Tensor): Tensor => {
    if (!Number.isInteger(n) || n < 0) {
      throw new RuntimeError(`polygamma: polygamma(n, x) does not support negative n, got ${n}`);
    }
    if (n === 0) return self.digamma();
    let factor = n % 2 === 0 ? -1 : 1;
    for (let k = 2; k <= n; k++) factor *= k;
    return polygammaOp(self, n, factor);
  },
  'castable',
);
