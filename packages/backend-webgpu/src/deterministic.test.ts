import {
  init,
  manualSeed,
  randint,
  randn,
  type Tensor,
  tensor,
  useDeterministicAlgorithms,
  zeros,
} from '@sconce/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { host } from '../../../scripts/testing/host.js';
import './index.js';

const device = 'webgpu';
const values = async (t: Tensor) => Array.from(await t.toTypedArray(), Number);

describe.skipIf(!host.webgpu)('useDeterministicAlgorithms', () => {
  beforeAll(async () => {
    await init(device);
    useDeterministicAlgorithms(true);
  });
  afterAll(() => useDeterministicAlgorithms(false));

  /** An update on the cpu, which goes in order, and on the device. */
  async function both(
    run: (place: (t: Tensor) => Tensor) => Tensor,
  ): Promise<[number[], number[]]> {
    return [await values(run((t) => t)), await values(run((t) => t.to(device)))];
  }

  test.each([1, 7, 1000, 5000])(
    'sums of %d rows are those of a loop, to the bit',
    async (count) => {
      manualSeed(count);
      const [target, index, source] = [randn([6, 3]), randint(0, 6, [count]), randn([count, 3])];
      const [expected, found] = await both((on) =>
        on(target).clone().indexAdd(0, on(index), on(source)),
      );
      expect(found).toEqual(expected);
    },
  );

  test('also in half precision, and products', async () => {
    manualSeed(1);
    const index = randint(0, 2, [40]);
    const source = randn([40]).to('float16');
    const [expected, found] = await both((on) =>
      on(zeros([2], { dtype: 'float16' }))
        .scatterAdd(0, on(index), on(source))
        .to('float32'),
    );
    expect(found).toEqual(expected);
    const [wanted, product] = await both((on) =>
      on(tensor([1, 2])).scatterReduce(
        0,
        on(index),
        on(source.to('float32').abs().add(0.5)),
        'prod',
      ),
    );
    expect(product).toEqual(wanted);
  });

  test('of what is set at one place the last stays', async () => {
    const index = tensor([0n, 1n, 0n, 1n, 0n]);
    const [expected, found] = await both((on) =>
      on(zeros([3])).scatter(0, on(index), on(tensor([1, 2, 3, 4, 5]))),
    );
    expect(found).toEqual([5, 4, 0]);
    expect(found).toEqual(expected);
  });

  test('into a strided view', async () => {
    manualSeed(2);
    const [index, source] = [randint(0, 3, [50]), randn([50, 2])];
    const [expected, found] = await both((on) => {
      const base = on(zeros([2, 4]));
      base.t().narrow(0, 1, 3).indexAdd_(0, on(index), on(source));
      return base;
    });
    expect(found).toEqual(expected);
  });
});
