import { describe, expect, it } from 'vitest';
import {
  bucketize,
  Device,
  InterpreterBackend,
  isin,
  registerBackend,
  searchsorted,
  type Tensor,
  tensor,
  trilIndices,
  triuIndices,
  zeros,
} from '../index.js';

const NaN_ = Number.NaN;
const x = (): Tensor =>
  tensor([
    [3, 1, 2],
    [9, 7, 8],
  ]);

describe('sort', () => {
  it('sorts along any dimension, stably, NaN last', () => {
    const { values, indices } = x().sort();
    expect(values.toArraySync()).toEqual([
      [1, 2, 3],
      [7, 8, 9],
    ]);
    expect(indices.toArraySync()).toEqual([
      [1, 2, 0],
      [1, 2, 0],
    ]);
    const [down] = x().sort(0, { descending: true });
    expect(down.toArraySync()).toEqual([
      [9, 7, 8],
      [3, 1, 2],
    ]);
    expect(tensor([2, NaN_, 1]).sort().values.toArraySync()).toEqual([1, 2, NaN_]);
    expect(tensor([1n, 0n, 1n, 0n]).argsort().toArraySync()).toEqual([1, 3, 0, 2]);
    expect(x().msort().at(0).toArraySync()).toEqual([3, 1, 2]);
  });

  it('finds the greatest, the k-th and the middle', () => {
    const top = x().topk(2);
    expect(top.values.toArraySync()).toEqual([
      [3, 2],
      [9, 8],
    ]);
    expect(top.indices.toArraySync()).toEqual([
      [0, 2],
      [0, 2],
    ]);
    expect(x().topk(1, 0, { largest: false }).values.toArraySync()).toEqual([[3, 1, 2]]);
    expect(() => x().topk(4)).toThrow('selected index k out of range');
    expect(x().kthvalue(2).values.toArraySync()).toEqual([2, 8]);
    expect(x().kthvalue(2, 1, { keepdim: true }).indices.shape).toEqual([2, 1]);
    expect(x().median().itemSync()).toBe(3);
    expect(x().median(1).indices.toArraySync()).toEqual([2, 2]);
    expect(tensor([1, NaN_, 3]).median().itemSync()).toBe(NaN_);
    expect(tensor([1, NaN_, 3]).nanmedian().itemSync()).toBe(1);
    const { values, indices } = tensor([5n, 2n, 5n, 2n, 9n]).mode();
    expect([values.itemSync(), indices.itemSync()]).toEqual([2, 3]);
  });

  it('interpolates quantiles', () => {
    const y = tensor([0, 10, 20, 30]);
    expect(y.quantile(0.4).itemSync()).toBeCloseTo(12, 4);
    const ask = (interpolation: 'lower' | 'higher' | 'midpoint' | 'nearest') =>
      y.quantile(0.4, 0, { interpolation }).itemSync();
    expect([ask('lower'), ask('higher'), ask('midpoint'), ask('nearest')]).toEqual([
      10, 20, 15, 10,
    ]);
    expect(
      x()
        .quantile(tensor([0, 1]), 1)
        .toArraySync(),
    ).toEqual([
      [1, 7],
      [3, 9],
    ]);
    expect(tensor([1, NaN_, 3]).quantile(0.5).itemSync()).toBe(NaN_);
    expect(tensor([1, NaN_, 3]).nanquantile(0.5).itemSync()).toBe(2);
    expect(() => y.quantile(1.5)).toThrow('q must be in the range [0, 1]');
  });
});

