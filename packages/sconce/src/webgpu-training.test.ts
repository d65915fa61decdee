import '@sconce/backend-webgpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { init, nn, optim, type Tensor, tensor } from './index.js';

const read = async (tensors: Iterable<Tensor>): Promise<number[]> => {
  const all: number[] = [];
  for (const t of tensors) all.push(...((await t.detach().flatten().toArray()) as number[]));
  return all;
};

const expectClose = (actual: readonly number[], expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 4);
};

const rows = (count: number, width: number, shift: number): number[][] =>
  Array.from({ length: count }, (_, i) =>
    Array.from({ length: width }, (_, j) => Math.sin(3 * i + j + shift)),
  );

describe.skipIf(!host.webgpu)(
  'layers that need no values on the way train on WebGPU as on the CPU',
  () => {
    beforeAll(async () => {
      await init('webgpu');
    });

    it('batch norm with the plain average', async () => {
      const own = new nn.BatchNorm1d(3, { momentum: null });
      const other = nn.copyModule(own).to('webgpu');
      for (const [norm, device] of [
        [own, 'cpu'],
        [other, 'webgpu'],
      ] as const) {
        const optimizer = new optim.SGD(norm.parameters(), { lr: 0.1 });
        for (const step of [0, 1, 2]) {
          optimizer.zeroGrad();
          norm(tensor(rows(5, 3, step), { device }))
            .pow(3)
            .sum()
            .backward();
          optimizer.step();
        }
      }
      expectClose(await read(other.tensors()), await read(own.tensors()));
      expect(await other.numBatchesTracked?.item()).toBe(3);
    });

    it('the adaptive softmax', async () => {
      const own = new nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], { divValue: 2 });
      const other = nn.copyModule(own).to('webgpu');
      const outputs: number[][] = [];
      for (const [layer, device] of [
        [own, 'cpu'],
        [other, 'webgpu'],
      ] as const) {
        const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
        const target = tensor([0, 3, 11, 2, 6], { dtype: 'int64', device });
        const losses: Tensor[] = [];
        for (const step of [0, 1, 2]) {
          optimizer.zeroGrad();
          const { output, loss } = layer(tensor(rows(5, 8, step), { device }), target);
          loss.backward();
          optimizer.step();
          losses.push(output, loss);
        }
        losses.push(layer.logProb(tensor(rows(5, 8, 9), { device })));
        losses.push(layer.predict(tensor(rows(5, 8, 9), { device })));
        outputs.push(await read(losses));
      }
      expectClose(outputs[1] as number[], outputs[0] as number[]);
      expectClose(await read(other.tensors()), await read(own.tensors()));
      const wrong = other(
        tensor(rows(1, 8, 0), { device: 'webgpu' }),
        tensor([12], { dtype: 'int64', device: 'webgpu' }),
      );
      await expect(wrong.loss.item()).rejects.toThrow('Target values should be in [0, 11]');
    });
  },
);
