import {
  type ConvPrimitive,
  cast,
  constant,
  Device,
  e,
  input,
  type MapPrimitive,
  type MatmulPrimitive,
  memoryStats,
  type ReducePrimitive,
  Storage,
  stage,
  type View,
} from '@sconce/core';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { contents, deviceFor, difference, makeView, onBoth } from '../test/operands.js';
import { blasName, CpuBackend, getNumThreads, setNumThreads } from './index.js';

// Tens of thousands of steps take their time on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const device = Device.from('cpu');
const backend = device.backend as CpuBackend;
afterAll(() => backend.pool.stop());

test('importing the package makes it the cpu', () => {
  expect(backend).toBeInstanceOf(CpuBackend);
});

test('setNumThreads sets what getNumThreads gives', () => {
  const before = getNumThreads();
  setNumThreads(3);
  expect(getNumThreads()).toBe(3);
  setNumThreads(before);
  expect(() => setNumThreads(0)).toThrow(
    'setNumThreads: expected a whole number of at least 1, got 0',
  );
});

test('the BLAS names itself', () => {
  expect(blasName()).toBe(backend.blas?.name);
});

describe('maps and reductions', () => {
  const dtype = 'float32';

  test('a map on threads equals the reference, for every number of threads', async () => {
    const before = getNumThreads();
    const shape = [1000, 1001];
    for (const threads of [1, 2, 3]) {
      setNumThreads(threads);
      for (let round = 0; round < 2; round++) {
        const { actual, expected } = onBoth(
          device,
          [
            { dtype, shape },
            { dtype, shape, strides: [1, 1000] },
            { dtype, shape },
          ],
          2,
          (a, b, out): MapPrimitive => ({
            kind: 'map',
            shape,
            inputs: [a as View, b as View],
            scalars: [3],
            values: [e.add(e.mul(input(0, dtype), input(1, dtype)), constant(1, dtype))],
            outputs: [out as View],
          }),
        );
        expect(difference(actual, expected)).toBeLessThan(1e-6);
        await new Promise((resolve) => setTimeout(resolve, 60)); // workers start meanwhile
      }
    }
    setNumThreads(before);
  });

  test('a sum over everything equals the reference', () => {
    const shape = [700, 900];
    const { actual, expected } = onBoth(
      device,
      [
        { dtype, shape },
        { dtype, shape: [1, 1] },
      ],
      1,
      (x, out): ReducePrimitive => ({
        kind: 'reduce',
        shape,
        axes: [0, 1],
        inputs: [x as View],
        scalars: [],
        stages: [{ combine: 'sum', value: input(0, dtype) }],
        outputs: [{ per: 'row', value: stage(0, dtype), view: out as View }],
      }),
    );
    expect(difference(actual, expected)).toBeLessThan(1e-4);
  });
});

test('write, read and map agree, and what is read is a copy', () => {
  const storage = new Storage(device, 'int32', 10);
  backend.write(storage.buffer, 'int32', 2, Int32Array.of(5, 6, 7));
  const copy = backend.readSync(storage.buffer, 'int32', 3, 2);
  expect([...copy]).toEqual([6, 7]);
  const mapped = backend.map(storage.buffer, 'int32') as Int32Array;
  mapped[3] = 60;
  expect([...copy]).toEqual([6, 7]);
  expect([...backend.readSync(storage.buffer, 'int32', 2, 3)]).toEqual([5, 60, 7]);
  expect(copy.buffer).toBeInstanceOf(ArrayBuffer);
});

