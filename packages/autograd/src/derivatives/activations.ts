import { type Tensor, where } from '@sconce/core';
import { type Derivatives, saving } from './formula.js';
import { except, only } from './pointwise.js';

/**
 * Activation functions. At NaN, PyTorch's vectorised loops (of 16 elements and more) and its scalar ones differ: these are the latter, of which
 * the cases in its database are.
 */
export const activations: Readonly<Record<string, Derivatives>> = {
  relu: { self: saving('result', (g, { result }) => except(result.le(0), g)) },
  silu: {
    self: saving('self', (g, { self }) => {
      const s = self.sigmoid();
      return g.mul(s.mul(self.mul(s.neg().add(1)).add(1)));
    }),
  },
  mish: {
    self: saving('self', (g, { self }) => {
      const t = self.exp().log1p().tanh();
      return g.mul(t.add(self.mul(self.sigmoid()).mul(t.square().neg().add(1))));
    }),
  },
  logsigmoid: { self: saving('self', (g, { self }) => g.mul(self.neg().sigmoid())) },
  hardsigmoid: {
    self: saving('self', (g, { self }) => only(self.abs().lt(3), g.div(6))),
  },
  hardswish: {
    self: saving('self', (g, { self }) =>
      except(self.le(-3), where(self.ge(3), g, g.mul(self.div(3).add(0.5)))),
    ),
  },
  selu: {
    self: saving('self', (g, { self }) =>
      where(
        self.le(0),
        g.mul(
          below(self)
            .exp()
            .mul(seluAlpha * seluScale),
        ),
        g.mul(seluScale),
      ),
    ),
  },
  elu: {
    self: saving('self', (g, { self, alpha }) =>
      where(self.le(0), g.mul(below(self).exp().mul(alpha)), g),
    ),
  },
  celu: {
    self: saving('self', (g, { self, alpha }) =>
      where(self.le(0), g.mul(below(self).div(alpha).exp()), g),
    ),
  },
  gelu: {
    self: saving('self', (g, { self }) => {
      const cdf = self.mul(Math.SQRT1_2).erf().add(1).mul(0.5);
      const pdf = self
        .square()
        .mul(-0.5)
        .exp()
        .mul(1 / Math.sqrt(2 * Math.PI));
      return g.mul(cdf.add(self.mul(pdf)));
    }),
  },
  geluTanh: {
    self: saving('self', (g, { self }) => {
      const square = self.square();
      const t = self.mul(square.mul(0.044715).add(1)).mul(geluScale).tanh();
      const inner = square
        .mul(3 * 0.044715)
        .add(1)
        .mul(geluScale);
      const slope = self.mul(t.square().neg().add(1)).mul(inner);
      return g.mul(t.add(1).add(slope).mul(0.5));
    }),
  },
  softplus: {
    self: saving('self', (g, { self, beta, threshold }) => {
      const scaled = self.mul(beta);
      const bend = where(scaled.lt(threshold), scaled.sigmoid(), 1 / (1 + Math.exp(-threshold)));
      return where(scaled.gt(threshold), g, g.mul(bend));
    }),
  },
  hardtanh: {
    self: saving('self', (g, { self, minVal, maxVal }) =>
      except(self.le(minVal).logicalOr(self.ge(maxVal)), g),
    ),
  },
  leakyRelu: {
    self: saving('self', (g, { self, negativeSlope }) =>
      where(self.gt(0), g, g.mul(negativeSlope)),
    ),
  },
  threshold: { self: saving('self', (g, { self, threshold }) => except(self.le(threshold), g)) },
  hardshrink: { self: saving('self', (g, { self, lambd }) => shrunk(g, self, lambd)) },
  softshrink: { self: saving('self', (g, { self, lambd }) => shrunk(g, self, lambd)) },
  prelu: {
    self: saving('self weight', (g, { self, weight }) => where(self.gt(0), g, g.mul(weight))),
    weight: saving('self', (g, { self }) => except(self.gt(0), g.mul(self))),
  },
  glu: {
    self: saving('gate', (g, { gate }) => g.mul(gate.sigmoid())),
    gate: saving('self gate', (g, { self, gate }) => {
      const s = gate.sigmoid();
      return g.mul(self).mul(s.neg().add(1).mul(s));
    }),
  },
};

const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;
const geluScale = Math.sqrt(2 / Math.PI);

/** What is negative, 0 for the rest, so that the slope does not bend at 0: as in PyTorch, its corner has no curvature. */
const below = (x: Tensor): Tensor => only(x.lt(0), x);

const shrunk = (g: Tensor, self: Tensor, lambd: number): Tensor => except(self.abs().le(lambd), g);
