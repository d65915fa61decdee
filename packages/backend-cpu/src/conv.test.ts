import type { ConvPrimitive, DType, View } from '@sconce/core';
import { afterAll, describe, expect, test } from 'vitest';
import {
  contents,
  deviceFor,
  difference,
  makeView,
  onBoth,
  type ViewSpec,
} from '../test/operands.js';
import { CpuBackend } from './backend.js';

const withBlas = new CpuBackend();
process.env.SCONCE_BLAS = 'off';
const withoutBlas = new CpuBackend();
delete process.env.SCONCE_BLAS;
if (!withBlas.blas) console.log('conv tests with BLAS are skipped: the system has none');
for (const { pool } of [withBlas, withoutBlas]) pool.threads = 2;

afterAll(() => {
  withBlas.pool.stop();
  withoutBlas.pool.stop();
});

interface Case {
  readonly name: string;
  readonly batch: number;
  readonly channels: number;
  readonly out: number;
  readonly space: readonly number[];
  readonly kernel: readonly number[];
  readonly stride?: readonly number[];
  readonly padding?: readonly number[];
  readonly dilation?: readonly number[];
  readonly groups?: number;
}

const cases: readonly Case[] = [
  {
    name: '1d',
    batch: 2,
    channels: 3,
    out: 5,
    space: [17],
    kernel: [4],
    stride: [3],
    padding: [2],
  },
  {
    name: '2d 3x3',
    batch: 3,
    channels: 4,
    out: 6,
    space: [9, 11],
    kernel: [3, 3],
    padding: [1, 1],
  },
  {
    name: '2d strided',
    batch: 2,
    channels: 3,
    out: 4,
    space: [11, 10],
    kernel: [3, 5],
    stride: [2, 3],
    padding: [1, 2],
  },
  {
    name: '2d dilated',
    batch: 2,
    channels: 2,
    out: 3,
    space: [12, 9],
    kernel: [3, 2],
    padding: [2, 0],
    dilation: [2, 3],
  },
  {
    name: '2d groups',
    batch: 2,
    channels: 6,
    out: 9,
    space: [8, 8],
    kernel: [3, 3],
    padding: [1, 1],
    groups: 3,
  },
  {
    name: '2d depthwise',
    batch: 2,
    channels: 5,
    out: 5,
    space: [7, 6],
    kernel: [3, 3],
    padding: [1, 1],
    groups: 5,
  },
  { name: '2d 1x1', batch: 3, channels: 8, out: 5, space: [6, 7], kernel: [1, 1] },
  {
    name: '2d 1x1 strided',
    batch: 2,
    channels: 4,
    out: 5,
    space: [6, 7],
    kernel: [1, 1],
    stride: [2, 2],
  },
  {
    name: '2d padding wider than the image',
    batch: 1,
    channels: 2,
    out: 2,
    space: [3, 2],
    kernel: [3, 3],
    padding: [4, 5],
  },
  {
    name: '3d',
    batch: 2,
    channels: 3,
    out: 4,
    space: [5, 6, 7],
    kernel: [2, 3, 3],
    stride: [1, 2, 1],
    padding: [1, 1, 0],
  },
  {
    name: 'many blocks',
    batch: 2,
    channels: 16,
    out: 8,
    space: [40, 40],
    kernel: [3, 3],
    padding: [1, 1],
  },
  { name: 'LeNet', batch: 8, channels: 6, out: 16, space: [12, 12], kernel: [5, 5] },
];

const rounding: Partial<Record<DType, number>> = { float32: 2 ** -24, float64: 2 ** -53 };

