import { describe, expect, it, test } from 'vitest';
import * as ops from '../index.js';
import {
  arange,
  cov,
  linspace,
  logspace,
  type maxUnpool3d,
  ones,
  type Tensor,
  tensor,
} from '../index.js';

type Pool = (self: Tensor, size: unknown, options?: object) => unknown;
const pools = ['maxPool', 'avgPool', 'adaptiveMaxPool', 'adaptiveAvgPool', 'maxUnpool'] as const;
const pool = (name: (typeof pools)[number], dims: number): Pool =>
  Reflect.get(ops, `${name}${dims}d`) as Pool;
const image = (dims: number): Tensor => ones([1, 1, ...new Array<number>(dims).fill(6)]);

describe.each([1, 2, 3])('pools over %d dimensions', (dims) => {
  it.each(['maxPool', 'avgPool'] as const)('%s refuses sizes that are none', (name) => {
    const run = (size: unknown, options?: object) => () =>
      pool(name, dims)(image(dims), size, options);
    expect(run(0)).toThrow('kernel_size should be greater than zero');
    expect(run(2, { stride: 0 })).toThrow('stride should be greater than zero');
    expect(run(2, { padding: -1 })).toThrow('pad must be non-negative');
    expect(run(2, { padding: 2 })).toThrow('at most half of kernel size');
    const small =
      name === 'avgPool' && dims === 3 ? 'smaller than kernel size' : 'Invalid computed';
    for (const size of [7, 2 ** 31, 2 ** 53 - 1]) expect(run(size)).toThrow(small);
    for (const size of [true, 1.5, '2', null, undefined, Number.NaN, Infinity]) {
      expect(run(size)).toThrow(TypeError);
      expect(run(size)).toThrow(/argument 'kernel(_s|S)ize'/);
    }
    for (const size of [true, 1.5, '2', Infinity]) {
      expect(run(2, { stride: size })).toThrow(/(argument|option) 'stride'/);
      expect(run(4, { padding: size })).toThrow(/(argument|option) 'padding'/);
    }
    expect(run(2, { stride: 2 ** 31 })).toThrow('does not fit');
  });

  it.each(['adaptiveMaxPool', 'adaptiveAvgPool'] as const)(
    '%s refuses sizes that are none',
    (name) => {
      const run = (size: unknown) => () => pool(name, dims)(image(dims), size);
      for (const size of [true, 2.5, 'a', {}, null, undefined]) {
        expect(run(size)).toThrow(TypeError);
        expect(run(size)).toThrow(/argument 'output(_s|S)ize' \(position 2\) must be/);
      }
      expect(run(-1)).toThrow('greater than or equal to 0');
      expect(run([2, 2, 2, 2])).toThrow(`output_size must be ${dims}, got 4 numbers`);
    },
  );

  it('maxUnpool refuses strides that are none', () => {
    const maxPool = Reflect.get(ops, `maxPool${dims}d`) as typeof ops.maxPool2d;
    const { values, indices } = maxPool(image(dims), 2, { returnIndices: true });
    const unpool = Reflect.get(ops, `maxUnpool${dims}d`) as typeof maxUnpool3d;
    const zeros = new Array<number>(dims).fill(0).join(', ');
    expect(() => unpool(values, indices, 2, { stride: 0 })).toThrow(
      `strides should be greater than zero, but got stride: [${zeros}]`,
    );
    expect(() => unpool(values, indices, -2)).toThrow('non-negative spatial dimensions');
    expect(() => unpool(values, indices, 2, { padding: 5 })).toThrow('non-negative spatial');
    expect(() => unpool(values, indices, true as never)).toThrow(/argument 'kernel(_s|S)ize'/);
    expect(unpool(values, indices, 2).shape).toEqual(image(dims).shape);
  });
});

