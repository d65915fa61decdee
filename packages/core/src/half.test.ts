import { describe, expect, it } from 'vitest';
import {
  bfloat16ArrayToFloat32,
  bfloat16ToNumber,
  float16ArrayToFloat32,
  float16ToNumber,
  numberToBfloat16,
  numberToFloat16,
  toBfloat16Array,
  toFloat16Array,
} from './half.js';

const inf = Number.POSITIVE_INFINITY;

describe('float16', () => {
  it.each([
    [0, 0x0000],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [inf, 0x7c00],
    [-inf, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [1023 * 2 ** -24, 0x03ff],
    [0.333251953125, 0x3555],
  ])('%d is %i, both ways', (value, bits) => {
    expect(numberToFloat16(value)).toBe(bits);
    expect(float16ToNumber(bits)).toBe(value);
  });

  it.each([
    [2049, 2048],
    [2051, 2052],
    [2049.001, 2050],
    [65519.99, 65504],
    [65520, inf],
    [1e300, inf],
    [-65520, -inf],
    [2 ** -25, 0],
    [2 ** -25 * 1.0001, 2 ** -24],
    [3 * 2 ** -25, 2 ** -23],
    [2 ** -14 - 2 ** -26, 2 ** -14],
    [1e-320, 0],
    [-1e-10, -0],
  ])('%d rounds to %d', (value, rounded) => {
    expect(float16ToNumber(numberToFloat16(value))).toBe(rounded);
  });

  it('keeps every pattern but the payload of NaN', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = float16ToNumber(bits);
      if (Number.isNaN(value)) expect(numberToFloat16(value)).toBe(0x7e00);
      else if (numberToFloat16(value) !== bits)
        expect.fail(`${bits} became ${numberToFloat16(value)}`);
    }
  });
});

describe('bfloat16', () => {
  it.each([
    [1, 0x3f80],
    [-0, 0x8000],
    [3.140625, 0x4049],
    [2 ** -133, 0x0001],
    [inf, 0x7f80],
  ])('%d is %i, both ways', (value, bits) => {
    expect(numberToBfloat16(value)).toBe(bits);
    expect(bfloat16ToNumber(bits)).toBe(value);
  });

  it.each([
    [257, 256],
    [259, 260],
    [257.5, 258],
    [3.4e38, inf],
    [3.39e38, 3.3895313892515355e38],
    [-5e-41, -(2 ** -133)],
    [-1e-41, -0],
  ])('%d rounds to %d', (value, rounded) => {
    expect(bfloat16ToNumber(numberToBfloat16(value))).toBe(rounded);
  });

  it('is the upper half of a float32 for every pattern', () => {
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    for (let bits = 0; bits < 0x10000; bits++) {
      word[0] = bits << 16;
      if (!Object.is(bfloat16ToNumber(bits), float[0])) expect.fail(`${bits}`);
    }
  });
});

describe('arrays', () => {
  it('convert elementwise', () => {
    expect([...toFloat16Array([1, -2, Number.NaN])]).toEqual([0x3c00, 0xc000, 0x7e00]);
    expect([...float16ArrayToFloat32([0x3c00, 0x7c00])]).toEqual([1, inf]);
    expect([...toBfloat16Array([1, Number.NaN])]).toEqual([0x3f80, 0x7fc0]);
    expect([...bfloat16ArrayToFloat32([0x3f80, 0xff80])]).toEqual([1, -inf]);
  });
});
