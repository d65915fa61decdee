import type { Tensor } from '@sconce/core';
import { type Derivatives, saving } from './formula.js';

const adjoint = (x: Tensor): Tensor => x.transpose(-2, -1);
const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : x.mul(factor));

/** Matrix products. */
export const linear: Readonly<Record<string, Derivatives>> = {
  mm: {
    self: saving('mat2', (g, { mat2 }) => g.mm(mat2.t())),
    mat2: saving('self', (g, { self }) => self.t().mm(g)),
  },
  bmm: {
    self: saving('mat2', (g, { mat2 }) => g.bmm(adjoint(mat2))),
    mat2: saving('self', (g, { self }) => adjoint(self).bmm(g)),
  },
  dot: {
    self: saving('other', (g, { other }) => other.mul(g)),
    other: saving('self', (g, { self }) => self.mul(g)),
  },
  addmm: {
    self: (g, { beta }) => scaled(g, beta),
    mat1: saving('mat2', (g, { mat2, alpha }) => scaled(g.mm(mat2.t()), alpha)),
    mat2: saving('mat1', (g, { mat1, alpha }) => scaled(mat1.t().mm(g), alpha)),
  },
  baddbmm: {
    self: (g, { beta }) => scaled(g, beta),
    batch1: saving('batch2', (g, { batch2, alpha }) => scaled(g.bmm(adjoint(batch2)), alpha)),
    batch2: saving('batch1', (g, { batch1, alpha }) => scaled(adjoint(batch1).bmm(g), alpha)),
  },
};
