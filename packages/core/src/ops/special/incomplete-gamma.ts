import { explaining } from '../../explain.js';
import { constant, type Expr, e } from '../../expr.js';
import type { TensorBinary } from '../define.js';
import { define, refusing } from '../define.js';
import { refuseGradient } from './recurrence.js';

/** Terms of the series and of the continued fraction. */
const terms = 100;

/** For parameters above, the density is integrated: there more terms would be needed, or (in float32) it rounds badly. */
const large = { float32: 20, float64: 100 } as const;

/** x^a e^-x / Γ(a). */
const density = (a: Expr, x: Expr): Expr => e.exp(e.sub(e.sub(e.mul(a, e.log(x)), x), e.lgamma(a)));

/** The lower function by its power series, for x up to a + 1. */
function series(a: Expr, x: Expr): Expr {
  let term = e.div(constant(1, a.dtype), a);
  let total = term;
  for (let k = 1; k <= terms; k++) {
    term = e.mul(term, e.div(x, e.add(a, k)));
    total = e.add(total, term);
  }
  return e.mul(density(a, x), total);
}

/** The upper function by its continued fraction from the inside out, for x from a + 1. */
function fraction(a: Expr, x: Expr): Expr {
  const base = e.sub(x, a);
  let inner = constant(0, a.dtype);
  for (let k = terms; k >= 1; k--) {
    const numerator = e.mul(e.sub(a, k), k);
    inner = e.div(numerator, e.add(e.add(base, 2 * k + 1), inner));
  }
  return e.div(density(a, x), e.add(e.add(base, 1), inner));
}

/** Terms of log(1 + u) - u below, for |u| up to 0.3. */
const excessTerms = { float32: 4, float64: 10 } as const;

/** log(1 + u) - u, which is about -u²/2: exact to its own size near 0. */
function logExcess(u: Expr): Expr {
  const wide = u.dtype === 'float64';
  const r = e.div(u, e.add(u, 2));
  const square = e.mul(r, r);
  let series = constant(0, u.dtype);
  for (let k = excessTerms[wide ? 'float64' : 'float32']; k >= 0; k--) {
    series = e.add(e.mul(series, square), constant(1 / (2 * k + 3), u.dtype));
  }
  const near = e.mul(r, e.sub(e.mul(e.add(square, square), series), u));
  return e.where(e.lt(e.abs(u), 0.3), near, e.sub(e.log1p(u), u));
}

/**
 * The part of the density between x and where it vanishes, on the side of x away from the peak, by Gauss-Legendre:
 * the upper function right of the peak, minus the lower one left of it. Counted from the peak in units of it, as x
 * itself has too few digits where a is huge.
 */
function outside(a: Expr, x: Expr): Expr {
  const peak = e.sub(a, 1);
  const width = e.div(constant(1, a.dtype), e.sqrt(peak));
  const start = e.div(e.sub(x, peak), peak);
  const right = e.max(e.mul(width, 11.5), e.add(start, e.mul(width, 6)));
  const left = e.max(
    e.min(e.mul(width, -7.5), e.sub(start, e.mul(width, 5))),
    constant(-1, a.dtype),
  );
  const end = e.where(e.gt(start, 0), right, left);
  const half = e.mul(e.sub(end, start), 0.5);
  const middle = e.mul(e.add(end, start), 0.5);
  let total = constant(0, a.dtype);
  const at = (u: Expr): Expr => e.exp(e.mul(peak, logExcess(u)));
  for (const [node, weight] of gauss) {
    const shift = e.mul(half, node);
    total = e.add(total, e.mul(e.add(at(e.add(middle, shift)), at(e.sub(middle, shift))), weight));
  }
  // The height of the peak by Stirling's formula.
  const inverse = e.div(constant(1, a.dtype), peak);
  const correction = e.mul(
    inverse,
    e.sub(e.mul(e.mul(inverse, inverse), 1 / 360), constant(1 / 12, a.dtype)),
  );
  const height = e.mul(e.exp(correction), e.sqrt(e.mul(peak, 1 / (2 * Math.PI))));
  return e.mul(e.mul(total, half), height);
}

