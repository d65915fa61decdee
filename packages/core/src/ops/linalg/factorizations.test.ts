import { describe, expect, it } from 'vitest';
import { symmetric as a, f64, near, tall } from '../../../test/matrices.js';
import {
  geqrf,
  LinAlgError,
  linalg,
  lu,
  luSolve,
  luUnpack,
  ormqr,
  qr,
  RuntimeError,
  svd,
  symeig,
  type Tensor,
  tensor,
  zeros,
} from '../../index.js';

const list = (t: Tensor) => t.toArraySync();

describe('factorisations', () => {
  it('cholesky reads one triangle', () => {
    near(linalg.cholesky(a), [
      [2, 0, 0],
      [1, 2, 0],
      [0.5, 1.25, Math.sqrt(6 - 0.25 - 1.5625)],
    ]);
    near(linalg.cholesky(a.triu(), { upper: true }), linalg.cholesky(a).t());
    near(a.cholesky({ upper: true }), linalg.cholesky(a).t());
    const { L, info } = linalg.choleskyEx(
      tensor([
        [
          [1, 0],
          [0, 1],
        ],
        [
          [1, 2],
          [2, 1],
        ],
      ]),
    );
    expect(list(info)).toEqual([0, 2]);
    expect(L.shape).toEqual([2, 2, 2]);
    expect(linalg.cholesky(zeros([2, 0, 0])).shape).toEqual([2, 0, 0]);
  });

  it('cholesky says which matrix is not positive-definite', () => {
    const stack = tensor([
      [
        [1, 0],
        [0, 1],
      ],
      [
        [1, 2],
        [2, 1],
      ],
    ]);
    expect(() => linalg.cholesky(stack)).toThrow(LinAlgError);
    expect(() => linalg.cholesky(stack)).toThrow(
      'linalg.cholesky: (Batch element 1): The factorization could not be completed because the input is not positive-definite (the leading minor of order 2 is not positive-definite).',
    );
    expect(() => linalg.cholesky(stack.select(0, 1))).toThrow(
      'linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading minor of order 2 is not positive-definite).',
    );
    expect(() => linalg.choleskyEx(stack, { checkErrors: true })).toThrow(LinAlgError);
    expect(new LinAlgError('')).toBeInstanceOf(RuntimeError);
    expect(() => linalg.cholesky(zeros([2, 3]))).toThrow(
      'linalg.cholesky: A must be batches of square matrices, but they are 2 by 3 matrices',
    );
    expect(() => linalg.cholesky(zeros([3]))).toThrow(/at least 2 dimensions/);
    expect(() => linalg.cholesky(zeros([3, 3], { dtype: 'int64' }))).toThrow(
      /floating point.*int64/,
    );
    expect(() => linalg.cholesky(zeros([3, 3], { dtype: 'float16' }))).toThrow(/float16/);
  });

  it('solves and inverts from Cholesky factors', () => {
    const L = linalg.cholesky(a);
    const b = tensor([[1], [2], [3]], f64);
    near(a.matmul(b.choleskySolve(L)), b);
    near(a.matmul(b.choleskySolve(L.t(), { upper: true })), b);
    near(a.matmul(L.choleskyInverse()), [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    expect(() => b.choleskySolve(zeros([2, 2], f64))).toThrow(/2 by 2 but each b matrix is 3 by 1/);
    expect(() => zeros([2, 2]).choleskyInverse()).toThrow(/diagonal element 1 is zero/);
  });

  it('lu packs, unpacks and solves', () => {
    const m = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      f64,
    );
    const { P, L, U } = linalg.lu(m);
    near(P.matmul(L).matmul(U), m);
    expect(list(P)).toEqual([
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
    near(U, [
      [5, 6],
      [0, 0.8],
    ]);
    const { LU, pivots } = linalg.luFactor(m);
    expect(pivots.dtype).toBe('int32');
    expect(list(pivots)).toEqual([3, 3]);
    const parts = luUnpack(LU, pivots);
    near(parts.L, L);
    near(parts.P, P);
    expect(luUnpack(LU, pivots, { unpackData: false }).L.shape).toEqual([0]);
    const square = linalg.luFactor(a);
    const b = tensor(
      [
        [1, 0],
        [2, 1],
        [3, 5],
      ],
      f64,
    );
    near(a.matmul(linalg.luSolve(square.LU, square.pivots, b)), b);
    near(a.t().matmul(linalg.luSolve(square.LU, square.pivots, b, { adjoint: true })), b);
    near(linalg.luSolve(square.LU, square.pivots, b.t(), { left: false }).matmul(a), b.t());
    near(a.matmul(luSolve(b, square.LU, square.pivots)), b);
    const none = linalg.lu(a, { pivot: false });
    expect(none.P.shape).toEqual([0]);
    near(none.L.matmul(none.U), a);
  });

  it('lu tells of singular matrices, and refuses pivots that are none', () => {
    const zero = zeros([2, 2]);
    expect(() => linalg.luFactor(zero)).toThrow(/linalg.luFactor: U\[1,1\] is zero/);
    expect(lu(zero, { getInfos: true }).infos.itemSync()).toBe(1);
    expect(list(linalg.luFactorEx(zero).pivots)).toEqual([1, 2]);
    const { LU, pivots } = linalg.luFactor(a);
    const b = tensor([[1], [2], [3]], f64);
    expect(() => linalg.luSolve(LU, pivots.mul(100), b)).toThrow(/between 1 and LU.size\(-2\) = 3/);
    expect(() => luUnpack(LU, pivots.sub(3))).toThrow(/between 1 and/);
    expect(() => linalg.luSolve(LU, pivots.to('int64'), b)).toThrow(/int32/);
    expect(() => linalg.luSolve(LU, pivots.narrow(0, 0, 2), b)).toThrow(/Number of pivots/);
    const ldl = linalg.ldlFactor(a);
    expect(() => linalg.ldlSolve(ldl.LD, ldl.pivots.mul(0), b)).toThrow(/negative in equal pairs/);
    expect(() => linalg.ldlSolve(ldl.LD, tensor([1n, 2n, -3n]).to('int32'), b)).toThrow(/pairs/);
  });

  it('ldl factors indefinite matrices', () => {
    const s = tensor(
      [
        [0, 1, 2],
        [1, 0, 3],
        [2, 3, 0],
      ],
      f64,
    );
    const { LD, pivots } = linalg.ldlFactor(s);
    const b = tensor([[1], [2], [3]], f64);
    near(s.matmul(linalg.ldlSolve(LD, pivots, b)), b);
    expect(linalg.ldlFactorEx(zeros([2, 2])).info.itemSync()).toBe(1);
    expect(() => linalg.ldlFactor(zeros([2, 2]))).toThrow(/D\[1,1\] is zero/);
  });

  it('qr in every mode', () => {
    const { Q, R } = linalg.qr(tall);
    near(Q.matmul(R), tall);
    expect([Q.shape, R.shape]).toEqual([
      [3, 2],
      [2, 2],
    ]);
    expect(R.at(0, 0).itemSync()).toBeCloseTo(-Math.sqrt(35), 12);
    const whole = linalg.qr(tall, 'complete');
    expect([whole.Q.shape, whole.R.shape]).toEqual([
      [3, 3],
      [3, 2],
    ]);
    near(whole.Q.t().matmul(whole.Q), [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    near(whole.Q.matmul(whole.R), tall);
    const [none, r] = linalg.qr(tall, 'r');
    expect(none.shape).toEqual([0]);
    near(r, R);
    near(qr(tall.t(), { some: false }).Q.matmul(qr(tall.t()).R), tall.t());
    expect(list(linalg.qr(zeros([2, 0]), 'complete').Q)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(() => linalg.qr(tall, 'foo' as 'r')).toThrow(/unrecognized mode 'foo'/);
  });

  it('reflectors multiply', () => {
    const packed = geqrf(tall);
    const { Q, R } = linalg.qr(tall);
    near(linalg.householderProduct(packed.a, packed.tau), Q);
    near(packed.a.triu().narrow(0, 0, 2), R);
    const full = linalg.qr(tall, 'complete').Q;
    const other = tensor(
      [
        [1, 2],
        [0, 1],
        [5, -1],
      ],
      f64,
    );
    near(ormqr(packed.a, packed.tau, other), full.matmul(other));
    near(ormqr(packed.a, packed.tau, other, { transpose: true }), full.t().matmul(other));
    near(ormqr(packed.a, packed.tau, other.t(), { left: false }), other.t().matmul(full));
    expect(() => ormqr(packed.a, packed.tau, other.t())).toThrow(/input.shape\[-2\]/);
    expect(() => ormqr(packed.a, zeros([3], f64), other)).toThrow(/tau.shape\[-1\]/);
    expect(() => linalg.householderProduct(zeros([2, 3]), zeros([2]))).toThrow(
      /greater than or equal/,
    );
    expect(() => linalg.householderProduct(zeros([3, 2]), zeros([2], f64))).toThrow(/same dtype/);
  });

  it('eigh and svd', () => {
    const s = tensor(
      [
        [2, 1],
        [1, 2],
      ],
      f64,
    );
    const { eigenvalues, eigenvectors } = linalg.eigh(s);
    near(eigenvalues, [1, 3]);
    near(eigenvectors.abs(), [
      [Math.SQRT1_2, Math.SQRT1_2],
      [Math.SQRT1_2, Math.SQRT1_2],
    ]);
    near(linalg.eigvalsh(s.triu(), { UPLO: 'U' }), [1, 3]);
    expect(symeig(s).eigenvectors.shape).toEqual([0]);
    near(symeig(s, { eigenvectors: true }).eigenvectors, eigenvectors);
    expect(() => linalg.eigh(s, { UPLO: 'x' as 'U' })).toThrow(/'L' or 'U', but got x/);
    const { U, S, Vh } = linalg.svd(tall, { fullMatrices: false });
    near(U.mul(S).matmul(Vh), tall);
    near(linalg.svdvals(tall), S);
    near(S.square().sum(), tall.square().sum());
    expect(linalg.svd(tall).U.shape).toEqual([3, 3]);
    const turned = svd(tall);
    near(turned.U.mul(turned.S).matmul(turned.V.t()), tall);
    expect(list(svd(tall, { computeUV: false }).V)).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(list(linalg.svd(zeros([0, 2])).Vh)).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('eig says why there is none', () => {
    expect(() => linalg.eig(a)).toThrow(/complex numbers.*linalg.eigh/);
    expect(() => linalg.eigvals(a)).toThrow(/complex numbers/);
  });

  it('what is not finite is refused by those that iterate', () => {
    const bad = tensor([
      [1, NaN],
      [NaN, 1],
    ]);
    expect(() => linalg.svd(bad)).toThrow(/linalg.svd: .*non-finite/);
    expect(() => linalg.eigvalsh(bad)).toThrow(LinAlgError);
    expect(linalg.det(bad).itemSync()).toBeNaN();
    expect(list(linalg.inv(bad))).toEqual([
      [NaN, NaN],
      [NaN, NaN],
    ]);
  });
});
