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
    // The singular values of [[1, -2], [3, 4]] are the square roots of 15 + sqrt(125) and 15 - sqrt(125).
    const values = [1, -1].map((sign) => Math.sqrt(15 + sign * Math.sqrt(125))) as [number, number];
    expect(linalg.matrixNorm(matrix, 2).itemSync()).toBeCloseTo(values[0], 5);
    expect(linalg.matrixNorm(matrix, -2).itemSync()).toBeCloseTo(values[1], 5);
    expect(linalg.matrixNorm(matrix, 'nuc').itemSync()).toBeCloseTo(values[0] + values[1], 5);
    expect(linalg.matrixNorm(matrix.unsqueeze(1), 2, [0, 2], { keepdim: true }).shape).toEqual([
      1, 1, 1,
    ]);
    expect(() => linalg.matrixNorm(matrix, 3)).toThrow(/Order 3 not supported/);
    expect(() => linalg.norm(matrix.unsqueeze(0), 1)).toThrow(/1D or 2D/);
  });

  it('has the nuclear norm among those of older PyTorch', () => {
    const d = tensor([
      [3, 0],
      [0, -4],
    ]);
    expect(d.norm('nuc').itemSync()).toBeCloseTo(7, 5);
    expect(d.norm().itemSync()).toBe(5);
    expect(list(d.unsqueeze(0).norm('nuc', [1, 2], { keepdim: true }))).toEqual([[[7]]]);
    expect(() => d.unsqueeze(0).norm('nuc')).toThrow(/2 dimensions for 'nuc'.*\[1, 2, 2\]/);
    expect(() => d.norm('nuc', 1)).toThrow(/'dim' argument of size 2/);
    expect(() => d.norm('nuc', [0, 1], { dtype: 'float64' })).toThrow(/not supported in nuclear/);
    expect(() => d.norm('foo' as 'nuc')).toThrow(/only valid string values/);
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
    expect(
      list(
        linalg.matrixPower(
          tensor([
            [0, 2],
            [1, 0],
          ]),
          -3,
        ),
      ),
    ).toEqual([
      [0, 0.5],
      [0.25, 0],
    ]);
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
    expect(() => linalg.matrixExp(tensor([1, 2]))).toThrow(/at least 2 dimensions/);
    // Polynomials of every degree: of a rotation by that angle.
    for (const angle of [1e-17, 1e-9, 1e-4, 0.03, 0.2, 1, 2.5, 40]) {
      const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
      const found = tensor(
        [
          [0, -angle],
          [angle, 0],
        ],
        { dtype: 'float64' },
      ).matrixExp();
      const wanted = [cosine, -sine, sine, cosine];
      (list(found.view([4])) as number[]).forEach((v, i) => {
        expect(v).toBeCloseTo(wanted[i] as number, 13);
      });
    }
  });
});
