import { Float } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { Slice, Tuple } from '../corpus/value.js';
import { evaluate } from '../mapping/world.js';
import { parseExpression, parseProgram } from './parser.js';

describe('evaluate', () => {
  it('keeps ints and floats apart', () => {
    expect(evaluate('7 // 2 + 2 ** 3')).toBe(11);
    expect(evaluate('1 / 2')).toEqual(new Float(0.5));
    expect(evaluate('-2.0 * 3')).toEqual(new Float(-6));
    expect(evaluate('2 ** 40 * 2 ** 40')).toBe(2n ** 80n);
  });

  it('binds operators as Python does', () => {
    expect(evaluate('-2 ** 2')).toBe(-4);
    expect(evaluate('2 + 3 * 4 % 5')).toBe(4);
    expect(evaluate('1 if 2 > 3 else 4')).toBe(4);
    expect(evaluate('not 1 == 2 and 3 >= 3')).toBe(true);
  });

  it('builds lists, tuples and slices', () => {
    expect(evaluate('[i * i for i in range(1, 4)]')).toEqual([1, 4, 9]);
    expect(evaluate('(1,)')).toBeInstanceOf(Tuple);
    const index = parseExpression('x[1:, ::2]');
    expect(index).toMatchObject({ kind: 'subscript', index: { kind: 'tuple' } });
    expect(evaluate('slice(1, None, 2)')).toEqual(new Slice(1, null, 2));
  });

  it('calls lambdas and spreads arguments', () => {
    expect(evaluate('(lambda a, b: [b, a])(*[1, 2])')).toEqual([2, 1]);
    expect(evaluate('[a + b for a, b in zip([1, 2], [3, 4])]')).toEqual([4, 6]);
  });

  it('reaches Sconce under the names of PyTorch', () => {
    const sum = evaluate('(torch.arange(4).reshape(2, 2) @ torch.ones(2, 2).long()).sum().item()');
    expect(sum).toBe(12);
    expect(evaluate('torch.zeros(2, 3).dtype')).toBe('float32');
    expect(evaluate('torch.ones(4)[1:3].shape')).toEqual(Tuple.of(2));
  });

  it('says what it cannot read', () => {
    expect(() => evaluate('1 +')).toThrow('python: unexpected the end in `1 +`');
    expect(() => evaluate('x')).toThrow("python: name 'x' is not defined");
    expect(() => parseProgram('for i in x: pass')).toThrow(SyntaxError);
  });
});
