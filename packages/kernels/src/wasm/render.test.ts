import type { DType, Expr, Primitive, TypedArray, View } from '@sconce/core';
import {
  cast,
  constant,
  coord,
  e,
  InterpreterBackend,
  input,
  linearIndex,
  load,
  scalar,
  stage,
  typedArray,
} from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { lower } from '../lower.js';
import { planWasm } from './plan.js';
import { KernelBackend } from './test-backend.test.js';

const kernels = new KernelBackend(4096);
const reference = new InterpreterBackend();

/** Numbers that repeat in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

function data(dtype: DType, length: number, seed: number): TypedArray {
  const next = random(seed);
  const out = typedArray(dtype, length);
  for (let i = 0; i < length; i++) {
    const x = next() * 20 - 10;
    if (out instanceof BigInt64Array) out[i] = BigInt(Math.trunc(x));
    else out[i] = dtype === 'bool' ? Number(x > 0) : dtype === 'uint8' ? Math.abs(x) : x;
  }
  return out;
}

interface Operand {
  dtype: DType;
  shape: readonly number[];
  strides?: readonly number[];
  offset?: number;
  elements?: number;
}

const rowMajor = (shape: readonly number[]): number[] =>
  shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));

/** Runs a primitive on both backends over equal memory, and gives the contents of all its operands. */
function both(
  operands: readonly Operand[],
  build: (views: readonly View[]) => Primitive,
): [TypedArray[], TypedArray[]] {
  kernels.clear();
  const results = [kernels, reference].map((backend) => {
    const views = operands.map((o, k) => {
      const length = o.elements ?? o.shape.reduce((a, b) => a * b, 1);
      const buffer = backend.allocate(o.dtype, length);
      backend.write(buffer, o.dtype, 0, data(o.dtype, length, k + 1));
      const storage = { buffer } as unknown as View['storage'];
      return {
        storage,
        dtype: o.dtype,
        shape: o.shape,
        strides: o.strides ?? rowMajor(o.shape),
        offset: o.offset ?? 0,
      };
    });
    backend.execute(build(views));
    return views.map((view, k) => {
      const o = operands[k] as Operand;
      const length = o.elements ?? o.shape.reduce((a, b) => a * b, 1);
      return backend.readSync(view.storage.buffer, view.dtype, 0, length);
    });
  });
  return results as [TypedArray[], TypedArray[]];
}

function expectClose(got: TypedArray, right: TypedArray, tolerance: number): void {
  expect(got.length).toBe(right.length);
  let worst = 0;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [Number(got[i]), Number(right[i])];
    worst = Math.max(
      worst,
      Number.isNaN(b) ? Number(!Number.isNaN(a)) : Math.abs(a - b) / (1 + Math.abs(b)),
    );
  }
  expect(worst).toBeLessThanOrEqual(tolerance);
}

const x = input(0, 'float32');
const y = input(1, 'float32');
const f = 'float32';

