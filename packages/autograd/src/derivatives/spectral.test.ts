import { linalg, type Tensor, tensor } from '@sconce/core';
import { describe, expect, it, test } from 'vitest';
import { grad } from '../backward.js';
import '../index.js';

const matrix = (rows: number[][]): Tensor => tensor(rows, { dtype: 'float64' }).requiresGrad_();
const flat = (t: Tensor): number[] => [t.toArraySync()].flat(9) as number[];
const expectClose = (actual: Tensor, expected: Tensor | number[], digits = 9): void => {
  const wanted = Array.isArray(expected) ? expected : flat(expected);
  flat(actual).forEach((x, i) => {
    expect(x).toBeCloseTo(wanted[i] as number, digits);
  });
};

/** The determinant as the sum of its six products. */
function expanded(a: Tensor): Tensor {
  const at = (i: number, j: number) => a.select(0, i).select(0, j);
  const minor = (i: number, j: number) =>
    at(1, i)
      .mul(at(2, j))
      .sub(at(1, j).mul(at(2, i)));
  return at(0, 0)
    .mul(minor(1, 2))
    .sub(at(0, 1).mul(minor(0, 2)))
    .add(at(0, 2).mul(minor(0, 1)));
}

describe('the determinant of singular matrices', () => {
  const singular = {
    'of rank 2': [
      [1, 2, 3],
      [2, 4, 6],
      [1, 0, 1],
    ],
    'of rank 2, with a zero first column': [
      [0, 2, 3],
      [0, 4, 1],
      [0, 1, 1],
    ],
    'of rank 1': [
      [1, 2, 3],
      [2, 4, 6],
      [-1, -2, -3],
    ],
  };
  it.each(Object.entries(singular))('has the gradient of its polynomial: %s', (_, rows) => {
    const [a, b] = [matrix(rows), matrix(rows)];
    const [own] = grad(linalg.det(a), [a]);
    const [wanted] = grad(expanded(b), [b]);
    expectClose(own as Tensor, wanted as Tensor);
  });

  it.each(Object.entries(singular).slice(0, 2))('and the second derivatives: %s', (_, rows) => {
    const weights = tensor(
      [
        [1, 2, -1],
        [0.5, 3, 1],
        [2, -2, 0.25],
      ],
      { dtype: 'float64' },
    );
    const second = (det: (a: Tensor) => Tensor): Tensor => {
      const a = matrix(rows);
      const [g] = grad(det(a), [a], { createGraph: true }) as [Tensor];
      return grad(g.mul(weights).sum(), [a])[0] as Tensor;
    };
    expectClose(second(linalg.det), second(expanded));
  });
});

test('eigenvalues and singular values that are equal have gradients', () => {
  const a = matrix([
    [2, 0],
    [0, 2],
  ]);
  expectClose(grad(linalg.eigvalsh(a).sum(), [a])[0] as Tensor, [1, 0, 0, 1]);
  expectClose(grad(linalg.svdvals(a).sum(), [a])[0] as Tensor, [1, 0, 0, 1]);
});

test('permutations and factors kept for backward require no gradient', () => {
  const a = matrix([
    [1, 2],
    [3, 5],
  ]);
  const { P, L, U } = linalg.lu(a);
  expect([P, L, U].map((t) => t.requiresGrad)).toEqual([false, true, true]);
});

test('QR says where it has no derivative', () => {
  const tall = matrix([[1], [2]]);
  expect(() => linalg.qr(tall, 'complete').R.sum().backward()).toThrow(
    "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
  );
  expect(() => linalg.qr(tall, 'r').R.sum().backward()).toThrow(
    "The derivative of linalg.qr depends on Q, which is not computed when mode='r'.",
  );
});
