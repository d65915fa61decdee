import { beforeEach, describe, expect, it } from 'vitest';
import {
  binomial,
  empty,
  Generator,
  manualSeed,
  multinomial,
  normal,
  rand,
  randint,
  randLike,
  randn,
  randnLike,
  randperm,
  tensor,
  zeros,
} from '../index.js';

beforeEach(() => {
  manualSeed(0);
});

describe('random tensors give PyTorch numbers on the host', () => {
  it('uniform, normal, integers, permutations', () => {
    expect(String(rand([2]))).toBe('tensor([0.4963, 0.7682])');
    manualSeed(0);
    expect(String(randn([3]))).toBe('tensor([ 1.5410, -0.2934, -2.1788])');
    manualSeed(0);
    expect(randint(0, 10, [4]).toArraySync()).toEqual([4, 9, 3, 0]);
    manualSeed(0);
    expect(randperm(5).toArraySync()).toEqual([4, 0, 1, 3, 2]);
  });

  it('takes a generator of its own', () => {
    const a = rand([3], { generator: new Generator().manualSeed(7) });
    const b = rand([3], { generator: new Generator().manualSeed(7) });
    expect(a.toArraySync()).toEqual(b.toArraySync());
  });

  it('fills in memory order, and strided tensors element by element', () => {
    const x = empty([2, 3]);
    x.t().uniform_();
    manualSeed(0);
    expect(x.toArraySync()).toEqual(rand([2, 3]).toArraySync());
    const y = zeros([4, 2]);
    manualSeed(0);
    y.select(1, 1).uniform_();
    manualSeed(0);
    expect(y.select(1, 1).toArraySync()).toEqual(rand([4]).toArraySync());
    expect(y.select(1, 0).toArraySync()).toEqual([0, 0, 0, 0]);
  });

  it('refuses what it cannot do', () => {
    expect(() => zeros([2], { dtype: 'int64' }).uniform_()).toThrow(/not implemented for 'int64'/);
    expect(() => zeros([2]).bernoulli_(1.5)).toThrow(
      'bernoulli_: expects p to be in [0, 1], but got p=1.5',
    );
    expect(() => randint(3, 3, [1])).toThrow(/from=3 >= to=3/);
  });

  it('draws categories and per-element parameters', () => {
    expect(multinomial(tensor([0, 3]), 3, true).toArraySync()).toEqual([1, 1, 1]);
    expect(normal(tensor([5, -5]), tensor([0, 0])).toArraySync()).toEqual([5, -5]);
    expect(tensor([0, 1]).bernoulli().toArraySync()).toEqual([0, 1]);
  });
});

describe("PyTorch's numbers for strided tensors, big ranges and counts", () => {
  const values = (t: ReturnType<typeof zeros>) => t.toArraySync();

  it('walks through memory in the order of strides', () => {
    expect(values(empty([2, 3]).t().slice(0, 1).uniform_())).toEqual([
      [0.49625658988952637, 0.08847743272781372],
      [0.7682217955589294, 0.13203048706054688],
    ]);
    manualSeed(0);
    expect(values(randLike(zeros([2, 3]).t()))).toEqual([
      [0.49625658988952637, 0.13203048706054688],
      [0.7682217955589294, 0.30742281675338745],
      [0.08847743272781372, 0.6340786814689636],
    ]);
    manualSeed(0);
    // 24 normals that are not contiguous are drawn one by one.
    expect((values(randnLike(zeros([8, 3]).t())) as number[][])[0]?.slice(0, 2)).toEqual([
      1.5409960746765137, 0.5684312582015991,
    ]);
  });

  it('takes bounds beyond 2^53', async () => {
    const drawn = empty([2], { dtype: 'int64' }).random_(0, 2n ** 60n);
    expect([...(await drawn.toBigInt64Array())]).toEqual([
      900450186894289455n,
      510778632820608192n,
    ]);
  });

  it('draws binomial counts, broadcast', () => {
    expect(values(binomial(tensor([5, 40, 300]), tensor([0.5])))).toEqual([4, 23, 146]);
    expect(() => binomial(tensor([1]), zeros([1], { dtype: 'float64' }))).toThrow(/same dtype/);
  });
});