/** Nodes in (0, 1) and weights of the rule of 32 points, which is symmetric. */
const gauss = [
  [0.9972638618494816, 0.007018610009470096],
  [0.9856115115452684, 0.01627439473090567],
  [0.9647622555875064, 0.02539206530926206],
  [0.9349060759377397, 0.03427386291302143],
  [0.8963211557660521, 0.04283589802222668],
  [0.84936761373257, 0.050998059262376175],
  [0.7944837959679424, 0.058684093478535544],
  [0.7321821187402897, 0.06582222277636185],
  [0.6630442669302152, 0.0723457941088485],
  [0.5877157572407623, 0.07819389578707031],
  [0.5068999089322294, 0.08331192422694675],
  [0.42135127613063533, 0.08765209300440381],
  [0.33186860228212767, 0.09117387869576389],
  [0.23928736225213706, 0.09384439908080457],
  [0.1444719615827965, 0.09563872007927486],
  [0.04830766568773832, 0.0965400885147278],
] as const;

function body(upper: boolean) {
  return (a: Expr, x: Expr): Expr => {
    const lit = (value: number) => constant(value, a.dtype);
    const from = (value: Expr, isUpper: boolean) =>
      isUpper === upper ? value : e.sub(lit(1), value);
    const beyond = outside(a, x);
    // Told by x and not by the sign, which is lost where the rest is too small for a number.
    const wide = e.where(e.gt(x, e.sub(a, 1)), from(beyond, true), from(e.neg(beyond), false));
    const narrow = e.where(
      e.le(x, e.add(a, 1)),
      from(series(a, x), false),
      from(fraction(a, x), true),
    );
    const [start, end] = upper ? [lit(1), lit(0)] : [lit(0), lit(1)];
    let value = e.where(
      e.gt(a, a.dtype === 'float64' ? large.float64 : large.float32),
      wide,
      narrow,
    );
    value = e.where(e.or(e.isnan(a), e.isnan(x)), lit(Number.NaN), value);
    // From here on in PyTorch's order, in which some limits do not look at the other operand.
    value = e.where(e.eq(x, Infinity), end, value);
    const endless = e.where(e.eq(x, Infinity), lit(Number.NaN), start);
    value = e.where(e.eq(a, Infinity), endless, value);
    value = e.where(e.eq(x, 0), start, value);
    value = e.where(e.eq(a, 0), e.where(e.gt(x, 0), end, lit(Number.NaN)), value);
    return e.where(e.or(e.lt(a, 0), e.lt(x, 0)), lit(Number.NaN), value);
  };
}

const lowerOp = define<TensorBinary>({
  name: 'igamma',
  params: 'self other',
  promotion: 'same',
  body: body(false),
  refuse: refusing('igamma_cpu', ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64']),
});
const upperOp = define<TensorBinary>({
  name: 'igammac',
  params: 'self other',
  promotion: 'same',
  body: body(true),
  refuse: refusing('igammac_cpu', ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64']),
});

/**
 * The regularized lower incomplete gamma function of parameter `self` at `other`; NaN where one is negative.
 *
 * @throws RuntimeError if `self` requires grad: only the derivative to `other` is there.
 * @see https://pytorch.org/docs/stable/special.html#torch.special.gammainc
 */
export const igamma: TensorBinary = explaining('igamma', (self, other, options) => {
  refuseGradient('igamma', [self]);
  return lowerOp(self, other, options);
});
/** The regularized upper incomplete gamma function, 1 - `igamma`, exact where that is small. */
export const igammac: TensorBinary = explaining('igammac', (self, other, options) => {
  refuseGradient('igammac', [self]);
  return upperOp(self, other, options);
});
