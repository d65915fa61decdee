import { describe, expect, it } from 'vitest';
import { arange, e, einsum, exprKey, input, tensor } from '../index.js';

const numbers = (t: { toArraySync(): unknown }) => t.toArraySync() as number[];

describe('values', () => {
  it('rounds halves to even, and to decimals', () => {
    expect(numbers(tensor([0.5, 1.5, -2.5, 2.7]).round())).toEqual([0, 2, -2, 3]);
    expect(numbers(tensor([1234.567], { dtype: 'float64' }).round({ decimals: 1 }))).toEqual([
      1234.6,
    ]);
    expect(numbers(tensor([1234.567]).round({ decimals: -2 }))).toEqual([1200]);
  });

  it('replaces what is not a number', () => {
    expect(numbers(tensor([Number.NaN, Infinity, -Infinity, 1]).nanToNum(7, 8, 9))).toEqual([
      7, 8, 9, 1,
    ]);
    expect(numbers(tensor([Infinity]).nanToNum())).toEqual([3.4028234663852886e38]);
  });

  it('finds divisors and multiples', () => {
    expect(numbers(tensor([12n, -18n, 0n]).gcd(tensor([18n, 12n, 5n])))).toEqual([6, 6, 5]);
    expect(
      numbers(tensor([4, 0], { dtype: 'int32' }).lcm(tensor([6, 3], { dtype: 'int32' }))),
    ).toEqual([12, 0]);
    expect(() => tensor([1.5]).gcd(tensor([1]))).toThrow(/not implemented for 'float32'/);
  });

  it('compares with tolerance', () => {
    const x = tensor([1, 1.0001, Number.NaN, Infinity]);
    expect(numbers(x.isclose(tensor([1, 1, Number.NaN, Infinity])))).toEqual([
      true,
      false,
      false,
      true,
    ]);
    expect(x.allclose(x)).toBe(false);
    expect(x.allclose(x, { equalNan: true })).toBe(true);
    expect(tensor([1, 2]).equal(tensor([1, 2]))).toBe(true);
    expect(tensor([1, 2]).equal(tensor([[1, 2]]))).toBe(false);
  });

  it('takes floats apart and moves to their neighbours', () => {
    const { mantissa, exponent } = tensor([8, -0.3, 0, 1e-40]).frexp();
    expect(numbers(mantissa).map((m, i) => m * 2 ** (numbers(exponent)[i] as number))).toEqual([
      8,
      Math.fround(-0.3),
      0,
      Math.fround(1e-40),
    ]);
    expect(numbers(exponent).slice(0, 3)).toEqual([4, -1, 0]);
    expect(
      numbers(
        tensor([1, 0], { dtype: 'float64' }).nextafter(tensor([2, -1], { dtype: 'float64' })),
      ),
    ).toEqual([1 + 2 ** -52, -5e-324]);
    expect(numbers(tensor([3]).ldexp(tensor([2])))).toEqual([12]);
  });

  it('knows the Bessel function i0', () => {
    const [a, b, c] = numbers(tensor([0, 1, 10], { dtype: 'float64' }).i0()) as [
      number,
      number,
      number,
    ];
    expect(a).toBeCloseTo(1, 14);
    expect(b).toBeCloseTo(1.2660658777520084, 14);
    expect(c / 2815.716628466254).toBeCloseTo(1, 13);
  });
});

describe('einsum', () => {
  const a = arange(6).reshape(2, 3).to('float32');
  const b = arange(12).reshape(3, 4).to('float32');

  it('multiplies, transposes, sums, takes diagonals and broadcasts', () => {
    expect(einsum('ij,jk->ik', a, b).toArraySync()).toEqual(a.matmul(b).toArraySync());
    expect(einsum('ij->ji', a).toArraySync()).toEqual(a.t().toArraySync());
    expect(einsum('ij->', a).itemSync()).toBe(15);
    expect(einsum('ii->i', b.narrow(1, 0, 3)).toArraySync()).toEqual([0, 5, 10]);
    expect(einsum('...ij,...jk', a.unsqueeze(0), b).toArraySync()).toEqual(
      a.matmul(b).unsqueeze(0).toArraySync(),
    );
    expect(einsum('i,j,k->ijk', tensor([1, 2]), tensor([3]), tensor([4, 5])).toArraySync()).toEqual(
      [[[12, 15]], [[24, 30]]],
    );
  });

  it('says what does not fit', () => {
    expect(() => einsum('ij,jk', a)).toThrow(
      /2 operands were named in the equation 'ij,jk', but 1 were provided/,
    );
    expect(() => einsum('ij,jk->ik', a, a)).toThrow(
      /subscript j has size 2 for operand 1 which does not broadcast with previously seen size 3/,
    );
    expect(() => einsum('ij->k', a)).toThrow(/output subscript k does not appear/);
  });
});

it('keys expressions in time linear in their distinct parts', () => {
  let x = input(0, 'float32');
  for (let i = 0; i < 200; i++) x = e.add(x, x);
  expect(exprKey(x).length).toBeLessThan(10_000);
});
