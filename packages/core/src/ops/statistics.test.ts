import { describe, expect, it } from 'vitest';
import {
  aminmax,
  corrcoef,
  cov,
  floatPower,
  gradient,
  histogram,
  histogramdd,
  renorm,
  segmentReduce,
  sumToSize,
  type Tensor,
  tensor,
} from '../index.js';

const list = (t: Tensor) => t.toArraySync() as number[];
const ints = (x: number[]) => tensor(x, { dtype: 'int64' });

describe('cov and corrcoef', () => {
  const x = tensor([
    [0, 1, 2],
    [2, 1, 0],
  ]);
  it('relates the rows', () => {
    expect(list(cov(x))).toEqual([
      [1, -1],
      [-1, 1],
    ]);
    expect(list(corrcoef(x))).toEqual([
      [1, -1],
      [-1, 1],
    ]);
    expect(cov(tensor([1, 3])).itemSync()).toBe(2);
    expect(() => cov(x.unsqueeze(0))).toThrow(/two or fewer dimensions/);
  });
  it('weighs observations', () => {
    // Twice the last column, as if it stood there twice: mean 1.25, squares 2.75.
    const twice = cov(x, { fweights: ints([1, 1, 2]) });
    expect(list(twice.select(0, 0))[0]).toBeCloseTo(2.75 / 3, 6);
    const weights = tensor([1, 1, 2]);
    expect(list(cov(x, { aweights: weights, correction: 0 }).select(0, 0))[0]).toBeCloseTo(
      2.75 / 4,
      6,
    );
    expect(() => cov(x, { aweights: tensor([1]) })).toThrow(/same numel/);
  });
});

describe('gradient', () => {
  const x = tensor([1, 2, 4, 8]);
  it('takes distances and coordinates', () => {
    expect(list(gradient(x)[0] as Tensor)).toEqual([1, 1.5, 3, 4]);
    expect(list(gradient(x, { spacing: 2 })[0] as Tensor)).toEqual([0.5, 0.75, 1.5, 2]);
    const coordinates = tensor([0, 1, 2, 3]);
    expect(list(gradient(x, { spacing: [coordinates] })[0] as Tensor)).toEqual([1, 1.5, 3, 4]);
  });
  it('is exact for parabolas at second order', () => {
    const at = tensor([0, 1, 3, 4]);
    const exact = [0, 2, 6, 8];
    list(gradient(at.square(), { spacing: [at], edgeOrder: 2 })[0] as Tensor).forEach((v, i) => {
      expect(v).toBeCloseTo(exact[i] as number, 5);
    });
    const even = tensor([0, 1, 4, 9]);
    expect(list(gradient(even, { edgeOrder: 2 })[0] as Tensor)).toEqual([0, 2, 4, 6]);
    expect(() => gradient(tensor([1]))).toThrow(/at least/);
  });
});

describe('histogram', () => {
  it('counts, weighs and normalizes', () => {
    const x = tensor([0, 1, 1, 2, 4]);
    const { hist, binEdges } = histogram(x, 4);
    expect(list(hist)).toEqual([1, 2, 1, 1]);
    expect(list(binEdges)).toEqual([0, 1, 2, 3, 4]);
    const edges = tensor([1, 2, 4]);
    expect(list(histogram(x, edges).hist)).toEqual([2, 2]);
    expect(list(histogram(x, edges, { density: true }).hist)).toEqual([0.5, 0.25]);
    const weight = tensor([1, 2, 3, 4, 5]);
    expect(list(histogram(x, 2, { weight, range: [0, 2] }).hist)).toEqual([1, 9]);
    expect(list(histogram(tensor([3]), 1).binEdges)).toEqual([2.5, 3.5]);
  });
});