describe('whole numbers', () => {
  const x = () => arange(6, { dtype: 'float32' }).reshape([2, 3]);
  const wrong = (value: unknown) => value as number;
  it.each([true, 0.5, '1', null, undefined])('%s is none', (value) => {
    const bad = wrong(value);
    expect(() => x().narrow(0, bad, 1)).toThrow("narrow: argument 'start'");
    expect(() => x().narrow(0, 0, bad)).toThrow("narrow: argument 'length'");
    expect(() => x().topk(bad)).toThrow(TypeError);
    expect(() => x().kthvalue(bad)).toThrow(TypeError);
    expect(() => x().chunk(bad)).toThrow(TypeError);
    expect(() => x().unfold(0, bad, 1)).toThrow(TypeError);
    expect(() => x().expand([bad, 2, 3])).toThrow(TypeError);
    expect(() => ops.randperm(bad)).toThrow(TypeError);
    expect(() => ops.pad(x(), [bad, 0])).toThrow(TypeError);
    if (value !== undefined) {
      expect(() => x().tril(bad)).toThrow(TypeError);
      expect(() => x().roll(bad)).toThrow(TypeError);
      expect(() => ops.oneHot(tensor([1n]), bad)).toThrow(TypeError);
      expect(() => ops.rot90(x(), bad)).toThrow(TypeError);
    }
    if (value != null) {
      expect(() => x().slice(0, bad)).toThrow(TypeError);
      expect(() => x().diagonal({ offset: bad })).toThrow(TypeError);
      expect(() => x().repeatInterleave(bad)).toThrow(TypeError);
    }
  });

  it('may be a tensor without dimensions where a part starts', () => {
    expect(x().narrow(0, tensor(1n), 1).toArraySync()).toEqual([[3, 4, 5]]);
    expect(x().narrow(0, tensor(-1n), 1).toArraySync()).toEqual([[3, 4, 5]]);
    for (const start of [tensor([1n]), tensor(true), tensor(1)]) {
      expect(() => x().narrow(0, start, 1)).toThrow('start must be an integer Tensor');
    }
  });

  it('that are huge are refused, not tried', () => {
    expect(() => ops.triuIndices(1e9, 1e9)).toThrow('more positions than can be listed');
    expect(() => arange(1e15)).toThrow('more than an array can hold');
    expect(() => linspace(0, 1, 1e15)).toThrow('more than an array can hold');
  });
});

test('cov refuses weights that are negative or add up to nothing', () => {
  const x = ones([2, 3]);
  expect(() => cov(x, { aweights: tensor([1, -1, 1]) })).toThrow('aweights cannot be negative');
  expect(() => cov(x, { fweights: tensor([1n, -1n, 1n]) })).toThrow('fweights cannot be negative');
  expect(() => cov(x, { aweights: tensor([0, 0, 0]) })).toThrow('weights sum to zero');
});

test('linspace and logspace take tensors without dimensions', () => {
  expect(linspace(tensor(1), tensor(2), 3).toArraySync()).toEqual([1, 1.5, 2]);
  expect(linspace(tensor(1n), 2, 3).toArraySync()).toEqual([1, 1.5, 2]);
  expect(linspace(tensor(1.7), 3.9, 3, { dtype: 'int64' }).toArraySync()).toEqual([1, 2, 3]);
  expect(logspace(1, tensor(3), 3).toArraySync()).toEqual([10, 100, 1000]);
  expect(() => linspace(tensor([1]), 2, 3)).toThrow('0-dimensional start and end tensors');
  expect(() => logspace(1, tensor([[3]]), 3)).toThrow('got end with 2 dimension(s)');
  expect(() => linspace('1' as never, 2, 3)).toThrow(TypeError);
});

describe('a mask over several dimensions in front of other parts', () => {
  const x = () => arange(120, { dtype: 'float32' }).reshape([2, 3, 4, 5]);
  const mask = tensor([
    [true, false, true],
    [false, true, true],
  ]);
  it.each([
    [[mask, 1, 2], [4], 248],
    [[mask, 1], [4, 5], 1240],
    [[mask, [null, null], 1], [4, 4], 1016],
    [[mask, [1, 3]], [4, 2, 5], 2580],
    [[mask, [1, 3], 2], [4, 2], 516],
    [[mask, null, 1], [4, 1, 5], 1240],
    [[mask, '...', 1], [4, 4], 1016],
    [[mask, -1, -1], [4], 296],
    [[null, mask, 1], [1, 4, 5], 1240],
    [[mask, tensor([0n, 1n, 1n, 0n]), 2], [4], 238],
    [[mask, 2, tensor([0n, 1n, 1n, 0n])], [4], 262],
    [[mask, true], [4, 4, 5], 5160],
    [[mask, '...'], [4, 4, 5], 5160],
    [[mask.to('uint8'), 1, 2], [4], 248],
  ] as const)('%#', (index, shape, sum) => {
    const part = x().at(...(index as readonly ops.IndexItem[]));
    expect(part.shape).toEqual(shape);
    expect(part.sum().itemSync()).toBe(sum);
  });

  it('is written where it is read', () => {
    const y = x();
    y.setAt([mask, 1, 2], tensor([-1, -2, -3, -4]));
    expect(y.at(mask, 1, 2).toArraySync()).toEqual([-1, -2, -3, -4]);
    expect(y.lt(0).nonzero().toArraySync()).toEqual([
      [0, 0, 1, 2],
      [0, 2, 1, 2],
      [1, 1, 1, 2],
      [1, 2, 1, 2],
    ]);
    y.setAt([mask, [null, null], 1], -5);
    expect(y.eq(-5).sum().itemSync()).toBe(16);
    expect(() => x().at(mask, 4)).toThrow('out of bounds');
    expect(() => x().at(mask, 1, 2, 3)).toThrow('too many indices');
  });
});
