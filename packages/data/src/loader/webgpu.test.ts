import '@sconce/backend-cpu';
import '@sconce/backend-webgpu';
import { arange, init } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import { host } from '../../../../scripts/testing/host.js';
import { DataLoader, TensorDataset } from '../index.js';

describe.skipIf(!host.webgpu)('WebGPU', () => {
  it('gets batches from the shared memory of the CPU', async () => {
    await init('webgpu');
    const x = arange(600).reshape(6, 100).to('float32');
    const data = new TensorDataset(x, arange(6));
    const seen: unknown[] = [];
    for await (const [rows, labels] of new DataLoader(data, { batchSize: 4, device: 'webgpu' })) {
      expect(String(rows.device)).toBe('webgpu');
      seen.push([await rows.sum(1).toArray(), await labels.toArray()]);
    }
    expect(seen).toEqual([
      [x.narrow(0, 0, 4).sum(1).toArraySync(), [0, 1, 2, 3]],
      [x.narrow(0, 4, 2).sum(1).toArraySync(), [4, 5]],
    ]);
  });
});
