import { mustRecord, op } from '../../op.js';
import type { Tensor } from '../../tensor.js';
import { zeros } from '../create.js';
import { type Named, named } from '../named.js';
import { writing } from '../writing.js';
import { checkFloats, checkInfo, checkMatrices } from './checks.js';
import { decomposeSingular } from './routine.js';

const decompose = op('linalgSvd', 'self fullMatrices', (self: Tensor, fullMatrices: boolean) => {
  const { u, s, vh, info } = decomposeSingular(self, fullMatrices ? 'full' : 'reduced');
  checkInfo('linalg.svd', info, 'svd');
  return named(['U', 'S', 'Vh'], u, s, vh);
});

function check(operation: string, self: Tensor): void {
  checkMatrices(operation, self);
  checkFloats(operation, self);
}

/**
 * Matrices [..., m, n] as U diag(S) Vh: orthonormal columns, singular values [..., k] in descending order (k = min(m, n)) and
 * orthonormal rows. U and Vh are whole bases [..., m, m] and [..., n, n], or [..., m, k] and [..., k, n] without `fullMatrices`.
 *
 * @throws RuntimeError if the matrices are not float32 or float64; LinAlgError if they are not finite.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.svd.html
 * @example const { U, S, Vh } = linalg.svd(A, { fullMatrices: false });
 */
export const svd = writing(
  'linalg.svd',
  (self: Tensor, options: { fullMatrices?: boolean } = {}): Named<['U', 'S', 'Vh']> => {
    check('linalg.svd', self);
    return decompose(self, options.fullMatrices ?? true);
  },
);

/** The singular values alone; gradients need the vectors. */
function valuesOf(operation: string, self: Tensor): Tensor {
  check(operation, self);
  if (mustRecord([self])) return decompose(self, false).S;
  const { s, info } = decomposeSingular(self, 'none');
  checkInfo(operation, info, 'svd');
  return s;
}

/**
 * The singular values of matrices, in descending order: [..., min(m, n)].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.svdvals.html
 */
export const svdvals = writing(
  'linalg.svdvals',
  (self: Tensor): Tensor => valuesOf('linalg.svdvals', self),
);

/** Options of `svd`. */
export interface SvdOptions {
  /** As many vectors as there are singular values; default true. Otherwise whole bases. */
  some?: boolean;
  /** Compute U and V; default true. Otherwise they are zeros. */
  computeUV?: boolean;
}

/** As `linalg.svd`, with V instead of its transpose, and by default without the vectors that complete a basis. */
export const svdOf = writing(
  'svd',
  (self: Tensor, options: SvdOptions = {}): Named<['U', 'S', 'V']> => {
    if (options.computeUV ?? true) {
      check('svd', self);
      const { U, S, Vh } = decompose(self, !(options.some ?? true));
      return named(['U', 'S', 'V'], U, S, Vh.transpose(-2, -1));
    }
    const S = valuesOf('svd', self);
    const none = (n: number) =>
      zeros([...self.shape.slice(0, -2), n, n], { dtype: self.dtype, device: self.device });
    const [m, n] = self.shape.slice(-2) as [number, number];
    return named(['U', 'S', 'V'], none(m), S, none(n));
  },
);
