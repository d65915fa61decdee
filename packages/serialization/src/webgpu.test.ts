import '@sconce/autograd';
import '@sconce/backend-cpu';
import { openWebGpu } from '@sconce/backend-webgpu';
import { init, ones, registerBackend, type Tensor, tensor } from '@sconce/core';
import { BatchNorm1d, Linear, Sequential } from '@sconce/nn';
import { beforeAll, describe, expect, it } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { load, saveAsync, serialize } from './index.js';

describe.skipIf(!host.webgpu)('on WebGPU', () => {
  beforeAll(async () => {
    registerBackend('webgpu', { openAsync: (index) => openWebGpu(`webgpu:${index}`) });
    await init('webgpu');
  });

  it.each(['safetensors', 'torch', 'torch-legacy'] as const)(
    '%s: a model goes to the disk and back',
    async (format) => {
      const model = new Sequential(new Linear(3, 5), new BatchNorm1d(5)).to('webgpu');
      const bytes = await serialize(model.stateDict(), { format });
      const other = new Sequential(new Linear(3, 5), new BatchNorm1d(5)).to('webgpu');
      const there = await load(bytes, { mapLocation: 'webgpu' });
      expect(String(there.get('0.weight')?.device)).toBe('webgpu');
      other.loadStateDict(there);
      const x = ones([2, 3], { device: 'webgpu' });
      expect(await other.eval()(x).toArray()).toEqual(await model.eval()(x).toArray());
      // And on the cpu, where the file says it was.
      const here = await load(bytes);
      expect(String(here.get('1.num_batches_tracked')?.device)).toBe('cpu');
      expect(await here.get('0.weight')?.toArray()).toEqual(
        await model.stateDict().get('0.weight')?.toArray(),
      );
    },
  );

  it('odd sizes of every dtype, and the values of the call', async () => {
    const written: Uint8Array[] = [];
    const stream = new WritableStream<BufferSource>({
      write: (chunk) => void written.push(new Uint8Array(chunk as ArrayBuffer)),
    });
    const state = new Map(
      (
        [
          'float32',
          'float16',
          'bfloat16',
          'int8',
          'uint8',
          'int16',
          'int32',
          'int64',
          'bool',
        ] as const
      ).map((dtype) => [dtype, tensor([1n, 0n, 1n]).to(dtype).to('webgpu')] as [string, Tensor]),
    );
    const saving = saveAsync(state, stream);
    for (const t of state.values()) t.fill_(0);
    await saving;
    const loaded = await load(new Blob(written as BlobPart[]), { mapLocation: 'webgpu' });
    for (const [dtype, t] of loaded) {
      expect(t.dtype).toBe(dtype);
      const expected = dtype === 'bool' ? [true, false, true] : [1, 0, 1];
      expect(await t.toArray()).toEqual(expected);
    }
  });

  it('says what the device cannot hold', async () => {
    const bytes = await serialize({ x: ones([2], { dtype: 'float64' }) });
    await expect(load(bytes, { mapLocation: 'webgpu' })).rejects.toThrow(/webgpu has no float64/);
  });
});
