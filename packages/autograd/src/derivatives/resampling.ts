import { col2im, im2col, upsample, upsampleBackward } from '@sconce/core';
import type { Derivatives } from './formula.js';

/** Operations that take images apart and change their resolution: all linear, in pairs. */
export const resampling: Readonly<Record<string, Derivatives>> = {
  im2col: { self: (g, { self, blocks }) => col2im(g, self.shape.slice(2), blocks) },
  col2im: { self: (g, { blocks }) => im2col(g, blocks) },
  upsample: {
    self: (g, { self, interpolation, aligned, factors }) =>
      upsampleBackward(g, self.shape, interpolation, aligned, factors),
  },
  upsampleBackward: {
    grad: (g, { grad, interpolation, aligned, factors }) =>
      upsample(g, grad.shape.slice(2), interpolation, aligned, factors),
  },
};
