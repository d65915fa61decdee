import { constant, type Expr, e } from '../expr.js';
import { type Unary, unary } from './define.js';

/** A Chebyshev series at t / 2, t in [-2, 2], highest coefficient first and the last one halved, by Clenshaw's recurrence. */
export function chebyshev(t: Expr, coefficients: readonly number[]): Expr {
  let [b0, b1, b2]: [Expr, Expr, Expr] = [
    constant(coefficients[0] as number, t.dtype),
    constant(0, t.dtype),
    constant(0, t.dtype),
  ];
  for (const c of coefficients.slice(1)) {
    [b2, b1] = [b1, b0];
    b0 = e.add(e.sub(e.mul(t, b1), b2), c);
  }
  return e.mul(e.sub(b0, b2), 0.5);
}

/**
 * The modified Bessel function of the first kind of order 1, by Chebyshev series of e^-x i1(x) / x up to 8
 * and of e^-x sqrt(x) i1(x) beyond.
 *
 * @see https://pytorch.org/docs/stable/special.html#torch.special.i1
 */
export const i1: Unary = unary('i1', 'float', (x) => {
  const size = e.abs(x);
  const near = e.mul(x, chebyshev(e.sub(e.mul(size, 0.5), 2), NEAR));
  const far = e.div(chebyshev(e.sub(e.div(constant(32, x.dtype), size), 2), FAR), e.sqrt(size));
  const signed = e.where(e.lt(x, 0), e.neg(far), far);
  return e.mul(e.exp(size), e.where(e.le(size, 8), near, signed));
});
const NEAR = [
  2.7779141127610464e-18, -2.111421214358166e-17, 1.5536319577362005e-16, -1.1055969477353862e-15,
  7.600684294735408e-15, -5.042185504727912e-14, 3.223793365945575e-13, -1.9839743977649436e-12,
  1.1736186298890901e-11, -6.663489723502027e-11, 3.625590281552117e-10, -1.8872497517228294e-9,
  9.381537386495773e-9, -4.445059128796328e-8, 2.0032947535521353e-7, -8.568720264695455e-7,
  3.4702513081376785e-6, -1.3273163656039436e-5, 4.781565107550054e-5, -0.00016176081582589674,
  0.0005122859561685758, -0.0015135724506312532, 0.004156422944312888, -0.010564084894626197,
  0.024726449030626516, -0.05294598120809499, 0.1026436586898471, -0.17641651835783406,
  0.25258718644363365,
] as const;
const FAR = [
  7.517296310842105e-18, 4.414348323071708e-18, -4.6503053684893586e-17, -3.209525921993424e-17,
  2.96262899764595e-16, 3.3082023109209285e-16, -1.8803547755107825e-15, -3.8144030724370075e-15,
  1.0420276984128802e-14, 4.272440016711951e-14, -2.1015418427726643e-14, -4.0835511110921974e-13,
  -7.198551776245908e-13, 2.0356285441470896e-12, 1.4125807436613782e-11, 3.2526035830154884e-11,
  -1.8974958123505413e-11, -5.589743462196584e-10, -3.835380385964237e-9, -2.6314688468895196e-8,
  -2.512236237870209e-7, -3.882564808877691e-6, -0.00011058893876262371, -0.009761097491361469,
  0.7785762350182801,
] as const;
