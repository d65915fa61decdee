import { describe, expect, it } from 'vitest';
import { Device, registerBackend } from '../device.js';
import type { DType, TypedArray } from '../dtype.js';
import { typedArray } from '../dtype.js';
import {
  apply,
  cast,
  constant,
  coord,
  e,
  input,
  linearIndex,
  load,
  scalar,
  stage,
} from '../expr.js';
import type { View } from '../primitive.js';
import { contiguousStrides, numel } from '../shape.js';
import { Storage } from '../storage.js';
import { InterpreterBackend } from './interpreter-backend.js';

registerBackend('judge', { open: () => new InterpreterBackend() });
const device = Device.from('judge');
const backend = device.backend as InterpreterBackend;
const inf = Number.POSITIVE_INFINITY;
const nan = Number.NaN;

function view(dtype: DType, shape: readonly number[], values: Iterable<number | bigint>): View {
  const data = typedArray(dtype, numel(shape));
  data.set([...values] as never);
  const storage = new Storage(device, dtype, data.length);
  backend.write(storage.buffer, dtype, 0, data);
  return { storage, dtype, shape, strides: contiguousStrides(shape), offset: 0 };
}
const floats = (shape: readonly number[], values: Iterable<number>) =>
  view('float32', shape, values);
const zeros = (dtype: DType, shape: readonly number[]) =>
  view(dtype, shape, typedArray(dtype, numel(shape)) as Iterable<number>);
const read = ({ storage, dtype }: View): (number | bigint)[] => [
  ...(backend.readSync(storage.buffer, dtype, 0, storage.length) as Iterable<number | bigint>),
];
const count = (n: number, f: (i: number) => number) => Array.from({ length: n }, (_, i) => f(i));

const x = input(0, 'float32');
const y = input(1, 'float32');

describe('memory', () => {
  it('maps and adopts host arrays without a copy, reads copies', async () => {
    const data = Float32Array.of(1, 2, 3);
    const buffer = backend.adopt(data);
    expect(backend.map(buffer, 'float32')).toBe(data);
    expect(buffer.bytes).toBe(12);
    const part = await backend.read(buffer, 'float32', 1, 2);
    backend.write(buffer, 'float32', 2, Float32Array.of(9));
    expect([...(part as Float32Array)]).toEqual([2, 3]);
    expect([...data]).toEqual([1, 2, 9]);
    expect(backend.allocate('int64', 0).bytes).toBe(0);
  });

  it('holds every dtype', () => {
    expect(backend.supports('float64')).toBe(true);
    expect((backend.map(backend.allocate('bfloat16', 2), 'bfloat16') as TypedArray).length).toBe(2);
  });
});

