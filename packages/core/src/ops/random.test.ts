import { beforeEach, describe, expect, it } from 'vitest';
import {
  empty,
  Generator,
  manualSeed,
  multinomial,
  normal,
  rand,
  randint,
  randn,
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
