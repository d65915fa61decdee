import { describe, expect, it } from 'vitest';
import { symmetric as a, f64, near, tall } from '../../../test/matrices.js';
import {
  eye,
  inverse,
  LinAlgError,
  linalg,
  logdet,
  ones,
  pinverse,
  type Tensor,
  tensor,
  triangularSolve,
  zeros,
} from '../../index.js';

const list = (t: Tensor) => t.toArraySync();
const b = tensor(
  [
    [1, 0],
    [2, 1],
    [3, 5],
  ],
  f64,
);

describe('equations', () => {
  it('solve takes vectors, matrices and batches', () => {
    near(a.matmul(linalg.solve(a, b)), b);
    near(linalg.solve(a, b.select(1, 0)), linalg.solve(a, b).select(1, 0));
    near(linalg.solve(a, b.t(), { left: false }).matmul(a), b.t());
    const stack = tensor(
      [
        [
          [2, 0],
          [0, 4],
        ],
        [
          [1, 1],
          [0, 1],
        ],
      ],
      f64,
    );
    // One vector a matrix, or one matrix for all.
    near(
      linalg.solve(
        stack,
        tensor(
          [
            [2, 4],
            [3, 1],
          ],
          f64,
        ),
      ),
      [
        [1, 1],
        [2, 1],
      ],
    );
    near(linalg.solve(stack, ones([3, 1, 2, 1], f64)).select(0, 2), [
      [[0.5], [0.25]],
      [[0], [1]],
    ]);
    near(
      linalg.solve(a.t().expand([2, 3, 3]), b.select(1, 0).expand([2, 3])).select(0, 1),
      linalg.solve(a, b.select(1, 0)),
    );
    expect(linalg.solve(zeros([2, 0, 0]), zeros([2, 0, 3])).shape).toEqual([2, 0, 3]);
    expect(list(linalg.solveEx(zeros([2, 2]), ones([2])).info)).toBe(1);
  });

  it('solve names what does not fit', () => {
    expect(() => linalg.solve(zeros([3, 3]), ones([3]))).toThrow(
      'linalg.solve: The solver failed because the input matrix is singular.',
    );
    expect(() => linalg.solve(zeros([3, 3]), ones([3]))).toThrow(LinAlgError);
    expect(() => linalg.solve(a, ones([2], f64))).toThrow(
      'Incompatible shapes of A and B for the equation AX = B (3x3 and 2x1)',
    );
    expect(() => linalg.solve(a, ones([3]))).toThrow(/float64 and B of type float32/);
    expect(() => linalg.solve(a, b.t().unsqueeze(0).expand([2, 2, 3]))).toThrow(/3x3 and 2x3/);
    expect(() => linalg.solveEx(zeros([2, 2]), ones([2]), { checkErrors: true })).toThrow(
      LinAlgError,
    );
  });

  it('inverts', () => {
    near(a.matmul(linalg.inv(a)), eye(3, f64));
    near(inverse(a), a.inverse());
    expect(linalg.inv(zeros([2, 0, 0])).shape).toEqual([2, 0, 0]);
    expect(() =>
      linalg.inv(
        tensor([
          [
            [1, 0],
            [0, 1],
          ],
          [
            [1, 1],
            [1, 1],
          ],
        ]),
      ),
    ).toThrow(
      'linalg.inv: (Batch element 1): The diagonal element 2 is zero, the inversion could not be completed because the input matrix is singular.',
    );
    expect(list(linalg.invEx(zeros([1, 1])).info)).toBe(1);
    near(linalg.matrixPower(a, -2).matmul(a).matmul(a), eye(3, f64));
  });

  it('solves with triangles', () => {
    const x = linalg.solveTriangular(a, b, { upper: true });
    near(a.triu().matmul(x), b);
    near(linalg.solveTriangular(a, b.t(), { upper: false, left: false }).matmul(a.tril()), b.t());
    const unit = linalg.solveTriangular(a, b, { upper: true, unitriangular: true });
    near(a.triu(1).add(eye(3, f64)).matmul(unit), b);
    const { solution, clonedCoefficient } = triangularSolve(b, a, { transpose: true });
    near(a.triu().t().matmul(solution), b);
    near(clonedCoefficient, a);
    expect(list(linalg.solveTriangular(zeros([1, 1]), ones([1, 1]), { upper: true }))).toEqual([
      [Infinity],
    ]);
  });

  it('determinants', () => {
    near(linalg.det(a), tensor(67, f64));
    expect(
      linalg
        .det(
          tensor([
            [0, 1],
            [1, 0],
          ]),
        )
        .itemSync(),
    ).toBe(-1);
    expect(linalg.det(zeros([0, 0])).itemSync()).toBe(1);
    const { sign, logabsdet } = linalg.slogdet(
      tensor([
        [
          [0, 2],
          [1, 0],
        ],
        [
          [1, 1],
          [1, 1],
        ],
      ]),
    );
    expect(list(sign)).toEqual([-1, 0]);
    expect(list(logabsdet)).toEqual([Math.fround(Math.log(2)), -Infinity]);
    expect(logdet(a).itemSync()).toBeCloseTo(Math.log(67), 12);
    expect(
      logdet(
        tensor([
          [0, 1],
          [1, 0],
        ]),
      ).itemSync(),
    ).toBeNaN();
  });

  it('least squares by every driver', () => {
    const right = tensor([1, 2, 4], f64);
    // By the normal equations: [[35, 44], [44, 56]] x = (27, 34).
    const wanted = [(27 * 56 - 44 * 34) / 24, (35 * 34 - 44 * 27) / 24];
    for (const driver of ['gelsy', 'gels', 'gelsd', 'gelss'] as const) {
      const found = linalg.lstsq(tall, right, { driver });
      near(found.solution, wanted);
      if (driver === 'gelsy') expect(found.residuals.shape).toEqual([0]);
      else near(found.residuals, [1 / 6]);
      if (driver === 'gels') expect(found.rank.shape).toEqual([0]);
      else expect(found.rank.itemSync()).toBe(2);
      expect(found.singularValues.shape).toEqual(['gelsd', 'gelss'].includes(driver) ? [2] : [0]);
      // The shortest of many solutions.
      const wide = linalg.lstsq(tall.t(), tensor([[1], [0]], f64), { driver });
      near(wide.solution, linalg.pinv(tall.t()).narrow(1, 0, 1));
    }
    expect(linalg.lstsq(zeros([3, 2]), ones([3, 1]), { driver: 'gelsd' }).rank.itemSync()).toBe(0);
    expect(linalg.lstsq(zeros([4, 0]), ones([4, 2])).solution.shape).toEqual([0, 2]);
    expect(() => linalg.lstsq(zeros([3, 2]), ones([3, 1]), { driver: 'gels' })).toThrow(
      /full rank/,
    );
    expect(() => linalg.lstsq(zeros([3, 2]), ones([4, 1]))).toThrow(
      /should match other.size\(-2\)/,
    );
    expect(() => linalg.lstsq(zeros([3]), ones([3]))).toThrow(
      /input must have at least 2 dimensions/,
    );
    expect(() => linalg.lstsq(tall, right, { driver: 'x' as 'gels' })).toThrow(/should be one of/);
  });

  it('pseudoinverses and ranks by tolerances', () => {
    const p = linalg.pinv(tall);
    near(p, [
      [-4 / 3, -1 / 3, 2 / 3],
      [13 / 12, 1 / 3, -5 / 12],
    ]);
    near(pinverse(tall), p);
    const d = tensor(
      [
        [4, 0],
        [0, 0.5],
      ],
      f64,
    );
    near(linalg.pinv(d, { rtol: 0.2 }), [
      [0.25, 0],
      [0, 0],
    ]);
    near(linalg.pinv(d, { atol: 0.6 }), [
      [0.25, 0],
      [0, 0],
    ]);
    near(linalg.pinv(d, { hermitian: true }), [
      [0.25, 0],
      [0, 2],
    ]);
    expect(linalg.matrixRank(d).itemSync()).toBe(2);
    expect(linalg.matrixRank(d, { tol: 1 }).itemSync()).toBe(1);
    expect(linalg.matrixRank(d.neg(), { rtol: 0.2, hermitian: true }).itemSync()).toBe(1);
    const bounds = tensor([0, 1, 5], f64);
    expect(list(linalg.matrixRank(d.expand([3, 2, 2]), { atol: bounds }))).toEqual([2, 1, 0]);
    expect(linalg.pinv(zeros([2, 0, 3])).shape).toEqual([2, 3, 0]);
    expect(list(linalg.matrixRank(zeros([2, 0, 3])))).toEqual([0, 0]);
  });

  it('condition numbers', () => {
    const d = tensor(
      [
        [4, 0],
        [0, 0.5],
      ],
      f64,
    );
    expect(linalg.cond(d).itemSync()).toBeCloseTo(8, 10);
    expect(linalg.cond(d, -2).itemSync()).toBeCloseTo(1 / 8, 10);
    expect(linalg.cond(d, 1).itemSync()).toBeCloseTo(8, 10);
    expect(linalg.cond(d, 'nuc').itemSync()).toBeCloseTo(4.5 * 2.25, 10);
    expect(linalg.cond(d, 'fro').itemSync()).toBeCloseTo(Math.sqrt(16.25 * 4.0625), 10);
    expect(linalg.cond(zeros([2, 2]), 1).itemSync()).toBe(Infinity);
    expect(list(linalg.cond(zeros([2, 0, 0])))).toEqual([0, 0]);
    expect(() => linalg.cond(d, 3)).toThrow(/invalid norm type: 3/);
    expect(() => linalg.cond(zeros([2, 3]), 1)).toThrow(/cond\(p=1\).*square/);
  });

  it('equations of tensors', () => {
    const t = a.reshape(3, 1, 3);
    near(linalg.tensorinv(t, { ind: 1 }).reshape(3, 3), linalg.inv(a));
    near(linalg.tensorsolve(t, b.select(1, 0)).reshape(3), linalg.solve(a, b.select(1, 0)));
    near(
      linalg.tensorsolve(t.movedim(0, 2), b.select(1, 0).reshape(3), { dims: [0, 1] }).reshape(3),
      linalg.solve(a, b.select(1, 0)),
    );
    expect(() => linalg.tensorinv(zeros([2, 3, 5]))).toThrow(/5 != 6/);
    expect(() => linalg.tensorinv(t, { ind: 0 })).toThrow(/strictly positive/);
    expect(() => linalg.tensorsolve(zeros([2, 3, 5]), zeros([2, 3]))).toThrow(/5 != 6/);
  });

  it('writes into out', () => {
    const x = zeros([3, 2], f64);
    expect(linalg.solve(a, b, { out: x })).toBe(x);
    near(a.matmul(x), b);
    expect(linalg.solve(a, b.t(), { left: false, out: zeros([0], f64) }).shape).toEqual([2, 3]);
    const [values, vectors] = [zeros([3], f64), zeros([3, 3], f64)];
    const found = linalg.eigh(a, { out: [values, vectors] });
    expect(found.eigenvalues).toBe(values);
    expect(found.eigenvectors).toBe(vectors);
    near(vectors.mul(values).matmul(vectors.t()), a);
    expect(() => linalg.inv(a, { out: zeros([3, 3]) })).toThrow(/dtype float64, but got float32/);
  });
});
