import { conv1d, Device, ones, type Tensor, tensor, zeros } from '@sconce/core';
import { afterEach, expect, test } from 'vitest';
import type { CpuBackend } from './backend.js';
import './index.js';

const backend = Device.from('cpu').backend as CpuBackend;
const threads = backend.threads;
let made: Tensor | undefined;
afterEach(() => {
  backend.threads = threads;
  made?.dispose();
  made = undefined;
});

const patience = { timeout: 600_000 };

/** Elements around places where 32-bit counts turn over. */
const edges = (count: number): number[] =>
  [
    0,
    1,
    2 ** 30 - 2,
    2 ** 30 - 1,
    2 ** 30,
    2 ** 30 + 1,
    2 ** 31 - 1,
    2 ** 31,
    count - 2,
    count - 1,
  ].filter((i) => i < count);

// The largest first: small tensors come to lie behind it.
test.each([2 ** 31 + 65, 2 ** 31 - 64])('%d elements of a byte', patience, (count) => {
  const x = ones([count], { dtype: 'int8' });
  made = x;
  for (const i of edges(count)) expect(x.select(0, i).itemSync(), `${i}`).toBe(1);
  x.select(0, count - 1).fill_(2);
  x.narrow(0, count - 3, 3).mul_(3);
  expect(x.narrow(0, count - 4, 4).toArraySync()).toEqual([1, 3, 3, 6]);
  expect(x.max().itemSync()).toBe(6);
  expect(x.argmax().itemSync()).toBe(count - 1);
});

test('more than 2^30 elements are written once each, on several threads', patience, () => {
  backend.threads = 4;
  const count = 1_700_000_000;
  const z = zeros([count], { dtype: 'uint8' });
  made = z;
  z.add_(1);
  z.add_(1);
  for (const i of edges(count)) expect(z.select(0, i).itemSync(), `${i}`).toBe(2);
  const array = z.storage.backend.map?.(z.storage.buffer, 'uint8') as Uint8Array;
  expect(array.subarray(0, count).indexOf(3)).toBe(-1);
});

test('sums over expanded dimensions of 2^32 and more', patience, () => {
  const one = ones([1]);
  expect(
    one
      .expand([2 ** 32])
      .sum()
      .itemSync(),
  ).toBe(4294967296);
  expect(
    one
      .expand([3, 2 ** 30 + 1])
      .sum(1)
      .toArraySync(),
  ).toEqual(new Array(3).fill(2 ** 30));
  const row = tensor([3, 1, 2])
    .unsqueeze(1)
    .expand([3, 2 ** 30]);
  expect(row.argmax().itemSync()).toBe(0);
  expect(row.argmin().itemSync()).toBe(2 ** 30);
  expect(row.mean().itemSync()).toBe(2);
});

test('shapes that cannot be counted are refused, and what no memory holds', () => {
  expect(() => ones([1]).expand([2 ** 30, 2 ** 30])).toThrow(
    'a tensor of shape [1073741824, 1073741824] has more elements than can be counted (2^53 - 1)',
  );
  expect(() => zeros([2 ** 40, 2 ** 40])).toThrow(/more elements than can be counted/);
  expect(zeros([0, ...new Array(25).fill(2 ** 50)]).numel()).toBe(0);
  expect(() => zeros([2 ** 44 + 5 * 4096], { dtype: 'uint8' })).toThrow(/^out of memory on cpu/);
  expect(() => zeros([2 ** 32], { dtype: 'bool' })).toThrow(/^out of memory on cpu/);
});

test('positions that are no int32 are refused', () => {
  const row = ones([1]).expand([2 ** 32]);
  expect(() => row.gather(0, tensor([0n]))).toThrow(
    /positions in a dimension of 4294967296 elements cannot be computed in 32 bits/,
  );
  expect(() => row.indexSelect(0, tensor([5n]))).toThrow(/cannot be computed in 32 bits/);
});

test('reading more than the host can hold is an error with a sentence', () => {
  expect(() =>
    ones([1])
      .expand([2 ** 40])
      .toTypedArraySync(),
  ).toThrow('the host could not get 4398046511104 bytes for 1099511627776 elements of float32');
});

test('more numbers than arrays can hold are refused', patience, () => {
  const x = zeros([2 ** 27 + 1], { dtype: 'bool' });
  expect(() => x.toArraySync()).toThrow(/toArray: 134217729 elements are too many.*toTypedArray/);
  x.dispose();
});

test('filling an expanded tensor writes its elements and no others', () => {
  const z = zeros([4, 16]);
  const one = z.narrow(1, 3, 1);
  one.select(0, 1).expand([1000]).fill_(3);
  one.narrow(0, 2, 1).expand([5, 7, 1000]).fill_(5);
  one
    .narrow(0, 3, 1)
    .expand([1000, 2 ** 31 + 5])
    .fill_(7);
  one
    .narrow(0, 0, 1)
    .expand([2, 3])
    .maskedFill_(tensor([true, false, false]), 2);
  expect(z.sum(1).toArraySync()).toEqual([2, 3, 5, 7]);
  expect(z.select(1, 3).toArraySync()).toEqual([2, 3, 5, 7]);
});

test('the variance of many equal numbers is 0', () => {
  expect(ones([1]).expand([20_000_001]).var().itemSync()).toBe(0);
});

test('strides and padding that are no int32 are refused', () => {
  const [x, w] = [ones([1, 1, 4]), ones([1, 1, 2])];
  expect(() => conv1d(x, w, null, { padding: 2 ** 33, stride: 2 ** 33 })).toThrow(
    /conv1d: stride \[8589934592\] is too large: positions are computed in 32 bits/,
  );
  const far = { padding: 2 ** 29, stride: 2 ** 29 };
  expect(conv1d(x, w, null, far).toArraySync()).toEqual([[[0, 2, 0]]]);
});
