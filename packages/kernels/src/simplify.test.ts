import { cast, constant, e, input, load } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { schedule, simplify } from './simplify.js';

const x = input(0, 'float32');
const i = input(0, 'int32');
const f = (value: number) => constant(value, 'float32');

describe('simplify', () => {
  it('drops what changes nothing', () => {
    expect(simplify(e.mul(x, 1))).toBe(x);
    expect(simplify(e.div(x, 1))).toBe(x);
    expect(simplify(e.sub(x, 0))).toBe(x);
    expect(simplify(e.add(i, 0))).toBe(i);
    expect(simplify(e.neg(e.neg(x)))).toBe(x);
    expect(simplify(cast(cast(i, 'int64'), 'int32'))).toBe(i);
    expect(simplify(e.where(constant(true, 'bool'), x, e.exp(x)))).toBe(x);
  });

  it('keeps what only looks idle', () => {
    // -0 + 0 is 0, and NaN * 0 is NaN.
    const sum = e.add(x, 0);
    expect(simplify(sum)).toBe(sum);
    expect(simplify(e.add(x, f(-0)))).toBe(x);
    const product = e.mul(x, 0);
    expect(simplify(product)).toBe(product);
    const rounded = cast(cast(x, 'int32'), 'float32');
    expect(simplify(rounded)).toBe(rounded);
    const third = e.div(x, 3);
    expect(simplify(third)).toBe(third);
  });

  it('folds constants in the arithmetic of their type', () => {
    expect(simplify(e.add(f(0.1), 0.2))).toBe(f(Math.fround(0.1) + Math.fround(0.2)));
    expect(simplify(e.mul(constant(65537, 'int32'), 65537))).toBe(constant(131073, 'int32'));
    expect(simplify(cast(f(-2.75), 'int32'))).toBe(constant(-2, 'int32'));
    expect(simplify(cast(constant(3n, 'int64'), 'float32'))).toBe(f(3));
    expect(simplify(e.and(e.lt(f(1), 2), e.gt(x, 0)))).toBe(e.gt(x, 0));
  });

  it('turns division by powers of two into multiplication', () => {
    expect(simplify(e.div(x, 8))).toBe(e.mul(x, 0.125));
  });

  it('reaches into loads', () => {
    const at = e.add(e.mul(i, 1), constant(0, 'int32'));
    expect(simplify(load(0, 'float32', [at]))).toBe(load(0, 'float32', [i]));
  });

  it('lists shared nodes once, arguments first', () => {
    const square = e.mul(x, x);
    expect(schedule([e.add(square, square), square])).toEqual([x, square, e.add(square, square)]);
  });
});
