import { type Tensor, where } from '@sconce/core';
import { embed } from '../embed.js';
import type { Geometry } from '../geometry.js';
import { type Derivatives, saving } from './formula.js';
import { except, only } from './pointwise.js';

/** Zeros that take the gradients of what was read from a tensor. */
const blank = (g: Tensor, self: Geometry): Tensor => g.newZeros(self.shape);

/** The gradient of the part of a source that lies under the index, as one of the whole source. */
const under = (g: Tensor, source: Geometry): Tensor =>
  g.shape.every((size, d) => size === source.shape[d])
    ? g
    : embed(g, source.shape, (t) => g.shape.reduce((part, size, d) => part.narrow(d, 0, size), t));

/** The part of a source that lies under the index. */
const over = (source: Tensor, index: Tensor): Tensor =>
  index.shape.reduce((part, size, d) => part.narrow(d, 0, size), source);

/** Operations that read or write chosen elements. */
export const indexing: Readonly<Record<string, Derivatives>> = {
  gather: {
    self: saving('index', (g, { self, dim, index }) => blank(g, self).scatterAdd(dim, index, g)),
  },
  indexSelect: {
    self: saving('index', (g, { self, dim, index }) => blank(g, self).indexAdd(dim, index, g)),
  },
  index: {
    self: saving('indices', (g, { self, indices }) =>
      blank(g, self).indexPut(listed(indices), g, { accumulate: true }),
    ),
  },
  indexPut: {
    self: saving('indices', (g, { indices, accumulate }) =>
      accumulate ? g : g.indexPut(listed(indices), 0),
    ),
    values: saving('indices', (g, { indices }) => g.index(listed(indices))),
  },
  put: {
    self: saving('index', (g, { index, accumulate }) =>
      accumulate ? g : g.put(index, g.newZeros(index.shape)),
    ),
    source: saving('index', (g, { index, source }) => g.take(index).reshape(source.shape)),
  },
  scatter: {
    self: saving('index', (g, { dim, index }) => g.scatter(dim, index, 0)),
    src: saving('index', (g, { dim, index, src }) => under(g.gather(dim, index), src)),
  },
  scatterValue: { self: saving('index', (g, { dim, index }) => g.scatter(dim, index, 0)) },
  scatterAdd: {
    self: (g) => g,
    src: saving('index', (g, { dim, index, src }) => under(g.gather(dim, index), src)),
  },
  scatterReduce: {
    self: saving('self src index result', (g, c) =>
      reducedSelf(g, { ...c, src: over(c.src, c.index), places: scattered(c.dim, c.index) }),
    ),
    src: saving('self src index result', (g, c) =>
      under(
        reducedSource(g, { ...c, src: over(c.src, c.index), places: scattered(c.dim, c.index) }),
        c.src,
      ),
    ),
  },
  indexAdd: {
    self: (g) => g,
    source: saving('index', (g, { dim, index, source, alpha }) =>
      g.indexSelect(dim, index).mul(alpha).reshape(source.shape),
    ),
  },
  indexCopy: {
    self: saving('index', (g, { dim, index }) => g.indexFill(dim, index, 0)),
    source: saving('index', (g, { dim, index, source }) =>
      g.indexSelect(dim, index).reshape(source.shape),
    ),
  },
  indexFill: {
    self: saving('index', (g, { dim, index }) => g.indexFill(dim, index, 0)),
    value: saving('index', (g, { dim, index }) => {
      // A position counts once, however often and from whichever end it is named.
      const length = g.shape[dim] ?? 1;
      const named = g.newZeros([length], { dtype: 'bool' }).indexFill(0, index, true);
      const along = g.shape.map((n, d) => (d === dim ? n : 1));
      return only(named.reshape(along), g);
    }),
  },
  indexReduce: {
    self: saving('self source index result', (g, c) =>
      reducedSelf(g, { ...c, src: c.source, places: selected(c.dim, c.index) }),
    ),
    source: saving('self source index result', (g, c) =>
      reducedSource(g, { ...c, src: c.source, places: selected(c.dim, c.index) }),
    ),
  },
  maskedScatter: {
    self: saving('mask', (g, { mask }) => except(mask, g)),
    source: saving('mask', (g, { mask, source }) => {
      const places = mask.reshape(-1).cumsum(0).sub(1).reshape(mask.shape);
      return blank(g, source).put(where(mask, places, 0), only(mask, g), { accumulate: true });
    }),
  },
  selectScatter: {
    self: (g, { src, dim, index }) => g.selectScatter(blank(g, src), dim, index),
    src: (g, { dim, index }) => g.select(dim, index),
  },
  sliceScatter: {
    self: (g, { src, dim, start, end, step }) =>
      g.sliceScatter(blank(g, src), dim, start, end, step),
    src: (g, { dim, start, end, step }) => g.slice(dim, start, end, step),
  },
  diagonalScatter: {
    self: (g, { src, offset, dim1, dim2 }) =>
      g.diagonalScatter(blank(g, src), { offset, dim1, dim2 }),
    src: (g, { offset, dim1, dim2 }) => g.diagonal({ offset, dim1, dim2 }),
  },
  asStridedScatter: {
    self: (g, { src, shape, strides, offset }) =>
      g.contiguous().asStridedScatter(blank(g, src), shape, strides, offset),
    src: (g, { shape, strides, offset }) => g.contiguous().asStrided(shape, strides, offset),
  },
};

