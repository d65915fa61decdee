import { execute, eye, linalg, luSolve, randn, type Tensor, zeros } from '@sconce/core';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { deviceFor } from '../test/operands.js';
import { CpuBackend } from './backend.js';

const withLapack = new CpuBackend();
process.env.SCONCE_BLAS = 'off';
const withoutLapack = new CpuBackend();
delete process.env.SCONCE_BLAS;
if (!withLapack.blas?.lapack) console.log('the system has no LAPACK: both backends interpret');
for (const { pool } of [withLapack, withoutLapack]) pool.threads = 2;

afterAll(() => {
  withLapack.pool.stop();
  withoutLapack.pool.stop();
});

/** How far two tensors lie apart, in units of the rounding of float32. */
const apart = (a: Tensor, b: Tensor): number => a.sub(b).abs().max().itemSync() * 2 ** 23;

const backends = [
  { name: 'lapack', backend: withLapack, size: 600 },
  { name: 'interpreted', backend: withoutLapack, size: 90 },
];

describe.each(backends)('linear algebra, $name', ({ name, backend, size: n }) => {
  const device = deviceFor(`cpu${name}`, () => backend);
  const random = randn([n, n], { device });
  const positive = random.matmul(random.t()).div(n).add(eye(n, { device }));
  const one = eye(n, { device });

  // Threads of a BLAS wait for each other, long where others want the processor.
  test('matrices that are worth threads', { timeout: 120_000 }, () => {
    const lower = linalg.cholesky(positive);
    expect(apart(lower.matmul(lower.t()), positive)).toBeLessThan(200);
    const { P, L, U } = linalg.lu(random);
    expect(apart(P.matmul(L).matmul(U), random)).toBeLessThan(20 * n);
    expect(apart(positive.matmul(linalg.inv(positive)), one)).toBeLessThan(200);
    const { Q, R } = linalg.qr(random);
    expect(apart(Q.t().matmul(Q), one)).toBeLessThan(200);
    expect(apart(Q.matmul(R), random)).toBeLessThan(1000);
    const { eigenvalues, eigenvectors } = linalg.eigh(positive);
    expect(apart(eigenvectors.t().matmul(eigenvectors), one)).toBeLessThan(400);
    expect(apart(eigenvectors.mul(eigenvalues).matmul(eigenvectors.t()), positive)).toBeLessThan(
      1000,
    );
    const { U: u, S, Vh } = linalg.svd(random.narrow(0, 0, 40));
    expect(apart(u.mul(S).matmul(Vh.narrow(0, 0, 40)), random.narrow(0, 0, 40))).toBeLessThan(1500);
    const { LD, pivots } = linalg.ldlFactor(positive.sub(one.mul(1.5)));
    const solved = linalg.ldlSolve(LD, pivots, random.narrow(1, 0, 3));
    const back = positive.sub(one.mul(1.5)).matmul(solved);
    expect(apart(back, random.narrow(1, 0, 3)) / solved.abs().max().itemSync()).toBeLessThan(3000);
  });

  test('many small matrices, some shared, some turned', () => {
    const stack = randn([500, 4, 4], { device }).add(eye(4, { device }).mul(6));
    const b = randn([500, 4, 2], { device });
    expect(apart(stack.matmul(linalg.solve(stack, b)), b)).toBeLessThan(50);
    const turned = stack.transpose(1, 2);
    expect(apart(turned.matmul(linalg.solve(turned, b)), b)).toBeLessThan(50);
    const shared = stack.narrow(0, 3, 1).expand([500, 4, 4]);
    expect(apart(shared.matmul(linalg.solve(shared, b)), b)).toBeLessThan(50);
    const { LU, pivots } = linalg.luFactor(stack.select(0, 7));
    expect(apart(stack.select(0, 7).matmul(luSolve(b, LU, pivots)), b)).toBeLessThan(50);
    // Factors in row-major order, and pivots with gaps between them.
    const gaps = pivots.unsqueeze(1).expand([4, 2]).contiguous().select(1, 1);
    expect(apart(stack.select(0, 7).matmul(luSolve(b, LU.contiguous(), gaps)), b)).toBeLessThan(50);
  });

  test('what a routine takes for itself is given back', () => {
    const a = randn([3, 5, 4], { device }).transpose(1, 2);
    const [s, info] = [zeros([3, 4], { device }), zeros([3], { device, dtype: 'int32' })];
    const [u, vt] = [zeros([3, 4, 4], { device }), zeros([3, 4, 5], { device })];
    const taken = vi.spyOn(backend.memory, 'allocate');
    const given = vi.spyOn(backend.memory, 'release');
    const outputs = [s, info, u, vt] as const;
    execute({ kind: 'linalg', routine: 'svd', inputs: [a], outputs, flags: {} });
    expect(given).toHaveBeenCalledTimes(taken.mock.calls.length);
    expect(apart(u.mul(s.unsqueeze(-2)).matmul(vt), a)).toBeLessThan(100);
    taken.mockRestore();
    given.mockRestore();
  });
});

