import { OutOfMemoryError } from '@sconce/core';
import { expect, test } from 'vitest';
import { formatBytes, LinearMemory } from './memory.js';

test('map gives the elements in place, at high addresses too', () => {
  const memory = new LinearMemory();
  const low = memory.allocate(64);
  memory.allocate(2 ** 31 + 2 ** 30);
  const high = memory.allocate(1024);
  expect(high.pointer).toBeGreaterThan(2 ** 31);
  const values = memory.map(high, 'float32') as Float32Array;
  values[255] = 1.5;
  expect((memory.map(high, 'float32') as Float32Array)[255]).toBe(1.5);
  expect(memory.map(low, 'bool').length).toBe(64);
});

test('a full memory says what is held, by how many tensors of which sizes', () => {
  const memory = new LinearMemory(1024); // 64 MiB
  const held = Array.from({ length: 3 }, () => memory.allocate(2 ** 24));
  memory.allocate(100);
  expect(() => memory.allocate(2 ** 25)).toThrow(OutOfMemoryError);
  expect(() => memory.allocate(2 ** 25)).toThrow(
    /^out of memory on cpu: 32 MiB asked for, but 48 MiB of 64 MiB are held by 4 tensors \(3 of 16 MiB, 1 of 128 B\) that are still in use; use smaller batches/,
  );
  for (const buffer of held.slice(1)) memory.release(buffer);
  expect(memory.allocate(2 ** 25).bytes).toBe(2 ** 25);
});

test('sizes past all memory are refused, and what is free in pieces is said', () => {
  const memory = new LinearMemory(1024);
  for (const bytes of [
    2 ** 32 + 1,
    2 ** 44 + 5 * 4096,
    2 ** 53,
    2 ** 82,
    Number.POSITIVE_INFINITY,
  ]) {
    expect(() => memory.allocate(bytes)).toThrow(OutOfMemoryError);
  }
  const held = Array.from({ length: 3 }, () => memory.allocate(2 ** 24));
  memory.release(held[0] as (typeof held)[0]);
  expect(() => memory.allocate(2 ** 25)).toThrow(
    /32 MiB of 64 MiB are held by 2 tensors \(2 of 16 MiB\) that are still in use; what is free is in pieces too small \(the largest has 1[56].* MiB\)/,
  );
});

test('an array that map gave out can be adopted, others not', () => {
  const memory = new LinearMemory(1024);
  const buffer = memory.allocate(64);
  const array = memory.map(buffer, 'int32');
  const again = memory.adopt(array);
  expect(again?.pointer).toBe(buffer.pointer);
  expect(memory.adopt(new Int32Array(4))).toBeUndefined();
  memory.release(buffer);
  const other = memory.allocate(64);
  expect(other.pointer).not.toBe(buffer.pointer); // still held by the adopter
  if (again) memory.release(again);
  expect(memory.allocate(64).pointer).toBe(buffer.pointer);
  memory.release(other);
});

test('sizes as people read them', () => {
  expect([0, 1023, 1024, 1536, 2 ** 32].map(formatBytes)).toEqual([
    '0 B',
    '1020 B',
    '1 KiB',
    '1.5 KiB',
    '4 GiB',
  ]);
});
