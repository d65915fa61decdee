import type { Tensor } from '@sconce/core';
import type { Geometry } from '../geometry.js';
import { type Derivatives, saving } from './formula.js';

const adjoint = (x: Tensor): Tensor => x.transpose(-2, -1);
const scaled = (x: Tensor, factor: number): Tensor => (factor === 1 ? x : x.mul(factor));

/** Whether matrices lie in memory by columns, as transposed ones do. */
const byColumns = ({ shape, strides }: Geometry): boolean =>
  strides.at(-2) === 1 &&
  shape.at(-1) !== 1 &&
  (strides.at(-1) as number) >= (shape.at(-2) as number);

type Product = (a: Tensor, b: Tensor) => Tensor;
const mm: Product = (a, b) => a.mm(b);
const bmm: Product = (a, b) => a.bmm(b);

/**
 * The gradients of a product to its factors, in the layout of the factor: that of a transposed weight is
 * then the transpose of a plain matrix, which becomes the weight's `grad` as it is.
 */
const toLeft = (product: Product, g: Tensor, left: Geometry, right: Tensor): Tensor =>
  byColumns(left) ? adjoint(product(right, adjoint(g))) : product(g, adjoint(right));
const toRight = (product: Product, g: Tensor, left: Tensor, right: Geometry): Tensor =>
  byColumns(right) ? adjoint(product(adjoint(g), left)) : product(adjoint(left), g);

/** Matrix products. */
export const linear: Readonly<Record<string, Derivatives>> = {
  mm: {
    self: saving('mat2', (g, { self, mat2 }) => toLeft(mm, g, self, mat2)),
    mat2: saving('self', (g, { self, mat2 }) => toRight(mm, g, self, mat2)),
  },
  bmm: {
    self: saving('mat2', (g, { self, mat2 }) => toLeft(bmm, g, self, mat2)),
    mat2: saving('self', (g, { self, mat2 }) => toRight(bmm, g, self, mat2)),
  },
  dot: {
    self: saving('other', (g, { other }) => other.mul(g)),
    other: saving('self', (g, { self }) => self.mul(g)),
  },
  addmm: {
    self: (g, { beta }) => scaled(g, beta),
    mat1: saving('mat2', (g, { mat1, mat2, alpha }) => scaled(toLeft(mm, g, mat1, mat2), alpha)),
    mat2: saving('mat1', (g, { mat1, mat2, alpha }) => scaled(toRight(mm, g, mat1, mat2), alpha)),
  },
  baddbmm: {
    self: (g, { beta }) => scaled(g, beta),
    batch1: saving('batch2', (g, { batch1, batch2, alpha }) =>
      scaled(toLeft(bmm, g, batch1, batch2), alpha),
    ),
    batch2: saving('batch1', (g, { batch1, batch2, alpha }) =>
      scaled(toRight(bmm, g, batch1, batch2), alpha),
    ),
  },
};
