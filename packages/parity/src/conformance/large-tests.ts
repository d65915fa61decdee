import type { Primitive, View } from '@sconce/core';
import { contiguousStrides, coord, e, input, load, numel, stage } from '@sconce/core';
import { expect, test } from 'vitest';
import type { Fixture } from './fixture.js';
import { numbers } from './random.js';

const f = 'float32';
const x = input(0, f);
const s0 = stage(0, f);

/**
 * Sizes at which devices divide the work: among threads, workgroups, tiles and passes. Elements are small
 * whole numbers, so every order of summation gives the same result and the comparison is exact.
 */
export function largeTests(device: Fixture, reference: Fixture): void {
  const whole = (shape: readonly number[], seed: number): Float32Array => {
    const next = numbers(seed);
    return Float32Array.from({ length: numel(shape) }, () => Math.floor(next() * 7) - 3);
  };
  const view = (fx: Fixture, shape: readonly number[], data: Float32Array): View => ({
    storage: fx.storage(f, data),
    dtype: f,
    shape,
    strides: contiguousStrides(shape),
    offset: 0,
  });

  /** Runs the same primitive on both devices; `build` gets the operands and the output to write. */
  const same = async (
    shapes: readonly (readonly number[])[],
    outShape: readonly number[],
    build: (operands: readonly View[], out: View) => Primitive,
  ) => {
    const results = await Promise.all(
      [device, reference].map(async (fx) => {
        const operands = shapes.map((shape, k) => view(fx, shape, whole(shape, k + 1)));
        const out = view(fx, outShape, new Float32Array(numel(outShape)));
        fx.execute(build(operands, out));
        return (await fx.stored(out)) as number[];
      }),
    );
    const [got, right] = results as [number[], number[]];
    const wrong = got.findIndex((value, i) => value !== right[i]);
    expect({ at: wrong, got: got[wrong], elements: got.length }).toEqual({
      at: -1,
      got: undefined,
      elements: right.length,
    });
  };

  const reduce = (axes: readonly number[], shape: readonly number[]) => {
    const outShape = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    return same([shape], outShape, ([a], out) => ({
      kind: 'reduce',
      shape,
      axes,
      inputs: [a as View],
      scalars: [],
      stages: [{ combine: 'sum', value: x }],
      outputs: [{ per: 'row', value: s0, view: out }],
    }));
  };

  test('map and sum of 17 million elements', async () => {
    const n = 17_000_003;
    const data = new Float32Array(n).fill(2);
    data[n - 1] = 5;
    const a = view(device, [n], data);
    const value = e.mul(e.add(x, 1), 2);
    device.execute({
      kind: 'map',
      shape: [n],
      inputs: [a],
      scalars: [],
      values: [value],
      outputs: [a],
    });
    const { backend, buffer } = a.storage;
    const mapped = (await backend.read(buffer, f, 0, n)) as Float32Array;
    expect([mapped.findIndex((v) => v !== 6), mapped[n - 1]]).toEqual([n - 1, 12]);
    const total = device.empty('int32', [1]);
    const one = e.eq(x, 6);
    device.execute({
      kind: 'reduce',
      shape: [n],
      axes: [0],
      inputs: [a, device.view('int32', [1], [1])],
      scalars: [],
      stages: [{ combine: 'sum', value: e.where(one, input(1, 'int32'), 0) }],
      outputs: [{ per: 'row', value: stage(0, 'int32'), view: total }],
    });
    expect(await device.read(total)).toEqual([n - 1]);
  });

  test('map: a large transposition and a broadcast', async () => {
    const shape = [611, 509];
    await same([[509, 611], [509]], shape, ([a, b], out) => ({
      kind: 'map',
      shape,
      inputs: [{ ...(a as View), shape, strides: [1, 611] }, b as View],
      scalars: [],
      values: [e.sub(e.mul(x, 10), input(1, f))],
      outputs: [out],
    }));
  });

  test('map: a large gather', () =>
    same([[300, 200]], [200, 300, 3], ([a], out) => ({
      kind: 'map',
      shape: [200, 300, 3],
      inputs: [a as View],
      scalars: [],
      values: [load(0, f, [coord(1), e.abs(e.sub(coord(0), 199))])],
      outputs: [out],
    })));

  test('reduce: many short rows', () => reduce([1], [70_001, 5]));
  test('reduce: few long rows', () => reduce([1], [3, 200_003]));
  test('reduce: columns of a tall matrix', () => reduce([0], [20_011, 33]));
  test('reduce: the outer and the inner of three axes', () => reduce([0, 2], [63, 65, 67]));
  test('reduce: the middle of three axes', () => reduce([1], [63, 129, 65]));

  test('reduce: element outputs of large rows', () =>
    same([[37, 20_003]], [37, 20_003], ([a], out) => ({
      kind: 'reduce',
      shape: [37, 20_003],
      axes: [1],
      inputs: [a as View],
      scalars: [],
      stages: [
        { combine: 'max', value: x },
        { combine: 'sum', value: e.sub(s0, x) },
      ],
      outputs: [{ per: 'element', value: e.add(x, stage(1, f)), view: out }],
    })));

  test('scan: long lanes and many lanes', async () => {
    for (const [shape, axis] of [
      [[3, 50_021], 1],
      [[311, 403], 0],
    ] as const) {
      await same([shape], shape, ([a], out) => ({
        kind: 'scan',
        axis,
        combine: 'sum',
        reverse: false,
        input: a as View,
        output: out,
      }));
    }
  });

  test('matmul: sizes that no tile divides, transposed, batched, thin', async () => {
    for (const [m, k, n] of [
      [257, 301, 131],
      [1, 1025, 517],
      [515, 1027, 1],
      [33, 7, 2050],
    ] as const) {
      await same([[m, k], [n, k], [n]], [m, n], ([a, b, c], out) => ({
        kind: 'matmul',
        a: a as View,
        b: { ...(b as View), shape: [k, n], strides: [1, k] },
        out,
        epilogue: { value: e.add(x, input(1, f)), inputs: [c as View], scalars: [] },
      }));
    }
    await same(
      [
        [9, 65, 34],
        [9, 34, 70],
      ],
      [9, 65, 70],
      ([a, b], out) => ({
        kind: 'matmul',
        a: a as View,
        b: b as View,
        out,
      }),
    );
  });

  test('conv: a layer in all three directions', async () => {
    const shapes = { input: [5, 12, 33, 29], weight: [20, 12, 3, 3], output: [5, 20, 33, 29] };
    const geometry = { stride: [1, 1], padding: [1, 1], dilation: [1, 1], groups: 1 };
    await same([shapes.input, shapes.weight], shapes.output, ([a, w], out) => ({
      kind: 'conv',
      compute: 'output',
      input: a as View,
      weight: w as View,
      output: out,
      ...geometry,
    }));
    await same([shapes.output, shapes.weight], shapes.input, ([y, w], out) => ({
      kind: 'conv',
      compute: 'input',
      input: out,
      weight: w as View,
      output: y as View,
      ...geometry,
    }));
    await same([shapes.input, shapes.output], shapes.weight, ([a, y], out) => ({
      kind: 'conv',
      compute: 'weight',
      input: a as View,
      weight: out,
      output: y as View,
      ...geometry,
    }));
  });

  test('scatter: 200 thousand positions on 1000 elements', async () => {
    const at = e.fmod(coord(0), 1000);
    await same([[200_003]], [1000], ([a], out) => ({
      kind: 'scatter',
      shape: [200_003],
      inputs: [a as View],
      scalars: [],
      coords: [at],
      value: x,
      output: out,
      combine: 'sum',
    }));
  });

  test('sort: long rows and many rows', async () => {
    for (const shape of [
      [2, 30_011],
      [2003, 13],
    ]) {
      const results = await Promise.all(
        [device, reference].map(async (fx) => {
          const values = fx.empty(f, shape);
          const indices = fx.empty(fx.indexDtype, shape);
          fx.execute({
            kind: 'sort',
            descending: true,
            input: view(fx, shape, whole(shape, 3)),
            values,
            indices,
          });
          return [await fx.stored(values), (await fx.stored(indices)).map(Number)];
        }),
      );
      expect(JSON.stringify(results[0]) === JSON.stringify(results[1]), String(shape)).toBe(true);
    }
  });
}
