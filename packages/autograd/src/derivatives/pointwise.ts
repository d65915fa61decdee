import {
  div,
  exp2,
  i0,
  i1,
  isScalar,
  log,
  mul,
  polygamma,
  pow,
  type Scalar,
  scalarValue,
  sub,
  type Tensor,
  where,
  xlogy,
  zerosLike,
} from '@sconce/core';
import { type Derivatives, nondifferentiable, operands, saving } from './formula.js';

type Operand = Tensor | Scalar;

/** These take a number for either operand, where their types speak of the usual order only. */
type Either = (a: Operand, b: Operand, options?: { roundingMode: 'trunc' | 'floor' }) => Tensor;
const times = mul as Either;
const over = div as Either;
const minus = sub as Either;

/** `g` where a condition holds, 0 elsewhere: unlike a product with it, this keeps infinities out. */
export const only = (condition: Tensor, g: Tensor): Tensor => where(condition, g, 0);
/** `g` where a condition fails, 0 elsewhere. */
export const except = (condition: Tensor, g: Tensor): Tensor => where(condition, 0, g);

/** `g` times a slope, 0 where a condition holds, whatever the two are there, and so are the derivatives. */
const product = (still: Tensor, g: Tensor, slope: Tensor): Tensor =>
  except(still, g.mul(except(still, slope)));

/** A plain number as a tensor beside `like`. */
const lifted = (x: Operand, like: Tensor): Tensor =>
  isScalar(x) ? like.newFull([], Number(scalarValue(x))) : x;

const zero = (g: Tensor): Tensor => zerosLike(g);

/** Arithmetic of two operands, either of which may be a plain number. */
const arithmetic: Readonly<Record<string, Derivatives>> = {
  add: { self: (g) => g, other: (g) => g },
  sub: { self: (g) => g, other: (g) => g.neg() },
  mul: {
    self: operands('other', (g, { other }) => times(g, other)),
    other: operands('self', (g, { self }) => times(g, self)),
  },
  div: {
    self: operands('other', (g, { other }) => over(g, other)),
    other: operands('self other', (g, { self, other }) =>
      g.neg().mul(over(over(self, other), other)),
    ),
  },
  divTrunc: { self: zero, other: zero },
  floorDivide: { self: zero, other: zero },
  remainder: {
    self: (g) => g,
    other: operands('self other', (g, { self, other }) =>
      g.neg().mul(over(self, other, { roundingMode: 'floor' })),
    ),
  },
  fmod: {
    self: (g) => g,
    other: operands('self other', (g, { self, other }) =>
      g.neg().mul(over(self, other, { roundingMode: 'trunc' })),
    ),
  },
  frexp: { self: saving('exponent', (g, { exponent }) => g.div(exp2(exponent))) },
  pow: {
    self: operands('self other', (g, { self, other }) => powerOfBase(g, self as Tensor, other)),
    other: operands('self other result', (g, { self, other, result }) => {
      const base = lifted(self, g);
      const still = base.eq(0).logicalAnd((other as Tensor).ge(0));
      return product(still, g, times(result, log(base)));
    }),
  },
  atan2: {
    self: operands('self other', (g, { self, other }) => g.mul(turn(other, squares(self, other)))),
    other: operands('self other', (g, { self, other }) =>
      g.neg().mul(turn(self, squares(self, other))),
    ),
  },
  hypot: {
    self: operands('self result', (g, { self, result }) => g.mul(over(self, result))),
    other: operands('other result', (g, { other, result }) => g.mul(over(other, result))),
  },
  copysign: {
    self: saving('self result', (g, { self, result }) =>
      g.mul(except(self.eq(0), result.div(self))),
    ),
    other: zero,
  },
  logaddexp: {
    self: operands('self other', (g, { self, other }) => g.mul(minus(self, other).sigmoid())),
    other: operands('self other', (g, { self, other }) => g.mul(minus(other, self).sigmoid())),
  },
  logaddexp2: {
    self: operands('self other', (g, { self, other }) => g.div(exp2(minus(other, self)).add(1))),
    other: operands('self other', (g, { self, other }) => g.div(exp2(minus(self, other)).add(1))),
  },
  xlogy: {
    self: operands('self other', (g, { self, other }) => {
      const [x, y] = [lifted(self, g), lifted(other, g)];
      return except(x.eq(0).logicalAnd(y.le(0)), xlogy(g, y));
    }),
    other: operands('self other', (g, { self, other }) => g.mul(over(self, other))),
  },
};