describe('memory', () => {
  // What a step of training leaves behind: activations large and small, computed and dropped.
  const step = (weights: View): void => {
    const out: View = {
      storage: new Storage(device, 'float32', 2 ** 18),
      dtype: 'float32',
      shape: [512, 512],
      strides: [512, 1],
      offset: 0,
    };
    new Storage(device, 'float32', 2 ** 20);
    for (let i = 0; i < 8; i++) new Storage(device, 'float32', 10 + i);
    const view: View = { ...out, shape: [8, 8] };
    backend.execute({
      kind: 'map',
      shape: [8, 8],
      inputs: [weights],
      scalars: [],
      values: [e.exp(input(0, 'float32'))],
      outputs: [view],
    });
  };
  const flat = 700 * 2 ** 20;

  for (const [name, pause] of [
    ['synchronous', undefined],
    ['promises only', () => Promise.resolve()],
    ['tasks', () => new Promise<void>((resolve) => setImmediate(resolve))],
  ] as const) {
    test(`20,000 steps without a release stay flat: ${name}`, async () => {
      const weights = makeView(device, { dtype: 'float32', shape: [8, 8] }, 1);
      const before = contents(weights);
      let most = 0;
      for (let i = 0; i < 20_000; i++) {
        step(weights);
        if (i % 500 === 0) most = Math.max(most, memoryStats('cpu').bytes);
        if (pause) await pause();
      }
      expect(most).toBeLessThan(flat);
      // What is held is not all: the memory itself must not have grown beyond it by fragmentation.
      expect(backend.memory.buffer.byteLength).toBeLessThan(1.5 * flat);
      expect(contents(weights)).toEqual(before);
    });
  }

  test('a tensor that does not fit is an error, and what is garbage is collected before', () => {
    const own = deviceFor('small', () => new CpuBackend());
    // 6 GiB pass through 4 GiB, none of it released by hand.
    for (let i = 0; i < 24; i++) new Storage(own, 'uint8', 2 ** 28);
    expect(() => new Storage(own, 'float64', 2 ** 30)).toThrow(
      /^out of memory on cpu: 8 GiB asked for, but .* of 4 GiB are held by \d+ tensors/,
    );
  });
});

describe('operands above 2 GiB', () => {
  const dtype = 'float32';
  for (const [name, blas] of [
    ['highblas', ''],
    ['highwasm', 'off'],
  ] as const) {
    test(blas === '' ? 'with BLAS where there is one' : 'without BLAS', () => {
      process.env.SCONCE_BLAS = blas;
      const own = deviceFor(name, () => new CpuBackend());
      const { memory, pool } = own.backend as CpuBackend;
      delete process.env.SCONCE_BLAS;
      // Untouched, so that it costs addresses only.
      const below = [1, 2, 3].map(() => memory.allocate(2 ** 30));
      expect(memory.allocate(64).pointer).toBeGreaterThan(3 * 2 ** 30);
      const product = onBoth(
        own,
        [
          { dtype, shape: [130, 70] },
          { dtype, shape: [70, 150], strides: [1, 70] },
          { dtype, shape: [130, 150] },
        ],
        2,
        (a, b, out): MatmulPrimitive => ({
          kind: 'matmul',
          a: a as View,
          b: b as View,
          out: out as View,
        }),
      );
      expect(difference(product.actual, product.expected)).toBeLessThan(1e-4);
      for (const compute of ['output', 'input', 'weight'] as const) {
        const conv = onBoth(
          own,
          [
            { dtype, shape: [4, 3, 20, 20] },
            { dtype, shape: [8, 3, 3, 3] },
            { dtype, shape: [4, 8, 20, 20] },
          ],
          { input: 0, weight: 1, output: 2 }[compute],
          (input, weight, output): ConvPrimitive => ({
            kind: 'conv',
            compute,
            input: input as View,
            weight: weight as View,
            output: output as View,
            stride: [1, 1],
            padding: [1, 1],
            dilation: [1, 1],
            groups: 1,
          }),
        );
        expect(difference(conv.actual, conv.expected)).toBeLessThan(1e-3);
      }
      for (const buffer of below) memory.release(buffer);
      pool.stop();
    });
  }
});

describe('where WebAssembly may not be compiled', () => {
  test('the interpreter computes on the same memory', () => {
    const original = WebAssembly.Module;
    let own: Device;
    try {
      WebAssembly.Module = (() => {
        throw new EvalError('refused by Content Security Policy');
      }) as unknown as typeof WebAssembly.Module;
      own = deviceFor('nocompile', () => new CpuBackend());
      expect((own.backend as CpuBackend).blas).toBeUndefined();
    } finally {
      WebAssembly.Module = original;
    }
    const x = makeView(own, { dtype: 'float32', shape: [3, 4] }, 1);
    const out = makeView(own, { dtype: 'int64', shape: [3, 4] }, 2);
    own.backend.execute({
      kind: 'map',
      shape: [3, 4],
      inputs: [x],
      scalars: [],
      values: [cast(e.mul(input(0, 'float32'), 10), 'int64')],
      outputs: [out],
    });
    const expected = [...contents(x)].map((v) => BigInt(Math.trunc(Math.fround(Number(v) * 10))));
    expect([...contents(out)]).toEqual(expected);
  });
});
