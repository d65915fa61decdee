import { explaining } from '../../explain.js';
import { op } from '../../op.js';
import { numel } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../create.js';
import { matmul } from '../matmul.js';
import { where } from '../ternary.js';
import { writing } from '../writing.js';
import { checkInfo } from './checks.js';
import { eigvalsh } from './eigh.js';
import { decomposeSingular, decomposeSymmetric, turned } from './routine.js';
import { svdvals } from './svd.js';
import {
  checkSpectral,
  cutoff,
  type SpectralOptions,
  type Tolerance,
  type ToleranceOptions,
} from './tolerance.js';

/** 1 / values where their sizes are above the bound, else 0. */
const reciprocals = (self: Tensor, values: Tensor, options: ToleranceOptions): Tensor => {
  const sizes = values.abs();
  return where(sizes.gt(cutoff(self, sizes, options)), values.reciprocal(), 0);
};

const pseudoInverse = op(
  'linalgPinv',
  'self atol rtol hermitian',
  (self: Tensor, atol: Tolerance | null, rtol: Tolerance | null, hermitian: boolean): Tensor => {
    if (numel(self.shape) === 0) {
      const [m, n] = self.shape.slice(-2) as [number, number];
      return zeros([...self.shape.slice(0, -2), n, m], { dtype: self.dtype, device: self.device });
    }
    if (hermitian) {
      const { values, vectors, info } = decomposeSymmetric(self, false, true);
      checkInfo('linalg.pinv', info, 'eigen');
      const scaled = vectors.mul(reciprocals(self, values, { atol, rtol }).unsqueeze(-2));
      return matmul(scaled, turned(vectors));
    }
    const { u, s, vh, info } = decomposeSingular(self, 'reduced');
    checkInfo('linalg.pinv', info, 'svd');
    const scaled = turned(vh).mul(reciprocals(self, s, { atol, rtol }).unsqueeze(-2));
    return matmul(scaled, turned(u));
  },
);

/**
 * The Moore-Penrose pseudoinverses [..., n, m] of matrices [..., m, n].
 *
 * @throws RuntimeError if the matrices are not float32 or float64; LinAlgError if they are not finite.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.pinv.html
 * @example linalg.pinv(A, { rtol: 1e-5 })
 */
export const pinv = writing(
  'linalg.pinv',
  (self: Tensor, options: SpectralOptions = {}): Tensor => {
    checkSpectral('linalg.pinv', self, options);
    const { atol = null, rtol = null, hermitian = false } = options;
    return pseudoInverse(self, atol, rtol, hermitian);
  },
);

/** As `linalg.pinv`; singular values up to `rcond` (default 1e-15) times the greatest count as zeros. */
export const pinverse = explaining(
  'pinverse',
  (self: Tensor, options: { rcond?: number } = {}): Tensor =>
    pinv(self, { rtol: options.rcond ?? 1e-15 }),
);

/**
 * The number of singular values of matrices that do not count as zeros: int64 [...] of [..., m, n].
 *
 * @throws RuntimeError if the matrices are not float32 or float64; LinAlgError if they are not finite.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.matrix_rank.html
 */
export const matrixRank = writing(
  'linalg.matrixRank',
  (
    self: Tensor,
    options: SpectralOptions & {
      /** As `atol`, with an `rtol` of 0. */
      tol?: Tolerance | null;
    } = {},
  ): Tensor => {
    checkSpectral('linalg.matrixRank', self, options);
    if (numel(self.shape) === 0) {
      return zeros(self.shape.slice(0, -2), { dtype: 'int64', device: self.device });
    }
    const matrices = self.detach();
    const sizes = options.hermitian ? eigvalsh(matrices).abs() : svdvals(matrices);
    const given = options.tol ?? null;
    const bound = given === null ? options : { atol: given, rtol: 0 };
    return sizes.gt(cutoff(matrices, sizes, bound)).sum(-1);
  },
);
