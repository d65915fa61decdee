import { Device, tensor } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { Decoder } from '../corpus/value.js';
import { difference, readBack } from './compare.js';
import { close, toleranceOf } from './tolerance.js';

const bytes = (values: ArrayBufferView) =>
  Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');

const expected = (json: unknown) => new Decoder((data) => data, 'cpu').decode(json);

describe('difference', () => {
  const json = { t: 'float32', shape: [2], data: bytes(Float32Array.of(1, Number.NaN)) };

  it('takes NaN for equal and small errors for none', async () => {
    expect(difference(await readBack(tensor([1 + 1e-6, Number.NaN])), expected(json))).toBe(
      undefined,
    );
  });

  it('names the first element that differs', async () => {
    const found = difference(await readBack(tensor([1.001, Number.NaN])), expected(json));
    expect(found).toMatch(/1 of 2 elements differ .* element 0 is 1.00\d+, expected 1$/);
  });

  it('wants shape and dtype exactly', async () => {
    expect(difference(await readBack(tensor([[1, 2]])), expected(json))).toContain('shape [1, 2]');
    expect(difference(await readBack(tensor([1n, 2n])), expected(json))).toContain('dtype int64');
  });

  it('compares tuples by position, and named tuples by their fields', async () => {
    const pair = { tuple: [{ f: 1 }, 2], name: 'pair', fields: ['first_one', 'second'] };
    expect(difference([1, 2], expected(pair))).toBe(undefined);
    expect(difference({ second: 2, firstOne: 1 }, expected(pair))).toBe(undefined);
    expect(difference([1, 3], expected(pair))).toContain('result[1]');
  });

  it('takes loaded devices, and finds keys that are equal', async () => {
    const device = { dict: [['where', { device: 'cpu' }]] };
    const loaded = new Map<string, unknown>([['where', Device.from('cpu')]]);
    expect(difference(await readBack(loaded), expected(device))).toBe(undefined);
    const elsewhere = new Map<string, unknown>([['where', Device.from('webgpu')]]);
    expect(difference(await readBack(elsewhere), expected(device))).toContain('expected cpu');
    const table = { dict: [[{ tuple: [1, 'a'] }, 2]] };
    expect(difference(new Map([[[1, 'a'], 2]]), expected(table))).toBe(undefined);
    expect(difference(new Map([[[1, 'b'], 2]]), expected(table))).toContain('expected 2');
  });

  it('tells integers past 2^53 apart', async () => {
    const big = { t: 'int64', shape: [1], data: bytes(BigInt64Array.of(2n ** 53n + 1n)) };
    expect(difference(await readBack(tensor([2n ** 53n + 1n])), expected(big))).toBe(undefined);
    expect(difference(await readBack(tensor([2n ** 53n])), expected(big))).toContain('differ');
  });
});

describe('close', () => {
  it('has the tolerances of torch.testing.assert_close', () => {
    expect(close(1 + 1.2e-5, 1, toleranceOf('float32'))).toBe(false);
    expect(close(1 + 1.1e-5, 1, toleranceOf('float32'))).toBe(true);
    expect(close(1 + 3e-7, 1, toleranceOf('float64'))).toBe(false);
    expect(close(3, 4, toleranceOf('int32'))).toBe(false);
    expect(close(Infinity, 1e38, toleranceOf('float32'))).toBe(false);
  });
});
