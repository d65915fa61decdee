import { describe, expect, it } from 'vitest';
import { arange, type Tensor, tensor, where, zeros } from '../index.js';

const grid = (): Tensor => arange(24, { dtype: 'float32' }).reshape(2, 3, 4);
const ints = (...values: number[]): Tensor => tensor(values, { dtype: 'int64' });

describe('at', () => {
  it('gives views for positions, ranges, new dimensions and ellipsis', () => {
    const x = grid();
    const part = x.at(1, [0, 2], [null, null, 2]);
    expect(part.toArraySync()).toEqual([
      [12, 14],
      [16, 18],
    ]);
    expect(part.storage).toBe(x.storage);
    expect(x.at(-1, -1, -1).itemSync()).toBe(23);
    expect(x.at('...', 0).shape).toEqual([2, 3]);
    expect(x.at(null, '...', null).shape).toEqual([1, 2, 3, 4, 1]);
    expect(x.at(0, [5, 9]).shape).toEqual([0, 4]);
  });

  it('takes indices of the cpu on another device, and only those', () => {
    const x = grid().to('reference');
    const picked = x.at(ints(1, 0), 0);
    expect(picked.device.type).toBe('reference');
    expect(picked.toArraySync()).toEqual(grid().at(ints(1, 0), 0).toArraySync());
    expect(x.at(grid().gt(21)).toArraySync()).toEqual([22, 23]);
    x.setAt([grid().gt(0)], 1);
    x.setAt([ints(0), 0, ints(0)], 5);
    expect(x.sum().itemSync()).toBe(28);
    expect(() => grid().at(ints(1).to('reference'))).toThrow(
      /^index: expected all tensors to be on the same device, but found cpu and reference; move one with/,
    );
  });

  it('reads the index as Python writes it', () => {
    const x = grid();
    expect(x.at('1, :2, ::2').toArraySync()).toEqual(
      x.at(1, [0, 2], [null, null, 2]).toArraySync(),
    );
    expect(x.at('..., -1').toArraySync()).toEqual([
      [3, 7, 11],
      [15, 19, 23],
    ]);
    expect(x.at(':, None, 1').shape).toEqual([2, 1, 4]);
    expect(() => x.at('1;2')).toThrow("'1;2' is no index");
  });

  it('places the dimensions of index tensors as PyTorch does', () => {
    const x = grid();
    expect(x.at(ints(1, 0), ints(2, 0)).toArraySync()).toEqual([
      [20, 21, 22, 23],
      [0, 1, 2, 3],
    ]);
    // Side by side: in place of the dimensions they index.
    expect(x.at([0, 2], ints(0, 1, 2), ints(3, 2, 1)).toArraySync()).toEqual([
      [3, 6, 9],
      [15, 18, 21],
    ]);
    // Apart: in front.
    expect(x.at(ints(0, 1), [0, 3], ints(0, 3)).toArraySync()).toEqual([
      [0, 4, 8],
      [15, 19, 23],
    ]);
    expect(x.at(0, [0, 3], ints(-1)).toArraySync()).toEqual([[3], [7], [11]]);
    expect(x.at(ints(0, 1).reshape(2, 1), ints(0, 1, 2), 0).toArraySync()).toEqual([
      [0, 4, 8],
      [12, 16, 20],
    ]);
  });

  it('selects by masks and bools', () => {
    const x = tensor([
      [1, -2],
      [-3, 4],
    ]);
    expect(x.at(x.gt(0)).toArraySync()).toEqual([1, 4]);
    expect(x.at([0, 2], tensor([true, false])).toArraySync()).toEqual([[1], [-3]]);
    expect(x.at(true).shape).toEqual([1, 2, 2]);
    expect(x.at(false).shape).toEqual([0, 2, 2]);
  });

  it('says what is out of range', () => {
    const x = zeros([3, 2]);
    expect(() => x.at(3)).toThrow('index 3 is out of bounds for dimension 0 with size 3');
    expect(() => x.at(0, 0, 0)).toThrow('too many indices for tensor of dimension 2');
    expect(() => x.at(ints(0, 5))).toThrow('index 5 is out of bounds for dimension 0 with size 3');
    expect(() => x.at(ints(0, 1), ints(0, 1, 1))).toThrow(
      'indexing tensors could not be broadcast together with shapes [2], [3]',
    );
    expect(() => x.at(tensor([true, false]))).toThrow(
      'The shape of the mask [2] at index 0 does not match the shape of the indexed tensor [3, 2] at index 0',
    );
  });
});

describe('setAt', () => {
  it('writes through views, broadcasting', () => {
    const x = zeros([2, 3]);
    x.setAt([0], 1)
      .setAt([1, [1, 3]], tensor([5, 6]))
      .setAt(':, 0', tensor([[7], [8]]).reshape(2));
    expect(x.toArraySync()).toEqual([
      [7, 1, 1],
      [8, 5, 6],
    ]);
    expect(() => x.setAt([0], zeros([4]))).toThrow('must match the existing size (4)');
  });

  it('writes through index tensors and masks', () => {
    const x = zeros([2, 3]);
    x.setAt([ints(1, 0), ints(2, 0)], tensor([3, 4]));
    x.setAt([[0, 2], ints(1)], tensor([[5], [6]]));
    x.setAt([x.eq(0)], -1);
    expect(x.toArraySync()).toEqual([
      [4, 5, -1],
      [-1, 6, 3],
    ]);
    x.setAt([x.eq(-1)], tensor([8, 9]));
    expect(x.toArraySync()).toEqual([
      [4, 5, 8],
      [9, 6, 3],
    ]);
  });

  it('accumulates where indices repeat', () => {
    const x = zeros([3]);
    x.indexPut_([ints(0, 2, 0)], tensor([1, 2, 3]), { accumulate: true });
    expect(x.toArraySync()).toEqual([4, 0, 2]);
    expect(x.indexPut([ints(1)], 9).toArraySync()).toEqual([4, 9, 2]);
    expect(x.toArraySync()).toEqual([4, 0, 2]);
    expect(() => x.indexPut_([ints(0)], ints(1))).toThrow(
      'Index put requires the source and destination dtypes match, got Float for the destination and Long for the source.',
    );
  });

  it('bumps the version of all views', () => {
    const x = zeros([2, 2]);
    const row = x.at(0);
    const before = row.version;
    x.setAt([ints(1)], 3);
    expect(row.version).toBeGreaterThan(before);
  });
});

describe('where', () => {
  it('gives the positions of a condition alone, for use as an index', () => {
    const x = grid();
    const places = where(x.gt(21));
    expect(places.map((place) => place.toArraySync())).toEqual([
      [1, 1],
      [2, 2],
      [2, 3],
    ]);
    expect(x.at(...places).toArraySync()).toEqual([22, 23]);
    expect(where(x.gt(21), x, 0).sum().itemSync()).toBe(45);
    expect(() => where(x.gt(0), x, undefined as never)).toThrow(
      "where: argument 'other' (position 3) must be a Tensor or a number, got undefined",
    );
  });
});