for (const [name, backend, skip] of [
  ['convblas', withBlas, !withBlas.blas],
  ['convwasm', withoutBlas, false],
] as const) {
  describe.skipIf(skip)(`convolution with ${name.slice(4)}`, () => {
    const device = deviceFor(name, () => backend);

    function check(
      c: Case,
      compute: ConvPrimitive['compute'],
      dtype: DType,
      bias = false,
      permuted = false,
    ): void {
      const ones = c.kernel.map(() => 1);
      const { stride = ones, padding = c.kernel.map(() => 0), dilation = ones, groups = 1 } = c;
      const outSpace = c.space.map((n, d) => {
        const reach = (dilation[d] as number) * ((c.kernel[d] as number) - 1) + 1;
        return Math.floor((n + 2 * (padding[d] as number) - reach) / (stride[d] as number)) + 1;
      });
      const spec = (shape: readonly number[]): ViewSpec => {
        if (!permuted) return { dtype, shape };
        // Channels last, as after permute().
        const [n, ch, ...space] = shape as [number, number, ...number[]];
        const size = space.reduce((a, b) => a * b, 1);
        const inner = space.map((_, d) => ch * space.slice(d + 1).reduce((a, b) => a * b, 1));
        return { dtype, shape: [n, ch, ...space], strides: [ch * size, 1, ...inner], offset: 2 };
      };
      const specs: ViewSpec[] = [
        spec([c.batch, c.channels, ...c.space]),
        spec([c.out, c.channels / groups, ...c.kernel]),
        spec([c.batch, c.out, ...outSpace]),
        { dtype, shape: [c.out] },
      ];
      const index = { input: 0, weight: 1, output: 2 }[compute];
      const { actual, expected } = onBoth(
        device,
        specs,
        index,
        (x, w, y, b): ConvPrimitive => ({
          kind: 'conv',
          compute,
          input: x as View,
          weight: w as View,
          output: y as View,
          ...(bias && { bias: b as View }),
          stride,
          padding,
          dilation,
          groups,
        }),
      );
      const kernel = c.kernel.reduce((a, b) => a * b, 1);
      const terms =
        compute === 'output'
          ? (c.channels / groups) * kernel
          : compute === 'input'
            ? (c.out / groups) * kernel
            : c.batch * outSpace.reduce((a, b) => a * b, 1);
      expect(expected.some((v) => Number(v) !== 0)).toBe(true);
      expect(difference(actual, expected)).toBeLessThanOrEqual(4 * terms * (rounding[dtype] ?? 0));
    }

    for (const c of cases) {
      for (const compute of ['output', 'input', 'weight'] as const) {
        test(`${c.name}: ${compute}`, () => {
          check(c, compute, 'float32');
          check(c, compute, 'float64');
          check(c, compute, 'float32', false, true);
          if (compute === 'output') check(c, compute, 'float32', true);
        });
      }
    }

    test('the same weight gradient each time, whichever thread is free', () => {
      const input = makeView(device, { dtype: 'float32', shape: [24, 4, 20, 20] }, 1);
      const output = makeView(device, { dtype: 'float32', shape: [24, 8, 18, 18] }, 2);
      const seen = new Set<string>();
      for (let run = 0; run < 300; run++) {
        const weight = makeView(device, { dtype: 'float32', shape: [8, 4, 3, 3] }, 3);
        device.backend.execute({
          kind: 'conv',
          compute: 'weight',
          input,
          weight,
          output,
          stride: [1, 1],
          padding: [0, 0],
          dilation: [1, 1],
          groups: 1,
        });
        seen.add(contents(weight).join());
        weight.storage.dispose();
      }
      expect(seen.size).toBe(1);
    });

    test('integers by the general kernel', () => {
      for (const compute of ['output', 'input', 'weight'] as const)
        check(cases[1] as Case, compute, 'int32');
    });

    test('an empty batch gives no output, and weight gradients of zero', () => {
      const none = { dtype: 'float32' as const, shape: [0, 3, 5, 5] };
      const { actual } = onBoth(
        device,
        [
          none,
          { dtype: 'float32', shape: [4, 3, 3, 3] },
          { dtype: 'float32', shape: [0, 4, 3, 3] },
        ],
        1,
        (x, w, y): ConvPrimitive => ({
          kind: 'conv',
          compute: 'weight',
          input: x as View,
          weight: w as View,
          output: y as View,
          stride: [1, 1],
          padding: [0, 0],
          dilation: [1, 1],
          groups: 1,
        }),
      );
      expect([...actual].every((v) => v === 0)).toBe(true);
    });
  });
}
