import {
  arange,
  checkValues,
  Device,
  type DeviceLike,
  embedding,
  IndexError,
  init,
  LinAlgError,
  linalg,
  manualSeed,
  memoryStats,
  RuntimeError,
  rand,
  registerBackend,
  type Tensor,
  tensor,
  tidy,
  zeros,
} from '@sconce/core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import { numbers } from '../../parity/src/conformance/random.js';
import { openWebGpu, type WebGpuBackend } from './index.js';

/** So few buffers that sorting, which takes three, falls to the host. */
const name = 'webgpu_small';
const backend = () => Device.from(name).backend as WebGpuBackend;
const values = async (t: Tensor) => Array.from(await t.toTypedArray(), Number);

describe.skipIf(!host.webgpu)('steps on the host', () => {
  beforeAll(async () => {
    registerBackend(name, { openAsync: () => openWebGpu(name, { storageBuffers: 2 }) });
    await init(name);
  });
  afterAll(() => backend().destroy());
  beforeEach(async () => {
    await init(name, { fallback: true });
    vi.spyOn(console, 'warn').mockImplementation(() => {});
  });
  afterEach(() => vi.restoreAllMocks());

  test('without the option there is one error, which names the operation and the option', async () => {
    await init(name, { fallback: false });
    const x = tensor([3, 1, 2], { device: name });
    expect(() => x.sort()).toThrow(
      "sort: webgpu cannot run this here, since 'sort' takes 3 buffers at once, and this device 2; move the tensors to the cpu, or have the host compute such operations with `await init('webgpu_small', { fallback: true })`",
    );
    expect(() => x.cummax(0)).toThrow(/^cummax: webgpu cannot run this here/);
    expect(console.warn).not.toHaveBeenCalled();
  });

  test('with it each operation warns once, by its name, and computes', async () => {
    const x = tensor([3, 1, 2], { device: name });
    expect(await values(x.sort().values)).toEqual([1, 2, 3]);
    expect(await values(x.sort(-1, { descending: true }).indices)).toEqual([0, 2, 1]);
    expect(console.warn).toHaveBeenCalledTimes(1);
    expect(console.warn).toHaveBeenCalledWith(
      "sconce: sort: webgpu cannot run this here, since 'sort' takes 3 buffers at once, and this device 2; it is computed on the host, which is slow",
    );
    expect(await values(x.cummax(0).indices)).toEqual([0, 0, 0]);
    expect(console.warn).toHaveBeenCalledTimes(2);
    expect(console.warn).toHaveBeenLastCalledWith(expect.stringMatching(/^sconce: cummax: /));
  });

  test('an operation that is made of others is what is named', async () => {
    const x = tensor([3, 1, 2, 5], { device: name });
    expect(await values(x.quantile(0.5))).toEqual([2.5]);
    expect(console.warn).toHaveBeenCalledWith(expect.stringMatching(/^sconce: quantile: /));
  });

  test('strided views, and what lies between their elements', async () => {
    const base = tensor([9, 3, 9, 1, 9, 2, 9], { device: name });
    const odd = base.asStrided([3], [2], 1);
    const sorted = odd.sort().values;
    odd.copy_(sorted);
    expect(await values(base)).toEqual([9, 1, 9, 2, 9, 3, 9]);
    const x = tensor(
      [
        [1, 2, 3],
        [6, 5, 4],
      ],
      { device: name },
    );
    expect(await values(x.t().sort(0).values)).toEqual([1, 4, 2, 5, 3, 6]);
  });

  test('all that is asked for in the meantime keeps its order', async () => {
    const x = tensor([3, 1, 2], { device: name });
    const before = values(x);
    const sorted = x.sort().values;
    const middle = values(sorted);
    sorted.add_(10);
    x.copy_(tensor([7, 9, 8]));
    const again = x.sort().values;
    x.mul_(0);
    backend().write(sorted.storage.buffer, 'float32', 0, Float32Array.of(-1));
    const after = [values(sorted), values(again), values(x)];
    expect(await before).toEqual([3, 1, 2]);
    expect(await middle).toEqual([1, 2, 3]);
    expect(await Promise.all(after)).toEqual([
      [-1, 12, 13],
      [7, 8, 9],
      [0, 0, 0],
    ]);
  });

  test('what the caller writes may be reused at once', async () => {
    const x = tensor([3, 1, 2], { device: name });
    const y = x.sort().values;
    const data = Float32Array.of(5, 6, 7);
    backend().write(y.storage.buffer, 'float32', 0, data);
    data.fill(0);
    expect(await values(y)).toEqual([5, 6, 7]);
  });

  test('hundreds of steps in a row', async () => {
    let x = tensor([5, 4, 3, 2, 1, 0], { device: name });
    for (let i = 0; i < 300; i++) x = x.sort(-1, { descending: i % 2 === 0 }).values.add(1);
    expect(await values(x)).toEqual([300, 301, 302, 303, 304, 305]);
  });

  test('memory is given back in its turn', async () => {
    await backend().synchronize();
    const { live } = backend().memory;
    const results: Promise<number[]>[] = [];
    for (let i = 0; i < 60; i++) {
      const x = tensor([i + 2, i, i + 1], { device: name });
      const sorted = x.sort();
      x.dispose();
      // The same memory, which the step has still to read.
      const other = zeros([3], { device: name });
      const sum = sorted.values.add(other);
      for (const t of [sorted.values, sorted.indices, other]) t.dispose();
      results.push(values(sum));
      sum.dispose();
    }
    (await Promise.all(results)).forEach((found, i) => {
      expect(found).toEqual([i, i + 1, i + 2]);
    });
    await backend().synchronize();
    // A collection may give back what earlier tests left.
    expect(backend().memory.live).toBeLessThanOrEqual(live);
    expect(memoryStats(name).bytes).toBeGreaterThanOrEqual(0);
  });

  test('random programs give what the reference gives', { timeout: 120_000 }, async () => {
    const seed = Number(process.env.SCONCE_SEED ?? 20261128);
    for (let run = 0; run < Number(process.env.SCONCE_RUNS ?? 25); run++) {
      const [expected, found] = [
        await program('reference', seed + run),
        await program(name, seed + run),
      ];
      expect(found, `SCONCE_SEED=${seed + run}`).toEqual(expected);
    }
  });

  describe('linear algebra', () => {
    beforeAll(() => init('webgpu', { fallback: false }));
    const device = 'webgpu';

    test('needs no option, no warning and no waiting', async () => {
      const a = tensor(
        [
          [4, 2],
          [2, 3],
        ],
        { device },
      );
      const factor = linalg.cholesky(a);
      const x = linalg.solve(factor.matmul(factor.mT), tensor([[2], [1]], { device }));
      a.zero_();
      factor.dispose();
      for (const [i, value] of (await values(x)).entries())
        expect(value).toBeCloseTo([0.5, 0][i] as number);
      const [Q, R] = Object.values(
        linalg.qr(
          tensor(
            [
              [3, 1],
              [4, 2],
            ],
            { device },
          ),
        ),
      ) as [Tensor, Tensor];
      for (const [i, value] of (await values(Q.matmul(R))).entries())
        expect(value).toBeCloseTo([3, 1, 4, 2][i] as number);
      expect(console.warn).not.toHaveBeenCalled();
    });

    test('a matrix at fault is told by the next read, as the error it is', async () => {
      const batch = tensor(
        [
          [
            [2, 0],
            [0, 2],
          ],
          [
            [1, 2],
            [2, 1],
          ],
        ],
        { device },
      );
      const before = values(batch);
      const factor = linalg.cholesky(batch);
      expect(await before).toHaveLength(8);
      await expect(values(factor)).rejects.toThrow(LinAlgError);
      expect(() => linalg.inv(zeros([2, 2], { device }))).not.toThrow();
      await expect(Device.from(device).backend.synchronize()).rejects.toThrow(
        /^linalg.inv: .*singular/,
      );
      linalg.cholesky(batch);
      await expect(values(batch)).rejects.toThrow(/^linalg.cholesky: \(Batch element 1\)/);
      const { info } = linalg.choleskyEx(batch);
      expect(await values(info)).toEqual([0, 2]);
    });
  });

  describe('tensors that the device cannot hold', () => {
    const tiny = 'webgpu_tiny';
    beforeAll(async () => {
      registerBackend(tiny, { openAsync: () => openWebGpu(tiny, { tensorBytes: 4000 }) });
      await init(tiny);
    });
    afterAll(() => (Device.from(tiny).backend as WebGpuBackend).destroy());

    test('are refused with the option that helps', async () => {
      await init(tiny, { fallback: false });
      expect(() => zeros([2000], { device: tiny })).toThrow(
        "webgpu: 2000 elements of float32 need 0.0 MB, and this device holds at most 0.0 MB in one tensor; split it, or keep such tensors and what is computed with them on the host with `await init('webgpu_tiny', { fallback: true })`",
      );
      expect(() => zeros([2], { device: tiny, dtype: 'float64' })).toThrow(/webgpu has no float64/);
    });

    test('lie on the host where that is allowed, in any mixture with others', async () => {
      await init(tiny, { fallback: true });
      const large = arange(2000, { device: tiny }).to('float32');
      const small = tensor([1, 2], { device: tiny });
      const rows = large.reshape([1000, 2]).mul(small);
      expect(console.warn).toHaveBeenCalledWith(
        expect.stringMatching(/^sconce: mul: webgpu cannot run this here, since it holds at most/),
      );
      small.add_(1);
      expect(await values(rows.sum(0))).toEqual([999000, 2000000]);
      expect(await values(small)).toEqual([2, 3]);
      rows.narrow(0, 1, 2).fill_(-1);
      large.copy_(rows.reshape([-1]));
      expect(await values(large.narrow(0, 0, 7))).toEqual([0, 2, -1, -1, -1, -1, 6]);
      small.storage.backend.write(large.storage.buffer, 'float32', 0, Float32Array.of(5000));
      expect(await values(large.sort(0, { descending: true }).values.narrow(0, 0, 1))).toEqual([
        5000,
      ]);
      large.dispose();
    });

    test('float64 is computed in float64', async () => {
      await init(tiny, { fallback: true });
      const third = tensor([1, 2], { device: tiny, dtype: 'float64' }).div(3);
      expect(await third.toArray()).toEqual([1 / 3, 2 / 3]);
      const narrow = third.to('float32').mul(3);
      expect(narrow.dtype).toBe('float32');
      expect(await values(narrow)).toEqual([1, 2]);
      expect(console.warn).toHaveBeenCalledWith(
        'sconce: div: webgpu cannot run this here, since it has no float64; it is computed on the host, which is slow',
      );
    });
  });

  describe('errors', () => {
    const failing = (message: string) => () => new RuntimeError(message);

    test('on the host they reject the next read or synchronize, once, and nothing else', async () => {
      const x = tensor([3, 1, 2], { device: name });
      const early = values(x);
      const cpu = Device.from('cpu').backend;
      vi.spyOn(cpu, 'execute').mockImplementationOnce(() => {
        throw new RuntimeError('sort: something is wrong');
      });
      const broken = x.sort().values;
      const doubled = x.mul(2);
      expect(await early).toEqual([3, 1, 2]);
      await expect(values(broken)).rejects.toThrow('sort: something is wrong');
      expect(await values(doubled)).toEqual([6, 2, 4]);
      expect(await values(doubled.sort().values)).toEqual([2, 4, 6]);
      await backend().synchronize();
    });

    test('what is wrong with values is known when they are, whatever was asked for before', async () => {
      const x = tensor([1, 1], { device: name });
      const early = [values(x), values(x.sort().values)];
      const check = vi.fn((found: ArrayLike<number | bigint>) =>
        found[0] === 5 ? new RuntimeError('inspected: five') : undefined,
      );
      checkValues(x, check);
      checkValues(x.sort().values.add(4), check);
      const late = backend().synchronize();
      expect(await Promise.all(early)).toEqual([
        [1, 1],
        [1, 1],
      ]);
      await expect(late).rejects.toThrow('inspected: five');
      expect(check).toHaveBeenCalledTimes(2);
      expect(await values(x)).toEqual([1, 1]);
    });

    test('an index out of range is told by the next read, as its operation puts it', async () => {
      const x = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device: 'webgpu' },
      );
      const index = tensor([0n, 7n], { device: 'webgpu' });
      await Device.from('webgpu').backend.synchronize();
      x.indexSelect(0, index);
      await expect(values(x)).rejects.toThrow(IndexError);
      embedding(tensor([1n, -3n], { device: 'webgpu' }), x);
      await expect(values(x)).rejects.toThrow(/index out of range/);
      expect(await values(x.indexSelect(0, tensor([1n, 0n], { device: 'webgpu' })))).toEqual([
        3, 4, 1, 2,
      ]);
    });

    test('the first of several comes first; strided values are checked in their order', async () => {
      const x = tensor(
        [
          [1, 2],
          [3, 4],
        ],
        { device: name },
      );
      const seen: number[][] = [];
      checkValues(x.t(), (found) => {
        seen.push(Array.from(found, Number));
        return failing('first')();
      });
      checkValues(x, failing('second'));
      await expect(values(x)).rejects.toThrow('first');
      expect(seen).toEqual([[1, 3, 2, 4]]);
      // Both were asked for before that read.
      expect(await values(x)).toEqual([1, 2, 3, 4]);
    });

    test('where values can be read at once they are raised at once', () => {
      const x = tensor([1], { device: 'reference' });
      expect(() => checkValues(x, failing('at once'))).toThrow('at once');
    });

    test('a device that is lost in the middle ends what waits for it', async () => {
      const lost = 'webgpu_small:1';
      registerBackend('webgpu_small', {
        openAsync: (i) => openWebGpu(`webgpu_small:${i}`, { storageBuffers: 2, fallback: true }),
      });
      await init(lost);
      const x = tensor([3, 1, 2], { device: lost });
      const waiting = [values(x.sort().values), values(x.sort().indices), values(x)];
      (Device.from(lost).backend as WebGpuBackend).destroy();
      for (const result of await Promise.allSettled(waiting)) {
        expect(result.status).toBe('rejected');
      }
    });
  });
});

