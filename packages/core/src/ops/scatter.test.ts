import { describe, expect, it } from 'vitest';
import { arange, ones, type Tensor, tensor, zeros } from '../index.js';

const ints = (values: number[] | number[][]): Tensor => tensor(values, { dtype: 'int64' });

describe('gather', () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);

  it('picks along a dimension', () => {
    expect(
      x
        .gather(
          1,
          ints([
            [2, 0],
            [1, 1],
          ]),
        )
        .toArraySync(),
    ).toEqual([
      [3, 1],
      [5, 5],
    ]);
    expect(
      x
        .t()
        .gather(0, ints([[2, 0]]))
        .toArraySync(),
    ).toEqual([[3, 4]]);
    expect(x.gather(0, ints([[1, 0, 1]])).toArraySync()).toEqual([[4, 2, 6]]);
    expect(
      tensor(3)
        .gather(0, ints([0, 0]))
        .toArraySync(),
    ).toEqual([3, 3]);
  });

  it('refuses what PyTorch refuses', () => {
    expect(() => x.gather(1, ints([[3]]))).toThrow(
      'index 3 is out of bounds for dimension 1 with size 3',
    );
    expect(() => x.gather(1, ints([[-1]]))).toThrow('index -1 is out of bounds');
    expect(() => x.gather(1, tensor([[0]]))).toThrow('Expected dtype int64 for index');
    expect(() => x.gather(1, ints([0]))).toThrow('same number of dimensions');
    expect(() => x.gather(1, ints([[0], [0], [0]]))).toThrow('to be smaller than self [2, 3]');
  });

  it('selects whole positions', () => {
    expect(x.indexSelect(1, ints([2, 2, 0])).toArraySync()).toEqual([
      [3, 3, 1],
      [6, 6, 4],
    ]);
    expect(x.indexSelect(0, tensor([1], { dtype: 'int32' })).toArraySync()).toEqual([[4, 5, 6]]);
    expect(() => x.indexSelect(0, ints([2]))).toThrow('index out of range in self');
    expect(() => x.indexSelect(0, ints([[0]]))).toThrow('Index is supposed to be a vector');
  });

  it('takes from the flattened tensor, and along a dimension with broadcasting', () => {
    expect(
      x
        .t()
        .take(
          ints([
            [0, 1],
            [-1, -2],
          ]),
        )
        .toArraySync(),
    ).toEqual([
      [1, 4],
      [6, 3],
    ]);
    expect(() => x.take(ints([6]))).toThrow('tried to access index 6 on a tensor of 6 elements');
    expect(x.takeAlongDim(ints([[1]]), 1).toArraySync()).toEqual([[2], [5]]);
    expect(x.takeAlongDim(ints([5, 0])).toArraySync()).toEqual([6, 1]);
  });
});

describe('scatter', () => {
  it('writes a tensor or a number', () => {
    const x = zeros([2, 3]);
    expect(x.scatter(1, ints([[2], [0]]), 7).toArraySync()).toEqual([
      [0, 0, 7],
      [7, 0, 0],
    ]);
    expect(x.scatter(0, ints([[1, 0]]), tensor([[5, 6, 9]])).toArraySync()).toEqual([
      [0, 6, 0],
      [5, 0, 0],
    ]);
    expect(x.toArraySync()).toEqual([
      [0, 0, 0],
      [0, 0, 0],
    ]);
    const self = x.scatter_(1, ints([[1], [1]]), 2);
    expect(self).toBe(x);
    expect(x.toArraySync()).toEqual([
      [0, 2, 0],
      [0, 2, 0],
    ]);
    expect(
      x
        .scatter(1, ints([[1, 1]]), 3, { reduce: 'multiply' })
        .at(0)
        .toArraySync(),
    ).toEqual([0, 18, 0]);
  });

  it('adds where places meet, into views too', () => {
    const x = zeros([3, 2]);
    x.select(1, 1).scatterAdd_(0, ints([0, 2, 0]), tensor([1, 2, 4]));
    expect(x.toArraySync()).toEqual([
      [0, 5],
      [0, 0],
      [0, 2],
    ]);
    expect(
      ones([2])
        .scatterAdd(0, ints([1]), ones([1]))
        .toArraySync(),
    ).toEqual([1, 2]);
    expect(
      tensor([false, true])
        .scatterAdd(0, ints([0]), tensor([true]))
        .toArraySync(),
    ).toEqual([true, true]);
  });

  it('reads a source that shares memory before it writes', () => {
    const x = tensor([1, 2, 3]);
    x.scatter_(0, ints([1, 2, 0]), x);
    expect(x.toArraySync()).toEqual([3, 1, 2]);
  });

  it('reduces with and without what is there', () => {
    const x = tensor([10, 20, 30]);
    const index = ints([0, 0, 2]);
    const src = tensor([1, 3, 40]);
    const reduce = (name: 'sum' | 'prod' | 'mean' | 'amax' | 'amin', includeSelf: boolean) =>
      x.scatterReduce(0, index, src, name, { includeSelf }).toArraySync();
    expect(reduce('sum', true)).toEqual([14, 20, 70]);
    expect(reduce('sum', false)).toEqual([4, 20, 40]);
    expect(reduce('prod', false)).toEqual([3, 20, 40]);
    expect(reduce('mean', false)).toEqual([2, 20, 40]);
    expect(reduce('mean', true)[2 as never]).toEqual(35);
    expect(reduce('amax', true)).toEqual([10, 20, 40]);
    expect(reduce('amin', false)).toEqual([1, 20, 40]);
    const bytes = tensor([-5, 3], { dtype: 'int8' });
    expect(
      bytes
        .scatterReduce(0, ints([0]), tensor([-100], { dtype: 'int8' }), 'amax', {
          includeSelf: false,
        })
        .toArraySync(),
    ).toEqual([-100, 3]);
  });

  it('names the shapes that do not fit', () => {
    expect(() => zeros([2, 3]).scatter(1, ints([[0, 1]]), zeros([1, 1]))).toThrow(
      'Expected index [1, 2] to be smaller than self [2, 3] apart from dimension 1 and to be smaller size than src [1, 1]',
    );
    expect(() => zeros([2]).scatter(0, ints([2]), 1)).toThrow(
      'index 2 is out of bounds for dimension 0 with size 2',
    );
  });
});

