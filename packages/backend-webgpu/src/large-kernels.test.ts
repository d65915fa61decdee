import {
  contiguousStrides,
  e,
  init,
  input,
  type Primitive,
  registerBackend,
  stage,
  type View,
} from '@sconce/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { Fixture } from '../../parity/src/conformance/fixture.js';
import { openWebGpu, type WebGpuBackend } from './index.js';

let gpu: Fixture;
let tiled: Fixture;
let reference: Fixture;

/** Small whole numbers and halves: sums of their products are exact in any order. */
const values = (n: number, seed: number): number[] =>
  Array.from({ length: n }, (_, i) => (((i + seed) * 7919) % 13) / 2 - 3);

const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Runs a primitive on both devices and compares what it writes. */
async function agree(
  build: (on: Fixture) => { primitive: Primitive; outputs: View[] },
  on: Fixture = gpu,
) {
  const [a, b] = [build(on), build(reference)];
  on.execute(a.primitive);
  reference.execute(b.primitive);
  for (let i = 0; i < a.outputs.length; i++) {
    const found = await on.read(a.outputs[i] as View);
    const expected = await reference.read(b.outputs[i] as View);
    const wrong = found.findIndex((v, j) => !Object.is(v, expected[j]) && v !== expected[j]);
    expect([wrong, found[wrong]]).toEqual([-1, undefined]);
  }
}

/** A row-major view of some values, or with the last two dimensions laid out the other way round. */
const operand = (on: Fixture, shape: readonly number[], seed: number, transposed = false): View => {
  const strides = contiguousStrides(shape);
  if (transposed) {
    const swapped = [...shape.slice(0, -2), shape.at(-1) as number, shape.at(-2) as number];
    const others = contiguousStrides(swapped);
    strides.splice(-2, 2, others.at(-1) as number, others.at(-2) as number);
  }
  return on.view('float32', shape, values(size(shape), seed), { strides });
};

