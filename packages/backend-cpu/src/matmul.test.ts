import { type DType, type Epilogue, e, input, type MatmulPrimitive, type View } from '@sconce/core';
import { afterAll, describe, expect, test } from 'vitest';
import { deviceFor, difference, onBoth, type ViewSpec } from '../test/operands.js';
import { CpuBackend } from './backend.js';

const withBlas = new CpuBackend();
process.env.SCONCE_BLAS = 'off';
const withoutBlas = new CpuBackend();
delete process.env.SCONCE_BLAS;
withBlas.pool.threads = 2;
withoutBlas.pool.threads = 2;
if (!withBlas.blas) console.log('matmul tests with BLAS are skipped: the system has none');

afterAll(() => {
  withBlas.pool.stop();
  withoutBlas.pool.stop();
});

/** Rounding of one addition; sums of k products of about 1 may differ by a few times k of it with the order of addition. */
const rounding: Partial<Record<DType, number>> = { float32: 2 ** -24, float64: 2 ** -53 };

const engines = [
  { name: 'blas', backend: withBlas, skip: !withBlas.blas },
  { name: 'wasm', backend: withoutBlas, skip: false },
];

for (const { name, backend, skip } of engines) {
  describe.skipIf(skip)(`matmul by ${name}`, () => {
    const device = deviceFor(name, () => backend);

    function check(
      a: ViewSpec,
      b: ViewSpec,
      out: ViewSpec,
      epilogue?: (out: View, more: View) => Epilogue,
    ): void {
      const more: ViewSpec = { dtype: out.dtype, shape: out.shape.slice(-1) };
      const { actual, expected } = onBoth(
        device,
        [a, b, out, more],
        2,
        (x, y, z, extra): MatmulPrimitive => ({
          kind: 'matmul',
          a: x as View,
          b: y as View,
          out: z as View,
          ...(epilogue && { epilogue: epilogue(z as View, extra as View) }),
        }),
      );
      const depth = a.shape.at(-1) as number;
      expect(difference(actual, expected)).toBeLessThanOrEqual(
        4 * depth * (rounding[out.dtype] ?? 0),
      );
      expect(expected.some((v) => Number(v) !== 0)).toBe(true);
    }

    for (const dtype of ['float32', 'float64'] as const) {
      test(`${dtype} of all small and many larger sizes`, () => {
        for (const m of [1, 2, 3, 4, 5, 9]) {
          for (const n of [1, 3, 4, 7, 8, 9, 17]) {
            for (const k of [1, 2, 3, 4, 5, 300]) {
              check({ dtype, shape: [m, k] }, { dtype, shape: [k, n] }, { dtype, shape: [m, n] });
            }
          }
        }
        for (const [m, n, k] of [
          [65, 130, 257],
          [128, 64, 512],
          [300, 33, 70],
          [1, 500, 300],
          [200, 1, 300],
        ] as const) {
          check({ dtype, shape: [m, k] }, { dtype, shape: [k, n] }, { dtype, shape: [m, n] });
        }
      });

      test(`${dtype} with transposed, sliced and stepped operands`, () => {
        const [m, n, k] = [37, 45, 29];
        const as: ViewSpec[] = [
          { dtype, shape: [m, k] },
          { dtype, shape: [m, k], strides: [1, m] },
          { dtype, shape: [m, k], strides: [k + 3, 1], offset: 5 },
          { dtype, shape: [m, k], strides: [2 * k, 2], offset: 1 },
          { dtype, shape: [m, k], strides: [0, 1] },
          { dtype, shape: [m, k], strides: [1, 0] },
        ];
        const bs: ViewSpec[] = [
          { dtype, shape: [k, n] },
          { dtype, shape: [k, n], strides: [1, k] },
          { dtype, shape: [k, n], strides: [3, 3 * k], offset: 2 },
          { dtype, shape: [k, n], strides: [1, 1] },
        ];
        const outs: ViewSpec[] = [
          { dtype, shape: [m, n] },
          { dtype, shape: [m, n], strides: [1, m], offset: 3 },
          { dtype, shape: [m, n], strides: [n + 1, 1] },
          { dtype, shape: [m, n], strides: [3 * n, 3] },
        ];
        for (const a of as) for (const b of bs) for (const out of outs) check(a, b, out);
      });
    }

    test('batches: contiguous, broadcast on either side, and of rows that join', () => {
      const dtype = 'float32';
      const [m, n, k] = [6, 10, 7];
      const out: ViewSpec = { dtype, shape: [2, 3, m, n] };
      const a: ViewSpec = { dtype, shape: [2, 3, m, k] };
      const b: ViewSpec = { dtype, shape: [2, 3, k, n] };
      check(a, b, out);
      check(a, { ...b, strides: [0, 0, n, 1] }, out);
      check({ ...a, strides: [0, m * k, k, 1] }, b, out);
      check(a, { ...b, strides: [0, k * n, n, 1] }, out);
      check({ ...a, strides: [k, m * k * 2, 2 * k, 1] }, { ...b, strides: [0, 0, 1, k] }, out);
      check(
        { dtype, shape: [4, 1, k] },
        { dtype, shape: [4, k, n], strides: [0, n, 1] },
        { dtype, shape: [4, 1, n] },
      );
      check(
        { dtype, shape: [64, 40, 50] },
        { dtype, shape: [64, 50, 30] },
        { dtype, shape: [64, 40, 30] },
      );
      check(
        { dtype, shape: [2, 220, 220] },
        { dtype, shape: [2, 220, 220] },
        { dtype, shape: [2, 220, 220] },
      );
    });

    test('an epilogue adds a bias and applies a function', () => {
      const dtype = 'float32';
      const relu = (_out: View, bias: View): Epilogue => ({
        value: e.max(e.add(input(0, dtype), input(1, dtype)), 0),
        inputs: [bias],
        scalars: [],
      });
      check(
        { dtype, shape: [33, 20] },
        { dtype, shape: [20, 18] },
        { dtype, shape: [33, 18] },
        relu,
      );
      const half = 'float16';
      check(
        { dtype: half, shape: [33, 20] },
        { dtype: half, shape: [20, 18] },
        { dtype: half, shape: [33, 18] },
        relu,
      );
    });

    test('an epilogue adds to what the output holds', () => {
      for (const dtype of ['float32', 'float64', 'int32'] as const) {
        const add = (out: View): Epilogue => ({
          value: e.add(input(1, dtype), input(0, dtype)),
          inputs: [out],
          scalars: [],
        });
        check(
          { dtype, shape: [33, 20] },
          { dtype, shape: [20, 18] },
          { dtype, shape: [33, 18] },
          add,
        );
        const scaled = (out: View): Epilogue => ({
          value: e.add(e.mul(input(1, dtype), 3), input(0, dtype)),
          inputs: [out],
          scalars: [],
        });
        check(
          { dtype, shape: [33, 20] },
          { dtype, shape: [20, 18] },
          { dtype, shape: [33, 18] },
          scaled,
        );
      }
    });

    for (const dtype of ['int64', 'int32', 'int16', 'int8', 'uint8', 'bool'] as const) {
      test(`${dtype} products are exact`, () => {
        check(
          { dtype, shape: [2, 9, 13] },
          { dtype, shape: [2, 13, 5], strides: [0, 1, 13] },
          { dtype, shape: [2, 9, 5] },
        );
      });
    }

    test('no depth gives zero, and nothing happens without rows', () => {
      const { actual } = onBoth(
        device,
        [
          { dtype: 'float32', shape: [3, 0] },
          { dtype: 'float32', shape: [0, 4] },
          { dtype: 'float32', shape: [3, 4] },
        ],
        2,
        (a, b, out): MatmulPrimitive => ({
          kind: 'matmul',
          a: a as View,
          b: b as View,
          out: out as View,
        }),
      );
      expect([...actual].map(Number)).toEqual(new Array(12).fill(0));
    });

    test('products large enough for threads, whatever their number', () => {
      const dtype = 'float32';
      for (const threads of [1, 2, 3]) {
        backend.pool.threads = threads;
        for (let i = 0; i < 3; i++) {
          check(
            { dtype, shape: [90, 300] },
            { dtype, shape: [300, 100] },
            { dtype, shape: [90, 100] },
          );
        }
      }
      backend.pool.threads = 2;
    });
  });
}

test('a BLAS that does not exist is an error that names it', () => {
  process.env.SCONCE_BLAS = 'libnothing.so.9';
  try {
    expect(() => new CpuBackend()).toThrow(/^SCONCE_BLAS=libnothing\.so\.9 cannot be opened: ./);
  } finally {
    delete process.env.SCONCE_BLAS;
  }
});
