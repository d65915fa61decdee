import { describe, expect, it, test } from 'vitest';
import {
  arange,
  constantPadNd,
  ones,
  type PadMode,
  pad,
  padModeBackward,
  type Tensor,
  tensor,
} from '../index.js';

describe('pad', () => {
  it('adds a constant around, from the last dimension backwards, or cuts off', () => {
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(pad(x, [1, 0, 0, 1], { value: 9 }).toArraySync()).toEqual([
      [9, 1, 2],
      [9, 3, 4],
      [9, 9, 9],
    ]);
    expect(constantPadNd(x, [-1, 1]).toArraySync()).toEqual([
      [2, 0],
      [4, 0],
    ]);
    expect(pad(tensor([true, false]), [0, 1], { value: 1 }).toArraySync()).toEqual([
      true,
      false,
      true,
    ]);
    expect(pad(x.t(), [0, 1]).toArraySync()).toEqual([
      [1, 3, 0],
      [2, 4, 0],
    ]);
  });

  it('repeats values in the other modes', () => {
    const x = tensor([[1, 2, 3]]);
    const padded = (mode: PadMode, l: number, r: number) => pad(x, [l, r], { mode }).toArraySync();
    expect(padded('reflect', 2, 1)).toEqual([[3, 2, 1, 2, 3, 2]]);
    expect(padded('replicate', 2, 1)).toEqual([[1, 1, 1, 2, 3, 3]]);
    const gone = pad(x.unsqueeze(0), [-3, 0, 1, 1], { mode: 'replicate' });
    expect(gone.shape).toEqual([1, 3, 0]);
    const ring = (l: number, r: number) => pad(x.unsqueeze(0), [l, r], { mode: 'circular' });
    expect(ring(2, 1).toArraySync()).toEqual([[[2, 3, 1, 2, 3, 1]]]);
    expect(ring(-1, 2).toArraySync()).toEqual([[[2, 3, 2, 3]]]);
  });

  it('brings gradients back from every place that repeats a value', () => {
    for (const mode of ['reflect', 'replicate', 'circular'] as const) {
      const shape = [1, 2, 4, 3];
      const amounts = [2, 1, 1, 3];
      const x: Tensor = arange(24, { dtype: 'float32' }).reshape(shape);
      const y = pad(x, amounts, { mode });
      const g = arange(y.numel(), { dtype: 'float32' }).reshape(y.shape).remainder(5);
      // The adjoint of a linear map: <pad(x), g> = <x, back(g)>.
      const back = padModeBackward(g, shape, amounts, mode);
      expect(back.mul(x).sum().itemSync()).toBe(y.mul(g).sum().itemSync());
    }
  });

  it('says what does not fit', () => {
    const x = tensor([[1, 2, 3]]);
    expect(() => pad(x, [1])).toThrow('must be divisible by 2');
    expect(() => pad(x, [3, 0], { mode: 'reflect' })).toThrow('Padding size should be less than');
    expect(() => pad(x.unsqueeze(0), [4, 0], { mode: 'circular' })).toThrow(
      'wrapping around more than once',
    );
    expect(() => pad(x, [-2, -2])).toThrow('negative output size');
    expect(() => pad(x, [1, 1], { mode: 'reflect', value: 2 })).toThrow(
      "doesn't take in value argument",
    );
  });
});

test('refuses what PyTorch refuses, and takes empty channels where it does', () => {
  const x = ones([2, 3, 4]);
  expect(() => pad(x, [1, 1, 1])).toThrow(/divisible by 2/);
  expect(() => pad(x, [1, 1, 1, 1, 1, 1, 1, 1])).toThrow(/too large/);
  expect(() => pad(x, [1, 1, 1, 1], { mode: 'circular' })).toThrow(/expected 2 but got 4/);
  expect(() => pad(x, [-4, 0], { mode: 'replicate' })).toThrow(/W: 4\) is too small/);
  expect(() => pad(x, [-4, 0, 1, 0])).toThrow(/negative output size/);
  expect(pad(x, [-4, 0]).shape).toEqual([2, 3, 0]);
  expect(pad(ones([2, 0, 4]), [1, 1], { mode: 'circular' }).shape).toEqual([2, 0, 6]);
});
