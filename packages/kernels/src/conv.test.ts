import {
  type ConvPrimitive,
  Device,
  type DType,
  Storage,
  type TypedArray,
  typedArray,
  type View,
} from '@sconce/core';
import { expect, test } from 'vitest';
import { lowerConv } from './conv.js';

const device = Device.from('reference');
const { backend } = device;

function view(dtype: DType, shape: readonly number[], fill: (i: number) => number): View {
  const length = shape.reduce((a, b) => a * b, 1);
  const storage = new Storage(device, dtype, length);
  const data = typedArray(dtype, length) as Float32Array;
  for (let i = 0; i < length; i++) data[i] = fill(i);
  backend.write(storage.buffer, dtype, 0, data as TypedArray);
  const strides = shape.map((_, d) => shape.slice(d + 1).reduce((a, b) => a * b, 1));
  return { storage, dtype, shape, strides, offset: 0 };
}

const read = (v: View): number[] =>
  Array.from(backend.readSync?.(v.storage.buffer, v.dtype, 0, v.storage.length) as Float32Array);

interface Case {
  batch: number;
  channels: number;
  out: number;
  space: number[];
  kernel: number[];
  stride: number[];
  padding: number[];
  dilation: number[];
  groups: number;
}

const cases: Case[] = [
  {
    batch: 2,
    channels: 3,
    out: 4,
    space: [7],
    kernel: [3],
    stride: [2],
    padding: [1],
    dilation: [1],
    groups: 1,
  },
  {
    batch: 2,
    channels: 4,
    out: 6,
    space: [6, 7],
    kernel: [3, 2],
    stride: [2, 1],
    padding: [1, 2],
    dilation: [1, 2],
    groups: 2,
  },
  {
    batch: 1,
    channels: 2,
    out: 2,
    space: [4, 5, 3],
    kernel: [2, 3, 1],
    stride: [1, 2, 1],
    padding: [1, 0, 0],
    dilation: [2, 1, 1],
    groups: 2,
  },
  {
    batch: 3,
    channels: 4,
    out: 4,
    space: [5, 5],
    kernel: [3, 3],
    stride: [1, 1],
    padding: [1, 1],
    dilation: [1, 1],
    groups: 4,
  },
];

for (const compute of ['output', 'input', 'weight'] as const) {
  for (const dtype of ['float64', 'int32'] as const) {
    test(`${compute} of ${dtype} convolutions equals the definition`, () => {
      for (const c of cases) {
        const outSpace = c.space.map(
          (n, d) =>
            Math.floor(
              (n +
                2 * (c.padding[d] as number) -
                (c.dilation[d] as number) * ((c.kernel[d] as number) - 1) -
                1) /
                (c.stride[d] as number),
            ) + 1,
        );
        const p: ConvPrimitive = {
          kind: 'conv',
          compute,
          input: view(dtype, [c.batch, c.channels, ...c.space], (i) => ((i * 7) % 11) - 5),
          weight: view(
            dtype,
            [c.out, c.channels / c.groups, ...c.kernel],
            (i) => ((i * 5) % 13) - 6,
          ),
          output: view(dtype, [c.batch, c.out, ...outSpace], (i) => ((i * 3) % 7) - 3),
          ...(compute === 'output' && { bias: view(dtype, [c.out], (i) => i + 1) }),
          stride: c.stride,
          padding: c.padding,
          dilation: c.dilation,
          groups: c.groups,
        };
        backend.execute(p);
        const expected = read(p[compute]);
        backend.write(p[compute].storage.buffer, dtype, 0, typedArray(dtype, expected.length));
        backend.execute(lowerConv(p));
        expect(read(p[compute])).toEqual(expected);
        expect(expected.some((x) => x !== 0)).toBe(true);
      }
    });
  }
}