describe('index updates', () => {
  const x = (): Tensor => arange(6, { dtype: 'float32' }).reshape(3, 2);

  it('adds, copies, fills and reduces', () => {
    const source = tensor([
      [10, 20],
      [30, 40],
    ]);
    expect(
      x()
        .indexAdd(0, ints([2, 2]), source, { alpha: 2 })
        .toArraySync(),
    ).toEqual([
      [0, 1],
      [2, 3],
      [84, 125],
    ]);
    expect(
      x()
        .indexCopy(0, ints([2, 0]), source)
        .toArraySync(),
    ).toEqual([
      [30, 40],
      [2, 3],
      [10, 20],
    ]);
    expect(
      x()
        .indexFill(0, ints([-1]), 9)
        .toArraySync(),
    ).toEqual([
      [0, 1],
      [2, 3],
      [9, 9],
    ]);
    expect(
      x()
        .indexReduce(0, ints([1, 1]), source, 'mean')
        .at(1)
        .toArraySync(),
    ).toEqual([14, 21]);
    const y = x();
    y.t().indexAdd_(1, ints([0]), tensor([[1], [1]]));
    expect(y.toArraySync()).toEqual([
      [1, 2],
      [2, 3],
      [4, 5],
    ]);
    expect(() => x().indexAdd(0, ints([0]), source)).toThrow(
      'Number of indices (1) should be equal to source.size(dim) (2)',
    );
  });

  it('scatters by masks and flat positions', () => {
    const mask = tensor([
      [true, false],
      [false, true],
      [true, false],
    ]);
    expect(
      x()
        .maskedScatter(mask, tensor([7, 8, 9, 10]))
        .toArraySync(),
    ).toEqual([
      [7, 1],
      [2, 8],
      [9, 5],
    ]);
    expect(() => x().maskedScatter(mask, tensor([7]))).toThrow('at least as many elements');
    const y = x();
    y.t().put_(ints([0, -1, 1]), tensor([5, 6, 7]));
    expect(y.toArraySync()).toEqual([
      [5, 1],
      [7, 3],
      [4, 6],
    ]);
    expect(
      zeros([2])
        .put(ints([1, 1]), tensor([1, 2]), { accumulate: true })
        .toArraySync(),
    ).toEqual([0, 3]);
  });

  it('replaces what a view would show', () => {
    expect(
      x()
        .selectScatter(tensor([8, 9]), 0, 1)
        .at(1)
        .toArraySync(),
    ).toEqual([8, 9]);
    expect(
      x()
        .sliceScatter(zeros([2, 2]), 0, 0, null, 2)
        .toArraySync(),
    ).toEqual([
      [0, 0],
      [2, 3],
      [0, 0],
    ]);
    expect(
      x()
        .diagonalScatter(tensor([8, 9]))
        .toArraySync(),
    ).toEqual([
      [8, 1],
      [2, 9],
      [4, 5],
    ]);
    expect(
      x()
        .asStridedScatter(tensor([8, 9]), [2], [3], 1)
        .toArraySync(),
    ).toEqual([
      [0, 8],
      [2, 3],
      [9, 5],
    ]);
  });
});
