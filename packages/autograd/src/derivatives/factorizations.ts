import { cat, linalg, luUnpack, ormqr, RuntimeError, type Tensor, zerosLike } from '@sconce/core';
import { type Derivatives, given, notImplemented, saving } from './formula.js';

const { solveTriangular } = linalg;

/** a^-1 b, or b a^-1, of triangular matrices. */
const lower = (a: Tensor, b: Tensor, left = true, unitriangular = false): Tensor =>
  solveTriangular(a, b, { upper: false, left, unitriangular });
const upper = (a: Tensor, b: Tensor, left = true, unitriangular = false): Tensor =>
  solveTriangular(a, b, { upper: true, left, unitriangular });

/** The symmetric matrix with this lower triangle. */
const mirrored = (x: Tensor): Tensor => x.tril().add(x.tril(-1).mT);

/** The first columns and the rest of them. */
const columnsApart = (x: Tensor, count: number): [Tensor, Tensor] => [
  x.narrow(-1, 0, count),
  x.narrow(-1, count, (x.shape.at(-1) as number) - count),
];
const rowsApart = (x: Tensor, count: number): [Tensor, Tensor] =>
  columnsApart(x.mT, count).map((part) => part.mT) as [Tensor, Tensor];

/** Of A = L L^T: that of the symmetric A, from that of L. */
function choleskyGradient(gL: Tensor, L: Tensor): Tensor {
  const phi = mirrored(L.mT.matmul(gL)).mul(0.5);
  return lower(L, upper(L.mT, phi), false);
}

/** Of P^T A = L U, from those of L and U. */
function luGradient(gL: Tensor, gU: Tensor, L: Tensor, U: Tensor): Tensor {
  const [m, n] = [L.shape.at(-2) as number, U.shape.at(-1) as number];
  const k = Math.min(m, n);
  const [U1, U2] = columnsApart(U, k);
  const [gU1, gU2] = columnsApart(gU, k);
  const [L1, L2] = rowsApart(L, k);
  const [gL1, gL2] = rowsApart(gL, k);
  let below = L1.mT.matmul(gL1);
  let above = gU1.matmul(U1.mT);
  if (n > k) below = below.sub(gU2.matmul(U2.mT));
  if (m > k) above = above.sub(L2.mT.matmul(gL2));
  const inner = below.tril(-1).add(above.triu());
  const first = upper(L1.mT, lower(U1.mT, inner, false), true, true);
  if (n > k) return cat([first, upper(L1.mT, gU2, true, true)], -1);
  return m > k ? cat([first, lower(U1.mT, gL2, false)], -2) : first;
}

/** L and U in one matrix: what stands below the diagonal is of the first, the rest of the second. */
function packed(gL: Tensor, gU: Tensor, m: number, n: number): Tensor {
  const k = Math.min(m, n);
  const [strict, triangle] = [gL.tril(-1), gU.triu()];
  if (m === n) return strict.add(triangle);
  const lead = gL.shape.slice(0, -2);
  if (n > k) {
    const [first, rest] = columnsApart(triangle, k);
    return cat([strict.add(first), rest], -1);
  }
  const [first, rest] = rowsApart(strict, k);
  return cat([first.add(triangle), rest.expand([...lead, m - k, n])], -2);
}

/** Of the packed factors of A, from that of A. */
export function toLu(gA: Tensor, lu: Tensor, pivots: Tensor): Tensor {
  const { P, L, U } = luUnpack(lu, pivots);
  const g = P.mT.matmul(gA);
  return packed(
    g.matmul(U.mT),
    L.mT.matmul(g),
    lu.shape.at(-2) as number,
    lu.shape.at(-1) as number,
  );
}

/** Of A = Q R with a square or tall A. */
function tallQrGradient(gQ: Tensor, gR: Tensor, Q: Tensor, R: Tensor): Tensor {
  const inner = mirrored(R.matmul(gR.mT).sub(gQ.mT.matmul(Q)));
  return lower(R.mT, gQ.add(Q.matmul(inner)), false);
}

function qrGradient([gQ, gR]: readonly Tensor[], Q: Tensor, R: Tensor): Tensor {
  if (Q.ndim === 1) {
    throw new RuntimeError(
      "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use linalg.qr(A, 'reduced') if you are going to differentiate through linalg.qr.",
    );
  }
  const [m, n] = [Q.shape.at(-2) as number, R.shape.at(-1) as number];
  if (m > n && Q.shape.at(-1) === m) {
    throw new RuntimeError(
      "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.",
    );
  }
  if (m >= n) return tallQrGradient(gQ as Tensor, gR as Tensor, Q, R);
  // The first columns are Q R1, and R2 is Q^T times the others.
  const [R1, R2] = columnsApart(R, m);
  const [gR1, gR2] = columnsApart(gR as Tensor, m);
  const bent = (gQ as Tensor).add(Q.matmul(R2).matmul(gR2.mT));
  return cat([tallQrGradient(bent, gR1, Q, R1), Q.matmul(gR2)], -1);
}

/** The reflector's vectors: ones on the diagonal, zeros above. */
function reflectors(input: Tensor, count: number): Tensor[] {
  const below = input.narrow(-1, 0, count).tril(-1);
  const m = input.shape.at(-2) as number;
  const ones = identity(m, count, input);
  return below.add(ones).split(1, -1);
}

