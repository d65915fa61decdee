import {
  bitcast,
  type ComputeType,
  cast,
  computeType,
  constant,
  coord,
  type DType,
  dtypes,
  e,
  input,
  linearIndex,
  load,
  scalar,
  type View,
} from '@sconce/core';
import { expect, test } from 'vitest';
import type { Fixture } from './fixture.js';

const x = input(0, 'float32');
const y = input(1, 'float32');
const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;
const f = 'float32';

/** Index results, whatever integer the device has for them. */
const whole = (values: readonly (number | bigint)[]): number[] => values.map(Number);

/** Maps by hand: views, scalars, coordinates, computed loads, narrow stores. */
export function mapTests(fx: Fixture): void {
  const map = async (
    shape: readonly number[],
    inputs: readonly View[],
    value: ReturnType<typeof e.neg>,
    scalars: readonly (number | bigint)[] = [],
    dtype: DType = value.dtype,
  ) => {
    const out = fx.empty(dtype, shape);
    fx.execute({ kind: 'map', shape, inputs, scalars, values: [value], outputs: [out] });
    return fx.read(out);
  };

  test('map broadcasts from the right', async () => {
    const a = fx.view(f, [2, 3], [1, 2, 3, 4, 5, 6]);
    expect(await map([2, 3], [a, fx.view(f, [3], [10, 20, 30])], e.add(x, y))).toEqual([
      11, 22, 33, 14, 25, 36,
    ]);
    expect(await map([2, 3], [a, fx.view(f, [2, 1], [10, 20])], e.add(x, y))).toEqual([
      11, 12, 13, 24, 25, 26,
    ]);
    expect(await map([2, 3], [a, fx.view(f, [], [10])], e.add(x, y))).toEqual([
      11, 12, 13, 14, 15, 16,
    ]);
  });

  test('map reads strided views and writes strided views', async () => {
    const a = fx.view(f, [3, 2], [9, 1, 2, 3, 4, 5, 6], { strides: [1, 3], offset: 1 });
    expect(await map([3, 2], [a], e.neg(x))).toEqual([-1, -4, -2, -5, -3, -6]);
    const out = fx.view(f, [2, 2], [7, 7, 7, 7, 7, 7, 7, 7], { strides: [1, 4], offset: 1 });
    fx.execute({
      kind: 'map',
      shape: [2, 2],
      inputs: [fx.view(f, [2, 2], [1, 2, 3, 4])],
      scalars: [],
      values: [x],
      outputs: [out],
    });
    expect(await fx.stored(out)).toEqual([7, 1, 3, 7, 7, 2, 4, 7]);
  });

  test('map of no dimensions and of no elements', async () => {
    expect(await map([], [fx.view(f, [], [3])], e.mul(x, x))).toEqual([9]);
    expect(await map([2, 0, 3], [fx.view(f, [2, 0, 3], [])], e.neg(x))).toEqual([]);
  });

  test('map computes all values of a position before it stores any', async () => {
    const a = fx.view(f, [3], [1, 2, 3]);
    const b = fx.view(f, [3], [10, 20, 30]);
    fx.execute({
      kind: 'map',
      shape: [3],
      inputs: [a, b],
      scalars: [],
      values: [y, x],
      outputs: [a, b],
    });
    expect(await fx.read(a)).toEqual([10, 20, 30]);
    expect(await fx.read(b)).toEqual([1, 2, 3]);
  });

  test('map takes scalars at run time', async () => {
    const a = fx.view(f, [3], [1, 2, 3]);
    const value = e.add(e.mul(x, scalar(0, f)), scalar(1, f));
    expect(await map([3], [a], value, [2, 0.5])).toEqual([2.5, 4.5, 6.5]);
    expect(await map([3], [a], value, [3, -1])).toEqual([2, 5, 8]);
    const i = fx.view('int32', [2], [1, 2]);
    expect(await map([2], [i], e.add(input(0, 'int32'), scalar(0, 'int32')), [-5])).toEqual([
      -4, -3,
    ]);
    expect(await map([2], [i], e.and(e.gt(input(0, 'int32'), 1), scalar(0, 'bool')), [1])).toEqual([
      0, 1,
    ]);
  });

  test('coord and linear', async () => {
    expect(await map([2, 3], [], coord(0))).toEqual([0, 0, 0, 1, 1, 1]);
    expect(await map([2, 3], [], coord(1))).toEqual([0, 1, 2, 0, 1, 2]);
    expect(await map([2, 3], [], linearIndex())).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test('where chooses, also between NaN and numbers', async () => {
    const a = fx.view(f, [4], [1, nan, -inf, 4]);
    const value = e.where(e.isnan(x), 0, x);
    expect(await map([4], [a], value)).toEqual([1, 0, -inf, 4]);
    expect(await map([4], [a], e.where(e.gt(x, 2), constant(7, f), nan))).toEqual([
      nan,
      nan,
      nan,
      7,
    ]);
    expect(await map([4], [a], e.where(e.lt(x, 2), constant(nan, f), x))).toEqual([
      nan,
      nan,
      nan,
      4,
    ]);
  });

  test('load reverses, gathers and pads', async () => {
    const a = fx.view(f, [2, 3], [1, 2, 3, 4, 5, 6]);
    const reversed = load(0, f, [coord(0), e.sub(constant(2, 'int32'), coord(1))]);
    expect(await map([2, 3], [a], reversed)).toEqual([3, 2, 1, 6, 5, 4]);
    const index = fx.view('int32', [4], [1, 0, 1, 1]);
    const rows = load(0, f, [load(1, 'int32', [coord(0)]), coord(1)]);
    expect(await map([4, 3], [a, index], rows)).toEqual([4, 5, 6, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
    const at = e.sub(coord(0), 1);
    const inside = e.and(e.ge(at, 0), e.lt(at, 3));
    const row = fx.view(f, [3], [1, 2, 3]);
    expect(await map([5], [row], load(0, f, [at], inside, constant(-9, f)))).toEqual([
      -9, 1, 2, 3, -9,
    ]);
    const nothing = fx.view(f, [0], []);
    expect(
      await map([2], [nothing], load(0, f, [coord(0)], constant(false, 'bool'), constant(4, f))),
    ).toEqual([4, 4]);
  });

  test('load reads strided and broadcast views', async () => {
    const a = fx.view(f, [2, 3], [0, 1, 2, 3, 4, 5, 6], { strides: [1, 2], offset: 1 });
    expect(await map([3, 2], [a], load(0, f, [coord(1), coord(0)]))).toEqual([1, 2, 3, 4, 5, 6]);
    const b = fx.view(f, [2, 3], [5, 6, 7], { strides: [0, 1] });
    expect(await map([2], [b], load(0, f, [coord(0), constant(2, 'int32')]))).toEqual([7, 7]);
  });

  test('bitcast keeps the bits', async () => {
    const a = fx.view(f, [4], [1, -2, 0, inf]);
    expect(await map([4], [a], bitcast(x, 'int32'))).toEqual([
      0x3f800000, -0x40000000, 0, 0x7f800000,
    ]);
    const i = fx.view('int32', [2], [0x40490fdb, -0x40800000]);
    expect(await map([2], [i], bitcast(input(0, 'int32'), f))).toEqual([Math.fround(Math.PI), -1]);
  });

  test('narrow dtypes wrap, halves round to nearest even', async () => {
    const i = fx.view('int32', [4], [130, 300, -1, 70000]);
    const value = input(0, 'int32');
    for (const [dtype, expected] of [
      ['int8', [-126, 44, -1, 112]],
      ['uint8', [130, 44, 255, 112]],
      ['int16', [130, 300, -1, 4464]],
    ] as const) {
      if (fx.supports(dtype))
        expect(await map([4], [i], value, [], dtype), dtype).toEqual(expected);
    }
    // Ties: 2049 and 2051 lie between float16 neighbours, 257 and 259 between bfloat16 ones.
    const a = fx.view(f, [8], [2049, 2051, 65519, 65520, 1e-8, -0, nan, 2 ** -24]);
    if (fx.supports('float16')) {
      expect(await map([8], [a], x, [], 'float16')).toEqual([
        2048,
        2052,
        65504,
        inf,
        0,
        -0,
        nan,
        2 ** -24,
      ]);
    }
    const b = fx.view(f, [5], [257, 259, 3.3961775e38, -inf, nan]);
    if (fx.supports('bfloat16')) {
      expect(await map([5], [b], x, [], 'bfloat16')).toEqual([256, 260, inf, -inf, nan]);
    }
  });
}

/** Every storage dtype to every other, by way of their compute types. */
export function castTests(fx: Fixture, wide: boolean): void {
  const values = [0, 1, 2, 3, 100, 0, 7];
  for (const from of dtypes) {
    test.skipIf(!fx.supports(from))(`${from} to every dtype and back`, async () => {
      const given = from === 'bool' ? values.map(Boolean) : values;
      for (const to of dtypes.filter((dtype) => fx.supports(dtype))) {
        const out = fx.view(
          to,
          [7],
          values.map(() => 0),
        );
        fx.execute({
          kind: 'map',
          shape: [7],
          inputs: [fx.view(from, [7], given)],
          scalars: [],
          values: [cast(input(0, computeType(from)), computeType(to))],
          outputs: [out],
        });
        const expected = from === 'bool' || to === 'bool' ? values.map((v) => (v ? 1 : 0)) : values;
        expect(whole(await fx.read(out)), `${from} to ${to}`).toEqual(expected);
      }
    });
  }

  test('float to integer truncates, anything but zero is true', async () => {
    const a = fx.view(f, [6], [1.9, -1.9, 0.5, -0.5, 0, 2147483520]);
    const run = async (to: ComputeType) => {
      const out = fx.empty(to, [6]);
      fx.execute({
        kind: 'map',
        shape: [6],
        inputs: [a],
        scalars: [],
        values: [cast(x, to)],
        outputs: [out],
      });
      return (await fx.read(out)).map(Number);
    };
    expect(await run('int32')).toEqual([1, -1, 0, -0, 0, 2147483520].map((v) => v + 0));
    expect(await run('bool')).toEqual([1, 1, 1, 1, 0, 1]);
    if (fx.supports('int64')) expect(await run('int64')).toEqual([1, -1, 0, 0, 0, 2147483520]);
  });

  test('casts of NaN and numbers out of range do not trap, and NaN is true', async () => {
    const a = fx.view(f, [4], [nan, inf, -inf, 1e20]);
    const bool = fx.empty('bool', [4]);
    const int = fx.empty('int32', [4]);
    fx.execute({
      kind: 'map',
      shape: [4],
      inputs: [a],
      scalars: [],
      values: [cast(x, 'bool'), cast(x, 'int32')],
      outputs: [bool, int],
    });
    expect(await fx.read(bool)).toEqual([1, 1, 1, 1]);
    expect((await fx.read(int)).every((v) => Number.isInteger(v))).toBe(true);
  });

  test.skipIf(!wide)('int64 to float32 rounds once', async () => {
    // Rounded to a double first it would lie half way between two float32.
    const tie = 2n ** 60n + 2n ** 36n + 1n;
    const out = fx.empty(f, [2]);
    fx.execute({
      kind: 'map',
      shape: [2],
      inputs: [fx.view('int64', [2], [tie, -tie])],
      scalars: [],
      values: [cast(input(0, 'int64'), f)],
      outputs: [out],
    });
    const up = 2 ** 60 + 2 ** 37;
    expect(await fx.read(out)).toEqual([up, -up]);
  });
}
