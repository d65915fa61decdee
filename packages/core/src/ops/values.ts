import { category, getDefaultDtype } from '../dtype.js';
import type { OutOptions } from '../elementwise.js';
import { RuntimeError } from '../errors.js';
import { constant, type Expr, e } from '../expr.js';
import type { Scalar } from '../scalar.js';
import type { Tensor } from '../tensor.js';
import { chebyshev } from './bessel.js';
import { div, mul } from './binary.js';
import { integral } from './bodies.js';
import { define, refusing, type Unary, unary } from './define.js';
import { clamp } from './ternary.js';

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
export const round = (self: Tensor, options?: OutOptions & { decimals?: number }): Tensor => {
  const decimals = options?.decimals ?? 0;
  if (decimals === 0) return roundOp(self, options);
  if (category(self.dtype) < 2) {
    throw new RuntimeError(
      `round: "round_cpu" with decimals is not implemented for '${self.dtype}'`,
    );
  }
  const scale = 10 ** Math.abs(decimals);
  return decimals > 0
    ? div(roundOp(mul(self, scale)), scale, options)
    : mul(roundOp(div(self, scale)), scale, options);
};

/** The sign of each element; as `sign` for the real numbers there are here. */
export const sgn: Unary = unary('sgn', 'same', (x) =>
  x.dtype === 'bool'
    ? x
    : e.where(
        e.gt(x, constant(0, x.dtype)),
        constant(1, x.dtype),
        e.where(e.lt(x, constant(0, x.dtype)), constant(-1, x.dtype), x),
      ),
);

/** The tensor itself. @throws RuntimeError on bool. */
export const positive = (self: Tensor): Tensor => {
  if (self.dtype === 'bool')
    throw new RuntimeError('positive: The `+` operator, on a bool tensor is not supported.');
  return self;
};
/** The tensor itself: all numbers here are real. */
export const real = (self: Tensor): Tensor => self;
/** The tensor itself: all numbers here are real. */
export const conj = (self: Tensor): Tensor => self;
/** The tensor itself: all numbers here are real. */
export const conjPhysical = (self: Tensor): Tensor => self;
/** Whether each element is real, which all are. */
export const isreal: Unary = unary('isreal', 'bool', () => constant(true, 'bool'));

/** 0 for positive numbers, π for negative ones, NaN for NaN. */
export const angle: Unary = unary('angle', 'float', (x) =>
  e.where(e.isnan(x), x, e.where(e.lt(x, 0), constant(Math.PI, x.dtype), constant(0, x.dtype))),
);

const logitOp: Unary = unary('logit', 'float', (x) =>
  e.log(e.div(x, e.sub(constant(1, x.dtype), x))),
);
/** log(x / (1 - x)), with x first limited to [eps, 1 - eps] if `eps` is given. */
export const logit = (self: Tensor, eps?: number | null, options?: OutOptions): Tensor => {
  if (eps === undefined || eps === null) return logitOp(self, options);
  const x = category(self.dtype) < 2 ? self.to(getDefaultDtype()) : self;
  return logitOp(clamp(x, eps, 1 - eps), options);
};

const largest: Partial<Record<string, number>> = {
  float32: 3.4028234663852886e38,
  float64: Number.MAX_VALUE,
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
};
const nanToNumOp = define<
  (self: Tensor, nan: Scalar, posinf: Scalar, neginf: Scalar, options?: OutOptions) => Tensor
>({
  name: 'nanToNum',
  params: 'self nan posinf neginf',
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
export const nanToNum = (
  self: Tensor,
  nan?: number | null,
  posinf?: number | null,
  neginf?: number | null,
  options?: OutOptions,
): Tensor => {
  const limit = largest[self.dtype] ?? 0;
  return nanToNumOp(self, nan ?? 0, posinf ?? limit, neginf ?? -limit, options);
};

/** The modified Bessel function of the first kind of order 0, by the Chebyshev series of Cephes. */
export const i0: Unary = unary('i0', 'float', (x) => {
  const magnitude = e.abs(x);
  const near = chebyshev(e.sub(e.mul(magnitude, 0.5), 2), I0_NEAR);
  const far = e.div(
    chebyshev(e.sub(e.div(constant(32, x.dtype), magnitude), 2), I0_FAR),
    e.sqrt(magnitude),
  );
  return e.mul(e.exp(magnitude), e.where(e.le(magnitude, 8), near, far));
});
const I0_NEAR = [
  -4.4153416464793395e-18, 3.3307945188222384e-17, -2.431279846547955e-16, 1.715391285555133e-15,
  -1.1685332877993451e-14, 7.676185498604936e-14, -4.856446783111929e-13, 2.95505266312964e-12,
  -1.726826291441556e-11, 9.675809035373237e-11, -5.189795601635263e-10, 2.6598237246823866e-9,
  -1.300025009986248e-8, 6.046995022541919e-8, -2.670793853940612e-7, 1.1173875391201037e-6,
  -4.4167383584587505e-6, 1.6448448070728896e-5, -5.754195010082104e-5, 0.00018850288509584165,
  -0.0005763755745385824, 0.0016394756169413357, -0.004324309995050576, 0.010546460394594998,
  -0.02373741480589947, 0.04930528423967071, -0.09490109704804764, 0.17162090152220877,
  -0.3046826723431984, 0.6767952744094761,
] as const;
const I0_FAR = [
  -7.233180487874754e-18, -4.830504485944182e-18, 4.46562142029676e-17, 3.461222867697461e-17,
  -2.8276239805165836e-16, -3.425485619677219e-16, 1.7725601330565263e-15, 3.8116806693526224e-15,
  -9.554846698828307e-15, -4.150569347287222e-14, 1.54008621752141e-14, 3.8527783827421426e-13,
  7.180124451383666e-13, -1.7941785315068062e-12, -1.3215811840447713e-11, -3.1499165279632416e-11,
  1.1889147107846439e-11, 4.94060238822497e-10, 3.3962320257083865e-9, 2.266668990498178e-8,
  2.0489185894690638e-7, 2.8913705208347567e-6, 6.889758346916825e-5, 0.0033691164782556943,
  0.8044904110141088,
] as const;