describe('segmentReduce', () => {
  const x = tensor([1, 2, 3, 4]);
  it('takes lengths or offsets', () => {
    expect(list(segmentReduce(x, 'sum', { lengths: ints([1, 0, 3]) }))).toEqual([1, 0, 9]);
    expect(list(segmentReduce(x, 'prod', { offsets: ints([1, 3, 4]) }))).toEqual([6, 4]);
    expect(list(segmentReduce(x, 'mean', { lengths: ints([1, 0, 3]) }))).toEqual([
      1,
      Number.NaN,
      3,
    ]);
    expect(list(segmentReduce(x, 'max', { lengths: ints([2, 2]), initial: 3 }))).toEqual([3, 4]);
    expect(list(segmentReduce(x, 'min', { lengths: ints([0, 4]) }))).toEqual([Infinity, 1]);
    const rows = x.reshape([2, 2]);
    const lengths = ints([1, 1, 0, 2]).reshape([2, 2]);
    expect(list(segmentReduce(rows, 'sum', { lengths, axis: 1 }))).toEqual([
      [1, 2],
      [0, 7],
    ]);
    expect(() => segmentReduce(x, 'sum')).toThrow(/Either lengths or offsets/);
  });
});

describe('renorm', () => {
  it('scales down what is longer', () => {
    const result = list(
      renorm(
        tensor([
          [3, 4],
          [0.3, 0.4],
        ]),
        2,
        0,
        1,
      ),
    ) as unknown as number[][];
    [
      [0.6, 0.8],
      [0.3, 0.4],
    ].forEach((row, i) => {
      row.forEach((v, j) => {
        expect(result[i]?.[j]).toBeCloseTo(v, 6);
      });
    });
    expect(() => renorm(tensor([1]), 2, 0, 1)).toThrow(/at least 2 dimensions/);
  });
});

describe('quirks of reductions', () => {
  it('are those of PyTorch', () => {
    expect(sumToSize(tensor(true), []).dtype).toBe('int64');
    expect(aminmax(tensor(true), { dim: 0, keepdim: true }).min.shape).toEqual([1]);
    expect(aminmax(tensor(1), { dim: 0, keepdim: true }).min.shape).toEqual([1]);
  });
});

describe('narrowCopy', () => {
  it('has its own memory', () => {
    const x = tensor([1, 2, 3]);
    const part = x.narrowCopy(0, 1, 2);
    x.zero_();
    expect(list(part)).toEqual([2, 3]);
  });
});

describe('histogramdd', () => {
  it('counts points in boxes', () => {
    const points = tensor([
      [0, 0],
      [0, 2],
      [2, 2],
      [1, 1],
      [5, 0],
    ]);
    const edges = tensor([0, 1, 2]);
    const { hist, binEdges } = histogramdd(points, [edges, edges]);
    expect(list(hist)).toEqual([
      [1, 1],
      [0, 2],
    ]);
    expect(binEdges.length).toBe(2);
    const density = histogramdd(points, 2, { range: [0, 4, 0, 2], density: true });
    expect(list(density.hist)).toEqual([
      [0.125, 0.25],
      [0, 0.125],
    ]);
    expect(() => histogramdd(points, [edges])).toThrow(/for 2 dimensions/);
  });
});

describe('floatPower', () => {
  it('computes in float64', () => {
    const result = floatPower(ints([2, 3]), 0.5);
    expect(result.dtype).toBe('float64');
    expect(list(result)).toEqual([Math.SQRT2, Math.sqrt(3)]);
    expect(list(floatPower(2, ints([-1, 3])))).toEqual([0.5, 8]);
  });
});

describe('resize_', () => {
  it('reuses memory where there is enough, and takes more where not', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const view = x.view([4]);
    x.resize_([3]);
    expect(list(x)).toEqual([1, 2, 3]);
    x.fill_(7);
    expect(list(view)).toEqual([7, 7, 7, 4]);
    x.resize_(2, 3);
    expect(x.shape).toEqual([2, 3]);
    expect((list(x.view([6])) as number[]).slice(0, 4)).toEqual([7, 7, 7, 4]);
    expect(x.resizeAs_(tensor([1, 2])).shape).toEqual([2]);
    expect(() => x.resize_([-1])).toThrow(/non-negative sizes/);
  });
});