describe('map', () => {
  it('rounds float32 after every node', () => {
    const out = floats([1], [0]);
    const value = e.sub(e.add(x, 1), 1);
    backend.execute({
      kind: 'map',
      shape: [1],
      inputs: [floats([1], [2 ** -25])],
      scalars: [],
      values: [value],
      outputs: [out],
    });
    expect(read(out)).toEqual([0]);
  });

  it('runs past the length of one block, with coordinates, linear index and strides', () => {
    const shape = [3, 700];
    const a = floats(
      shape,
      count(2100, (i) => i),
    );
    const turned: View = { ...a, shape: [700, 3], strides: [1, 700] };
    const out = floats(
      [700, 3],
      count(2100, () => 0),
    );
    const value = e.add(e.mul(x, 10), cast(coord(1), 'float32'));
    backend.execute({
      kind: 'map',
      shape: [700, 3],
      inputs: [turned],
      scalars: [],
      values: [value],
      outputs: [out],
    });
    expect(read(out)).toEqual(
      count(2100, (i) => (Math.floor(i / 3) + (i % 3) * 700) * 10 + (i % 3)),
    );
    const places = zeros('int32', shape);
    backend.execute({
      kind: 'map',
      shape,
      inputs: [],
      scalars: [],
      values: [linearIndex()],
      outputs: [places],
    });
    expect(read(places)).toEqual(count(2100, (i) => i));
  });

  it('swaps two views in place', () => {
    const a = floats([2], [1, 2]);
    const b = floats([2], [3, 4]);
    backend.execute({
      kind: 'map',
      shape: [2],
      inputs: [a, b],
      scalars: [],
      values: [y, x],
      outputs: [a, b],
    });
    expect([read(a), read(b)]).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });

  it('reads scalars that no integer is as 0', () => {
    const out = view('int64', [3], [1n, 1n, 1n]);
    backend.execute({
      kind: 'map',
      shape: [3],
      inputs: [],
      scalars: [inf, nan],
      values: [e.where(e.eq(linearIndex(), 0), scalar(0, 'int64'), scalar(1, 'int64'))],
      outputs: [out],
    });
    expect(read(out)).toEqual([0n, 0n, 0n]);
  });

  it('reads scalars as the type of their node', () => {
    const out = zeros('int64', [1]);
    const half = zeros('float16', [1]);
    backend.execute({
      kind: 'map',
      shape: [1],
      inputs: [],
      scalars: [2n ** 40n, 2049],
      values: [scalar(0, 'int64'), scalar(1, 'float32')],
      outputs: [out, half],
    });
    expect(read(out)).toEqual([2n ** 40n]);
    expect(read(half)).toEqual([0x6800]);
  });

  it('loads where valid, and reads nothing elsewhere', () => {
    const at = e.sub(coord(0), 1);
    const valid = e.and(e.ge(at, 0), e.lt(at, 2));
    const out = floats([4], [0, 0, 0, 0]);
    const value = load(0, 'float32', [at], valid, constant(-1, 'float32'));
    backend.execute({
      kind: 'map',
      shape: [4],
      inputs: [floats([2], [5, 6])],
      scalars: [],
      values: [value],
      outputs: [out],
    });
    expect(read(out)).toEqual([-1, 5, 6, -1]);
  });

  it('says what is wrong with a malformed primitive', () => {
    const a = floats([2], [1, 2]);
    const run = (value: ReturnType<typeof e.neg>, output: View) => () =>
      backend.execute({
        kind: 'map',
        shape: [2],
        inputs: [a],
        scalars: [],
        values: [value],
        outputs: [output],
      });
    expect(run(load(0, 'float32', [e.add(coord(0), 1)]), floats([2], [0, 0]))).toThrow(
      'map: coordinates [2] are outside shape [2]',
    );
    expect(run(load(0, 'float32', [coord(0), coord(0)]), a)).toThrow(
      'map: load of input 0 has 2 coordinates, the input has 1 dimensions',
    );
    expect(run(input(0, 'int32'), zeros('int32', [2]))).toThrow(
      'map: input 0 is read as int32 but holds float32',
    );
    expect(run(input(3, 'float32'), a)).toThrow('refers to input 3, there are 1');
    expect(run(x, zeros('int32', [2]))).toThrow(
      'map: a float32 value cannot be stored as int32; cast it first',
    );
    expect(run(stage(0, 'float32'), a)).toThrow('map: stage 0 is not computed where');
  });
});