describe.skipIf(!host.webgpu)('kernels of large operands on WebGPU', () => {
  beforeAll(async () => {
    gpu = new Fixture(await init('webgpu'));
    reference = new Fixture(await init('reference'));
    registerBackend('webgpu_tiles', {
      openAsync: () => openWebGpu('webgpu_tiles', { tiles: true }),
    });
    tiled = new Fixture(await init('webgpu_tiles'));
  });

  afterAll(() => (tiled?.device.backend as WebGpuBackend | undefined)?.destroy());

  const schedules = [
    ['blocks', () => gpu],
    ['tiles', () => tiled],
  ] as const;

  describe.each(schedules)('matmul in %s', (_, device) => {
    test.each([
      ['a block and a rest', [9, 13, 50], false, false],
      ['more than a tile', [100, 130, 70], false, false],
      ['both transposed', [97, 99, 66], true, true],
      ['a long sum in parts', [20, 30, 3000], false, true],
      ['long sums of large matrices', [100, 96, 1500], true, false],
      ['a tall one', [500, 12, 40], true, false],
      ['a row', [1, 300, 40], false, false],
      ['a row and long sums', [1, 30, 4000], false, true],
      ['a single sum', [1, 1, 5000], false, false],
    ] as const)('%s', async (_, [m, n, k], ta, tb) => {
      await agree((on) => {
        const a = operand(on, [m, k], 1, ta);
        const b = operand(on, [k, n], 2, tb);
        const out = on.empty('float32', [m, n]);
        return { primitive: { kind: 'matmul', a, b, out }, outputs: [out] };
      }, device());
    });

    test.each([
      ['whole', [3, 100, 98, 64]],
      ['in parts', [2, 16, 16, 2048]],
    ] as const)('batched, accumulating with a bias, %s', async (_, [batch, m, n, k]) => {
      await agree((on) => {
        const out = on.view('float32', [batch, m, n], values(batch * m * n, 5));
        const bias = on.view('float32', [n], values(n, 3));
        const inputs = [out, { ...bias, shape: [1, 1, n], strides: [0, 0, 1] }];
        const value = e.add(e.add(input(0, 'float32'), input(1, 'float32')), input(2, 'float32'));
        const a = operand(on, [batch, m, k], 1);
        const b = operand(on, [batch, k, n], 2);
        const epilogue = { value, inputs, scalars: [] };
        return { primitive: { kind: 'matmul', a, b, out, epilogue }, outputs: [out] };
      }, device());
    });

    test('integers wrap', async () => {
      await agree((on) => {
        const numbers = Array.from({ length: 100 * 100 }, (_, i) => Math.imul(i, 2654435761) | 0);
        const a = on.view('int32', [100, 100], numbers);
        const out = on.empty('int32', [100, 100]);
        return { primitive: { kind: 'matmul', a, b: a, out }, outputs: [out] };
      }, device());
    });
  });

  const geometries = [
    { c: 16, o: 100, groups: 1, space: [8, 9], kernel: [3, 3], stride: 1, padding: 1, dilation: 1 },
    {
      c: 32,
      o: 48,
      groups: 2,
      space: [20, 20],
      kernel: [3, 2],
      stride: 2,
      padding: 0,
      dilation: 2,
    },
    {
      c: 100,
      o: 24,
      groups: 1,
      space: [4, 5, 4],
      kernel: [2, 3, 2],
      stride: 2,
      padding: 1,
      dilation: 1,
    },
  ];
  test.each(
    schedules.flatMap(([by, device]) =>
      geometries.flatMap((g) =>
        (['output', 'input', 'weight'] as const).map((to) => [to, by, g, device] as const),
      ),
    ),
  )('conv: the %s in %s of %j', async (compute, _, g, device) => {
    const outSpace = g.space.map((n, i) =>
      Math.floor(
        (n + 2 * g.padding - g.dilation * ((g.kernel[i] as number) - 1) - 1) / g.stride + 1,
      ),
    );
    await agree((on) => {
      const image = operand(on, [4, g.c, ...g.space], 1);
      const weight = operand(on, [g.o, g.c / g.groups, ...g.kernel], 2);
      const output = operand(on, [4, g.o, ...outSpace], 3);
      const bias = operand(on, [g.o], 4);
      const each = (n: number) => g.space.map(() => n);
      const primitive: Primitive = {
        kind: 'conv',
        compute,
        input: image,
        weight,
        output,
        ...(compute === 'output' && { bias }),
        stride: each(g.stride),
        padding: each(g.padding),
        dilation: each(g.dilation),
        groups: g.groups,
      };
      return { primitive, outputs: [{ input: image, weight, output }[compute]] };
    }, device());
  });

  test.each([
    ['one row', [1, 40000], [1], false],
    ['everything', [50, 40, 30], [0, 1, 2], false],
    ['from the front', [10000, 3], [0], false],
    ['rows in another order', [10000, 2, 3], [0], true],
  ] as const)('long rows are reduced in parts: %s', async (_, shape, axes, transposed) => {
    await agree((on) => {
      const x = operand(on, shape, 1, transposed);
      const [a, b] = [stage(0, 'float32'), stage(1, 'float32')];
      const rows = shape.map((n, d) => ((axes as readonly number[]).includes(d) ? 1 : n));
      const [highest, total, place, spread] = [
        on.empty('float32', rows),
        on.empty('float32', rows),
        on.empty('int64', rows),
        on.empty('float32', shape),
      ];
      const primitive: Primitive = {
        kind: 'reduce',
        shape,
        axes,
        inputs: [x],
        scalars: [],
        stages: [
          { combine: 'max', value: input(0, 'float32') },
          { combine: 'sum', value: e.sub(input(0, 'float32'), a) },
          { combine: 'argmin', value: input(0, 'float32') },
        ],
        outputs: [
          { per: 'row', value: a, view: highest },
          { per: 'row', value: e.add(a, b), view: total },
          { per: 'row', value: stage(2, 'int64'), view: place },
          { per: 'element', value: e.sub(input(0, 'float32'), b), view: spread },
        ],
      };
      return { primitive, outputs: [highest, total, place, spread] };
    });
  });

  test('more positions than one dimension of workgroups holds', async () => {
    const shape = [65536 * 64 + 5];
    const x = gpu.view('int32', [1], [41], {});
    const out = gpu.empty('int32', shape);
    gpu.execute({
      kind: 'map',
      shape,
      inputs: [x],
      scalars: [],
      values: [e.add(input(0, 'int32'), 1)],
      outputs: [out],
    });
    const found = await gpu.stored(out);
    expect(found.length).toBe(shape[0]);
    expect(found.every((v) => v === 42)).toBe(true);
  });

  test('more inputs than a kernel may bind', async () => {
    await agree((on) => {
      const inputs = Array.from({ length: 20 }, (_, i) =>
        on.view('float32', [3, 5], values(40, i), { offset: i, strides: [6, 1] }),
      );
      const value = inputs
        .map((_, i) => input(i, 'float32'))
        .reduce((a, b) => e.add(a, e.mul(b, 0.5)));
      const out = on.empty('float32', [3, 5]);
      return {
        primitive: {
          kind: 'map',
          shape: [3, 5],
          inputs,
          scalars: [],
          values: [value],
          outputs: [out],
        },
        outputs: [out],
      };
    });
  });

  test.each([false, true])('sort: long rows, many equals (descending %s)', async (descending) => {
    await agree((on) => {
      const shape = [2, 3, 2500];
      const x = on.view('float32', shape, values(size(shape), 1), { strides: [1, 2, 6] });
      const [sorted, places] = [on.empty('float32', shape), on.empty('int64', shape)];
      const primitive = {
        kind: 'sort',
        descending,
        input: x,
        values: sorted,
        indices: places,
      } as const;
      return { primitive, outputs: [sorted, places] };
    });
  });
});
