import * as f from '@sconce/core';
import { cat, eye, linalg, type Tensor, tensor } from '@sconce/core';
import { of, real, type Sample, type Samples } from './sample.js';

const symmetric = (x: Tensor): Tensor => x.add(x.mT);
const like = (x: Tensor) => ({ dtype: x.dtype, device: x.device });
/** Symmetric positive-definite matrices. */
const definite = (x: Tensor): Tensor =>
  x.matmul(x.mT).add(eye(x.shape.at(-2) as number, like(x)).mul(0.5));
/** Triangles whose diagonal is away from zero. */
const triangle = (x: Tensor, upper = false): Tensor => {
  const safe = x.add(eye(x.shape.at(-1) as number, like(x)).mul(5));
  return upper ? safe.triu() : safe.tril();
};
/** Matrices whose rows no factorisation has to exchange differently when they move a little. */
const dominant = (x: Tensor): Tensor => {
  const [m, n] = x.shape.slice(-2) as [number, number];
  return x.add(eye(Math.max(m, n), like(x)).mul(5).narrow(0, 0, m).narrow(1, 0, n));
};
const matrices = (...shapes: (readonly number[])[]): Tensor[] => shapes.map((s) => real(s));

/** Reflectors as they may be: nothing but what stands below the diagonal is read. */
const reflections = (m: number, n: number, k: number): Sample => ({
  run: (a, tau) => linalg.householderProduct(a, tau),
  inputs: () => matrices([m, n], [k]),
});
const ormqr = (left: boolean, transpose: boolean): Sample => ({
  run: (a, tau, c) => f.ormqr(a, tau, c, { left, transpose }),
  inputs: () => matrices([2, 4, 2], [2, 2], left ? [2, 4, 3] : [2, 3, 4]),
});

const luSolve = (left: boolean, adjoint: boolean): Sample => ({
  run: (lu, b) => linalg.luSolve(dominant(lu), tensor([2, 3, 3], int32), b, { left, adjoint }),
  inputs: () => matrices([3, 3], left ? [3, 2] : [2, 3]),
});
const int32 = { dtype: 'int32' } as const;

const solveTriangular = (upper: boolean, left: boolean, unitriangular: boolean): Sample => ({
  run: (a, b) => linalg.solveTriangular(triangle(a, upper), b, { upper, left, unitriangular }),
  inputs: () => matrices([3, 3], left ? [3, 2] : [2, 3]),
});

/** A matrix without full rank, of which one row is a multiple of others. */
const deficient = (x: Tensor): Tensor => {
  const rows = x.narrow(-2, 0, 2);
  return cat([rows, rows.narrow(-2, 0, 1).add(rows.narrow(-2, 1, 1).mul(2))], -2);
};

