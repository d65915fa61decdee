import { arange, asStrided, mayOverlap, span, type Tensor } from '@sconce/core';
import { embed } from '../embed.js';
import type { Geometry } from '../geometry.js';
import type { Derivatives } from './formula.js';

/** Views, copies, conversions. Repeated elements are summed by the engine, as broadcast ones are. */
export const shape: Readonly<Record<string, Derivatives>> = {
  view: { self: (g, { self }) => g.reshape(self.shape) },
  unsafeView: { self: (g, { self }) => g.reshape(self.shape) },
  squeeze: { self: (g, { self }) => g.reshape(self.shape) },
  unsqueeze: { self: (g, { self }) => g.reshape(self.shape) },
  permute: { self: (g, { dims }) => g.permute(inverse(dims)) },
  transpose: { self: (g, { dim0, dim1 }) => g.transpose(dim0, dim1) },
  expand: { self: (g) => g },
  select: { self: (g, { self, dim, index }) => embed(g, self.shape, (t) => t.select(dim, index)) },
  slice: {
    self: (g, { self, dim, start, end, step }) =>
      embed(g, self.shape, (t) => t.slice(dim, start, end, step)),
  },
  diagonal: {
    self: (g, { self, offset, dim1, dim2 }) =>
      embed(g, self.shape, (t) => t.diagonal({ offset, dim1, dim2 })),
  },
  asStrided: {
    self: (g, { self, shape, strides, offset }) => gatherStrided(g, self, shape, strides, offset),
  },
  unfold: {
    self: (g, { self, dim, size, step }) => {
      const places = positions(g, self.shape).unfold(dim, size, step);
      return g.newZeros(self.shape).put(places, g, { accumulate: true });
    },
  },
  embed: { grad: (g, { place }) => place(g) },
  clone: { self: (g) => g },
  toDtype: { self: (g) => g },
  toDevice: { self: (g, { self }) => g.to(self.device) },
};

const inverse = (dims: readonly number[]): number[] => {
  const rank = dims.length;
  const order = dims.map((d) => (d < 0 ? d + rank : d));
  return order.map((_, d) => order.indexOf(d));
};

/** The row-major position of each element of a shape. */
const positions = (like: Tensor, shape: readonly number[]): Tensor =>
  arange(
    shape.reduce((n, s) => n * s, 1),
    { device: like.device, dtype: 'int64' },
  ).view(shape);

/** Gradients of strided positions, gathered in the memory that `self` and the view are both shown from. */
function gatherStrided(
  g: Tensor,
  self: Geometry,
  shape: readonly number[],
  strides: readonly number[],
  offset: number,
): Tensor {
  const first = Math.min(self.offset, offset);
  const length = Math.max(
    self.offset + span(self.shape, self.strides),
    offset + span(shape, strides),
  );
  const memory = [Math.max(length - first, 0)];
  const at = offset - first;
  let flat: Tensor;
  if (mayOverlap(shape, strides)) {
    const places = asStrided(positions(g, memory), shape, strides, at);
    flat = g.newZeros(memory).put(places.contiguous(), g.contiguous(), { accumulate: true });
  } else flat = embed(g, memory, (t) => asStrided(t, shape, strides, at));
  const start = self.offset - first;
  if (mayOverlap(self.shape, self.strides)) {
    // Several positions of `self` are one element: each takes its part.
    const places = asStrided(positions(g, memory), self.shape, self.strides, start).contiguous();
    const counts = g.newZeros(memory).put(places, g.newOnes(self.shape), { accumulate: true });
    flat = flat.div(counts);
  }
  return asStrided(flat, self.shape, self.strides, start);
}
