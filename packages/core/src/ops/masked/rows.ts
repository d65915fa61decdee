import { explaining } from '../../explain.js';
import type { Tensor } from '../../tensor.js';
import { div, logaddexp as plainLogaddexp } from '../binary.js';
import type { Dims } from '../reduction.js';
import * as scan from '../scan.js';
import * as plain from '../softmax.js';
import { clampMin } from '../ternary.js';
import { filled, type MaskOptions } from './mask.js';
import { norm } from './reductions.js';

type AlongDim = (self: Tensor, dim: number, options?: MaskOptions) => Tensor;

/**
 * `softmax` among the elements where the mask is true; 0 at the others, and NaN where it is nowhere true.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.masked.softmax.html
 */
export const softmax: AlongDim = explaining('masked.softmax', (self, dim, options = {}) =>
  plain.softmax(filled('softmax', self, options, -Infinity), dim),
);

/** The logarithm of `softmax`; -inf where the mask is false. */
export const logSoftmax: AlongDim = explaining('masked.logSoftmax', (self, dim, options = {}) =>
  plain.logSoftmax(filled('logSoftmax', self, options, -Infinity), dim),
);

/** `softmax` of the negative. */
export const softmin: AlongDim = explaining('masked.softmin', (self, dim, options = {}) =>
  plain.softmin(filled('softmin', self, options, Infinity), dim),
);

/** The running sums, in which elements count where the mask is true; unlike `cumsum` in the dtype of `self`. */
export const cumsum: AlongDim = explaining('masked.cumsum', (self, dim, options = {}) =>
  scan.cumsum(filled('cumsum', self, options, 0), dim, { dtype: options.dtype ?? self.dtype }),
);

/** The running products, in which elements count where the mask is true; in the dtype of `self`. */
export const cumprod: AlongDim = explaining('masked.cumprod', (self, dim, options = {}) =>
  scan.cumprod(filled('cumprod', self, options, 1), dim, { dtype: options.dtype ?? self.dtype }),
);

/** The elements over their `ord`-norm, which is at least `eps` (1e-12); 0 where the mask is false. */
export const normalize = explaining(
  'masked.normalize',
  (self: Tensor, ord: number, dim: Dims, options: MaskOptions & { eps?: number } = {}): Tensor => {
    const size = norm(self, ord, dim, { ...options, keepdim: true });
    return div(filled('normalize', self, options, 0), clampMin(size, options.eps ?? 1e-12));
  },
);

/** log(e^self + e^other), where elements with a false mask count as e^-inf. */
export const logaddexp = explaining(
  'masked.logaddexp',
  (
    self: Tensor,
    other: Tensor,
    options: { inputMask?: Tensor; otherMask?: Tensor; dtype?: MaskOptions['dtype'] } = {},
  ): Tensor => {
    const { inputMask, otherMask, dtype } = options;
    return plainLogaddexp(
      filled('logaddexp', self, { mask: inputMask, dtype }, -Infinity),
      filled('logaddexp', other, { mask: otherMask, dtype }, -Infinity),
    );
  },
);
