import { describe, expect, it } from 'vitest';
import { arange, ones, tensor, tensordot } from '../index.js';

describe('tensordot', () => {
  const a = () => arange(6, { dtype: 'float32' }).reshape([2, 3]);
  const b = () => arange(4, { dtype: 'float32' }).reshape([1, 4]);
  it('broadcasts contracted sizes of 1', () => {
    const expected = [
      [0, 3, 6, 9],
      [0, 12, 24, 36],
    ];
    expect(tensordot(a(), b(), 1).toArraySync()).toEqual(expected);
    expect(tensordot(a(), b(), [[1], [0]]).toArraySync()).toEqual(expected);
    expect(tensordot(a(), b(), [[-1], [-2]]).toArraySync()).toEqual(expected);
    const wide = arange(12, { dtype: 'float32' }).reshape([3, 4]);
    expect(tensordot(ones([2, 1]), wide, 1).toArraySync()).toEqual([
      [12, 15, 18, 21],
      [12, 15, 18, 21],
    ]);
    expect(tensordot(ones([2, 3, 4]), ones([3, 1, 2]), 2).toArraySync()).toEqual([
      [12, 12],
      [12, 12],
    ]);
    expect(tensordot(ones([2, 0]), ones([1, 3]), 1).toArraySync()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    const bytes = (shape: number[], value: number) => ones(shape, { dtype: 'int8' }).mul(value);
    const sum = tensordot(bytes([2, 3], 100), bytes([1, 2], 1), 1);
    expect([sum.dtype, sum.toArraySync()]).toEqual([
      'int8',
      [
        [44, 44],
        [44, 44],
      ],
    ]);
  });

  it('says what does not fit', () => {
    expect(() => tensordot(a(), ones([4, 2]), 1)).toThrow('first has size 3 in dim 1');
    expect(() => tensordot(a(), b(), 3)).toThrow('at most the number of dimensions');
    expect(() => tensordot(a(), b(), -1)).toThrow('>= 0');
    expect(() => tensordot(a(), b(), 1.5)).toThrow('whole number');
    expect(() => tensordot(a(), b(), [[5], [0]])).toThrow('out of range');
    expect(() => tensordot(a(), b(), [[0], [0, 1]])).toThrow('same length');
    expect(() =>
      tensordot(ones([2, 2]), ones([2, 2]), [
        [0, 0],
        [0, 1],
      ]),
    ).toThrow('dim 0 appears multiple times');
    expect(() => tensordot(a(), b().to('float64'), 1)).toThrow('same dtype');
    expect(() => tensordot(tensor(2), tensor(3), [[0], [0]])).toThrow('no dimensions');
    expect(tensordot(tensor(2), tensor(3), 0).itemSync()).toBe(6);
  });
});
