import type { ComputeType, DType, ReduceStage, View } from '@sconce/core';
import {
  bitcast,
  cast,
  computeType,
  constant,
  coord,
  dtypes,
  e,
  input,
  linearIndex,
  load,
  scalar,
  stage,
} from '@sconce/core';
import { expect, test } from 'vitest';
import type { Fixture, Values } from './fixture.js';
import type { Limits } from './limits.js';

const x = input(0, 'float32');
const y = input(1, 'float32');
const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;
const f = 'float32';

/** Index results, whatever integer the device has for them. */
const whole = (values: readonly (number | bigint)[]): number[] => values.map(Number);

/** Every primitive on small cases with results by hand. */
export function primitiveTests(fixture: Fixture, limits: Limits): void {
  const wide = fixture.supports('int64') && limits.int64Bits === 64;
  mapTests(fixture);
  castTests(fixture, wide);
  reduceTests(fixture, wide);
  scanTests(fixture);
  matmulTests(fixture);
  convTests(fixture);
  scatterTests(fixture);
  sortTests(fixture);
}

function mapTests(fx: Fixture): void {
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
function castTests(fx: Fixture, wide: boolean): void {
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

function reduceTests(fx: Fixture, wide: boolean): void {
  const reduce = async (
    a: View,
    axes: readonly number[],
    combine: ReduceStage['combine'],
    dtype: DType = a.dtype,
  ) => {
    const type = computeType(a.dtype);
    const shape = a.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    const out = fx.empty(dtype, shape);
    fx.execute({
      kind: 'reduce',
      shape: a.shape,
      axes,
      inputs: [a],
      scalars: [],
      stages: [{ combine, value: input(0, type) }],
      outputs: [{ per: 'row', value: stage(0, computeType(dtype)), view: out }],
    });
    return fx.read(out);
  };

  test('sum over each choice of axes', async () => {
    const a = fx.view(f, [2, 3], [1, 2, 3, 4, 5, 6]);
    expect(await reduce(a, [0], 'sum')).toEqual([5, 7, 9]);
    expect(await reduce(a, [1], 'sum')).toEqual([6, 15]);
    expect(await reduce(a, [0, 1], 'sum')).toEqual([21]);
    const b = fx.view(f, [2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    expect(await reduce(b, [0, 2], 'sum')).toEqual([14, 22]);
    expect(await reduce(b, [1], 'prod')).toEqual([3, 8, 35, 48]);
  });

  test('max and min with NaN, infinities and bools', async () => {
    const a = fx.view(f, [3, 3], [1, nan, 3, -inf, 2, 2, inf, -1, 0]);
    expect(await reduce(a, [1], 'max')).toEqual([nan, 2, inf]);
    expect(await reduce(a, [1], 'min')).toEqual([nan, -inf, -1]);
    const b = fx.view('bool', [3, 2], [true, false, false, false, true, true]);
    expect(await reduce(b, [1], 'max')).toEqual([1, 0, 1]);
    expect(await reduce(b, [1], 'min')).toEqual([0, 0, 1]);
  });

  test('argmax and argmin: the first of equals, NaN best, positions among several axes', async () => {
    const a = fx.view(f, [3, 3], [1, 3, 3, 2, nan, nan, -1, -1, -2]);
    expect(whole(await reduce(a, [1], 'argmax', fx.indexDtype))).toEqual([1, 1, 0]);
    expect(whole(await reduce(a, [1], 'argmin', fx.indexDtype))).toEqual([0, 1, 2]);
    const b = fx.view(f, [2, 2, 2], [1, 2, 3, 9, 5, 6, 9, 8]);
    expect(whole(await reduce(b, [0, 2], 'argmax', fx.indexDtype))).toEqual([3, 1]);
    const lows = fx.view(f, [2, 2], [-inf, -inf, inf, inf]);
    expect(whole(await reduce(lows, [1], 'argmax', fx.indexDtype))).toEqual([0, 0]);
    expect(whole(await reduce(lows, [1], 'argmin', fx.indexDtype))).toEqual([0, 0]);
  });

  test('an empty row is the identity', async () => {
    const a = fx.view(f, [2, 0], []);
    expect(await reduce(a, [1], 'sum')).toEqual([0, 0]);
    expect(await reduce(a, [1], 'prod')).toEqual([1, 1]);
    expect(await reduce(a, [1], 'max')).toEqual([-inf, -inf]);
    expect(await reduce(a, [1], 'min')).toEqual([inf, inf]);
    const i = fx.view('int32', [1, 0], []);
    expect(await reduce(i, [1], 'max')).toEqual([-(2 ** 31)]);
    expect(await reduce(i, [1], 'min')).toEqual([2 ** 31 - 1]);
    const b = fx.view('bool', [1, 0], []);
    expect(await reduce(b, [1], 'max')).toEqual([0]);
    expect(await reduce(b, [1], 'min')).toEqual([1]);
    expect(await reduce(fx.view(f, [0, 3], []), [1], 'sum')).toEqual([]);
  });

  test('no axes reduced: every element is its own row', async () => {
    const a = fx.view(f, [3], [1, 2, 3]);
    expect(await reduce(a, [], 'sum')).toEqual([1, 2, 3]);
  });

  test('integer sums and products wrap', async () => {
    const a = fx.view('int32', [2, 2], [2 ** 31 - 1, 1, 65537, 65537]);
    expect(await reduce(a, [1], 'sum')).toEqual([-(2 ** 31), 131074]);
    expect(await reduce(a, [1], 'prod')).toEqual([2 ** 31 - 1, 131073]);
    if (!wide) return;
    const b = fx.view('int64', [1, 3], [2n ** 62n, 2n ** 62n, 5n]);
    expect(await reduce(b, [1], 'sum')).toEqual([-(2n ** 63n) + 5n]);
    expect(await reduce(b, [1], 'max')).toEqual([2n ** 62n]);
  });

  test('long rows add up to the last digits', async () => {
    const n = 100_003;
    const a = fx.view(f, [n], new Array<number>(n).fill(0.1));
    const [sum] = (await reduce(a, [0], 'sum')) as [number];
    expect(Math.abs(sum - n * Math.fround(0.1))).toBeLessThan(0.05);
    const ones = fx.view(f, [2, 70_000], new Array<number>(140_000).fill(1));
    expect(await reduce(ones, [1], 'sum')).toEqual([70_000, 70_000]);
    expect(await reduce(ones, [0, 1], 'sum')).toEqual([140_000]);
  });

  test('softmax: two stages and an element output, in place', async () => {
    const a = fx.view(f, [2, 3], [0, Math.log(2), Math.log(5), 1000, 1000, -1000]);
    const shifted = e.exp(e.sub(x, stage(0, f)));
    fx.execute({
      kind: 'reduce',
      shape: [2, 3],
      axes: [1],
      inputs: [a],
      scalars: [],
      stages: [
        { combine: 'max', value: x },
        { combine: 'sum', value: shifted },
      ],
      outputs: [{ per: 'element', value: e.div(shifted, stage(1, f)), view: a }],
    });
    const expected = [1 / 8, 2 / 8, 5 / 8, 0.5, 0.5, 0];
    (await fx.read(a)).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i] as number, 6);
    });
  });

  test('row and element outputs together, with scalars and inputs that broadcast along the row', async () => {
    // mean, then the deviation scaled per column
    const a = fx.view(f, [2, 4], [1, 2, 3, 6, 0, 0, 4, 4]);
    const gain = fx.view(f, [4], [1, 10, 100, 1000]);
    const bias = fx.view(f, [2, 1], [0.5, 0.25]);
    const mean = fx.empty(f, [2, 1]);
    const out = fx.empty(f, [2, 4]);
    const average = e.mul(stage(0, f), scalar(0, f));
    fx.execute({
      kind: 'reduce',
      shape: [2, 4],
      axes: [1],
      inputs: [a, gain, bias],
      scalars: [0.25],
      stages: [{ combine: 'sum', value: x }],
      outputs: [
        { per: 'row', value: e.add(average, input(2, f)), view: mean },
        { per: 'element', value: e.mul(e.sub(x, average), y), view: out },
      ],
    });
    expect(await fx.read(mean)).toEqual([3.5, 2.25]);
    expect(await fx.read(out)).toEqual([-2, -10, 0, 3000, -2, -20, 200, 2000]);
  });

  test('stages may use coord and computed loads (max pooling)', async () => {
    const a = fx.view(
      f,
      [4, 4],
      Array.from({ length: 16 }, (_, i) => (i * 7) % 16),
    );
    const at = (out: number, k: number) => e.add(e.mul(coord(out), 2), coord(k));
    const out = fx.empty(f, [2, 2, 1, 1]);
    fx.execute({
      kind: 'reduce',
      shape: [2, 2, 2, 2],
      axes: [2, 3],
      inputs: [a],
      scalars: [],
      stages: [{ combine: 'max', value: load(0, f, [at(0, 2), at(1, 3)]) }],
      outputs: [{ per: 'row', value: stage(0, f), view: out }],
    });
    // rows of a: 0 7 14 5 / 12 3 10 1 / 8 15 6 13 / 4 11 2 9
    expect(await fx.read(out)).toEqual([12, 14, 15, 13]);
  });

  test('linear counts in the iteration space, also where axes are reduced from the front', async () => {
    const out = fx.empty('int32', [1, 3]);
    const each = fx.empty('int32', [2, 3]);
    fx.execute({
      kind: 'reduce',
      shape: [2, 3],
      axes: [0],
      inputs: [],
      scalars: [],
      stages: [{ combine: 'sum', value: linearIndex() }],
      outputs: [
        { per: 'row', value: stage(0, 'int32'), view: out },
        { per: 'element', value: e.add(linearIndex(), e.mul(coord(1), 100)), view: each },
      ],
    });
    expect(await fx.read(out)).toEqual([3, 5, 7]);
    expect(await fx.read(each)).toEqual([0, 101, 202, 3, 104, 205]);
    const starts = fx.empty('int32', [2, 1]);
    fx.execute({
      kind: 'reduce',
      shape: [2, 3],
      axes: [1],
      inputs: [],
      scalars: [],
      stages: [{ combine: 'sum', value: coord(1) }],
      outputs: [
        {
          per: 'row',
          value: e.add(stage(0, 'int32'), e.add(linearIndex(), e.mul(coord(0), 100))),
          view: starts,
        },
      ],
    });
    // A row output is computed at the first position of its row.
    expect(await fx.read(starts)).toEqual([3, 106]);
  });

  test('float16 rows are summed in float32', async () => {
    if (!fx.supports('float16')) return;
    const a = fx.view('float16', [1, 4096], new Array<number>(4096).fill(1));
    expect(await reduce(a, [1], 'sum')).toEqual([4096]);
  });
}

