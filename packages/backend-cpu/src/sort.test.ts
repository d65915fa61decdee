import { type DType, dtypes, type SortPrimitive, type View } from '@sconce/core';
import { expect, test } from 'vitest';
import { deviceFor, makeView, onBoth, type ViewSpec } from '../test/operands.js';
import { CpuBackend } from './backend.js';

const device = deviceFor('sortcpu', () => new CpuBackend());

const sort = (input: View, values: View, indices: View, descending: boolean): SortPrimitive => ({
  kind: 'sort',
  input,
  values,
  indices,
  descending,
});

/** Sorts on both and compares values (output 1) and places (output 2), bit for bit. */
function check(input: ViewSpec, values: ViewSpec, indices: ViewSpec): void {
  for (const descending of [false, true]) {
    for (const output of [1, 2]) {
      const { actual, expected } = onBoth(device, [input, values, indices], output, (x, y, z) =>
        sort(x as View, y as View, z as View, descending),
      );
      expect(actual).toEqual(expected);
    }
  }
}

for (const dtype of dtypes) {
  test(`${dtype}: few and many elements, with many equal ones`, () => {
    for (const size of [1, 2, 31, 48, 49, 500, 3000]) {
      const shape = [3, size];
      check({ dtype, shape }, { dtype, shape }, { dtype: 'int64', shape });
    }
  });
}

test('strided operands', () => {
  const shape = [4, 5, 60];
  const strides = [1, 4, 20];
  check(
    { dtype: 'float32', shape, strides, offset: 3 },
    { dtype: 'float32', shape, strides },
    { dtype: 'int64', shape, strides: [300, 1, 5] },
  );
});

test('NaN is the greatest, infinities and zeros of both signs in their place', () => {
  const data = [
    0,
    Number.NaN,
    -0,
    Number.POSITIVE_INFINITY,
    -1e-45,
    1e-45,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    -5,
    5,
  ];
  const repeated = (n: number) =>
    Array.from({ length: n }, (_, i) => data[i % data.length] as number);
  for (const dtype of ['float32', 'float64'] as const satisfies DType[]) {
    for (const n of [10, 200]) {
      const source = repeated(n);
      const shape = [n];
      const [x, y, z] = [
        { dtype, shape },
        { dtype, shape },
        { dtype: 'int64' as const, shape },
      ].map((s, i) => makeView(device, s, i)) as [View, View, View];
      const values = dtype === 'float32' ? Float32Array.from(source) : Float64Array.from(source);
      device.backend.write(x.storage.buffer, dtype, 0, values);
      const rank = (v: number) =>
        Number.isNaN(v) ? Number.POSITIVE_INFINITY : v === Number.POSITIVE_INFINITY ? 1e300 : v;
      for (const descending of [false, true]) {
        device.backend.execute(sort(x, y, z, descending));
        const order = source
          .map((_, i) => i)
          .sort((i, j) => {
            const [a, b] = [rank(values[i] as number), rank(values[j] as number)];
            return a === b ? 0 : a < b !== descending ? -1 : 1;
          });
        const read = (v: View) =>
          [...(device.backend.readSync?.(v.storage.buffer, v.dtype, 0, n) ?? [])].map(Number);
        expect(read(z)).toEqual(order);
        expect(read(y)).toEqual(order.map((i) => values[i]));
      }
    }
  }
});