describe('reduce', () => {
  const sum = (a: View, axes: readonly number[], out: View) =>
    backend.execute({
      kind: 'reduce',
      shape: a.shape,
      axes,
      inputs: [a],
      scalars: [],
      stages: [{ combine: 'sum', value: input(0, 'float32') }],
      outputs: [{ per: 'row', value: stage(0, 'float32'), view: out }],
    });

  it('adds up rows longer and shorter than a block', () => {
    const long = floats(
      [2, 3000],
      count(6000, (i) => (i < 3000 ? 1 : 2)),
    );
    const perRow = floats([2, 1], [0, 0]);
    sum(long, [1], perRow);
    expect(read(perRow)).toEqual([3000, 6000]);
    const perColumn = floats(
      [1, 3000],
      count(3000, () => 0),
    );
    sum(long, [0], perColumn);
    expect(new Set(read(perColumn))).toEqual(new Set([3]));
  });

  it('keeps float32 sums in double precision until the row is complete', () => {
    const a = floats([1, 3], [2 ** 24, 1, 1]);
    const out = floats([1, 1], [0]);
    sum(a, [1], out);
    expect(read(out)).toEqual([2 ** 24 + 2]);
  });

  it.each([
    ['sum', 0],
    ['prod', 1],
    ['max', -inf],
    ['min', inf],
  ] as const)('%s of an empty row is %d', (combine, identity) => {
    const out = floats([2, 1], [9, 9]);
    backend.execute({
      kind: 'reduce',
      shape: [2, 0],
      axes: [1],
      inputs: [floats([2, 0], [])],
      scalars: [],
      stages: [{ combine, value: x }],
      outputs: [{ per: 'row', value: stage(0, 'float32'), view: out }],
    });
    expect(read(out)).toEqual([identity, identity]);
  });

  it('finds the first best element, NaN before all, as int64 and as int32', () => {
    const a = floats([3, 3], [1, 3, 3, 2, nan, nan, -inf, -inf, -inf]);
    const wide = zeros('int64', [3, 1]);
    const narrow = zeros('int32', [3, 1]);
    backend.execute({
      kind: 'reduce',
      shape: [3, 3],
      axes: [1],
      inputs: [a],
      scalars: [],
      stages: [
        { combine: 'argmax', value: x },
        { combine: 'argmin', value: x },
      ],
      outputs: [
        { per: 'row', value: stage(0, 'int64'), view: wide },
        { per: 'row', value: stage(1, 'int32'), view: narrow },
      ],
    });
    expect(read(wide)).toEqual([1n, 1n, 0n]);
    expect(read(narrow)).toEqual([0, 1, 0]);
  });

  it('runs stages in order and stores rows and elements, in place', () => {
    const a = floats([2, 2], [1, 3, 2, 6]);
    const total = floats([2, 1], [0, 0]);
    backend.execute({
      kind: 'reduce',
      shape: [2, 2],
      axes: [1],
      inputs: [a],
      scalars: [],
      stages: [
        { combine: 'sum', value: x },
        { combine: 'max', value: e.div(x, stage(0, 'float32')) },
      ],
      outputs: [
        { per: 'element', value: e.div(x, stage(0, 'float32')), view: a },
        { per: 'row', value: e.add(stage(0, 'float32'), stage(1, 'float32')), view: total },
      ],
    });
    expect(read(a)).toEqual([0.25, 0.75, 0.25, 0.75]);
    expect(read(total)).toEqual([4.75, 8.75]);
  });

  it('wraps int32 and int64, and takes any and all of bools', () => {
    const run = (
      a: View,
      combine: 'sum' | 'prod' | 'max' | 'min',
      type: 'int32' | 'int64' | 'bool',
    ) => {
      const out = zeros(a.dtype, [1]);
      backend.execute({
        kind: 'reduce',
        shape: a.shape,
        axes: [0],
        inputs: [a],
        scalars: [],
        stages: [{ combine, value: input(0, type) }],
        outputs: [{ per: 'row', value: stage(0, type), view: out }],
      });
      return read(out)[0];
    };
    expect(run(view('int32', [2], [2 ** 31 - 1, 2]), 'sum', 'int32')).toBe(-(2 ** 31) + 1);
    expect(run(view('int32', [2], [65537, 65537]), 'prod', 'int32')).toBe(131073);
    expect(run(view('int64', [2], [2n ** 63n - 1n, 2n]), 'sum', 'int64')).toBe(-(2n ** 63n) + 1n);
    expect(run(view('bool', [3], [0, 1, 0]), 'max', 'bool')).toBe(1);
    expect(run(view('bool', [3], [0, 1, 0]), 'min', 'bool')).toBe(0);
  });
});

describe('scan', () => {
  it('runs forward and backward along an inner and an outer axis', () => {
    const a = floats([2, 3], [1, 2, 3, 4, 5, 6]);
    const out = floats([2, 3], [0, 0, 0, 0, 0, 0]);
    backend.execute({
      kind: 'scan',
      axis: 1,
      combine: 'sum',
      reverse: true,
      input: a,
      output: out,
    });
    expect(read(out)).toEqual([6, 5, 3, 15, 11, 6]);
    backend.execute({
      kind: 'scan',
      axis: 0,
      combine: 'prod',
      reverse: false,
      input: a,
      output: out,
    });
    expect(read(out)).toEqual([1, 2, 3, 4, 10, 18]);
  });

  it('names the latest best element; NaN sticks', () => {
    const a = floats([6], [2, 2, 1, nan, 3, nan]);
    const out = floats(
      [6],
      count(6, () => 0),
    );
    const indices = zeros('int64', [6]);
    backend.execute({
      kind: 'scan',
      axis: 0,
      combine: 'max',
      reverse: false,
      input: a,
      output: out,
      indices,
    });
    expect(read(out)).toEqual([2, 2, 2, nan, nan, nan]);
    expect(read(indices)).toEqual([0n, 1n, 1n, 3n, 3n, 5n]);
  });

  it('adds exponentials without overflow', () => {
    const a = floats([3], [-inf, 1000, 1000]);
    const out = floats([3], [0, 0, 0]);
    backend.execute({
      kind: 'scan',
      axis: 0,
      combine: 'logaddexp',
      reverse: false,
      input: a,
      output: out,
    });
    expect(read(out)).toEqual([-inf, 1000, Math.fround(1000 + Math.LN2)]);
  });
});

