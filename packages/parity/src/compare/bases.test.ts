import '@sconce/backend-cpu';
import { linalg, type Tensor, tensor } from '@sconce/core';
import { describe, expect, it } from 'vitest';
import type { TensorData } from '../corpus/value.js';
import { alignBases } from './bases.js';
import { difference, readBack } from './compare.js';

const f64 = { dtype: 'float64' } as const;

/** A tensor as the corpus holds it. */
async function recorded(t: Tensor): Promise<TensorData> {
  const values = Float64Array.from((await t.toTypedArray()) as Float64Array);
  return {
    dtype: 'float64',
    shape: t.shape,
    bytes: new Uint8Array(values.buffer),
  } as unknown as TensorData;
}

/** Why `own` does not count as what was expected. */
async function fault(op: string, own: readonly Tensor[], expected: readonly Tensor[]) {
  const wanted = await Promise.all(expected.map(recorded));
  return difference(await readBack(await alignBases(op, [...own], wanted)), wanted);
}

/** Of rank 2, with a singular value twice, and room for two more vectors on the left. */
const deficient = tensor(
  [
    [2, 0, 0],
    [0, 2, 0],
    [0, 0, 0],
    [0, 0, 0],
  ],
  f64,
);
/** Turns the plane of two dimensions of `n`. */
function turn(n: number, i: number, j: number, angle: number): Tensor {
  const rows = Array.from({ length: n }, (_, r) =>
    Array.from({ length: n }, (__, c) => {
      if (r !== c)
        return r === i && c === j ? -Math.sin(angle) : r === j && c === i ? Math.sin(angle) : 0;
      return r === i || r === j ? Math.cos(angle) : 1;
    }),
  );
  return tensor(rows, f64);
}

describe('bases that are not unique', () => {
  const { U, S, Vh } = linalg.svd(deficient);

  it('may turn where values are equal, both sides together', async () => {
    const [left, right] = [turn(4, 0, 1, 0.7), turn(3, 0, 1, 0.7)];
    expect(await fault('linalg.svd', [U.matmul(left), S, right.t().matmul(Vh)], [U, S, Vh])).toBe(
      undefined,
    );
    expect(await fault('linalg.svd', [U.matmul(left), S, Vh], [U, S, Vh])).toMatch(
      /elements differ/,
    );
  });

  it('may turn among what belongs to no value, each side for itself', async () => {
    const own = [U.matmul(turn(4, 2, 3, 0.4)), S, Vh.mul(tensor([[1], [1], [-1]], f64))];
    expect(await fault('linalg.svd', own, [U, S, Vh])).toBe(undefined);
    expect(await fault('linalg.svd', [U.matmul(turn(4, 1, 2, 0.4)), S, Vh], [U, S, Vh])).toMatch(
      /differ/,
    );
  });

  it('must be orthonormal, and span the same', async () => {
    expect(await fault('linalg.svd', [U.mul(1.01), S, Vh], [U, S, Vh])).toMatch(/differ/);
    const half = U.mul(tensor([1, 1, 1, 0], f64));
    expect(await fault('linalg.svd', [half, S, Vh], [U, S, Vh])).toMatch(/differ/);
  });

  it('have signs, where values differ', async () => {
    const a = tensor(
      [
        [2, 1],
        [1, 3],
      ],
      f64,
    );
    const { eigenvalues, eigenvectors } = linalg.eigh(a);
    const turned = eigenvectors.mul(tensor([1, -1], f64));
    expect(await fault('linalg.eigh', [eigenvalues, turned], [eigenvalues, eigenvectors])).toBe(
      undefined,
    );
    const other = eigenvectors.matmul(turn(2, 0, 1, 0.01));
    expect(await fault('linalg.eigh', [eigenvalues, other], [eigenvalues, eigenvectors])).toMatch(
      /differ/,
    );
    const { Q, R } = linalg.qr(a);
    const signs = tensor([-1, 1], f64);
    expect(await fault('qr', [Q.mul(signs), R.mul(signs.unsqueeze(1))], [Q, R])).toBe(undefined);
    expect(await fault('qr', [Q.mul(signs), R], [Q, R])).toMatch(/differ/);
  });
});
