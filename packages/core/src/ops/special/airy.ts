import { constant, e } from '../../expr.js';
import { chebyshev } from '../bessel.js';
import { type Unary, unary } from '../define.js';
import { airy } from './airy-coefficients.js';
import { withoutGradient } from './recurrence.js';

/** 2/3 * 2^1.5: ζ where the middle ends. */
const edge = (2 / 3) * 2 ** 1.5;

const airyAiOp: Unary = unary('airyAi', 'float', (x) => {
  const size = e.abs(x);
  const root = e.sqrt(size);
  const zeta = e.mul(e.mul(size, root), 2 / 3);
  const u = e.div(constant(edge, x.dtype), zeta);
  const quarter = e.sqrt(root);
  const right = e.div(
    e.mul(e.exp(e.neg(zeta)), chebyshev(e.sub(e.mul(u, 4), 2), airy.right)),
    e.mul(quarter, 2 * Math.sqrt(Math.PI)),
  );
  const t = e.sub(e.mul(e.mul(u, u), 4), 2);
  const [c, s] = [e.cos(zeta), e.sin(zeta)];
  const waves = e.add(
    e.mul(e.add(c, s), chebyshev(t, airy.cosine)),
    e.mul(e.mul(e.sub(s, c), u), chebyshev(t, airy.sine)),
  );
  const left = e.div(e.mul(waves, Math.SQRT1_2 / Math.sqrt(Math.PI)), quarter);
  const outer = e.where(e.gt(x, 0), right, left);
  const value = e.where(e.le(size, 2), chebyshev(x, airy.middle), outer);
  // As in PyTorch, infinities have no value.
  return e.where(e.eq(size, Infinity), constant(Number.NaN, x.dtype), value);
});
/**
 * The Airy function Ai.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.airy_ai
 */
export const airyAi: Unary = withoutGradient('airyAi', airyAiOp);
