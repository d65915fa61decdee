import { Float, float } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import type { Value } from '../corpus/value.js';
import { camelCase } from './names.js';
import { bind, parseSignature } from './signature.js';

const call = (signature: string, args: Value[], kwargs: Record<string, Value> = {}) =>
  bind('torch.f', parseSignature(signature), args, new Map(Object.entries(kwargs)));

describe('bind', () => {
  it('places keyword arguments that are positional, and the rest in the options', () => {
    expect(call('input dim | keepdim dtype', ['x'], { dim: 1, keepdim: true })).toEqual([
      'x',
      1,
      { keepdim: true },
    ]);
    expect(call('input dim | keepdim', ['x', 0, true])).toEqual(['x', 0, { keepdim: true }]);
    expect(call('input dim | keepdim', ['x'], { keepdim: false })).toEqual([
      'x',
      undefined,
      { keepdim: false },
    ]);
  });

  it('leaves out None and what nobody gave', () => {
    expect(call('input dim', ['x', null])).toEqual(['x']);
    expect(call('input | min_val max_val', ['x'], { min_val: null, max_val: 2 })).toEqual([
      'x',
      { maxVal: 2 },
    ]);
  });

  it('keeps whole floats apart from ints only in operands', () => {
    expect(call('input other~', ['x', float(2)])[1]).toBeInstanceOf(Float);
    expect(call('input eps', ['x', float(2)])[1]).toBe(2);
    expect(call('size value!', [[2], 7])).toEqual([[2], 7n]);
  });

  it('gathers the rest', () => {
    expect(call('*size', [2, 3], { dtype: 'int64' })).toEqual([[2, 3], { dtype: 'int64' }]);
    expect(call('*size', [[2, 3]])).toEqual([[2, 3]]);
  });

  it('refuses arguments it does not know', () => {
    expect(() => call('input', ['x', 1])).toThrow('2 positional arguments, the mapping knows 1');
    expect(() => call('input', ['x'], { foo: 1 })).toThrow("no parameter 'foo'");
  });
});

describe('camelCase', () => {
  it('keeps what marks in-place methods', () => {
    expect(camelCase('log_softmax')).toBe('logSoftmax');
    expect(camelCase('index_add_')).toBe('indexAdd_');
    expect(camelCase('atleast_1d')).toBe('atleast1d');
  });
});