const squares = (a: Operand, b: Operand): Tensor => times(a, a).add(times(b, b));
/** The slope of an angle, which at the origin there is none of. */
const turn = (a: Operand, distance: Tensor): Tensor => except(distance.eq(0), over(a, distance));

function powerOfBase(g: Tensor, base: Tensor, exponent: Operand): Tensor {
  if (!isScalar(exponent)) {
    return product(exponent.eq(0), g, exponent.mul(pow(base, exponent.sub(1))));
  }
  const p = Number(scalarValue(exponent));
  if (p === 0) return zerosLike(g);
  return p === 2 ? g.mul(base.mul(2)) : g.mul(pow(base, p - 1).mul(p));
}

/** Choices between operands. */
const choices: Readonly<Record<string, Derivatives>> = {
  maximum: {
    self: saving('self other', (g, { self, other }) => shared(g, self.lt(other), self.eq(other))),
    other: saving('self other', (g, { self, other }) => shared(g, other.lt(self), self.eq(other))),
  },
  minimum: {
    self: saving('self other', (g, { self, other }) => shared(g, self.gt(other), self.eq(other))),
    other: saving('self other', (g, { self, other }) => shared(g, other.gt(self), self.eq(other))),
  },
  fmax: {
    self: saving('self other', (g, { self, other }) =>
      shared(g, self.lt(other).logicalOr(missing(self, other)), self.eq(other)),
    ),
    other: saving('self other', (g, { self, other }) => {
      const loses = self.gt(other).logicalOr(other.isnan());
      return shared(g, loses, self.eq(other));
    }),
  },
  fmin: {
    self: saving('self other', (g, { self, other }) =>
      shared(g, self.gt(other).logicalOr(missing(self, other)), self.eq(other)),
    ),
    other: saving('self other', (g, { self, other }) => {
      const loses = self.lt(other).logicalOr(other.isnan());
      return shared(g, loses, self.eq(other));
    }),
  },
  clamp: {
    self: operands('self min max', (g, { self, min, max }) => {
      const x = self as Tensor;
      // What lies at a plain number is held by it; what lies at an element of a tensor shares the gradient with it.
      const low = isScalar(min) ? x.gt(min).logicalNot() : x.lt(min);
      const high = isScalar(max) ? x.lt(max).logicalNot() : x.gt(max);
      const lost = low.logicalOr(high);
      if (isScalar(min) && isScalar(max)) return except(lost, g);
      const open = isScalar(min) ? (max as Tensor).gt(min) : min.lt(max);
      return shared(g, lost, x.eq(min).logicalOr(x.eq(max)).logicalAnd(open));
    }),
    min: saving('self min max', (g, { self, min, max }) => {
      const meets = self.eq(min).logicalAnd(min.lt(max));
      const held = self.lt(min).logicalAnd(min.le(max));
      return only(held.logicalOr(meets), where(meets, g.div(2), g));
    }),
    max: saving('self min max', (g, { self, min, max }) => {
      const meets = self.eq(max).logicalAnd(max.gt(min));
      const held = self.gt(max).logicalAnd(max.ge(min)).logicalOr(max.lt(min));
      return only(held.logicalOr(meets), where(meets, g.div(2), g));
    }),
  },
  clampMin: {
    self: operands('self other', (g, { self, other }) => {
      const x = self as Tensor;
      return isScalar(other) ? only(x.gt(other), g) : shared(g, x.lt(other), x.eq(other));
    }),
    other: saving('self other', (g, { self, other }) => shared(g, self.gt(other), self.eq(other))),
  },
  clampMax: {
    self: operands('self other', (g, { self, other }) => {
      const x = self as Tensor;
      return isScalar(other) ? only(x.lt(other), g) : shared(g, x.gt(other), x.eq(other));
    }),
    other: saving('self other', (g, { self, other }) => shared(g, self.lt(other), self.eq(other))),
  },
  where: {
    self: saving('condition', (g, { condition }) => only(condition, g)),
    other: saving('condition', (g, { condition }) => except(condition, g)),
  },
  maskedFill: {
    self: saving('mask', (g, { mask }) => except(mask, g)),
    value: saving('mask', (g, { mask }) => only(mask, g)),
  },
  zero: { self: zero },
  fill: { self: zero, value: (g) => g },
  copy: { self: zero, source: (g) => g },
};