const identity = (m: number, n: number, like: Tensor): Tensor => {
  const one = like.newZeros([m, n]);
  one.diagonal().fill_(1);
  return one;
};

/**
 * Of the vectors and factors of the reflections H = I - tau v v^T, from that of H1 H2 ... Hk I: with K the product of those before one
 * and R of those behind it, that of H is K^T g R^T.
 */
function reflectionGradients(
  g: Tensor,
  input: Tensor,
  tau: Tensor,
): { input: Tensor; tau: Tensor } | undefined {
  // As in PyTorch, no gradient flows to nothing.
  if (input.numel() === 0 || tau.numel() === 0) return undefined;
  const [m, n] = g.shape.slice(-2) as [number, number];
  const k = tau.shape.at(-1) as number;
  const v = reflectors(input, k);
  const factors = tau.unsqueeze(-2).split(1, -1);
  const reflect = (x: Tensor, i: number): Tensor => {
    const own = v[i] as Tensor;
    return x.sub(own.mul(factors[i] as Tensor).matmul(own.mT.matmul(x)));
  };
  const behind: Tensor[] = [];
  let right = identity(m, n, input).expand([...input.shape.slice(0, -2), m, n]);
  for (let i = k - 1; i >= 0; i--) {
    behind[i] = right;
    right = reflect(right, i);
  }
  let left = g;
  const [toVectors, toFactors]: [Tensor[], Tensor[]] = [[], []];
  for (let i = 0; i < k; i++) {
    const [own, rest] = [v[i] as Tensor, behind[i] as Tensor];
    const forward = left.matmul(rest.mT.matmul(own));
    const back = rest.matmul(left.mT.matmul(own));
    toFactors.push(own.mT.matmul(forward).neg().squeeze(-1));
    toVectors.push(forward.add(back).mul((factors[i] as Tensor).neg()));
    left = reflect(left, i);
  }
  const width = input.shape.at(-1) as number;
  const vectors = cat(toVectors, -1).tril(-1);
  const rest = vectors.newZeros([...vectors.shape.slice(0, -1), width - k]);
  return {
    input: width > k ? cat([vectors, rest], -1) : vectors,
    tau: cat(toFactors, -1),
  };
}

/** Of Q itself, from that of its product with `other`. */
function toProduct(g: Tensor, other: Tensor, left: boolean, transpose: boolean): Tensor {
  if (left) return transpose ? other.matmul(g.mT) : g.matmul(other.mT);
  return transpose ? g.mT.matmul(other) : other.mT.matmul(g);
}

/**
 * Factorisations into triangles, and orthonormal bases.
 *
 * @see Murray, Differentiation of the Cholesky decomposition (2016); Walter and Lehmann, Algorithmic differentiation of linear algebra
 * functions (2010)
 */
export const factorizations: Readonly<Record<string, Derivatives>> = {
  linalgCholeskyEx: {
    self: saving('L', (g, { L, upper }) =>
      upper ? choleskyGradient(g.mT, L.mT) : choleskyGradient(g, L),
    ),
  },
  linalgLuFactorEx: {
    self: saving('LU pivots', (g, { LU, pivots, pivot }) => {
      const { P, L, U } = luUnpack(LU, pivots);
      const k = U.shape.at(-2) as number;
      const gA = luGradient(g.narrow(-1, 0, k).tril(-1), g.narrow(-2, 0, k).triu(), L, U);
      return pivot ? P.matmul(gA) : gA;
    }),
  },
  linalgLu: {
    self: given('P L U', ([gL, gU], { P, L, U, pivot }) => {
      const gA = luGradient(gL ?? zerosLike(L), gU ?? zerosLike(U), L, U);
      return pivot ? P.matmul(gA) : gA;
    }),
  },
  luUnpack: {
    lu: given('L U', ([gL, gU], { L, U, lu }) => {
      if (L.ndim === 1) return undefined;
      const [m, n] = lu.shape.slice(-2) as [number, number];
      return packed(gL ?? zerosLike(L), gU ?? zerosLike(U), m, n);
    }),
  },
  linalgQr: {
    self: given('Q R', ([gQ, gR], { Q, R }) =>
      qrGradient([gQ ?? zerosLike(Q), gR ?? zerosLike(R)], Q, R),
    ),
  },
  linalgHouseholderProduct: {
    input: saving('input tau', (g, { input, tau }) => reflectionGradients(g, input, tau)?.input),
    tau: saving('input tau', (g, { input, tau }) => reflectionGradients(g, input, tau)?.tau),
  },
  ormqr: {
    self: saving(
      'self tau other',
      (g, { self, tau, other, left, transpose }) =>
        reflectionGradients(toProduct(g, other, left, transpose), self, tau)?.input,
    ),
    tau: saving(
      'self tau other',
      (g, { self, tau, other, left, transpose }) =>
        reflectionGradients(toProduct(g, other, left, transpose), self, tau)?.tau,
    ),
    other: saving('self tau', (g, { self, tau, left, transpose }) =>
      ormqr(self, tau, g, { left, transpose: !transpose }),
    ),
  },
  geqrf: { self: notImplemented('geqrf') },
  linalgLdlFactorEx: { self: notImplemented('linalg_ldl_factor_ex') },
  linalgLdlSolve: {
    ld: notImplemented('linalg_ldl_solve'),
    b: notImplemented('linalg_ldl_solve'),
  },
};