describe('maps', () => {
  it('of every length, contiguous, strided and broadcast, leave the rest alone', () => {
    for (const n of [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 33]) {
      const [got, right] = both(
        [
          { dtype: f, shape: [n] },
          { dtype: f, shape: [n], strides: [3], offset: 2, elements: 3 * n + 2 },
          { dtype: f, shape: [] },
          { dtype: f, shape: [n], strides: [2], offset: 1, elements: 2 * n + 4 },
          { dtype: f, shape: [n], offset: 1, elements: n + 5 },
        ],
        (v) => ({
          kind: 'map',
          shape: [n],
          inputs: v.slice(0, 3),
          scalars: [3],
          values: [e.add(e.mul(x, y), input(2, f)), e.sub(x, scalar(0, f))],
          outputs: v.slice(3),
        }),
      );
      got.forEach((g, i) => {
        expectClose(g, right[i] as TypedArray, 1e-6);
      });
    }
  });

  it('walk transposed operands in blocks', () => {
    for (const [rows, columns] of [
      [33, 70],
      [5, 9],
      [64, 8],
      [1, 3],
    ] as const) {
      const [got, right] = both(
        [
          { dtype: f, shape: [2, rows, columns], strides: [rows * columns, 1, rows] },
          { dtype: f, shape: [2, rows, columns] },
        ],
        (v) => ({
          kind: 'map',
          shape: [2, rows, columns],
          inputs: [v[0] as View],
          scalars: [],
          values: [e.add(x, cast(linearIndex(), f))],
          outputs: [v[1] as View],
        }),
      );
      expect(got[1]).toEqual(right[1]);
    }
  });

  it('convert between all dtypes', () => {
    const dtypes = [
      'float32',
      'float64',
      'int8',
      'uint8',
      'int16',
      'int32',
      'int64',
      'bool',
    ] as const;
    const types = {
      float32: f,
      float64: 'float64',
      int8: 'int32',
      uint8: 'int32',
      int16: 'int32',
      int32: 'int32',
      int64: 'int64',
      bool: 'bool',
    } as const;
    for (const from of dtypes) {
      for (const to of dtypes) {
        const [got, right] = both(
          [
            { dtype: from, shape: [11] },
            { dtype: to, shape: [11] },
          ],
          (v) => ({
            kind: 'map',
            shape: [11],
            inputs: [v[0] as View],
            scalars: [],
            values: [cast(input(0, types[from]), types[to])],
            outputs: [v[1] as View],
          }),
        );
        expect(got[1], `${from} to ${to}`).toEqual(right[1]);
      }
    }
  });

  it('make out-of-range floats the least integer, without a trap', () => {
    const wild: Expr = e.where(e.gt(x, 0), e.div(x, constant(0, f)), constant(Number.NaN, f));
    for (const [dtype, compute, least] of [
      ['int32', 'int32', -(2 ** 31)],
      ['int64', 'int64', -(2 ** 63)],
    ] as const) {
      const [got] = both(
        [
          { dtype: f, shape: [9] },
          { dtype, shape: [9] },
        ],
        (v) => ({
          kind: 'map',
          shape: [9],
          inputs: [v[0] as View],
          scalars: [],
          values: [cast(wild, compute)],
          outputs: [v[1] as View],
        }),
      );
      expect([...(got[1] as Iterable<number | bigint>)].map(Number)).toEqual(
        new Array(9).fill(least),
      );
    }
  });

  it('read at coordinates that data decide', () => {
    const index = e.and(cast(input(1, f), 'int32'), constant(7, 'int32'));
    const [got, right] = both(
      [
        { dtype: f, shape: [8, 13] },
        { dtype: f, shape: [37, 1] },
        { dtype: f, shape: [37, 13] },
      ],
      (v) => ({
        kind: 'map',
        shape: [37, 13],
        inputs: v.slice(0, 2),
        scalars: [],
        values: [
          load(
            0,
            f,
            [index, e.sub(constant(12, 'int32'), coord(1))],
            e.ne(index, 3),
            constant(-1, f),
          ),
        ],
        outputs: [v[2] as View],
      }),
    );
    expect(got[2]).toEqual(right[2]);
  });
});

describe('reductions', () => {
  const mean = e.mul(stage(0, f), scalar(0, f));
  const variance: readonly { combine: 'sum'; value: Expr }[] = [
    { combine: 'sum', value: x },
    { combine: 'sum', value: e.mul(e.sub(x, mean), e.sub(x, mean)) },
  ];

  it('of few long rows are divided, in stages, with results for rows and elements', () => {
    const shape = [3, 70_001];
    const [got, right] = both(
      [
        { dtype: f, shape },
        { dtype: f, shape: [3, 1] },
        { dtype: f, shape },
      ],
      (v) => {
        const primitive: Primitive = {
          kind: 'reduce',
          shape,
          axes: [1],
          inputs: [v[0] as View],
          scalars: [1 / 70_001],
          stages: variance,
          outputs: [
            { per: 'row', value: stage(1, f), view: v[1] as View },
            {
              per: 'element',
              value: e.div(e.sub(x, mean), e.sqrt(stage(1, f))),
              view: v[2] as View,
            },
          ],
        };
        expect(planWasm(primitive).phases.length).toBe(3);
        return primitive;
      },
    );
    expectClose(got[1] as TypedArray, right[1] as TypedArray, 1e-6);
    expectClose(got[2] as TypedArray, right[2] as TypedArray, 1e-5);
  });

  it('find the first best element of a divided row', () => {
    for (const combine of ['argmax', 'argmin'] as const) {
      // Few distinct values: ties everywhere.
      const value = e.floor(x);
      const [got, right] = both(
        [
          { dtype: f, shape: [200_000] },
          { dtype: 'int64', shape: [1] },
        ],
        (v) => ({
          kind: 'reduce',
          shape: [200_000],
          axes: [0],
          inputs: [v[0] as View],
          scalars: [],
          stages: [{ combine, value }],
          outputs: [{ per: 'row', value: stage(0, 'int64'), view: v[1] as View }],
        }),
      );
      expect(got[1]).toEqual(right[1]);
    }
  });

  it('of columns and of rows, alone and with neighbours', () => {
    for (const shape of [
      [5, 3],
      [70, 37],
      [130, 64],
      [33, 151],
      [9, 4, 21],
    ]) {
      for (const axes of shape.map((_, d) => [d])) {
        for (const combine of ['sum', 'prod', 'max', 'min'] as const) {
          const rows = shape.map((n, d) => (axes.includes(d) ? 1 : n));
          // Sums of one sign, whose error is relative to the result.
          const value =
            combine === 'prod' ? e.add(e.mul(x, 0.01), 1) : combine === 'sum' ? e.abs(x) : x;
          const [got, right] = both(
            [
              { dtype: f, shape },
              { dtype: f, shape: rows },
            ],
            (v) => ({
              kind: 'reduce',
              shape,
              axes,
              inputs: [v[0] as View],
              scalars: [],
              stages: [{ combine, value }],
              outputs: [{ per: 'row', value: stage(0, f), view: v[1] as View }],
            }),
          );
          // A product of 130 factors is rounded 130 times in float32; a sum is not.
          const tolerance = combine === 'prod' ? 130 * 2 ** -24 : 5e-7;
          expectClose(got[1] as TypedArray, right[1] as TypedArray, tolerance);
        }
      }
    }
  });

  it('sum a million numbers to the last digits', () => {
    const n = 1_000_003;
    const [got] = both(
      [
        { dtype: f, shape: [n] },
        { dtype: f, shape: [1] },
      ],
      (v) => ({
        kind: 'reduce',
        shape: [n],
        axes: [0],
        inputs: [v[0] as View],
        scalars: [],
        stages: [{ combine: 'sum', value: e.abs(x) }],
        outputs: [{ per: 'row', value: stage(0, f), view: v[1] as View }],
      }),
    );
    let exact = 0;
    for (const value of data(f, n, 1) as Float32Array) exact += Math.abs(value);
    expect(Math.abs(Number(got[1]?.[0]) - exact) / exact).toBeLessThan(1.2e-7);
  });

  it('give softmax over rows and over columns, in place', () => {
    for (const axis of [0, 1]) {
      const top = e.exp(e.sub(x, stage(0, f)));
      const [got, right] = both([{ dtype: f, shape: [37, 21] }], (v) => ({
        kind: 'reduce',
        shape: [37, 21],
        axes: [axis],
        inputs: [v[0] as View],
        scalars: [],
        stages: [
          { combine: 'max', value: x },
          { combine: 'sum', value: top },
        ],
        outputs: [{ per: 'element', value: e.div(top, stage(1, f)), view: v[0] as View }],
      }));
      expectClose(got[0] as TypedArray, right[0] as TypedArray, 1e-6);
    }
  });
});