describe('matmul', () => {
  it('multiplies, accumulates and runs the epilogue for an empty inner dimension', () => {
    const out = floats([2, 2], [0, 0, 0, 0]);
    const a = floats([2, 2], [1, 2, 3, 4]);
    backend.execute({ kind: 'matmul', a, b: { ...a, strides: [1, 2] }, out });
    expect(read(out)).toEqual([5, 11, 11, 25]);
    const value = e.sub(y, x);
    backend.execute({
      kind: 'matmul',
      a,
      b: a,
      out,
      epilogue: { value, inputs: [out], scalars: [] },
    });
    expect(read(out)).toEqual([5 - 7, 11 - 10, 11 - 15, 25 - 22]);
    const nothing = floats([2, 0], []);
    const none = { ...nothing, shape: [0, 2], strides: [2, 1] };
    backend.execute({ kind: 'matmul', a: nothing, b: none, out });
    expect(read(out)).toEqual([0, 0, 0, 0]);
  });

  it('wraps int64', () => {
    const a = view('int64', [1, 2], [2n ** 32n, 3n]);
    const b = view('int64', [2, 1], [2n ** 32n, 5n]);
    const out = zeros('int64', [1, 1]);
    backend.execute({ kind: 'matmul', a, b, out });
    expect(read(out)).toEqual([15n]);
  });
});

describe('conv', () => {
  const geometry = { stride: [1], padding: [1], dilation: [1], groups: 1 };
  const image = () => floats([1, 1, 3], [1, 2, 3]);
  const kernel = () => floats([1, 1, 3], [1, 10, 100]);

  it('computes output, input gradient and weight gradient', () => {
    const output = floats([1, 1, 3], [0, 0, 0]);
    const bias = floats([1], [0.5]);
    backend.execute({
      kind: 'conv',
      compute: 'output',
      input: image(),
      weight: kernel(),
      output,
      bias,
      ...geometry,
    });
    expect(read(output)).toEqual([210.5, 321.5, 32.5]);
    const upstream = floats([1, 1, 3], [1, 0, 2]);
    const gradient = floats([1, 1, 3], [0, 0, 0]);
    backend.execute({
      kind: 'conv',
      compute: 'input',
      input: gradient,
      weight: kernel(),
      output: upstream,
      ...geometry,
    });
    expect(read(gradient)).toEqual([10, 102, 20]);
    const weight = floats([1, 1, 3], [0, 0, 0]);
    backend.execute({
      kind: 'conv',
      compute: 'weight',
      input: image(),
      weight,
      output: upstream,
      ...geometry,
    });
    expect(read(weight)).toEqual([4, 7, 2]);
  });
});

describe('scatter', () => {
  it.each([
    ['set', [30, 2, 20]],
    ['sum', [41, 2, 23]],
    ['prod', [300, 2, 60]],
    ['max', [30, 2, 20]],
    ['min', [1, 2, 3]],
  ] as const)('%s', (combine, expected) => {
    const output = floats([3], [1, 2, 3]);
    const index = input(1, 'int32');
    backend.execute({
      kind: 'scatter',
      shape: [4],
      inputs: [floats([4], [10, 20, 30, 40]), view('int32', [4], [0, 2, 0, -1])],
      scalars: [],
      coords: [index],
      valid: apply('ge', index, 0),
      value: x,
      output,
      combine,
    });
    expect(read(output)).toEqual(expected);
  });

  it('refuses coordinates out of range', () => {
    const output = floats([2], [0, 0]);
    expect(() =>
      backend.execute({
        kind: 'scatter',
        shape: [3],
        inputs: [],
        scalars: [],
        coords: [coord(0)],
        value: constant(1, 'float32'),
        output,
        combine: 'set',
      }),
    ).toThrow('scatter: coordinates [2] are outside shape [2]');
  });
});

describe('sort', () => {
  it('is stable both ways, with NaN as the greatest', () => {
    const a = floats([5], [2, nan, 1, 2, nan]);
    const values = floats(
      [5],
      count(5, () => 0),
    );
    const indices = zeros('int64', [5]);
    backend.execute({ kind: 'sort', descending: false, input: a, values, indices });
    expect([read(values), read(indices)]).toEqual([
      [1, 2, 2, nan, nan],
      [2n, 0n, 3n, 1n, 4n],
    ]);
    backend.execute({ kind: 'sort', descending: true, input: a, values, indices });
    expect([read(values), read(indices)]).toEqual([
      [nan, nan, 2, 2, 1],
      [1n, 4n, 0n, 3n, 2n],
    ]);
  });

  it('sorts nothing and integers', () => {
    const empty = floats([3, 0], []);
    backend.execute({
      kind: 'sort',
      descending: false,
      input: empty,
      values: floats([3, 0], []),
      indices: zeros('int64', [3, 0]),
    });
    const values = zeros('int64', [3]);
    backend.execute({
      kind: 'sort',
      descending: false,
      input: view('int64', [3], [5n, -1n, 2n ** 40n]),
      values,
      indices: zeros('int64', [3]),
    });
    expect(read(values)).toEqual([-1n, 5n, 2n ** 40n]);
  });
});
