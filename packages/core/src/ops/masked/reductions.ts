import { category, type DType, isFloatingPoint } from '../../dtype.js';
import { explaining } from '../../explain.js';
import { normalizeDims } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { div, mul, sub } from '../binary.js';
import { to } from '../copy.js';
import { nanmedian, median as plainMedian } from '../median.js';
import * as plain from '../reduce.js';
import { type Dims, rowLength } from '../reduction.js';
import { clampMin } from '../ternary.js';
import { sqrt } from '../unary.js';
import { expand, reshape } from '../view.js';
import { checkMask, filled, highest, lowest, type MaskedReduceOptions } from './mask.js';

type Reduction = (self: Tensor, dim?: Dims, options?: MaskedReduceOptions) => Tensor;

/** Sums and products of narrow integers come in int64. */
const wide = (self: Tensor, dtype: DType | null | undefined): DType =>
  dtype ?? (category(self.dtype) < 2 ? 'int64' : self.dtype);

/** The reduced dimensions, or all. */
const dimsOf = (operation: string, self: Tensor, dim: Dims): number[] =>
  self.shape.length === 0
    ? []
    : normalizeDims(operation, dim === null ? undefined : dim, self.shape.length);

/**
 * The sum of the elements where the mask is true; 0 where it is nowhere true.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.masked.sum.html
 * @example masked.sum(tensor([1, 2, 3]), 0, { mask: tensor([true, false, true]) }) // tensor(4.)
 */
export const sum: Reduction = explaining('masked.sum', (self, dim, options = {}) => {
  const dtype = wide(self, options.dtype);
  const x = filled('sum', self, { mask: options.mask, dtype }, 0);
  return plain.sum(x, dim, { keepdim: options.keepdim, dtype });
});

/** The product of the elements where the mask is true; 1 where it is nowhere true. */
export const prod: Reduction = explaining('masked.prod', (self, dim, options = {}) => {
  const dtype = wide(self, options.dtype);
  let x = filled('prod', self, { mask: options.mask, dtype }, 1);
  const dims = dimsOf('prod', x, dim);
  if (dims.length === 0) return plain.prod(x, undefined, { dtype });
  for (const d of [...dims].reverse()) x = plain.prod(x, d, { keepdim: options.keepdim, dtype });
  return x;
});

/** The greatest element where the mask is true; -inf, or the dtype's least value, where it is nowhere true. */
export const amax: Reduction = explaining('masked.amax', (self, dim, options = {}) =>
  plain.amax(filled('amax', self, options, lowest(options.dtype ?? self.dtype)), dim, {
    keepdim: options.keepdim,
  }),
);

/** The smallest element where the mask is true; inf, or the dtype's greatest value, where it is nowhere true. */
export const amin: Reduction = explaining('masked.amin', (self, dim, options = {}) =>
  plain.amin(filled('amin', self, options, highest(options.dtype ?? self.dtype)), dim, {
    keepdim: options.keepdim,
  }),
);

type Position = (self: Tensor, dim?: number | null, options?: MaskedReduceOptions) => Tensor;

/** Where the greatest element of those with a true mask stands, in the dtype of `self` as in PyTorch. */
export const argmax: Position = explaining('masked.argmax', (self, dim, options = {}) => {
  const x = filled('argmax', self, options, lowest(options.dtype ?? self.dtype));
  return to(plain.argmax(x, dim, { keepdim: options.keepdim }), x.dtype);
});

/** Where the smallest element of those with a true mask stands, in the dtype of `self` as in PyTorch. */
export const argmin: Position = explaining('masked.argmin', (self, dim, options = {}) => {
  const x = filled('argmin', self, options, highest(options.dtype ?? self.dtype));
  return to(plain.argmin(x, dim, { keepdim: options.keepdim }), x.dtype);
});

/** How many elements count, for each result; a plain number where all do. */
function counted(operation: string, self: Tensor, dim: Dims, options: MaskedReduceOptions) {
  if (!options.mask) {
    const dims = dimsOf(operation, self, dim);
    return rowLength(self, dims.length === 0 ? self.shape.map((_, d) => d) : dims);
  }
  const mask = expand(checkMask(operation, self, options.mask), self.shape);
  return plain.sum(mask, dim, { keepdim: options.keepdim });
}

/** The mean of the elements where the mask is true; NaN where it is nowhere true. */
export const mean: Reduction = explaining('masked.mean', (self, dim, options = {}) => {
  const dtype = options.dtype ?? self.dtype;
  const total = sum(self, dim, { ...options, dtype });
  return div(total, counted('mean', self, dim, options));
});

/** The logarithm of the sum of the exponentials of the elements where the mask is true. */
export const logsumexp: Reduction = explaining('masked.logsumexp', (self, dim, options = {}) => {
  const x = filled('logsumexp', self, options, lowest(options.dtype ?? self.dtype));
  const result = plain.logsumexp(x, dim ?? [], { keepdim: options.keepdim });
  return to(result, x.dtype);
});

/** The `ord`-norm of the elements where the mask is true. */
export const norm = explaining(
  'masked.norm',
  (self: Tensor, ord = 2, dim?: Dims, options: MaskedReduceOptions = {}): Tensor => {
    const x = filled('norm', self, options, ord === -Infinity ? Infinity : 0);
    return plain.vectorNorm(x, ord, dim, { keepdim: options.keepdim });
  },
);

/** The lower median of the elements where the mask is true; NaN where it is nowhere true. */
export const median = explaining(
  'masked.median',
  (self: Tensor, dim = -1, options: MaskedReduceOptions = {}): Tensor => {
    const dtype = options.dtype ?? self.dtype;
    const given = { keepdim: options.keepdim ?? false };
    if (!options.mask) {
      return plainMedian(filled('median', self, options, 0), dim, given).values;
    }
    const float = isFloatingPoint(dtype) ? dtype : 'float32';
    const x = filled('median', self, { mask: options.mask, dtype: float }, Number.NaN);
    return nanmedian(x, dim, given).values;
  },
);

function spread(
  operation: string,
  self: Tensor,
  dim: Dims,
  unbiased: boolean,
  options: MaskedReduceOptions,
): Tensor {
  const wanted = options.dtype ?? self.dtype;
  const dtype = isFloatingPoint(wanted) ? wanted : 'float32';
  const x = to(self, dtype);
  const { mask } = options;
  const kept = { mask, dtype, keepdim: true };
  const count = counted(operation, x, dim, kept);
  const centred = sub(x, div(sum(x, dim, kept), count));
  const total = sum(mul(centred, centred), dim, { ...kept, keepdim: options.keepdim });
  if (typeof count === 'number') return div(total, unbiased ? Math.max(count - 1, 0) : count);
  const divisor = unbiased ? clampMin(sub(count, 1), 0) : count;
  return div(total, reshape(divisor, total.shape));
}

type Spread = (
  self: Tensor,
  dim?: Dims,
  unbiased?: boolean | null,
  options?: MaskedReduceOptions,
) => Tensor;

/** The variance of the elements where the mask is true; `unbiased` (default) divides by one less than their count. */
const var_: Spread = explaining('masked.var', (self, dim, unbiased, options = {}) =>
  spread('var', self, dim, unbiased ?? true, options),
);

export { var_ as var };

/** The standard deviation of the elements where the mask is true; as `var`. */
export const std: Spread = explaining('masked.std', (self, dim, unbiased, options = {}) =>
  sqrt(spread('std', self, dim, unbiased ?? true, options)),
);
