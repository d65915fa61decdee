import { formatShape, RuntimeError } from '../../errors.js';
import { op } from '../../op.js';
import { checkValues } from '../../read.js';
import { sameShape } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { type Named, named } from '../named.js';
import { writing } from '../writing.js';
import {
  type CheckOptions,
  checkFloats,
  checkInfo,
  checkSameDtype,
  checkSizes,
  checkSquare,
  expandBatches,
} from './checks.js';
import { columns, fresh, run } from './routine.js';

/** Options of `ldlFactor` and `ldlSolve`. */
export interface LdlOptions {
  /** Of complex matrices; makes no difference here. */
  hermitian?: boolean;
}

const factor = op(
  'linalgLdlFactorEx',
  'self checkErrors',
  (self: Tensor, checkErrors: boolean): Named<['LD', 'pivots', 'info']> => {
    const ld = columns(self, self.shape);
    const pivots = fresh(self, self.shape.slice(0, -1), 'int32');
    const info = fresh(self, self.shape.slice(0, -2), 'int32');
    run({ routine: 'ldl', inputs: [self], outputs: [ld, pivots, info], flags: {} });
    if (checkErrors) checkInfo('linalg.ldlFactorEx', info, 'ldl');
    return named(['LD', 'pivots', 'info'], ld, pivots, info);
  },
);

/**
 * As `linalg.ldlFactor`, but a zero in D throws nothing: `info` [...] has its place, counted from 1, else 0.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.ldl_factor_ex.html
 */
export const ldlFactorEx = writing(
  'linalg.ldlFactorEx',
  (self: Tensor, options: LdlOptions & CheckOptions = {}): Named<['LD', 'pivots', 'info']> => {
    checkSquare('linalg.ldlFactorEx', self);
    checkFloats('linalg.ldlFactorEx', self);
    return factor(self, options.checkErrors ?? false);
  },
);

/**
 * Symmetric matrices [..., n, n], of which the lower triangle is read, as L D L^T in LAPACK's packed form, with its int32
 * pivots [..., n].
 *
 * @throws LinAlgError if D has a zero; RuntimeError if they are not square matrices of float32 or float64.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.ldl_factor.html
 */
export const ldlFactor = writing(
  'linalg.ldlFactor',
  (self: Tensor, _options: LdlOptions = {}): Named<['LD', 'pivots']> => {
    checkSquare('linalg.ldlFactor', self);
    checkFloats('linalg.ldlFactor', self);
    const { LD, pivots, info } = factor(self, false);
    checkInfo('linalg.ldlFactor', info, 'ldl');
    return named(['LD', 'pivots'], LD, pivots);
  },
);

const solve = op(
  'linalgLdlSolve',
  'ld pivots b',
  (ld: Tensor, pivots: Tensor, b: Tensor): Tensor => {
    const x = columns(b, b.shape);
    run({ routine: 'ldlSolve', inputs: [ld, pivots, b], outputs: [x], flags: {} });
    return x;
  },
);

/** @throws RuntimeError for pivots that `ldlFactor` does not give. */
function checkPivots(pivots: Tensor): void {
  const n = pivots.shape.at(-1) as number;
  checkValues(pivots, (values) => {
    for (let k = 0; k < values.length; k++) {
      const pivot = values[k] as number;
      // The second row of a 2x2 block repeats the pivot of the first.
      const paired = pivot > 0 || (k % n < n - 1 && values[k + 1] === pivot);
      if (pivot === 0 || Math.abs(pivot) > n || !paired) {
        return new RuntimeError(
          `linalg.ldlSolve: pivots must be between 1 and ${n}, or negative in equal pairs, got ${pivot} at ${k % n}. Did you properly pass the result of ldlFactor?`,
        );
      }
      if (pivot < 0) k++;
    }
    return undefined;
  });
}

/**
 * Solves A x = b for matrices b [..., n, k], from the result of `ldlFactor(A)`; batches broadcast.
 *
 * @throws RuntimeError if shapes or dtypes do not match.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.ldl_solve.html
 */
export const ldlSolve = writing(
  'linalg.ldlSolve',
  (ld: Tensor, pivots: Tensor, b: Tensor, _options: LdlOptions = {}): Tensor => {
    checkSquare('linalg.ldlSolve', ld, 'LD');
    checkFloats('linalg.ldlSolve', ld);
    checkSameDtype('linalg.ldlSolve', ld, b, ['LD', 'B']);
    checkSizes('linalg.ldlSolve', ld, b);
    if (pivots.dtype !== 'int32' || !sameShape(pivots.shape, ld.shape.slice(0, -1))) {
      throw new RuntimeError(
        `linalg.ldlSolve: Expected LD.shape[:-1] and pivots.shape to be the same and pivots of int32, but got pivots of ${pivots.dtype} with shape ${formatShape(pivots.shape)} and LD with shape ${formatShape(ld.shape)}`,
      );
    }
    checkPivots(pivots);
    const operands = expandBatches('linalg.ldlSolve', [ld, pivots, b], [2, 1, 2]);
    return solve(...(operands as [Tensor, Tensor, Tensor]));
  },
);