/** Where the first operand alone is NaN. */
const missing = (self: Tensor, other: Tensor): Tensor =>
  self.isnan().logicalAnd(other.isnan().logicalNot());

/** None of `g` where one operand loses, half of it where both are equal; all, to both, where one is NaN. */
const shared = (g: Tensor, loses: Tensor, equal: Tensor): Tensor =>
  except(loses, where(equal, g.div(2), g));

/** Sums of products of several operands. */
const fused: Readonly<Record<string, Derivatives>> = {
  addcmul: {
    self: (g) => g,
    tensor1: saving('tensor2', (g, { tensor2, value }) => g.mul(tensor2).mul(value)),
    tensor2: saving('tensor1', (g, { tensor1, value }) => g.mul(tensor1).mul(value)),
  },
  addcdiv: {
    self: (g) => g,
    tensor1: saving('tensor2', (g, { tensor2, value }) => g.div(tensor2).mul(value)),
    tensor2: saving('tensor1 tensor2', (g, { tensor1, tensor2, value }) =>
      g
        .neg()
        .mul(tensor1.div(tensor2.mul(tensor2)))
        .mul(value),
    ),
  },
  lerp: {
    self: operands('weight', (g, { weight }) => g.sub(times(g, weight))),
    end: operands('weight', (g, { weight }) => times(g, weight)),
    weight: saving('self end', (g, { self, end }) => g.mul(end.sub(self))),
  },
};

const root = (x: number): number => Math.sqrt(x);