describe('searching', () => {
  it('finds where values belong', () => {
    const edges = tensor([1, 3, 3, 7]);
    const values = tensor([0, 3, 5, 9]);
    expect(searchsorted(edges, values).toArraySync()).toEqual([0, 1, 3, 4]);
    expect(searchsorted(edges, values, { right: true }).toArraySync()).toEqual([0, 3, 3, 4]);
    expect(searchsorted(edges, 3).itemSync()).toBe(1);
    expect(bucketize(values, edges, { outInt32: true }).dtype).toBe('int32');
    const rows = tensor([
      [1, 2],
      [5, 6],
    ]);
    expect(searchsorted(rows, tensor([[2], [2]])).toArraySync()).toEqual([[1], [0]]);
    expect(
      searchsorted(tensor([3, 1, 2]), tensor([2.5]), {
        sorter: tensor([1n, 2n, 0n]),
      }).toArraySync(),
    ).toEqual([2]);
    expect(searchsorted(zeros([0]), values).toArraySync()).toEqual([0, 0, 0, 0]);
  });

  it('finds members, nonzero places and distinct elements', () => {
    expect(isin(tensor([1n, 2n, 3n]), tensor([3n, 1n])).toArraySync()).toEqual([true, false, true]);
    expect(isin(tensor([1n, 2n]), 2, { invert: true }).toArraySync()).toEqual([true, false]);
    const sparse = tensor([
      [0, 5],
      [6, 0],
    ]);
    expect(sparse.nonzero().toArraySync()).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(
      sparse
        .t()
        .nonzero({ asTuple: true })
        .map((t) => t.toArraySync()),
    ).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(sparse.maskedSelect(sparse.gt(5)).toArraySync()).toEqual([6]);
    expect(tensor(2).nonzero().shape).toEqual([1, 0]);
    const [values, inverse, counts] = tensor([3n, 1n, 3n, 2n]).unique({
      returnInverse: true,
      returnCounts: true,
    });
    expect(values.toArraySync()).toEqual([1, 2, 3]);
    expect(inverse.toArraySync()).toEqual([2, 0, 2, 1]);
    expect(counts.toArraySync()).toEqual([1, 1, 2]);
    const rows = tensor([
      [2, 1],
      [1, 9],
      [2, 1],
    ]);
    expect(rows.unique({ dim: 0 }).toArraySync()).toEqual([
      [1, 9],
      [2, 1],
    ]);
    expect(tensor([1, 1, 2, 1]).uniqueConsecutive().toArraySync()).toEqual([1, 2, 1]);
  });

  it('counts', () => {
    expect(tensor([0, 1, 2, 4, 5]).histc(4, 0, 4).toArraySync()).toEqual([1, 1, 1, 1]);
    expect(tensor([1n, 3n, 1n]).bincount().toArraySync()).toEqual([0, 2, 0, 1]);
    expect(
      tensor([1n, 1n])
        .bincount(tensor([0.5, 2]), 3)
        .toArraySync(),
    ).toEqual([0, 2.5, 0]);
    expect(trilIndices(2, 3).toArraySync()).toEqual([
      [0, 1, 1],
      [0, 0, 1],
    ]);
    expect(triuIndices(2, 3, { offset: 1 }).toArraySync()).toEqual([
      [0, 0, 1],
      [1, 2, 2],
    ]);
  });

  it('says what to do on a device that cannot be read at once', () => {
    class Later extends InterpreterBackend {
      override readonly synchronous = false as true;
    }
    registerBackend('later', { open: () => new Later() });
    const device = Device.from('later');
    const y = zeros([3], { device });
    expect(() => y.nonzero()).toThrow('await withReads(');
    expect(() => y.unique()).toThrow('unique: the shape of the result depends on values');
    y.setAt([y.eq(0)], 4);
    expect(y.sum().itemSync()).toBe(12);
  });
});

describe('scans', () => {
  it('accumulates', () => {
    expect(x().cumsum(1).toArraySync()).toEqual([
      [3, 4, 6],
      [9, 16, 24],
    ]);
    expect(tensor([true, true]).cumsum(0).dtype).toBe('int64');
    expect(tensor([2n, 3n]).cumprod(0).toArraySync()).toEqual([2, 6]);
    const best = tensor([1, 5, 5, 2]).cummax(0);
    expect(best.values.toArraySync()).toEqual([1, 5, 5, 5]);
    expect(best.indices.toArraySync()).toEqual([0, 1, 2, 2]);
    expect(x().cummin(0).indices.at(1).toArraySync()).toEqual([0, 0, 0]);
    expect(tensor([0, 0]).logcumsumexp(0).at(1).itemSync()).toBeCloseTo(Math.LN2, 6);
    const y = tensor([1, 2, 3]);
    y.cumsum_(0);
    expect(y.toArraySync()).toEqual([1, 3, 6]);
  });

  it('differences and integrates', () => {
    expect(tensor([1, 4, 9]).diff().toArraySync()).toEqual([3, 5]);
    expect(
      tensor([1, 4, 9])
        .diff(1, 0, { prepend: tensor([0]) })
        .toArraySync(),
    ).toEqual([1, 3, 5]);
    expect(tensor([true, false]).diff().toArraySync()).toEqual([true]);
    expect(tensor([1, 2, 3]).trapezoid().itemSync()).toBe(4);
    expect(
      tensor([1, 2, 3])
        .trapezoid(tensor([0, 2, 6]))
        .itemSync(),
    ).toBe(13);
    expect(tensor([1, 2, 3]).cumulativeTrapezoid(null, { dx: 2 }).toArraySync()).toEqual([3, 8]);
  });
});
