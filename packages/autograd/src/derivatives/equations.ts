import { choleskySolve, linalg, type Tensor } from '@sconce/core';
import { isGradEnabled } from '../modes.js';
import { toLu } from './factorizations.js';
import { type Derivatives, saving } from './formula.js';

const { luSolve, pinv, solve, solveTriangular } = linalg;

/** Of A in A x = b or x A = b, from that of b. */
const toMatrix = (gB: Tensor, x: Tensor, left: boolean): Tensor =>
  (left ? gB.matmul(x.mT) : x.mT.matmul(gB)).neg();

/**
 * Solves with A^T: by the factors of A or, with `turn`, of A^T, unless what follows is differentiated itself, of which factors
 * know nothing.
 */
export const solveAdjoint = (
  a: Tensor,
  lu: Tensor,
  pivots: Tensor,
  g: Tensor,
  turn: boolean,
  left = true,
): Tensor =>
  isGradEnabled() ? solve(a.mT, g, { left }) : luSolve(lu, pivots, g, { left, adjoint: !turn });

/** Solves with a triangle's transpose. */
const solveTurned = (
  a: Tensor,
  g: Tensor,
  { upper, left, unitriangular }: { upper: boolean; left: boolean; unitriangular: boolean },
): Tensor => solveTriangular(a.mT, g, { upper: !upper, left, unitriangular });

/** Of a Cholesky factor, from that of the symmetric A it belongs to. */
const toFactor = (gA: Tensor, factor: Tensor, upper: boolean): Tensor => {
  const both = gA.add(gA.mT).neg();
  return upper ? factor.matmul(both) : both.matmul(factor);
};

/**
 * Of A, from that of its pseudoinverse, as long as the rank stays the same.
 *
 * @see Golub and Pereyra, The differentiation of pseudo-inverses and nonlinear least squares problems whose variables separate (1973)
 */
function pseudoInverseGradient(g: Tensor, a: Tensor, inverse: Tensor): Tensor {
  const [turned, back] = [inverse.mT, g.mT];
  if ((a.shape.at(-2) as number) <= (a.shape.at(-1) as number)) {
    const k = back.matmul(inverse);
    const along = k.matmul(turned);
    return inverse
      .matmul(k)
      .mT.neg()
      .add(along)
      .sub(a.matmul(inverse).matmul(along))
      .add(turned.matmul(inverse).matmul(back.sub(k.matmul(a))));
  }
  const k = inverse.matmul(back);
  const along = turned.matmul(k);
  return k
    .matmul(inverse)
    .mT.neg()
    .add(back.sub(a.matmul(k)).matmul(inverse).matmul(turned))
    .add(along)
    .sub(along.matmul(inverse).matmul(a));
}

/** Solutions of linear equations, and inverses. */
export const equations: Readonly<Record<string, Derivatives>> = {
  linalgSolveEx: {
    self: saving('self result LU pivots', (g, { self, result, LU, pivots, turn, left }) =>
      toMatrix(solveAdjoint(self, LU, pivots, g, turn, left), result, left),
    ),
    b: saving('self LU pivots', (g, { self, LU, pivots, turn, left }) =>
      solveAdjoint(self, LU, pivots, g, turn, left),
    ),
  },
  linalgInvEx: {
    self: saving('inverse', (g, { inverse }) => {
      const turned = inverse.mT;
      return turned.matmul(g).matmul(turned).neg();
    }),
  },
  linalgPinv: {
    // Of symmetric matrices too: there what is not symmetric in it moves nothing.
    self: saving('self result', (g, { self, result }) => pseudoInverseGradient(g, self, result)),
  },
  linalgLstsq: {
    self: saving('self b', (g, { self, b, rcond }) =>
      pseudoInverseGradient(g.matmul(b.mT), self, pinv(self, { rtol: rcond })),
    ),
    b: saving('self', (g, { self, rcond }) => pinv(self, { rtol: rcond }).mT.matmul(g)),
  },
  linalgSolveTriangular: {
    self: saving('self result', (g, { self, result, upper, left, unitriangular }) => {
      const gA = toMatrix(solveTurned(self, g, { upper, left, unitriangular }), result, left);
      const diagonal = unitriangular ? 1 : 0;
      return upper ? gA.triu(diagonal) : gA.tril(-diagonal);
    }),
    b: saving('self', (g, { self, upper, left, unitriangular }) =>
      solveTurned(self, g, { upper, left, unitriangular }),
    ),
  },
  linalgLuSolve: {
    lu: saving('lu pivots result', (g, { lu, pivots, result, left, adjoint }) => {
      const gB = luSolve(lu, pivots, g, { left, adjoint: !adjoint });
      const gA = toMatrix(gB, result, left);
      return toLu(adjoint ? gA.mT : gA, lu, pivots);
    }),
    b: saving('lu pivots', (g, { lu, pivots, left, adjoint }) =>
      luSolve(lu, pivots, g, { left, adjoint: !adjoint }),
    ),
  },
  choleskySolve: {
    self: saving('other', (g, { other, upper }) => choleskySolve(g, other, { upper })),
    other: saving('other result', (g, { other, result, upper }) =>
      toFactor(choleskySolve(g, other, { upper }).matmul(result.mT), other, upper),
    ),
  },
  choleskyInverse: {
    self: saving('self result', (g, { self, result, upper }) =>
      toFactor(result.matmul(g).matmul(result), self, upper),
    ),
  },
};