test('LAPACK is what computes where the system has it', () => {
  const lapack = withLapack.blas?.lapack;
  if (!lapack) return;
  const call = vi.spyOn(lapack, 'call');
  const device = deviceFor('cpuwatched', () => withLapack);
  linalg.cholesky(eye(3, { device }));
  expect(call).toHaveBeenCalledWith('potrf', false, expect.anything());
  call.mockRestore();
});

describe.skipIf(!withLapack.blas?.lapack)('spectral routines beside LAPACK', () => {
  const lapack = deviceFor('cpulapack', () => withLapack);
  const own = deviceFor('cpuinterpreted', () => withoutLapack);
  const shapes: readonly (readonly [number, number])[] = [
    [60, 60],
    [150, 40],
    [40, 150],
  ];
  const matrix = ([m, n]: readonly [number, number]) =>
    randn([m, n], { dtype: 'float64', device: lapack });
  const error = (a: Tensor, b: Tensor): number =>
    a.to('cpu').sub(b.to('cpu')).abs().max().itemSync() / b.abs().max().itemSync();

  test.each(shapes)('singular values of %i x %i are those of LAPACK', (...shape) => {
    const a = matrix(shape);
    const { U, S, Vh } = linalg.svd(a.to(own), { fullMatrices: false });
    expect(error(S, linalg.svdvals(a))).toBeLessThan(1e-14);
    expect(error(linalg.svdvals(a.to(own)), linalg.svdvals(a))).toBeLessThan(1e-14);
    expect(error(U.mul(S).matmul(Vh), a)).toBeLessThan(1e-13);
  });

  test('eigenvalues of symmetric matrices are those of LAPACK', () => {
    const a = matrix([120, 120]);
    const symmetric = a.add(a.t());
    const { eigenvalues, eigenvectors } = linalg.eigh(symmetric.to(own));
    expect(error(eigenvalues, linalg.eigvalsh(symmetric))).toBeLessThan(1e-14);
    expect(error(linalg.eigvalsh(symmetric.to(own)), linalg.eigvalsh(symmetric))).toBeLessThan(
      1e-14,
    );
    const rebuilt = eigenvectors.mul(eigenvalues).matmul(eigenvectors.t());
    expect(error(rebuilt, symmetric)).toBeLessThan(1e-13);
  });

  // Compiled Fortran on blocks is some ten times as quick; the bound tells of a routine that has become another order of work.
  test('take no other order of time', () => {
    const a = matrix([160, 160]);
    const times = [own, lapack].map((device) => {
      const given = a.to(device);
      const runs = Array.from({ length: 5 }, () => {
        const start = performance.now();
        linalg.svd(given).S.toArraySync();
        return performance.now() - start;
      });
      return Math.min(...runs);
    }) as [number, number];
    expect(times[0] / times[1]).toBeLessThan(60);
  });
});
