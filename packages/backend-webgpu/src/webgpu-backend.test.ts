import {
  collect,
  Device,
  e,
  init,
  input,
  type MapPrimitive,
  memoryStats,
  OutOfMemoryError,
  type Primitive,
  Storage,
  scalar,
  type View,
} from '@sconce/core';
import { planWgsl } from '@sconce/kernels';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { Fixture } from '../../parity/src/conformance/fixture.js';
import { reopen, type WebGpuBackend } from './index.js';

let device: Device;
let on: Fixture;
const backend = () => device.backend as WebGpuBackend;

/** `out = x + value`. */
const addScalar = (x: View, value: number, out: View): MapPrimitive => ({
  kind: 'map',
  shape: x.shape,
  inputs: [x],
  scalars: [value],
  values: [e.add(input(0, 'float32'), scalar(0, 'float32'))],
  outputs: [out],
});

describe.skipIf(!host.webgpu)('WebGpuBackend', () => {
  beforeAll(async () => {
    device = await init('webgpu');
    on = new Fixture(device);
  });

  test('elements of every dtype come back as they went', async () => {
    const cases = {
      float32: [1.5, -0, 2 ** 127, Number.POSITIVE_INFINITY],
      float16: [1.5, -2, 65504, 2 ** -24],
      bfloat16: [1.5, -2, 3.3895313892515355e38],
      int8: [-128, 127, 0],
      uint8: [0, 255],
      int16: [-32768, 32767, 5],
      int32: [-2147483648, 2147483647],
      int64: [-2147483648n, 2147483647n, -1n],
      bool: [0, 1, 1, 0, 1],
    } as const;
    for (const [dtype, values] of Object.entries(cases)) {
      const view = on.view(dtype as keyof typeof cases, [values.length], values);
      expect(await on.stored(view)).toEqual([...values]);
    }
  });

  test('parts are read and written at any offset', async () => {
    const view = on.view('int8', [7], [1, 2, 3, 4, 5, 6, 7]);
    backend().write(view.storage.buffer, 'int8', 3, Int8Array.of(-1, -2));
    expect([...(await backend().read(view.storage.buffer, 'int8', 2, 4))]).toEqual([3, -1, -2, 6]);
  });

  test('int64 beyond int32 is refused with the value', () => {
    expect(() => on.view('int64', [1], [2n ** 40n])).toThrow(
      'webgpu: int64 is held as int32 there, and element 0, 1099511627776, does not fit',
    );
  });

  test('float64 is not to be had', () => {
    expect(backend().supports('float64')).toBe(false);
    expect(backend().whyNot('float64')).toBe(
      "webgpu has no float64; use float32, or keep this tensor on the cpu; `await init('webgpu', { fallback: true })` has the host compute what needs it",
    );
  });

  test('writes come after what was recorded before them, reads after all', async () => {
    const x = on.view('float32', [4], [1, 2, 3, 4]);
    const out = on.empty('float32', [4]);
    on.execute(addScalar(x, 10, out));
    backend().write(x.storage.buffer, 'float32', 0, Float32Array.of(0, 0, 0, 0));
    on.execute(addScalar(x, 1, x));
    expect(await on.read(out)).toEqual([11, 12, 13, 14]);
    expect(await on.read(x)).toEqual([1, 1, 1, 1]);
  });

  test('memory is reused while submitted work still reads it', async () => {
    const results: View[] = [];
    for (let i = 0; i < 300; i++) {
      const x = on.view('float32', [100], new Array(100).fill(i));
      const out = on.empty('float32', [100]);
      on.execute(addScalar(x, 0.5, out));
      x.storage.dispose();
      results.push(out);
    }
    const found = await Promise.all(results.map((out) => on.read(out)));
    found.forEach((values, i) => expect(values.every((v) => v === i + 0.5)).toBe(true));
    for (const out of results) out.storage.dispose();
  });

  test('a loop without manual release stays within bounds', async () => {
    const megabyte = 2 ** 18;
    let x = new Storage(device, 'float32', megabyte);
    for (let i = 0; i < 400; i++) {
      const next = new Storage(device, 'float32', megabyte);
      const view = (storage: Storage): View => ({
        storage,
        dtype: 'float32',
        shape: [megabyte / 256],
        strides: [256],
        offset: 0,
      });
      on.execute(addScalar(view(x), 1, view(next)));
      x = next;
    }
    await backend().synchronize();
    collect();
    expect(memoryStats('webgpu').bytes).toBeLessThan(150 * 2 ** 20);
    expect(backend().memory.live + backend().memory.kept).toBeLessThan(420 * 2 ** 20);
  });

  test('empty tensors take no dispatch and read as nothing', async () => {
    const x = on.empty('float32', [0, 3]);
    on.execute(addScalar(x, 1, x));
    expect(await on.read(x)).toEqual([]);
  });

  test('kernels are keyed by structure: other sizes compile nothing', () => {
    const kernels = [10, 11, 5000].map((n) => {
      const x = on.empty('float32', [n]);
      const [step] = planWgsl(addScalar(x, n, x), { storageBuffers: 8 });
      return step?.kind === 'dispatch' ? step.kernel.id : undefined;
    });
    expect(kernels[0]).toBeDefined();
    expect(new Set(kernels).size).toBe(1);
  });

  test('warmup compiles ahead of use', async () => {
    const x = on.view('float32', [3], [1, 2, 3]);
    const out = on.empty('float32', [3]);
    const value = e.sub(e.exp2(input(0, 'float32')), 0.125);
    const work: Primitive = {
      kind: 'map',
      shape: [3],
      inputs: [x],
      scalars: [],
      values: [value],
      outputs: [out],
    };
    await backend().warmup([work]);
    on.execute(work);
    expect(await on.read(out)).toEqual([1.875, 3.875, 7.875]);
  });

  test('a tensor larger than a buffer can be is refused at once', () => {
    expect(() => new Storage(device, 'float32', 2 ** 34)).toThrow(OutOfMemoryError);
    expect(() => new Storage(device, 'float32', 2 ** 34)).toThrow(
      '17179869184 elements of float32',
    );
  });

  describe('errors of the device', () => {
    let spare: WebGpuBackend;
    beforeAll(async () => {
      vi.spyOn(console, 'error').mockImplementation(() => {});
      spare = (await init('webgpu:1')).backend as WebGpuBackend;
    });
    afterAll(() => {
      spare.destroy();
      vi.restoreAllMocks();
    });

    test('a validation error rejects the next synchronize with what caused it, once', async () => {
      spare.device.createShaderModule({ label: 'map broken', code: 'not WGSL' });
      await expect(spare.synchronize()).rejects.toThrow(/map broken/);
      expect(console.error).toHaveBeenCalled();
      await spare.synchronize();
    });

    test('running out of memory names the operation', async () => {
      const real = spare.device.popErrorScope.bind(spare.device);
      const scope = vi.spyOn(spare.device, 'popErrorScope').mockImplementation(async () => {
        await real();
        return { message: 'no memory left' } as GPUError;
      });
      const fixture = new Fixture(Device.from('webgpu:1'));
      const out = fixture.empty('float32', [100000]);
      scope.mockRestore();
      fixture.execute(addScalar(out, 1, out));
      await expect(spare.synchronize()).rejects.toThrow(
        /'map add' could not get 0.4 MB; tensors on 'webgpu:1' hold 0.4 MB. Free tensors/,
      );
      await spare.synchronize();
    });

    test('after a loss every call says how to open the device anew', async () => {
      const buffer = spare.allocate('float32', 4);
      spare.destroy();
      await spare.device.lost;
      await Promise.resolve();
      for (const call of [
        () => spare.allocate('float32', 1),
        () => spare.write(buffer, 'float32', 0, new Float32Array(1)),
      ]) {
        expect(call).toThrow(/the device was lost \(destroyed\).*reopen\('webgpu:1'\)/);
      }
      await expect(spare.read(buffer, 'float32', 0, 1)).rejects.toThrow(/was lost/);
      await expect(spare.synchronize()).rejects.toThrow(/was lost/);
    });

    test('reopen gives a working device under the same name', async () => {
      const again = new Fixture(await reopen('webgpu:1'));
      const x = again.view('float32', [2], [1, 2]);
      again.execute(addScalar(x, 1, x));
      expect(await again.read(x)).toEqual([2, 3]);
    });
  });
});
