import { describe, expect, it } from 'vitest';
import {
  arange,
  atleast3d,
  blockDiag,
  broadcastTensors,
  cartesianProd,
  cat,
  columnStack,
  combinations,
  dstack,
  hstack,
  meshgrid,
  ones,
  stack,
  type Tensor,
  tensor,
  vstack,
  zeros,
} from '../index.js';

const x = (): Tensor => arange(6, { dtype: 'float32' }).reshape(2, 3);

describe('cat', () => {
  it('joins along a dimension and promotes dtypes', () => {
    const y = tensor([[1n], [2n]]);
    const joined = cat([x(), y], 1);
    expect(joined.dtype).toBe('float32');
    expect(joined.toArraySync()).toEqual([
      [0, 1, 2, 1],
      [3, 4, 5, 2],
    ]);
    expect(cat([x().t(), zeros([1, 2])]).toArraySync()).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
      [0, 0],
    ]);
    expect(cat([zeros([0]), x()], -1).shape).toEqual([2, 3]);
  });

  it('names what does not fit', () => {
    expect(() => cat([])).toThrow('expected a non-empty list of Tensors');
    expect(() => cat([zeros([2, 2]), zeros([2, 3])])).toThrow(
      'Sizes of tensors must match except in dimension 0. Expected size 2 but got size 3 for tensor number 1 in the list.',
    );
    expect(() => cat([tensor(1)])).toThrow('zero-dimensional tensor (at position 0)');
    expect(() => stack([zeros([2]), zeros([3])])).toThrow('got [2] at entry 0 and [3] at entry 1');
  });

  it('stacks in every direction', () => {
    const [a, b] = [tensor([1, 2]), tensor([3, 4])];
    expect(stack([a, b], -1).toArraySync()).toEqual([
      [1, 3],
      [2, 4],
    ]);
    expect(hstack([a, b]).toArraySync()).toEqual([1, 2, 3, 4]);
    expect(vstack([a, b]).shape).toEqual([2, 2]);
    expect(dstack([a, b]).toArraySync()).toEqual([
      [
        [1, 3],
        [2, 4],
      ],
    ]);
    expect(columnStack([a, ones([2, 1])]).toArraySync()).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(atleast3d([a, x()]).map((t) => t.shape)).toEqual([
      [1, 2, 1],
      [2, 3, 1],
    ]);
    expect(blockDiag(a, tensor(9)).toArraySync()).toEqual([
      [1, 2, 0],
      [0, 0, 9],
    ]);
  });
});

describe('split', () => {
  it('gives views', () => {
    const parts = arange(5).split(2);
    expect(parts.map((t) => t.toArraySync())).toEqual([[0, 1], [2, 3], [4]]);
    const base = x();
    base.split([1, 2], 1)[1]?.fill_(0);
    expect(base.toArraySync()).toEqual([
      [0, 0, 0],
      [3, 0, 0],
    ]);
    expect(
      arange(7)
        .chunk(3)
        .map((t) => t.numel()),
    ).toEqual([3, 3, 1]);
    expect(
      arange(7)
        .tensorSplit(3)
        .map((t) => t.numel()),
    ).toEqual([3, 2, 2]);
    expect(
      arange(7)
        .tensorSplit([2, 3])
        .map((t) => t.numel()),
    ).toEqual([2, 1, 4]);
    expect(
      x()
        .hsplit([1])
        .map((t) => t.shape),
    ).toEqual([
      [2, 1],
      [2, 2],
    ]);
    expect(
      x()
        .unbind(1)
        .map((t) => t.toArraySync()),
    ).toEqual([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(() => arange(5).split([2, 2])).toThrow('to sum exactly to 5');
    expect(() => x().vsplit(3)).toThrow('not divisible by the split_size 3');
  });
});

describe('grids', () => {
  it('spans and combines', () => {
    const [a, b] = [tensor([1n, 2n]), tensor([3n, 4n, 5n])];
    const [row, column] = meshgrid([a, b], { indexing: 'xy' }) as [Tensor, Tensor];
    expect(row.toArraySync()).toEqual([
      [1, 2],
      [1, 2],
      [1, 2],
    ]);
    expect(column.toArraySync()).toEqual([
      [3, 3],
      [4, 4],
      [5, 5],
    ]);
    expect(cartesianProd(a, b).at([0, 4]).toArraySync()).toEqual([
      [1, 3],
      [1, 4],
      [1, 5],
      [2, 3],
    ]);
    expect(combinations(b).toArraySync()).toEqual([
      [3, 4],
      [3, 5],
      [4, 5],
    ]);
    expect(combinations(a, 2, { withReplacement: true }).shape).toEqual([3, 2]);
    expect(broadcastTensors(a.reshape(2, 1), b).map((t) => t.shape)).toEqual([
      [2, 3],
      [2, 3],
    ]);
  });
});

describe('rearranging', () => {
  it('flips, rolls, rotates and repeats', () => {
    expect(x().flip(0, 1).toArraySync()).toEqual([
      [5, 4, 3],
      [2, 1, 0],
    ]);
    expect(x().roll(1).toArraySync()).toEqual([
      [5, 0, 1],
      [2, 3, 4],
    ]);
    expect(x().roll([1, -1], [0, 1]).toArraySync()).toEqual([
      [4, 5, 3],
      [1, 2, 0],
    ]);
    expect(x().rot90().toArraySync()).toEqual([
      [2, 5],
      [1, 4],
      [0, 3],
    ]);
    expect(tensor([1, 2]).repeat(2, 2).toArraySync()).toEqual([
      [1, 2, 1, 2],
      [1, 2, 1, 2],
    ]);
    expect(x().tile(2).shape).toEqual([2, 6]);
    expect(tensor([1, 2]).repeatInterleave(2).toArraySync()).toEqual([1, 1, 2, 2]);
    expect(
      x()
        .repeatInterleave(tensor([0n, 2n, 1n]), 1)
        .toArraySync(),
    ).toEqual([
      [1, 1, 2],
      [4, 4, 5],
    ]);
  });

  it('takes triangles and diagonals', () => {
    const m = arange(9).reshape(3, 3);
    expect(m.tril(-1).toArraySync()).toEqual([
      [0, 0, 0],
      [3, 0, 0],
      [6, 7, 0],
    ]);
    expect(m.triu(1).toArraySync()).toEqual([
      [0, 1, 2],
      [0, 0, 5],
      [0, 0, 0],
    ]);
    expect(m.diag(1).toArraySync()).toEqual([1, 5]);
    expect(tensor([1, 2]).diag(-1).toArraySync()).toEqual([
      [0, 0, 0],
      [1, 0, 0],
      [0, 2, 0],
    ]);
    expect(x().diagEmbed({ dim1: 0, dim2: 1 }).shape).toEqual([3, 3, 2]);
    expect(m.trace().itemSync()).toBe(12);
    expect(m.triu_().at(2).toArraySync()).toEqual([0, 0, 8]);
  });
});
