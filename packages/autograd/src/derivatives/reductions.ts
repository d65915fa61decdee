import { cat, flip, type Tensor, where } from '@sconce/core';
import type { Geometry } from '../geometry.js';
import { isGradEnabled } from '../modes.js';
import { type Derivatives, saving } from './formula.js';
import { except, only } from './pointwise.js';

/** A reduced result with its reduced dimensions back, as size 1. */
export const unreduced = (t: Tensor, axes: readonly number[], keepdim: boolean): Tensor =>
  keepdim || axes.length === 0 ? t : axes.reduce((result, d) => result.unsqueeze(d), t);

/** A reduced gradient repeated over what was reduced. */
const spread = (g: Tensor, self: Geometry, axes: readonly number[], keepdim: boolean): Tensor =>
  unreduced(g, axes, keepdim).expand(self.shape);

const count = (self: Geometry, axes: readonly number[]): number =>
  axes.reduce((n, d) => n * (self.shape[d] as number), 1);

/** The gradient goes to the elements that are the result, in equal parts where there are several. */
const toExtremes = saving('self result', (g, { self, result, axes, keepdim, toNaN }) => {
  const whole = unreduced(g, axes, keepdim);
  const equal = self.eq(unreduced(result, axes, keepdim));
  const hit = toNaN ? equal.logicalOr(self.isnan()) : equal;
  const hits = hit.sum(axes, { keepdim: true });
  // No element is equal to NaN: 0 / 0 then, as in PyTorch.
  return toNaN ? only(hit, whole.div(hits)) : whole.mul(hit).div(hits);
});

/** The gradient goes to the one element whose index the operation returned. */
const toIndex: Derivatives = {
  self: saving('indices', (g, { self, indices, dim, keepdim }) => {
    if (self.shape.length === 0) return g;
    const back = (t: Tensor) => (keepdim ? t : t.unsqueeze(dim));
    return g.newZeros(self.shape).scatter(dim, back(indices), back(g));
  }),
};

/** Reductions over dimensions. */
export const reductions: Readonly<Record<string, Derivatives>> = {
  sum: { self: (g, { self, axes, keepdim }) => spread(g, self, axes, keepdim) },
  nansum: {
    self: saving('self', (g, { self, axes, keepdim }) =>
      except(self.isnan(), spread(g, self, axes, keepdim)),
    ),
  },
  mean: {
    self: (g, { self, axes, keepdim }) => spread(g.div(count(self, axes)), self, axes, keepdim),
  },
  prod: {
    self: saving('self result', (g, { self, result, axes, keepdim }) =>
      productGradient(unreduced(g, axes, keepdim), self, unreduced(result, axes, keepdim), axes),
    ),
  },
  amax: { self: toExtremes },
  amin: { self: toExtremes },
  max: toIndex,
  min: toIndex,
  var: {
    self: saving('self', (g, { self, axes, correction, keepdim }) =>
      varianceGradient(unreduced(g, axes, keepdim), self, axes, correction),
    ),
  },
  std: {
    self: saving('self result', (g, { self, result, axes, correction, keepdim }) => {
      const slope = except(result.eq(0), g.div(result.mul(2)));
      return varianceGradient(unreduced(slope, axes, keepdim), self, axes, correction);
    }),
  },
  logsumexp: {
    self: saving('self result', (g, { self, result, axes, keepdim }) => {
      const total = unreduced(result, axes, keepdim);
      return unreduced(g, axes, keepdim).mul(self.sub(total).exp());
    }),
  },
  vectorNorm: {
    self: saving('self result', (g, { self, result, ord, axes, keepdim }) =>
      normGradient(unreduced(g, axes, keepdim), self, unreduced(result, axes, keepdim), ord, axes),
    ),
  },
};

const varianceGradient = (
  g: Tensor,
  self: Tensor,
  axes: readonly number[],
  correction: number,
): Tensor => {
  const free = count(self, axes) - correction;
  const mean = self.mean(axes, { keepdim: true });
  if (free > 0) return g.mul(self.sub(mean)).mul(2 / free);
  return g.mul(where(self.eq(mean), Number.NaN, g.newFull([], Infinity)));
};

/**
 * Each element's gradient is the product of the others. To divide the product of all by it is quick, and right to the first order:
 * where one is zero, the second derivative is another product.
 */
function productGradient(g: Tensor, self: Tensor, result: Tensor, axes: readonly number[]): Tensor {
  if (self.shape.length === 0) return g;
  if (isGradEnabled()) return g.mul(productOfOthers(self, axes));
  const zeros = self.eq(0);
  const total = where(zeros, 1, self);
  const rest = unreduced(axes.length === 1 ? total.prod(axes[0]) : total.prod(), axes, false);
  const holes = zeros.sum(axes, { keepdim: true });
  const others = where(zeros, only(holes.eq(1), rest), only(holes.eq(0), result.div(self)));
  return g.mul(others);
}

/** The product of all other elements of the row: of those before each one, and of those behind. */
export function productOfOthers(self: Tensor, axes: readonly number[]): Tensor {
  const kept = self.shape.map((_, d) => d).filter((d) => !axes.includes(d));
  const order = [...kept, ...axes];
  const moved = self.permute(order);
  const row = moved.reshape([...kept.map((d) => self.shape[d] as number), count(self, axes)]);
  const last = kept.length;
  const before = productsBefore(row, last);
  const behind = flip(productsBefore(flip(row, last), last), last);
  const inverse = self.shape.map((_, d) => order.indexOf(d));
  return before.mul(behind).reshape(moved.shape).permute(inverse);
}

/** The products of all elements before each one along a dimension; 1 for the first. */
export function productsBefore(self: Tensor, dim: number): Tensor {
  const size = self.shape[dim] as number;
  if (size === 0) return self;
  const ones = self.newOnes(self.shape.map((n, d) => (d === dim ? 1 : n)));
  return cat([ones, self.narrow(dim, 0, size - 1)], dim).cumprod(dim);
}

function normGradient(
  g: Tensor,
  self: Tensor,
  norm: Tensor,
  ord: number,
  axes: readonly number[],
): Tensor | undefined {
  if (ord === 0) return undefined;
  if (ord === 1) return g.mul(self.sign());
  if (ord === 2) return g.mul(except(norm.eq(0), self.div(norm)));
  if (Math.abs(ord) === Infinity) {
    const hit = self.abs().eq(norm);
    return only(hit, g.div(hit.sum(axes, { keepdim: true })).mul(self.sign()));
  }
  const scale = except(norm.eq(0), g.mul(norm.pow(1 - ord)));
  if (ord < 2) return scale.mul(except(self.eq(0), self.sign().mul(self.abs().pow(ord - 1))));
  return scale.mul(self).mul(self.abs().pow(ord - 2));
}