function scanTests(fx: Fixture): void {
  const scan = async (
    a: View,
    axis: number,
    combine: 'sum' | 'prod' | 'max' | 'min' | 'logaddexp',
    options: { reverse?: boolean; indices?: boolean } = {},
  ) => {
    const output = fx.empty(a.dtype, a.shape);
    const indices = options.indices ? fx.empty(fx.indexDtype, a.shape) : undefined;
    fx.execute({
      kind: 'scan',
      axis,
      combine,
      reverse: options.reverse ?? false,
      input: a,
      output,
      ...(indices ? { indices } : {}),
    });
    return [await fx.read(output), indices ? whole(await fx.read(indices)) : []] as const;
  };

  test('running sums and products along each axis, both ways', async () => {
    const a = fx.view(f, [2, 3], [1, 2, 3, 4, 5, 6]);
    expect((await scan(a, 1, 'sum'))[0]).toEqual([1, 3, 6, 4, 9, 15]);
    expect((await scan(a, 0, 'sum'))[0]).toEqual([1, 2, 3, 5, 7, 9]);
    expect((await scan(a, 1, 'prod'))[0]).toEqual([1, 2, 6, 4, 20, 120]);
    expect((await scan(a, 1, 'sum', { reverse: true }))[0]).toEqual([6, 5, 3, 15, 11, 6]);
    expect((await scan(fx.view('int32', [3], [2 ** 31 - 1, 1, 1]), 0, 'sum'))[0]).toEqual([
      2 ** 31 - 1,
      -(2 ** 31),
      -(2 ** 31) + 1,
    ]);
  });

  test('running max and min name the latest of equals; NaN sticks', async () => {
    const a = fx.view(f, [7], [1, 3, 3, 2, nan, 5, nan]);
    expect(await scan(a, 0, 'max', { indices: true })).toEqual([
      [1, 3, 3, 3, nan, nan, nan],
      [0, 1, 2, 2, 4, 4, 6],
    ]);
    const b = fx.view(f, [5], [2, 2, 1, 3, 1]);
    expect(await scan(b, 0, 'min', { indices: true })).toEqual([
      [2, 2, 1, 1, 1],
      [0, 1, 2, 2, 4],
    ]);
  });

  test('running logaddexp survives large and infinite values', async () => {
    const a = fx.view(f, [4], [-inf, 1000, 1000, -1000]);
    const [values] = await scan(a, 0, 'logaddexp');
    expect(values[0]).toBe(-inf);
    expect(values[1]).toBe(1000);
    expect(values[2]).toBeCloseTo(1000 + Math.LN2, 3);
    expect(values[3]).toBeCloseTo(1000 + Math.LN2, 3);
  });

  test('scans of nothing and of strided views', async () => {
    expect((await scan(fx.view(f, [2, 0], []), 1, 'sum'))[0]).toEqual([]);
    const turned = fx.view(f, [3, 2], [1, 2, 3, 4, 5, 6], { strides: [1, 3] });
    expect((await scan(turned, 0, 'sum'))[0]).toEqual([1, 4, 3, 9, 6, 15]);
  });
}

