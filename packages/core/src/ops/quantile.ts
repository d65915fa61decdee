import { computeType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { cast, e, input } from '../expr.js';
import { normalizeDim, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { full } from './create.js';
import { gatherOp } from './gathering.js';
import { sum } from './reduce.js';
import { sort } from './sort.js';
import { lerp } from './ternary.js';
import { detach, movedim, reshape, squeeze, unsqueeze } from './view.js';
import { type Writing, writing } from './writing.js';

/** Options of `quantile` and `nanquantile`. */
export interface QuantileOptions {
  /** Keep the reduced dimension with size 1; default false. */
  keepdim?: boolean;
  /** What is given where a quantile falls between two elements; default `'linear'`. */
  interpolation?: 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';
}

type Quantile = (
  self: Tensor,
  q: number | Tensor,
  dim?: number | null,
  options?: QuantileOptions,
) => Tensor;

const modes = ['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const;

/** `q` as a vector (or scalar) of the dtype of `self`, its values checked where they can be read. */
function levels(name: string, self: Tensor, q: number | Tensor): Tensor {
  const level = q instanceof Tensor ? q : full([], q, { dtype: self.dtype, device: self.device });
  if (level.shape.length > 1)
    throw new RuntimeError(`${name}: q must be a scalar or 1D tensor, got ${level.shape.length}D`);
  if (level.dtype !== self.dtype) {
    throw new RuntimeError(
      `${name}: q tensor must be same dtype as the input tensor (${level.dtype} and ${self.dtype})`,
    );
  }
  const values =
    typeof q === 'number'
      ? [q]
      : q.storage.backend.synchronous
        ? (reshape(detach(q), [-1]).toArraySync() as number[])
        : [];
  if (values.some((v) => !(v >= 0 && v <= 1)))
    throw new RuntimeError(`${name}: q must be in the range [0, 1] but got ${values.join(', ')}`);
  return level;
}

/** Ranks rounded to the nearest position, halves to the even one. */
function rounded(ranks: Tensor): Tensor {
  const result = allocate(ranks.shape, 'int64', ranks.device);
  execute({
    kind: 'map',
    shape: ranks.shape,
    inputs: [ranks],
    scalars: [],
    values: [cast(e.round(input(0, computeType(ranks.dtype))), 'int64')],
    outputs: [result],
  });
  return result;
}

const quantileOf =
  (name: 'quantile' | 'nanquantile'): Quantile =>
  (self, q, dim, options = {}) => {
    const { keepdim = false, interpolation = 'linear' } = options;
    if (self.dtype !== 'float32' && self.dtype !== 'float64') {
      throw new RuntimeError(
        `${name}: input tensor must be either float or double dtype, got ${self.dtype}`,
      );
    }
    if (!modes.includes(interpolation)) {
      throw new RuntimeError(
        `${name}: interpolation must be one of ${modes.join(', ')}, but got ${interpolation as string}`,
      );
    }
    const level = levels(name, self, q);
    const whole = dim === undefined || dim === null;
    const source = whole || self.shape.length === 0 ? reshape(self, [-1]) : self;
    const d = whole ? 0 : normalizeDim(name, dim, source.shape.length);
    const size = source.shape[d] as number;
    if (numel(self.shape) === 0) throw new RuntimeError(`${name}: input tensor must be non-empty`);
    const sorted = movedim(sort(source, d).values, d, -1);

    // How far into the row each quantile lies; a row with NaN gives its last element, which is NaN.
    const last = size - 1;
    const missing = sum(detach(sorted).isnan(), -1, { keepdim: true });
    const row = reshape(level, [-1]);
    const ranks =
      name === 'quantile'
        ? row
            .mul(last)
            .expand([...sorted.shape.slice(0, -1), row.shape[0] as number])
            .maskedFill(missing.gt(0), last)
        : row.mul(missing.neg().add(last).clampMin(0));
    const at = (place: Tensor) =>
      gatherOp(sorted, sorted.shape.length - 1, detach(place).to('int64'));
    const pick = (): Tensor => {
      switch (interpolation) {
        case 'lower':
          return at(ranks.floor());
        case 'higher':
          return at(ranks.ceil());
        case 'nearest':
          return at(rounded(ranks));
        default: {
          const below = ranks.floor();
          const weight = interpolation === 'midpoint' ? 0.5 : ranks.sub(below);
          return lerp(at(below), at(ranks.ceil()), weight);
        }
      }
    };
    const found = pick();
    const single = level.shape.length === 0;
    // Found with the quantiles last; they go in front, or disappear if there is only one.
    const front = single ? squeeze(found, -1) : movedim(found, -1, 0);
    if (!keepdim) return front;
    const lead = single ? 0 : 1;
    return whole
      ? reshape(front, [...front.shape.slice(0, lead), ...self.shape.map(() => 1)])
      : self.shape.length === 0
        ? front
        : unsqueeze(front, d + lead);
  };

/**
 * The elements below which the fractions `q` of a dimension lie (without `dim`: of all elements); NaN if there is one.
 *
 * @param q a number, or a vector: its dimension comes first in the result.
 * @see https://pytorch.org/docs/stable/generated/torch.quantile.html
 */
export const quantile: Writing<Quantile> = writing('quantile', quantileOf('quantile'));
/** `quantile` with NaN left out. */
export const nanquantile: Writing<Quantile> = writing('nanquantile', quantileOf('nanquantile'));
