import { isScalar, type Scalar, scalarValue, special, type Tensor, where } from '@sconce/core';
import { type Derivatives, nondifferentiable, operands, saving } from './formula.js';
import { except } from './pointwise.js';

type Operand = Tensor | Scalar;

/** A plain number as a tensor beside `like`. */
const lifted = (x: Operand, like: Tensor): Tensor =>
  isScalar(x) ? like.newFull([], Number(scalarValue(x))) : x;

/** x^(a - 1) e^-x / Γ(a): the slope of the lower incomplete gamma function in x. */
const gammaDensity = (g: Tensor, a: Operand, x: Operand): Tensor => {
  const [parameter, at] = [lifted(a, g), lifted(x, g)];
  return at.log().mul(parameter.sub(1)).sub(at).sub(parameter.lgamma()).exp();
};

const functions: Readonly<Record<string, Derivatives>> = {
  entr: { self: saving('self', (g, { self }) => g.neg().mul(self.log().add(1))) },
  xlog1py: {
    self: operands('self other', (g, { self, other }) => {
      const [x, y] = [lifted(self, g), lifted(other, g)];
      return g.mul(except(x.eq(0).logicalAnd(y.le(-1)), y.log1p()));
    }),
    other: operands('self other', (g, { self, other }) =>
      g.mul(lifted(self, g)).div(lifted(other, g).add(1)),
    ),
  },
  i0e: {
    self: saving('self result', (g, { self, result }) =>
      g.mul(special.i1e(self).sub(self.sgn().mul(result))),
    ),
  },
  i1e: {
    self: saving('self result', (g, { self, result }) => {
      // i1e(x) / x tends to 1/2 at zero.
      const far = self.abs().gt(self.dtype === 'float64' ? 2 ** -52 : 2 ** -23);
      const x = where(far, self, 1);
      const slope = special.i0e(x).sub(result.mul(x.sgn().add(x.reciprocal())));
      return g.mul(where(far, slope, 0.5));
    }),
  },
  ndtr: {
    self: saving('self', (g, { self }) =>
      g.mul(self.square().mul(-0.5).exp()).mul(1 / Math.sqrt(2 * Math.PI)),
    ),
  },
  logNdtr: {
    self: saving('self', (g, { self }) =>
      g.div(special.erfcx(self.mul(-Math.SQRT1_2))).mul(Math.sqrt(2 / Math.PI)),
    ),
  },
  ndtri: {
    self: saving('result', (g, { result }) =>
      g.mul(result.square().mul(0.5).exp()).mul(Math.sqrt(2 * Math.PI)),
    ),
  },
  erfcx: {
    self: saving('self result', (g, { self, result }) =>
      g.mul(
        self
          .mul(2)
          .mul(result)
          .sub(2 / Math.sqrt(Math.PI)),
      ),
    ),
  },
  zeta: {
    other: operands('self other', (g, { self, other }) => {
      const s = lifted(self, g);
      return g.mul(s.neg()).mul(special.zeta(s.add(1), other));
    }),
  },
  igamma: {
    other: operands('self other', (g, { self, other }) => g.mul(gammaDensity(g, self, other))),
  },
  igammac: {
    other: operands('self other', (g, { self, other }) =>
      g.neg().mul(gammaDensity(g, self, other)),
    ),
  },
};

/** These refuse arguments that require grad, as in PyTorch. */
const refusing: Readonly<Record<string, null>> = Object.fromEntries(
  (
    'besselJ0 besselJ1 besselY0 besselY1 sphericalBesselJ0 airyAi modifiedBesselK0 modifiedBesselK1 ' +
    'scaledModifiedBesselK0 scaledModifiedBesselK1 hermitePolynomialH hermitePolynomialHe ' +
    'laguerrePolynomialL legendrePolynomialP chebyshevPolynomialT chebyshevPolynomialU ' +
    'chebyshevPolynomialV chebyshevPolynomialW shiftedChebyshevPolynomialT ' +
    'shiftedChebyshevPolynomialU shiftedChebyshevPolynomialV shiftedChebyshevPolynomialW'
  )
    .split(' ')
    .map((name) => [name, nondifferentiable]),
);

/** The functions of `special` that are operations of their own. */
export const specialFunctions: Readonly<Record<string, Derivatives | null>> = {
  ...functions,
  ...refusing,
};
