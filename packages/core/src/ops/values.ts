import { unguarded } from '../arguments.js';
import { category, getDefaultDtype } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { constant, type Expr, e } from '../expr.js';
import { isFloatDType, largestFloat } from '../number-ranges.js';
import type { OutOptions } from '../out.js';
import type { Scalar } from '../scalar.js';
import type { Tensor } from '../tensor.js';
import { scaledI0 } from './bessel.js';
import { div, gt, lt, mul } from './binary.js';
import { integral, signOf } from './bodies.js';
import { define, refusing, type Unary, unary } from './define.js';
import { where } from './ternary.js';
import { writing } from './writing.js';

const isFloat = (x: Expr): boolean => x.dtype === 'float32' || x.dtype === 'float64';

const roundOp: Unary = unary(
  'round',
  'same',
  (x) => (integral(x) ? x : e.round(x)),
  refusing('round', ['bool']),
);
/**
 * The nearest whole number, halves to the even one; or the nearest with `decimals` places.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.round.html
 */
export const round = explaining(
  'round',
  (self: Tensor, options?: OutOptions & { decimals?: number }): Tensor => {
    const decimals = options?.decimals ?? 0;
    if (decimals === 0) return roundOp(self, options);
    if (category(self.dtype) < 2) {
      throw new RuntimeError(
        `round: "round_cpu" with decimals is not implemented for '${self.dtype}'`,
      );
    }
    const scale = 10 ** Math.abs(decimals);
    return decimals > 0
      ? unguarded(div)(roundOp(mul(self, scale)), scale, options)
      : unguarded(mul)(roundOp(div(self, scale)), scale, options);
  },
);

/** The sign of each element; as `sign` for the real numbers there are here. */
export const sgn: Unary = unary('sgn', 'same', signOf);

/** The tensor itself. @throws RuntimeError on bool. */
export const positive = explaining('positive', (self: Tensor): Tensor => {
  if (self.dtype === 'bool')
    throw new RuntimeError('positive: The `+` operator, on a bool tensor is not supported.');
  return self;
});
/** The tensor itself: all numbers here are real. */
export const real = explaining('real', (self: Tensor): Tensor => self);
/** The tensor itself: all numbers here are real. */
export const conj = explaining('conj', (self: Tensor): Tensor => self);
/** The tensor itself: all numbers here are real. */
export const conjPhysical = writing('conjPhysical', (self: Tensor): Tensor => self);
/** Whether each element is real, which all are. */
export const isreal: Unary = unary('isreal', 'bool', () => constant(true, 'bool'));

/** 0 for positive numbers, π for negative ones, NaN for NaN. */
export const angle: Unary = unary('angle', 'float', (x) =>
  e.where(e.isnan(x), x, e.where(e.lt(x, 0), constant(Math.PI, x.dtype), constant(0, x.dtype))),
);

const logitOp: Unary = unguarded(
  unary('logit', 'float', (x) => e.log(e.div(x, e.sub(constant(1, x.dtype), x)))),
);
/** log(x / (1 - x)), with x first limited to [eps, 1 - eps] if `eps` is given. */
export const logit = explaining(
  'logit',
  (self: Tensor, eps?: number | null, options?: OutOptions): Tensor => {
    if (eps === undefined || eps === null) return logitOp(self, options);
    const x = category(self.dtype) < 2 ? self.to(getDefaultDtype()) : self;
    // What lies at a limit keeps its gradient, which `clamp` would take.
    const limited = where(lt(x, eps), eps, where(gt(x, 1 - eps), 1 - eps, x));
    return logitOp(limited, options);
  },
);

const nanToNumOp = define<
  (self: Tensor, nan: Scalar, posinf: Scalar, neginf: Scalar, options?: OutOptions) => Tensor
>({
  name: 'nanToNum',
  params: 'self nan~ posinf~ neginf~',
  promotion: 'first',
  body: (x, nan, posinf, neginf) =>
    isFloat(x)
      ? e.where(
          e.isnan(x),
          nan,
          e.where(e.eq(x, Infinity), posinf, e.where(e.eq(x, -Infinity), neginf, x)),
        )
      : x,
});
/** NaN replaced by `nan` (0), infinities by `posinf` and `neginf` (the dtype's largest and smallest numbers). */
export const nanToNum = explaining(
  'nanToNum',
  (
    self: Tensor,
    nan?: number | null,
    posinf?: number | null,
    neginf?: number | null,
    options?: OutOptions,
  ): Tensor => {
    const limit = isFloatDType(self.dtype) ? largestFloat[self.dtype] : 0;
    return nanToNumOp(self, nan ?? 0, posinf ?? limit, neginf ?? -limit, options);
  },
);

/** The modified Bessel function of the first kind of order 0, by two Chebyshev series. */
export const i0: Unary = unary('i0', 'float', (x) => e.mul(e.exp(e.abs(x)), scaledI0(x)));
