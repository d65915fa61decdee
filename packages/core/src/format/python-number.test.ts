import { describe, expect, it } from 'vitest';
import { floatRepr, formatExponent, formatFixed, intRepr } from './index.js';

// Expected texts are those of CPython 3.11.

describe('formatFixed', () => {
  it.each([
    [Math.fround(2.71859), 2, '2.72'],
    [0.03125, 4, '0.0312'],
    [0.09375, 4, '0.0938'],
    [1.00005, 4, '1.0001'],
    [2.5, 0, '2'],
    [3.5, 0, '4'],
    [0.5, 0, '0'],
    [-0.00001, 4, '-0.0000'],
    [-0, 1, '-0.0'],
    [9.99996, 4, '10.0000'],
    [1e22, 2, '10000000000000000000000.00'],
    [1e23, 0, '99999999999999991611392'],
    [0.1, 20, '0.10000000000000000555'],
    [5e-324, 2, '0.00'],
    [Number.NaN, 4, 'nan'],
    [-Infinity, 4, '-inf'],
  ])('%d to %d places is %s', (value, precision, text) => {
    expect(formatFixed(value, precision)).toBe(text);
  });
});

describe('formatExponent', () => {
  it.each([
    [12345, 4, '1.2345e+04'],
    [100005, 4, '1.0000e+05'],
    [100015, 4, '1.0002e+05'],
    [999995, 4, '1.0000e+06'],
    [2.5, 0, '2e+00'],
    [-0.00015, 1, '-1.5e-04'],
    [0, 4, '0.0000e+00'],
    [-0, 0, '-0e+00'],
    [1e23, 4, '1.0000e+23'],
    [1e23, 17, '9.99999999999999916e+22'],
    [5e-324, 4, '4.9407e-324'],
    [1.7976931348623157e308, 4, '1.7977e+308'],
    [Infinity, 4, 'inf'],
  ])('%d to %d places is %s', (value, precision, text) => {
    expect(formatExponent(value, precision)).toBe(text);
  });
});

describe('floatRepr', () => {
  it.each([
    [1, '1.0'],
    [-0, '-0.0'],
    [0.1, '0.1'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [0.00012345, '0.00012345'],
    [1e15, '1000000000000000.0'],
    [123456789012345680, '1.2345678901234568e+17'],
    [1e16, '1e+16'],
    [1e22, '1e+22'],
    [123.456, '123.456'],
    [5e-324, '5e-324'],
    [Number.NaN, 'nan'],
    [-Infinity, '-inf'],
  ])('%d is %s', (value, text) => {
    expect(floatRepr(value)).toBe(text);
  });
});

describe('intRepr', () => {
  it('writes all digits and no negative zero', () => {
    expect(intRepr(2 ** 70)).toBe('1180591620717411303424');
    expect(intRepr(-(2n ** 63n))).toBe('-9223372036854775808');
    expect(intRepr(-0)).toBe('0');
  });

  it('refuses a fraction', () => {
    expect(() => intRepr(1.5)).toThrow(RangeError);
  });
});
