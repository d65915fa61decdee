import { arange, canRead, diagEmbed, eye, linalg, type Tensor, where } from '@sconce/core';
import { isGradEnabled } from '../modes.js';
import { solveAdjoint } from './equations.js';
import { type Derivatives, given, saving } from './formula.js';
import { productOfOthers } from './reductions.js';

const { solve, svd } = linalg;

const epsilon = (t: Tensor): number => (t.dtype === 'float64' ? 2 ** -52 : 2 ** -23);
const diagonalOf = (t: Tensor): Tensor => t.diagonal({ dim1: -2, dim2: -1 });
const skew = (x: Tensor): Tensor => x.sub(x.mT);

/** x_j - x_i at [i, j], with ones on the diagonal. */
const gaps = (x: Tensor): Tensor =>
  x
    .unsqueeze(-2)
    .sub(x.unsqueeze(-1))
    .add(eye(x.shape.at(-1) as number, { dtype: x.dtype, device: x.device }));

/** U diag(s) V, from the side on which there is less to multiply. */
const between = (u: Tensor, s: Tensor, vh: Tensor): Tensor =>
  (u.shape.at(-2) as number) >= (vh.shape.at(-1) as number)
    ? u.matmul(s.unsqueeze(-1).mul(vh))
    : u.mul(s.unsqueeze(-2)).matmul(vh);

/** Of symmetric matrices, from those of eigenvalues and eigenvectors. */
function eigenGradient(
  gL: Tensor | undefined,
  gV: Tensor | undefined,
  L: Tensor,
  V: Tensor,
): Tensor {
  // Without vectors there are no gaps to divide by, which equal values would make zero.
  if (!gV) return between(V, gL as Tensor, V.mT);
  const turning = skew(V.mT.matmul(gV)).div(gaps(L)).mul(0.5);
  return V.matmul(gL ? turning.add(diagEmbed(gL)) : turning).matmul(V.mT);
}

/** Of matrices, from those of singular values and of as many vectors. */
function singularGradient(
  gU: Tensor | undefined,
  gS: Tensor | undefined,
  gVh: Tensor | undefined,
  U: Tensor,
  S: Tensor,
  Vh: Tensor,
): Tensor {
  if (!gU && !gVh) return between(U, gS as Tensor, Vh);
  const k = S.shape.at(-1) as number;
  const squares = gaps(S.square());
  const inU = gU && U.mT.matmul(gU);
  const inV = gVh && Vh.matmul(gVh.mT);
  let inner = gS ? diagEmbed(gS) : undefined;
  const add = (x: Tensor): void => {
    inner = inner ? inner.add(x) : x;
  };
  if (inU) add(skew(inU).div(squares).mul(S.unsqueeze(-2)));
  if (inV) add(S.unsqueeze(-1).mul(skew(inV).div(squares)));
  let result = U.matmul(inner as Tensor);
  if (gU && inU && (U.shape.at(-2) as number) > k) {
    result = result.add(gU.sub(U.matmul(inU)).div(S.unsqueeze(-2)));
  }
  result = result.matmul(Vh);
  if (gVh && inV && (Vh.shape.at(-1) as number) > k) {
    result = result.add(U.matmul(gVh.sub(inV.mT.matmul(Vh)).div(S.unsqueeze(-1))));
  }
  return result;
}

/** Matrices of the size of `like` with a number on their diagonals. */
const scaledIdentity = (values: Tensor, like: Tensor): Tensor =>
  diagEmbed(values.unsqueeze(-1).expand(like.shape.slice(0, -1)));

/**
 * det(A) A^-T, by the factors of A or, with `turn`, of A^T, where it is not differentiated again: as it is continuous, a zero on U's diagonal makes way for something small.
 */
function adjugate(g: Tensor, lu: Tensor, pivots: Tensor, turn: boolean): Tensor {
  const diagonal = diagonalOf(lu);
  const least = diagonal.abs().amax(-1, { keepdim: true }).clampMin(1).mul(epsilon(lu));
  const moved = where(diagonal.eq(0), least, 0);
  const n = lu.shape.at(-1) as number;
  const places = arange(1, n + 1, { dtype: 'int32', device: lu.device });
  const parity = pivots.ne(places).sum(-1).remainder(2).mul(-2).add(1).to(lu.dtype);
  const det = diagonal.add(moved).prod(-1).mul(parity);
  return linalg.luSolve(lu.add(diagEmbed(moved)), pivots, scaledIdentity(g.mul(det), lu), {
    adjoint: !turn,
  });
}

/** The same by singular values, of which any may be zero. */
function adjugateBySvd(g: Tensor, a: Tensor): Tensor {
  const { U, S, Vh } = svd(a);
  // Turning the vectors does not change what their determinants are: 1 or -1.
  const sign = linalg.det(U.detach()).mul(linalg.det(Vh.detach()));
  const others = productOfOthers(S, [S.ndim - 1]);
  return between(U, others.mul(g.mul(sign).unsqueeze(-1)), Vh);
}

/** det(A) A^-T, to be differentiated again. */
function determinantGradient(g: Tensor, a: Tensor, det: Tensor): Tensor {
  const singular = det
    .abs()
    .lt(100 * epsilon(det))
    .detach();
  const regularly = (x: Tensor, d: Tensor): Tensor => solve(x.mT, scaledIdentity(g.mul(d), x));
  if (!canRead(singular) || Number(singular.any().itemSync()) === 0) return regularly(a, det);
  // Each form sees harmless matrices where it does not count, so that nothing of them comes into the derivatives.
  const n = a.shape.at(-1) as number;
  const like = { dtype: a.dtype, device: a.device };
  const apart = diagEmbed(arange(1, n + 1, like));
  const mask = singular.unsqueeze(-1).unsqueeze(-1);
  return where(
    mask,
    adjugateBySvd(g, where(mask, a, apart)),
    regularly(where(mask, eye(n, like), a), where(singular, 1, det)),
  );
}

/**
 * Determinants, eigenvalues and singular values.
 *
 * @see Giles, An extended collection of matrix derivative results for forward and reverse mode algorithmic differentiation (2008)
 */
export const spectral: Readonly<Record<string, Derivatives>> = {
  linalgDet: {
    self: saving('self result LU pivots', (g, { self, result, LU, pivots, turn }) => {
      // As in PyTorch, no gradient flows to nothing.
      if (self.numel() === 0) return undefined;
      return isGradEnabled() ? determinantGradient(g, self, result) : adjugate(g, LU, pivots, turn);
    }),
  },
  linalgSlogdet: {
    // The sign is constant where it has a derivative.
    self: given(
      'self LU pivots',
      ([, g], { self, LU, pivots, turn }) =>
        g && solveAdjoint(self, LU, pivots, scaledIdentity(g, LU), turn),
    ),
  },
  linalgEigh: {
    self: given('eigenvalues eigenvectors', ([gL, gV], { eigenvalues, eigenvectors }) =>
      eigenGradient(gL, gV, eigenvalues, eigenvectors),
    ),
  },
  linalgSvd: {
    self: given('U S Vh', ([gU, gS, gVh], { U, S, Vh }) => {
      // What completes the bases has no derivative; gradients of it are left out, as in PyTorch.
      const k = S.shape.at(-1) as number;
      const [u, vh] = [U.narrow(-1, 0, k), Vh.narrow(-2, 0, k)];
      return singularGradient(gU?.narrow(-1, 0, k), gS, gVh?.narrow(-2, 0, k), u, S, vh);
    }),
  },
};