function matmulTests(fx: Fixture): void {
  test('matrix products, transposed and batched', async () => {
    const a = fx.view(f, [2, 3], [1, 2, 3, 4, 5, 6]);
    const turned = fx.view(f, [3, 2], [1, 2, 3, 4, 5, 6], { strides: [1, 3] });
    const out = fx.empty(f, [2, 2]);
    fx.execute({ kind: 'matmul', a, b: turned, out });
    expect(await fx.read(out)).toEqual([14, 32, 32, 77]);
    const left = fx.view(f, [2, 1, 2], [1, 2, 3, 4]);
    const right = fx.view(f, [2, 2, 1], [5, 6], { strides: [0, 1, 1] });
    const batched = fx.empty(f, [2, 1, 1]);
    fx.execute({ kind: 'matmul', a: left, b: right, out: batched });
    expect(await fx.read(batched)).toEqual([17, 39]);
  });

  test('no inner dimension gives zero, and the epilogue still runs', async () => {
    const out = fx.view(f, [2, 2], [9, 9, 9, 9]);
    const a = fx.view(f, [2, 0], []);
    const b = fx.view(f, [0, 2], []);
    fx.execute({ kind: 'matmul', a, b, out });
    expect(await fx.read(out)).toEqual([0, 0, 0, 0]);
    const bias = fx.view(f, [2], [1, 2]);
    fx.execute({
      kind: 'matmul',
      a,
      b,
      out,
      epilogue: { value: e.add(x, y), inputs: [bias], scalars: [] },
    });
    expect(await fx.read(out)).toEqual([1, 2, 1, 2]);
  });

  test('epilogues: bias and activation, accumulation into the output', async () => {
    const a = fx.view(f, [2, 2], [1, 2, 3, 4]);
    const b = fx.view(f, [2, 2], [1, -1, 1, -1]);
    const bias = fx.view(f, [2], [0.5, 1]);
    const out = fx.empty(f, [2, 2]);
    fx.execute({
      kind: 'matmul',
      a,
      b,
      out,
      epilogue: { value: e.max(e.add(x, y), 0), inputs: [bias], scalars: [] },
    });
    expect(await fx.read(out)).toEqual([3.5, 0, 7.5, 0]);
    fx.execute({
      kind: 'matmul',
      a,
      b,
      out,
      epilogue: {
        value: e.add(e.mul(x, scalar(0, f)), e.mul(y, scalar(1, f))),
        inputs: [out],
        scalars: [2, 10],
      },
    });
    expect(await fx.read(out)).toEqual([41, -6, 89, -14]);
  });

  test('integer products wrap, halves accumulate in float32', async () => {
    const a = fx.view('int32', [1, 2], [65536, 3]);
    const b = fx.view('int32', [2, 1], [65536, 5]);
    const out = fx.empty('int32', [1, 1]);
    fx.execute({ kind: 'matmul', a, b, out });
    expect(await fx.read(out)).toEqual([15]);
    if (!fx.supports('float16')) return;
    const ones = new Array<number>(4096).fill(1);
    const half = fx.empty('float16', [1, 1]);
    fx.execute({
      kind: 'matmul',
      a: fx.view('float16', [1, 4096], ones),
      b: fx.view('float16', [4096, 1], ones),
      out: half,
    });
    expect(await fx.read(half)).toEqual([4096]);
  });
}