/** Runs a random program of operations, in-place writes, steps on the host, reads and releases; gives all that it read. */
async function program(device: DeviceLike, seed: number): Promise<number[][]> {
  const next = numbers(seed);
  const below = (n: number) => Math.floor(next() * n);
  const reads: Promise<number[]>[] = [];
  manualSeed(seed);
  await tidy(async () => {
    const all = Array.from({ length: 4 }, () => rand([4, 6], { device: 'cpu' }).to(device));
    const any = () => all[below(all.length)] as Tensor;
    /** A tensor or a view of part of one. */
    const part = (): Tensor => {
      const t = any();
      const kind = below(3);
      if (kind === 0) return t;
      return kind === 1 ? t.narrow(1, below(3), 3) : t.narrow(0, below(3), 2);
    };
    const put = (t: Tensor) => {
      all[below(all.length)] = t;
    };
    for (let i = 0; i < 60; i++) {
      switch (below(9)) {
        case 0:
          put(any().add(any()));
          break;
        case 1:
          put(any().mul(0.5).add(any(), { alpha: 2 }));
          break;
        case 2:
          put(any().sort(below(2), { descending: below(2) === 0 }).values);
          break;
        case 3: {
          const t = part();
          t.copy_(t.sort(-1).values);
          break;
        }
        case 4:
          part().add_(1);
          break;
        case 5:
          reads.push(values(part()));
          break;
        case 6:
          part().fill_(below(5));
          break;
        case 7: {
          const scratch = any().sort(0).values;
          put(scratch.sub(any()));
          scratch.dispose();
          break;
        }
        case 8:
          if (below(3) === 0) await Promise.resolve();
          any().copy_(
            tensor(
              Array.from({ length: 6 }, () => below(100)),
              { device: 'cpu' },
            ).to(device),
          );
          break;
      }
    }
    for (const t of all) reads.push(values(t));
    await Promise.all(reads);
  });
  return Promise.all(reads);
}
