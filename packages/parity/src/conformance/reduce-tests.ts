import {
  computeType,
  coord,
  type DType,
  e,
  input,
  linearIndex,
  load,
  type ReduceStage,
  scalar,
  stage,
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

/** Reductions by hand: combiners, axes, empty rows, stages, outputs. */
export function reduceTests(fx: Fixture, wide: boolean): void {
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

/** Running combinations by hand. */
export function scanTests(fx: Fixture): void {
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