/** Functions of one operand. */
const functions: Readonly<Record<string, Derivatives>> = {
  abs: { self: saving('self', (g, { self }) => g.mul(self.sign())) },
  neg: { self: (g) => g.neg() },
  sign: { self: zero },
  floor: { self: zero },
  ceil: { self: zero },
  trunc: { self: zero },
  round: { self: zero },
  sgn: { self: zero },
  angle: { self: zero },
  frac: { self: (g) => g },
  square: { self: saving('self', (g, { self }) => g.mul(self.mul(2))) },
  sqrt: { self: saving('result', (g, { result }) => g.div(result.mul(2))) },
  rsqrt: { self: saving('result', (g, { result }) => g.mul(result.pow(3).mul(-0.5))) },
  reciprocal: { self: saving('result', (g, { result }) => g.neg().mul(result.mul(result))) },
  exp: { self: saving('result', (g, { result }) => g.mul(result)) },
  exp2: { self: saving('result', (g, { result }) => g.mul(result.mul(Math.LN2))) },
  expm1: { self: saving('result', (g, { result }) => g.mul(result.add(1))) },
  log: { self: saving('self', (g, { self }) => g.div(self)) },
  log1p: { self: saving('self', (g, { self }) => g.div(self.add(1))) },
  log2: { self: saving('self', (g, { self }) => g.div(self.mul(Math.LN2))) },
  log10: { self: saving('self', (g, { self }) => g.div(self.mul(Math.LN10))) },
  sin: { self: saving('self', (g, { self }) => g.mul(self.cos())) },
  cos: { self: saving('self', (g, { self }) => g.mul(self.sin().neg())) },
  tan: { self: saving('result', (g, { result }) => g.mul(result.square().add(1))) },
  asin: { self: saving('self', (g, { self }) => g.mul(self.square().neg().add(1).rsqrt())) },
  acos: { self: saving('self', (g, { self }) => g.neg().mul(self.square().neg().add(1).rsqrt())) },
  atan: { self: saving('self', (g, { self }) => g.div(self.square().add(1))) },
  sinh: { self: saving('self', (g, { self }) => g.mul(self.cosh())) },
  cosh: { self: saving('self', (g, { self }) => g.mul(self.sinh())) },
  tanh: { self: saving('result', (g, { result }) => g.mul(result.square().neg().add(1))) },
  asinh: { self: saving('self', (g, { self }) => g.mul(self.square().add(1).rsqrt())) },
  acosh: { self: saving('self', (g, { self }) => g.mul(self.square().sub(1).rsqrt())) },
  atanh: { self: saving('self', (g, { self }) => g.div(self.square().neg().add(1))) },
  sigmoid: { self: saving('result', (g, { result }) => g.mul(result.neg().add(1).mul(result))) },
  erf: { self: saving('self', (g, { self }) => g.mul(bell(self))) },
  erfc: { self: saving('self', (g, { self }) => g.neg().mul(bell(self))) },
  erfinv: {
    self: saving('result', (g, { result }) =>
      g.mul(
        result
          .square()
          .exp()
          .mul(root(Math.PI) / 2),
      ),
    ),
  },
  lgamma: { self: saving('self', (g, { self }) => g.mul(self.digamma())) },
  digamma: { self: saving('self', (g, { self }) => g.mul(polygamma(1, self))) },
  polygamma: { self: saving('self', (g, { self, n }) => g.mul(polygamma(n + 1, self))) },
  logit: {
    self: saving('self', (g, { self }) => {
      const inside = self.ge(0).logicalAnd(self.le(1));
      return where(inside, g.div(self.mul(self.neg().add(1))), Number.NaN);
    }),
  },
  nanToNum: { self: saving('self', (g, { self }) => only(self.isfinite(), g)) },
  i0: { self: saving('self', (g, { self }) => g.mul(i1(self))) },
  i1: {
    self: saving('self result', (g, { self, result }) => {
      // i1(x) / x tends to 1/2 at zero.
      const far = self.abs().gt(self.dtype === 'float64' ? 2 ** -52 : 2 ** -23);
      const x = where(far, self, 1);
      return g.mul(where(far, i0(x).sub(result.div(x)), 0.5));
    }),
  },
  sinc: {
    self: saving('self', (g, { self }) => {
      const x = self.mul(Math.PI);
      const slope = x.cos().mul(x).sub(x.sin()).div(x.mul(self));
      return g.mul(except(self.eq(0), slope));
    }),
  },
  deg2rad: { self: (g) => g.mul(Math.PI / 180) },
  rad2deg: { self: (g) => g.mul(180 / Math.PI) },
};

/** The slope of erf. */
const bell = (x: Tensor): Tensor =>
  x
    .square()
    .neg()
    .exp()
    .mul(2 / root(Math.PI));

/** Results that are bools or integers, or steps that PyTorch does not differentiate either. */
const steps: Readonly<Record<string, null>> = Object.fromEntries(
  (
    'eq ne lt le gt ge logicalAnd logicalOr logicalXor logicalNot isnan isinf isfinite isposinf isneginf signbit ' +
    'bitwiseAnd bitwiseOr bitwiseXor bitwiseNot bitwiseLeftShift bitwiseRightShift heaviside isclose bothNaN isreal nextafter gcd lcm nearestInteger'
  )
    .split(' ')
    .map((name) => [name, nondifferentiable]),
);

/** Elementwise operations. */
export const pointwise: Readonly<Record<string, Derivatives | null>> = {
  ...arithmetic,
  ...choices,
  ...fused,
  ...functions,
  ...steps,
};
