import { describe, expect, it } from 'vitest';
import { cross, linalg, type Tensor, tensor, vander } from '../../index.js';

const list = (t: Tensor) => t.toArraySync();
const matrix = tensor([
  [1, -2],
  [3, 4],
]);

describe('linalg', () => {
  it('has norms of matrices and vectors', () => {
    expect(linalg.matrixNorm(matrix).itemSync()).toBeCloseTo(Math.sqrt(30), 5);
    expect(list(linalg.matrixNorm(matrix, 1, [-2, -1], { keepdim: true }))).toEqual([[6]]);
    expect(linalg.matrixNorm(matrix, -1).itemSync()).toBe(4);
    expect(linalg.matrixNorm(matrix, Infinity).itemSync()).toBe(7);
    expect(linalg.matrixNorm(matrix, -Infinity).itemSync()).toBe(3);
    expect(list(linalg.matrixNorm(matrix.unsqueeze(1), 1, [0, 2]))).toEqual([6]);
    expect(linalg.norm(matrix, 1).itemSync()).toBe(6);
    expect(list(linalg.norm(matrix, 1, 1))).toEqual([3, 7]);
    expect(linalg.norm(matrix).itemSync()).toBeCloseTo(Math.sqrt(30), 5);
    expect(() => linalg.matrixNorm(matrix, 2)).toThrow(/singular values/);
    expect(() => linalg.norm(matrix.unsqueeze(0), 1)).toThrow(/1D or 2D/);
  });

  it('multiplies chains and powers', () => {
    const row = tensor([1, 1]);
    expect(list(linalg.multiDot([row, matrix, matrix, row]))).toBe(
      row.matmul(matrix).matmul(matrix).matmul(row).itemSync(),
    );
    const chain = [tensor([[1], [2]]), tensor([[3, 4]]), matrix];
    expect(list(linalg.multiDot(chain))).toEqual([
      [15, 10],
      [30, 20],
    ]);
    expect(list(linalg.matrixPower(matrix, 5))).toEqual(
      list(matrix.matmul(matrix).matmul(matrix).matmul(matrix).matmul(matrix)),
    );
    expect(list(linalg.matrixPower(matrix, 0))).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(() => linalg.matrixPower(matrix, -1)).toThrow(/need inverses/);
    expect(list(linalg.vecdot(matrix, matrix))).toEqual([5, 25]);
  });

  it('has cross products and Vandermonde matrices', () => {
    expect(
      list(
        linalg.cross(
          tensor([[1, 0, 0]]),
          tensor([
            [0, 1, 0],
            [0, 0, 1],
          ]),
        ),
      ),
    ).toEqual([
      [0, 0, 1],
      [0, -1, 0],
    ]);
    expect(list(cross(tensor([[1], [2], [3]]), tensor([[4], [5], [6]])))).toEqual([
      [-3],
      [6],
      [-3],
    ]);
    expect(() => cross(matrix, matrix)).toThrow(/no dimension of size 3/);
    expect(list(linalg.vander(tensor([2, 3]), { n: 3 }))).toEqual([
      [1, 2, 4],
      [1, 3, 9],
    ]);
    expect(list(vander(tensor([2, 3]), { n: 3 }))).toEqual([
      [4, 2, 1],
      [9, 3, 1],
    ]);
    expect(list(linalg.diagonal(matrix, { offset: 1 }))).toEqual([-2]);
  });

  it('has exponentials of small and large matrices', () => {
    const turn = tensor(
      [
        [
          [0, -20],
          [20, 0],
        ],
        [
          [0, 0],
          [0, -200],
        ],
      ],
      { dtype: 'float64' },
    );
    const exact = [
      Math.cos(20),
      -Math.sin(20),
      Math.sin(20),
      Math.cos(20),
      1,
      0,
      0,
      Math.exp(-200),
    ];
    (list(linalg.matrixExp(turn).view([8])) as number[]).forEach((v, i) => {
      expect(v).toBeCloseTo(exact[i] as number, 11);
    });
    expect(() => linalg.matrixExp(tensor([1, 2]))).toThrow(/square matrices/);
  });
});