function convTests(fx: Fixture): void {
  const ones = { stride: [1], padding: [0], dilation: [1], groups: 1 };

  test('one-dimensional convolution and its two gradients', async () => {
    const image = fx.view(f, [1, 1, 4], [1, 2, 3, 4]);
    const weight = fx.view(f, [1, 1, 2], [10, 1]);
    const output = fx.empty(f, [1, 1, 3]);
    fx.execute({
      kind: 'conv',
      compute: 'output',
      input: image,
      weight,
      output,
      bias: fx.view(f, [1], [0.5]),
      ...ones,
    });
    expect(await fx.read(output)).toEqual([12.5, 23.5, 34.5]);
    const upstream = fx.view(f, [1, 1, 3], [1, 2, 3]);
    const inputGradient = fx.empty(f, [1, 1, 4]);
    fx.execute({
      kind: 'conv',
      compute: 'input',
      input: inputGradient,
      weight,
      output: upstream,
      ...ones,
    });
    expect(await fx.read(inputGradient)).toEqual([10, 21, 32, 3]);
    const weightGradient = fx.empty(f, [1, 1, 2]);
    fx.execute({
      kind: 'conv',
      compute: 'weight',
      input: image,
      weight: weightGradient,
      output: upstream,
      ...ones,
    });
    expect(await fx.read(weightGradient)).toEqual([14, 20]);
  });

  test('stride, padding and dilation', async () => {
    const image = fx.view(f, [1, 1, 5], [1, 2, 3, 4, 5]);
    const weight = fx.view(f, [1, 1, 2], [1, 10]);
    const output = fx.empty(f, [1, 1, 3]);
    fx.execute({
      kind: 'conv',
      compute: 'output',
      input: image,
      weight,
      output,
      stride: [2],
      padding: [1],
      dilation: [2],
      groups: 1,
    });
    // taps at 2y - 1 and 2y + 1
    expect(await fx.read(output)).toEqual([20, 42, 4]);
  });

  test('groups and channels in two dimensions', async () => {
    const image = fx.view(f, [1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const weight = fx.view(f, [2, 1, 1, 1], [10, 100]);
    const output = fx.empty(f, [1, 2, 2, 2]);
    const two = { stride: [1, 1], padding: [0, 0], dilation: [1, 1] };
    fx.execute({
      kind: 'conv',
      compute: 'output',
      input: image,
      weight,
      output,
      ...two,
      groups: 2,
    });
    expect(await fx.read(output)).toEqual([10, 20, 30, 40, 500, 600, 700, 800]);
    const mixed = fx.empty(f, [1, 1, 2, 2]);
    fx.execute({
      kind: 'conv',
      compute: 'output',
      input: image,
      weight: fx.view(f, [1, 2, 1, 1], [1, 10]),
      output: mixed,
      ...two,
      groups: 1,
    });
    expect(await fx.read(mixed)).toEqual([51, 62, 73, 84]);
  });

  test('three dimensions', async () => {
    const image = fx.view(f, [1, 1, 2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);
    const weight = fx.view(f, [1, 1, 2, 2, 2], [1, 1, 1, 1, 1, 1, 1, 1]);
    const output = fx.empty(f, [1, 1, 1, 1, 1]);
    const three = { stride: [1, 1, 1], padding: [0, 0, 0], dilation: [1, 1, 1], groups: 1 };
    fx.execute({ kind: 'conv', compute: 'output', input: image, weight, output, ...three });
    expect(await fx.read(output)).toEqual([36]);
  });
}

function scatterTests(fx: Fixture): void {
  const scatter = async (
    output: View,
    index: Values,
    values: Values,
    combine: 'set' | 'sum' | 'prod' | 'max' | 'min',
  ) => {
    const type = computeType(output.dtype);
    fx.execute({
      kind: 'scatter',
      shape: [index.length],
      inputs: [
        fx.view(output.dtype, [values.length], values),
        fx.view('int32', [index.length], index),
      ],
      scalars: [],
      coords: [input(1, 'int32')],
      valid: e.ge(input(1, 'int32'), 0),
      value: input(0, type),
      output,
      combine,
    });
    return fx.read(output);
  };

  test('scatter sets and combines, and leaves the rest', async () => {
    const start = [1, 2, 3, 4];
    const index = [2, 0, -1, 2];
    const values = [10, 20, 30, 5];
    expect(await scatter(fx.view(f, [4], start), index, values, 'sum')).toEqual([21, 2, 18, 4]);
    expect(await scatter(fx.view(f, [4], start), index, values, 'prod')).toEqual([20, 2, 150, 4]);
    expect(await scatter(fx.view(f, [4], start), index, values, 'max')).toEqual([20, 2, 10, 4]);
    expect(await scatter(fx.view(f, [4], start), index, values, 'min')).toEqual([1, 2, 3, 4]);
    expect(await scatter(fx.view(f, [4], start), [3, 0, 1, -1], values, 'set')).toEqual([
      20, 30, 3, 10,
    ]);
    expect(await scatter(fx.view('int32', [4], start), index, values, 'sum')).toEqual([
      21, 2, 18, 4,
    ]);
    expect(await scatter(fx.view('int32', [4], start), index, [-10, 20, 30, 5], 'min')).toEqual([
      1, 2, -10, 4,
    ]);
  });

  test('NaN wins max and min', async () => {
    expect(await scatter(fx.view(f, [2], [1, 1]), [0, 0, 1], [nan, 5, 2], 'max')).toEqual([nan, 2]);
    expect(await scatter(fx.view(f, [2], [1, 1]), [0, 0, 1], [nan, -5, 2], 'min')).toEqual([
      nan,
      1,
    ]);
  });

  test('a thousand positions on one element', async () => {
    const index = new Array<number>(1000).fill(1);
    expect(await scatter(fx.view(f, [2], [0, 0]), index, index, 'sum')).toEqual([0, 1000]);
    expect(await scatter(fx.view('int32', [2], [0, 0]), index, index, 'sum')).toEqual([0, 1000]);
  });

  test('several coordinates into a strided view', async () => {
    const output = fx.view(f, [2, 2], [0, 0, 0, 0, 0], { strides: [1, 2], offset: 1 });
    fx.execute({
      kind: 'scatter',
      shape: [2, 2],
      inputs: [fx.view(f, [2, 2], [1, 2, 3, 4])],
      scalars: [],
      coords: [coord(1), coord(0)],
      value: x,
      output,
      combine: 'set',
    });
    expect(await fx.read(output)).toEqual([1, 3, 2, 4]);
    expect(await fx.stored(output)).toEqual([0, 1, 2, 3, 4]);
  });
}

function sortTests(fx: Fixture): void {
  const sort = async (a: View, descending: boolean) => {
    const values = fx.empty(a.dtype, a.shape);
    const indices = fx.empty(fx.indexDtype, a.shape);
    fx.execute({ kind: 'sort', descending, input: a, values, indices });
    return [await fx.read(values), whole(await fx.read(indices))];
  };

  test('sort is stable, with NaN as the greatest', async () => {
    const a = fx.view(f, [2, 4], [3, 1, 2, 1, nan, -inf, inf, 0]);
    expect(await sort(a, false)).toEqual([
      [1, 1, 2, 3, -inf, 0, inf, nan],
      [1, 3, 2, 0, 1, 3, 2, 0],
    ]);
    expect(await sort(a, true)).toEqual([
      [3, 2, 1, 1, nan, inf, 0, -inf],
      [0, 2, 1, 3, 0, 2, 3, 1],
    ]);
  });

  test('sort of integers, bools, single elements and nothing', async () => {
    expect(await sort(fx.view('int32', [3], [5, -(2 ** 31), 2 ** 31 - 1]), false)).toEqual([
      [-(2 ** 31), 5, 2 ** 31 - 1],
      [1, 0, 2],
    ]);
    expect(await sort(fx.view('bool', [4], [true, false, true, false]), false)).toEqual([
      [0, 0, 1, 1],
      [1, 3, 0, 2],
    ]);
    expect(await sort(fx.view(f, [2, 1], [4, 3]), true)).toEqual([
      [4, 3],
      [0, 0],
    ]);
    expect(await sort(fx.view(f, [2, 0], []), true)).toEqual([[], []]);
  });

  test('a long row', async () => {
    const n = 3001;
    const a = fx.view(
      f,
      [n],
      Array.from({ length: n }, (_, i) => (i * 1009) % n),
    );
    const [values, indices] = await sort(a, false);
    expect(values).toEqual(Array.from({ length: n }, (_, i) => i));
    expect(new Set(indices).size).toBe(n);
  });
}