export const linalgSamples: Samples = {
  linalgCholeskyEx: [
    of((x) => linalg.cholesky(definite(x)), [3, 3]),
    of((x) => linalg.cholesky(definite(x), { upper: true }), [2, 3, 3]),
    of((x) => linalg.choleskyEx(definite(x)).L, [2, 2]),
  ],
  choleskySolve: [
    of((b, x) => f.choleskySolve(b, triangle(x)), [3, 2], [3, 3]),
    of((b, x) => f.choleskySolve(b, triangle(x, true), { upper: true }), [2, 1, 3, 2], [3, 3, 3]),
  ],
  choleskyInverse: [
    of((x) => f.choleskyInverse(triangle(x)), [3, 3]),
    of((x) => f.choleskyInverse(triangle(x, true), { upper: true }), [2, 3, 3]),
  ],
  linalgLuFactorEx: [
    of((x) => linalg.luFactor(x).LU, [3, 3]),
    of((x) => linalg.luFactor(x).LU, [2, 4, 2]),
    of((x) => linalg.luFactor(dominant(x), { pivot: false }).LU, [2, 2, 4]),
  ],
  luUnpack: [
    of(
      (x) => {
        const { L, U } = f.luUnpack(x, tensor([2, 3, 3], int32));
        return [L, U];
      },
      [3, 3],
    ),
    of((x) => f.luUnpack(x, tensor([2, 2], int32)).L, [4, 2]),
    of((x) => f.luUnpack(x, tensor([[2, 2]], int32).expand(2, 2)).U, [2, 2, 3]),
    of((x) => [...f.luUnpack(x, tensor([2, 2], int32))].slice(1), [2, 3]),
    of((x) => [...f.luUnpack(x, tensor([2, 2], int32))].slice(1), [4, 2]),
  ],
  linalgLu: [
    of((x) => [...linalg.lu(x)].slice(1), [3, 3]),
    of((x) => [...linalg.lu(x)].slice(1), [2, 4, 2]),
    of((x) => [...linalg.lu(x)].slice(1), [2, 4]),
    of((x) => linalg.lu(dominant(x), { pivot: false }).L, [3, 3]),
    of((x) => linalg.lu(x).U, [3, 3]),
  ],
  linalgLuSolve: [
    luSolve(true, false),
    luSolve(true, true),
    luSolve(false, false),
    luSolve(false, true),
    of((lu, b) => linalg.luSolve(dominant(lu), tensor([2, 2], int32), b), [2, 2], [3, 2, 1]),
  ],
  linalgSolveTriangular: [
    solveTriangular(true, true, false),
    solveTriangular(false, true, true),
    solveTriangular(true, false, true),
    solveTriangular(false, false, false),
    of((a, b) => linalg.solveTriangular(triangle(a), b, { upper: false }), [2, 1, 3, 3], [2, 3, 1]),
  ],
  linalgSolveEx: [
    of((a, b) => linalg.solve(dominant(a), b), [3, 3], [3]),
    of((a, b) => linalg.solve(dominant(a), b), [2, 3, 3], [3, 2]),
    of((a, b) => linalg.solve(dominant(a), b), [2, 1, 3, 3], [3, 3, 2]),
    of((a, b) => linalg.solve(dominant(a), b, { left: false }), [3, 3], [2, 2, 3]),
    // Laid out column after column, which is factored as it is.
    of((a, b) => linalg.solve(dominant(a).mT, b), [3, 3], [3]),
    of((a, b) => linalg.solve(dominant(a).mT, b, { left: false }), [3, 3], [2, 2, 3]),
  ],
  linalgInvEx: [
    of((a) => linalg.inv(dominant(a)), [3, 3]),
    of((a) => linalg.invEx(dominant(a)).inverse, [2, 2, 2]),
  ],
  linalgPinv: [
    of((a) => linalg.pinv(a), [3, 2]),
    of((a) => linalg.pinv(a), [2, 2, 3]),
    of((a) => linalg.pinv(symmetric(a), { hermitian: true }), [3, 3]),
    // Of rank 2, and of rank 1 in a direction that keeps it so.
    of((a) => linalg.pinv(deficient(a)), [3, 3]),
    of((a) => linalg.pinv(a.matmul(a.mT), { hermitian: true, rtol: 1e-5 }), [3, 1]),
    of((a, b) => linalg.pinv(a.matmul(b), { atol: 1e-5 }), [4, 1], [1, 3]),
  ],
  linalgLstsq: [
    of((a, b) => linalg.lstsq(a, b).solution, [4, 2], [4, 3]),
    of((a, b) => linalg.lstsq(a, b).solution, [1, 4, 2], [2, 4, 3]),
    of((a, b) => linalg.lstsq(a, b, { driver: 'gels' }).solution, [1, 2, 4], [2, 2, 3]),
    of((a, b) => linalg.lstsq(a, b, { driver: 'gels' }).solution, [2, 4, 2], [2, 4]),
    of((a, b) => linalg.lstsq(a, b, { driver: 'gelsd' }).solution, [2, 4], [2, 1]),
    of((a, b) => linalg.lstsq(deficient(a), b).solution, [3, 3], [3, 1]),
  ],
  linalgDet: [
    of((a) => linalg.det(a), [3, 3]),
    of((a) => linalg.det(a), [2, 2, 2]),
    of((a) => linalg.det(a.mT), [3, 3]),
    of((a) => linalg.det(a), [1, 1]),
    // Singular: what moves is not.
    of((a) => linalg.det(deficient(a)), [3, 3]),
    of((a) => linalg.det(cat([a, deficient(a.narrow(0, 0, 1))])), [2, 3, 3]),
    {
      run: (a) => linalg.det(a),
      inputs: () => [
        tensor(
          [
            [1, 2, 3],
            [2, 4, 6],
            [1, 0, 1],
          ],
          { dtype: 'float64' },
        ).requiresGrad_(),
      ],
      // Finite differences of a gradient so near singularity are too coarse; spectral.test.ts has the second ones.
      once: true,
    },
    {
      run: (a) => linalg.det(a),
      inputs: () => [f.zeros([2, 2], { dtype: 'float64' }).requiresGrad_()],
      once: true,
    },
  ],
  linalgSlogdet: [
    of((a) => linalg.slogdet(dominant(a)).logabsdet, [3, 3]),
    of((a) => linalg.slogdet(dominant(a).mT).logabsdet, [3, 3]),
    of((a) => linalg.slogdet(a).sign, [2, 3, 3]),
    of((a) => f.logdet(definite(a)), [2, 2, 2]),
  ],
  linalgQr: [
    of((a) => [...linalg.qr(a)], [3, 3]),
    of((a) => [...linalg.qr(a)], [2, 4, 2]),
    of((a) => [...linalg.qr(a)], [2, 4]),
    of((a) => [...linalg.qr(a, 'complete')], [2, 3]),
    of((a) => linalg.qr(a).R, [3, 2]),
    of((a) => linalg.qr(a).Q, [3, 2]),
  ],
  linalgHouseholderProduct: [
    reflections(4, 3, 3),
    reflections(4, 3, 2),
    reflections(3, 3, 1),
    of((a, tau) => linalg.householderProduct(a, tau), [2, 3, 2], [2, 2]),
  ],
  ormqr: [ormqr(true, false), ormqr(true, true), ormqr(false, false), ormqr(false, true)],
  linalgEigh: [
    of((x) => linalg.eigvalsh(symmetric(x)), [3, 3]),
    // Vectors but for their signs.
    of((x) => linalg.eigh(symmetric(x), { UPLO: 'U' }).eigenvectors.abs(), [2, 3, 3]),
    of(
      (x) => {
        const { eigenvalues, eigenvectors } = linalg.eigh(symmetric(x));
        return eigenvectors.mul(eigenvalues.exp().unsqueeze(-2)).matmul(eigenvectors.mT);
      },
      [3, 3],
    ),
  ],
  linalgSvd: [
    of((x) => linalg.svdvals(x), [2, 3]),
    of((x) => linalg.svd(x, { fullMatrices: false }).U.abs(), [4, 2]),
    of((x) => linalg.svd(x, { fullMatrices: false }).U.abs(), [2, 2, 4]),
    of((x) => linalg.svd(x, { fullMatrices: false }).Vh.abs(), [2, 4, 2]),
    of((x) => linalg.svd(x, { fullMatrices: false }).Vh.abs(), [2, 4]),
    of(
      (x) => {
        const { U, S, Vh } = linalg.svd(x);
        return [U.narrow(-1, 0, 2).abs(), S, Vh.narrow(-2, 0, 2).abs()];
      },
      [3, 2],
    ),
    of(
      (x) => {
        const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
        return U.mul(S.square().unsqueeze(-2)).matmul(Vh);
      },
      [3, 3],
    ),
  ],
};
