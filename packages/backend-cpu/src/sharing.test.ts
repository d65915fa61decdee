import { allocateArray, asTensor, type DType, fromTypedArray, tensor, zeros } from '@sconce/core';
import { expect, test } from 'vitest';
import './index.js';

const dtypes = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int8',
  'uint8',
  'int16',
  'int32',
  'int64',
  'bool',
] as const satisfies readonly DType[];

test.each(dtypes)('an array of %s in the memory of tensors is shared', (dtype) => {
  const array = allocateArray(dtype, 5);
  expect(array.length).toBe(5);
  const one = (dtype === 'int64' ? 1n : 1) as never;
  const x = asTensor(array);
  expect([x.dtype, x.shape]).toEqual([dtype, [5]]);
  expect(x.ne(0).any().itemSync()).toBe(0);
  array[3] = one;
  expect(x.ne(0).toArraySync()).toEqual([false, false, false, true, false]);
  fromTypedArray(array, [5]).zero_();
  expect(array[3]).toBe((dtype === 'int64' ? 0n : 0) as never);
});

test('the memory lives as long as the array or a tensor over it', () => {
  let array: Float32Array | undefined = allocateArray('float32', 2 ** 20).fill(7);
  const x = asTensor(array).view([2 ** 10, 2 ** 10]);
  array = undefined;
  for (let i = 0; i < 60; i++) zeros([2 ** 21]);
  expect(x.min().itemSync()).toBe(7);
});

test('other arrays, other dtypes and parts are copied', () => {
  const own = Float32Array.of(1, 2);
  const x = asTensor(own);
  own[0] = 5;
  expect(x.toArraySync()).toEqual([1, 2]);
  const array = allocateArray('float32', 2);
  const y = asTensor(array, { dtype: 'float64' });
  const part = asTensor(array.subarray(1));
  array.fill(3);
  expect([y.toArraySync(), part.toArraySync()]).toEqual([[0, 0], [0]]);
});

test('which arrays hold which dtypes', () => {
  expect(asTensor(Uint8ClampedArray.of(300, 2) as never).toArraySync()).toEqual([255, 2]);
  expect(asTensor(Uint8ClampedArray.of(1) as never).dtype).toBe('uint8');
  expect(tensor(Uint8ClampedArray.of(1) as never).dtype).toBe('uint8');
  expect(asTensor(BigInt64Array.of(1n)).dtype).toBe('int64');
  expect(asTensor(Uint8Array.of(0, 2), { dtype: 'bool' }).toTypedArraySync()).toEqual(
    Uint8Array.of(0, 1),
  );
  expect(asTensor(Uint16Array.of(0x3c00), { dtype: 'float16' }).itemSync()).toBe(1);
  const shared = new Float32Array(new SharedArrayBuffer(8)).fill(2);
  expect(asTensor(shared).toArraySync()).toEqual([2, 2]);
  for (const wrong of [Uint16Array.of(1), Uint32Array.of(1), BigUint64Array.of(1n)]) {
    expect(() => asTensor(wrong as never)).toThrow(
      `fromTypedArray: a ${wrong.constructor.name} does not say its dtype; pass { dtype }`,
    );
  }
  const half = (globalThis as { Float16Array?: new (x: number[]) => ArrayLike<number> })
    .Float16Array;
  if (half) {
    const x = asTensor(new half([1.5, -2]) as never);
    expect([x.dtype, x.toArraySync()]).toEqual(['float16', [1.5, -2]]);
  }
});

test('what is no typed array, or one whose memory is gone, is refused by name', () => {
  const buffer = new ArrayBuffer(8);
  expect(() => asTensor(new DataView(buffer) as never)).toThrow(
    "fromTypedArray: argument 'data' (position 1) must be a typed array, got a DataView; say what its bytes are, e.g. new Float32Array(buffer)",
  );
  expect(() => fromTypedArray(buffer as never)).toThrow(
    /got a ArrayBuffer; say what its bytes are/,
  );
  expect(() => fromTypedArray(new SharedArrayBuffer(8) as never)).toThrow(
    /got a SharedArrayBuffer/,
  );
  expect(() => fromTypedArray(null as never)).toThrow(
    /argument 'data' \(position 1\) must be .*, got null/,
  );
  expect(() => fromTypedArray([1, 2] as never)).toThrow(/must be a typed array, got an array/);
  const gone = new Float32Array(2);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  if ('detached' in gone.buffer) expect(() => asTensor(gone)).toThrow(/was transferred away/);
  expect(() => allocateArray('float33' as never, 2)).toThrow(/argument 'dtype'/);
  expect(() => allocateArray('float32', -1)).toThrow(/allocateArray: .*negative/);
  expect(() => allocateArray('int8', 2 ** 40)).toThrow(/out of memory on cpu/);
});
