import type { Tensor } from '../tensor.js';
import { div } from './binary.js';
import { vectorNorm } from './reduce.js';
import { clampMin } from './ternary.js';
import { writing } from './writing.js';

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** The p of the norm; default 2. */
  p?: number;
  /** Default 1. */
  dim?: number | readonly number[];
  /** The least norm that is divided by; default 1e-12. */
  eps?: number;
}

/**
 * The tensor divided by its p-norm along dimensions.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.normalize.html
 */
export const normalize = writing(
  'normalize',
  (self: Tensor, options: NormalizeOptions = {}): Tensor => {
    const { p = 2, dim = 1, eps = 1e-12 } = options;
    return div(self, clampMin(vectorNorm(self, p, dim, { keepdim: true }), eps));
  },
  'castable',
);