/** A parameter that holds one tensor for each indexed dimension. */
const listed = (indices: unknown): readonly (Tensor | null)[] =>
  indices as readonly (Tensor | null)[];

/** How a reduction into chosen places reads and writes them. */
interface Places {
  read(t: Tensor): Tensor;
  add(to: Tensor, values: Tensor): Tensor;
  clear(t: Tensor): Tensor;
  reduce(to: Tensor, values: Tensor, reduce: Reduction, includeSelf: boolean): Tensor;
}

/** How values that meet at one place are combined. */
type Reduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

const scattered = (dim: number, index: Tensor): Places => ({
  read: (t) => t.gather(dim, index),
  add: (to, values) => to.scatterAdd(dim, index, values),
  clear: (t) => t.scatter(dim, index, 0),
  reduce: (to, values, reduce, includeSelf) =>
    to.scatterReduce(dim, index, values, reduce, { includeSelf }),
});

const selected = (dim: number, index: Tensor): Places => ({
  read: (t) => t.indexSelect(dim, index),
  add: (to, values) => to.indexAdd(dim, index, values),
  clear: (t) => t.indexFill(dim, index, 0),
  reduce: (to, values, reduce, includeSelf) =>
    to.indexReduce(dim, index, values, reduce as Exclude<Reduction, 'sum'>, { includeSelf }),
});

interface Reduced {
  readonly self: Tensor;
  readonly src: Tensor;
  readonly result: Tensor;
  readonly reduce: string;
  readonly includeSelf: boolean;
  readonly places: Places;
}

/** How many values met at each place. */
const counts = (g: Tensor, { src, includeSelf, places }: Reduced): Tensor =>
  places
    .add(includeSelf ? g.newOnes(g.shape) : g.newZeros(g.shape), g.newOnes(src.shape))
    .clampMin(1);

/** The gradient at each place for one of the values that are the extreme there. */
const shares = (g: Tensor, { self, src, result, places }: Reduced): Tensor => {
  // As in PyTorch, a tie with what stood there before takes its part, even if that is not included.
  const own = self.eq(result).to(g.dtype);
  return g.div(places.add(own, src.eq(places.read(result)).to(g.dtype)));
};

function reducedSelf(g: Tensor, given: Reduced): Tensor {
  const { self, src, result, includeSelf, places } = given;
  const reduce = given.reduce as Reduction;
  const all = (): Tensor => {
    if (reduce === 'sum') return g;
    if (reduce === 'mean') return g.div(counts(g, given));
    if (reduce !== 'prod') return only(self.eq(result), shares(g, given));
    const whole = self.maskedFill(self.eq(0), 1);
    return g.mul(places.reduce(whole, src, reduce, includeSelf)).div(whole);
  };
  return includeSelf ? all() : places.clear(all());
}

function reducedSource(g: Tensor, given: Reduced): Tensor {
  const { self, src, result, includeSelf, places } = given;
  const reduce = given.reduce as Reduction;
  if (reduce === 'sum') return places.read(g);
  if (reduce === 'mean') return places.read(g.div(counts(g, given)));
  if (reduce !== 'prod') return only(src.eq(places.read(result)), places.read(shares(g, given)));
  // Where one of the values is zero, the product of the others is another one than that divided by it.
  const zeros = src.eq(0);
  const alone = zeros.logicalAnd(
    places.read(places.add(g.newZeros(self.shape), zeros.to(g.dtype))).eq(1),
  );
  const others = places.reduce(self, src.maskedFill(alone, 1), reduce, includeSelf);
  return where(
    alone,
    places.read(g.mul(others)),
    places.read(g.mul(result)).div(src.maskedFill(zeros, 1)),
  );
}
