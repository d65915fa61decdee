import { canRead, cat, cdistBackward, flip, stack, type Tensor, where } from '@sconce/core';
import type { Geometry } from '../geometry.js';
import { isGradEnabled } from '../modes.js';
import { type Derivatives, saving, several } from './formula.js';
import { only } from './pointwise.js';
import { productsBefore } from './reductions.js';

/** Rearrangements, running sums and products, order. */
export const rearranging: Readonly<Record<string, Derivatives>> = {
  cat: { tensors: (g, { tensors, dim }) => parts(g, tensors, dim) },
  split: { self: several('', (grads, { dim }) => cat(grads, dim)) },
  splitWithSizes: { self: several('', (grads, { dim }) => cat(grads, dim)) },
  unbind: { self: several('', (grads, { dim }) => stack(grads, dim)) },
  flip: { self: (g, { dims }) => flip(g, dims) },
  roll: {
    self: (g, { shifts, dims }) =>
      g.roll(
        shifts.map((n) => -n),
        dims,
      ),
  },
  tril: { self: (g, { diagonal }) => g.tril(diagonal) },
  triu: { self: (g, { diagonal }) => g.triu(diagonal) },
  diagEmbed: { self: (g, { offset, dim1, dim2 }) => g.diagonal({ offset, dim1, dim2 }) },
  cumsum: { self: (g, { dim }) => sumsFromEnd(g, dim) },
  cumprod: {
    self: saving('self result', (g, { self, result, dim }) =>
      (self.shape[dim] ?? 1) === 1
        ? g
        : isGradEnabled()
          ? recordedRunningProduct(g, self, result, dim)
          : runningProduct(g, self, result, dim),
    ),
  },
  logcumsumexp: {
    self: saving('self result', (g, { self, result, dim }) => {
      if (self.shape.length === 0) return g;
      // In logarithms, positive and negative gradients apart, so that nothing overflows.
      const logarithm = g.abs().log();
      const share = (part: Tensor) => {
        const terms = where(part, logarithm, nothing).sub(result);
        return flip(flip(terms, dim).logcumsumexp(dim), dim).add(self).exp();
      };
      return share(g.gt(0)).sub(share(g.lt(0)));
    }),
  },
  cummax: {
    self: saving('indices', (g, { indices, dim }) =>
      g.newZeros(g.shape).scatterAdd(dim, indices, g),
    ),
  },
  cummin: {
    self: saving('indices', (g, { indices, dim }) =>
      g.newZeros(g.shape).scatterAdd(dim, indices, g),
    ),
  },
  sort: {
    self: saving('indices', (g, { indices, dim }) => g.newZeros(g.shape).scatter(dim, indices, g)),
  },
  median: { self: saving('self result', (g, { self, result }) => shared(g, self, result)) },
  nanmedian: { self: saving('self result', (g, { self, result }) => shared(g, self, result)) },
  cdist: {
    x1: saving('x1 x2 result', (g, { x1, x2, p, result }) => cdistBackward(g, x1, x2, p, result)),
    x2: saving('x1 x2 result', (g, { x1, x2, p, result }) =>
      cdistBackward(turned(g), x2, x1, p, turned(result)),
    ),
  },
};

/** A logarithm of zero that arithmetic does not make NaN of. */
const nothing = -1e37;

const turned = (t: Tensor): Tensor => t.transpose(-2, -1);

/** The pieces of a gradient that belong to what was joined. */
function parts(g: Tensor, tensors: readonly Geometry[], dim: number): Tensor[] {
  let start = 0;
  return tensors.map(({ shape }) => {
    // Vectors without elements join anything, and take no place.
    if (shape.length === 1 && shape[0] === 0) return g.newZeros([0]);
    const size = shape[dim] as number;
    start += size;
    return g.narrow(dim, start - size, size);
  });
}

/** The sums of each element and all after it. */
const sumsFromEnd = (g: Tensor, dim: number): Tensor => flip(flip(g, dim).cumsum(dim), dim);

/** The gradient goes to the elements that are the result, in equal parts where there are several. */
function shared(g: Tensor, self: Tensor, result: Tensor): Tensor {
  const hit = self.eq(result).logicalOr(self.isnan().logicalAnd(result.isnan()));
  return only(hit, g.div(hit.sum()));
}

/**
 * Up to the first zero of a row the sum over later products may be divided by the element; the zero itself
 * gets what the products would be without it; what follows it gets nothing.
 */
function runningProduct(g: Tensor, self: Tensor, result: Tensor, dim: number): Tensor {
  const zeros = self.eq(0);
  const met = zeros.to(self.dtype).cumsum(dim);
  const before = met.eq(0);
  const first = zeros.logicalAnd(met.eq(1));
  const regular = sumsFromEnd(g.mul(result), dim).div(where(zeros, 1, self));
  const without = where(first, 1, self).cumprod(dim);
  const beyond = sumsFromEnd(only(met.eq(1), g.mul(without)), dim);
  return where(before, regular, only(first, beyond));
}

/**
 * The same without a division or a case, to be differentiated again: what stands before each element times the sum
 * of `g` over it and all that follows, each multiplied by the elements in between. These sums s[k] = g[k] + x[k + 1] s[k + 1]
 * are made of ever longer pieces: of twice the length in every round.
 */
function recordedRunningProduct(g: Tensor, self: Tensor, result: Tensor, dim: number): Tensor {
  const zeros = self.detach().eq(0).any();
  // Known to have no zeros, it takes but one sum.
  if (canRead(zeros) && zeros.itemSync() === 0) return sumsFromEnd(g.mul(result), dim).div(self);
  const size = self.shape[dim] as number;
  /** Element k is that of k + by; `value` stands for those beyond the end. */
  const ahead = (t: Tensor, by: number, value: 0 | 1): Tensor => {
    const rest = t.newFull(
      t.shape.map((n, d) => (d === dim ? by : n)),
      value,
    );
    return cat([t.narrow(dim, by, size - by), rest], dim);
  };
  let sums = g;
  let factors = ahead(self, 1, 0);
  for (let length = 1; length < size; length *= 2) {
    sums = sums.add(factors.mul(ahead(sums, length, 0)));
    if (length * 2 < size) factors = factors.mul(ahead(factors, length, 0));
  }
  return productsBefore(self, dim).mul(sums);
}