describe('scans and scatters', () => {
  it('run backwards and along any axis', () => {
    for (const axis of [0, 1, 2]) {
      for (const combine of ['sum', 'prod', 'max', 'logaddexp'] as const) {
        for (const reverse of [false, true]) {
          const shape = [4, 6, 5];
          const [got, right] = both(
            [
              { dtype: f, shape },
              { dtype: f, shape },
            ],
            (v) => ({
              kind: 'scan',
              axis,
              combine,
              reverse,
              input: v[0] as View,
              output: v[1] as View,
            }),
          );
          expectClose(got[1] as TypedArray, right[1] as TypedArray, 2e-6);
        }
      }
    }
  });

  it('add rows into a table, in slices that never meet', () => {
    const index = e.and(cast(y, 'int32'), constant(3, 'int32'));
    const [got, right] = both(
      [
        { dtype: f, shape: [50, 19] },
        { dtype: f, shape: [50, 1] },
        { dtype: f, shape: [4, 19] },
      ],
      (v) => {
        const primitive: Primitive = {
          kind: 'scatter',
          shape: [50, 19],
          inputs: v.slice(0, 2),
          scalars: [],
          coords: [index, coord(1)],
          valid: e.ne(index, 2),
          value: x,
          output: v[2] as View,
          combine: 'sum',
        };
        expect(planWasm(primitive).phases[0]?.items).toBe(19);
        return primitive;
      },
    );
    expectClose(got[2] as TypedArray, right[2] as TypedArray, 1e-5);
  });
});

describe('kernels', () => {
  const map = (shape: readonly number[], strides = rowMajor(shape)): Primitive => {
    const storage = { buffer: { bytes: 0 } } as unknown as View['storage'];
    const view: View = { storage, dtype: f, shape, strides, offset: 0 };
    const out: View = { ...view, strides: rowMajor(shape) };
    return { kind: 'map', shape, inputs: [view], scalars: [], values: [e.neg(x)], outputs: [out] };
  };

  it('are shared by all sizes of one structure', () => {
    const of = (p: Primitive) => lower(p as never).kernel;
    expect(of(map([3, 4]))).toBe(of(map([100, 7, 2])));
    expect(of(map([6, 4], [1, 6]))).toBe(of(map([9, 8], [1, 9])));
    expect(of(map([6, 4], [1, 6]))).not.toBe(of(map([6, 4])));
    expect(of(map([3, 4])).key).toContain('neg');
  });

  it('are launched with the numbers of the call, also when calls repeat', () => {
    const launch = (p: Primitive) => lower(p as never);
    const first = launch(map([6, 4], [1, 6]));
    expect(launch(map([6, 4], [1, 6]))).toBe(first);
    const wider = launch(map([6, 4], [1, 9]));
    expect(wider.kernel).toBe(first.kernel);
    expect(wider.strides).not.toEqual(first.strides);
    expect(launch(map([5, 4], [1, 6])).sizes).toEqual([5, 4]);
    expect(launch(map([6, 4], [1, 6]))).toBe(first);
  });
});
