import { computeType, coord, e, input, scalar, type View } from '@sconce/core';
import { expect, test } from 'vitest';
import type { Fixture, Values } from './fixture.js';

const x = input(0, 'float32');
const y = input(1, 'float32');
const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;
const f = 'float32';

/** Index results, whatever integer the device has for them. */
const whole = (values: readonly (number | bigint)[]): number[] => values.map(Number);

/** Matrix products by hand. */
export function matmulTests(fx: Fixture): void {
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

/** Convolutions and their gradients by hand. */
export function convTests(fx: Fixture): void {
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

/** Scatters by hand. */
export function scatterTests(fx: Fixture): void {
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

/** Sorts by hand. */
export function sortTests(fx: Fixture): void {
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
