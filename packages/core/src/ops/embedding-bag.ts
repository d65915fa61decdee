import { formatShape, RuntimeError, ValueError } from '../errors.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { arange, zeros } from './create.js';
import { onesLike } from './create-like.js';
import { type EmbeddingOptions, embedding } from './embedding.js';
import { indexAdd } from './index-update.js';
import { amax, sum } from './reduce.js';
import { scatterReduce } from './scatter.js';
import { where } from './ternary.js';
import { expand, slice, unsqueeze } from './view.js';

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** How the rows of a bag are combined; default `'mean'`. */
  mode?: 'sum' | 'mean' | 'max';
  /** A factor for each row, of the shape of the input; `'sum'` only. */
  perSampleWeights?: Tensor | null;
  /** Whether the last offset is the end of the last bag rather than the start of one; default false. */
  includeLastOffset?: boolean;
}

/** The bag of each position: how many bags have started, less one. */
function bagsOf(offsets: Tensor, positions: number): Tensor {
  const at = arange(positions, { dtype: 'int64', device: offsets.device });
  return sum(unsqueeze(at, 1).ge(unsqueeze(offsets, 0)), 1).sub(1);
}

function check(input: Tensor, offsets: Tensor | null, options: EmbeddingBagOptions): void {
  const { mode = 'mean', perSampleWeights } = options;
  const rank = input.shape.length;
  if (rank === 2 && offsets) {
    throw new ValueError(
      'embeddingBag: if input is 2D, then offsets has to be null, as input is treated as a mini-batch of fixed length sequences',
    );
  }
  if (rank === 1 && offsets?.shape.length !== 1) {
    throw new ValueError(
      offsets
        ? `embeddingBag: offsets has to be a 1D tensor, got ${formatShape(offsets.shape)}`
        : 'embeddingBag: offsets has to be a 1D tensor but got null',
    );
  }
  if (rank !== 1 && rank !== 2) {
    throw new ValueError(
      `embeddingBag: input has to be 1D or 2D tensor, but got ${rank} dimensions`,
    );
  }
  if (mode !== 'sum' && mode !== 'mean' && mode !== 'max') {
    throw new ValueError('embeddingBag: mode has to be one of sum, mean or max');
  }
  if (perSampleWeights && !sameShape(perSampleWeights.shape, input.shape)) {
    throw new ValueError(
      `embeddingBag: expected perSampleWeights to have the same shape as input ${formatShape(input.shape)}, got ${formatShape(perSampleWeights.shape)}`,
    );
  }
  if (perSampleWeights && mode !== 'sum') {
    throw new RuntimeError(
      `embeddingBag: perSampleWeights was not null, but they are only supported for mode='sum' (got mode='${mode}')`,
    );
  }
  if (mode === 'max' && options.scaleGradByFreq) {
    throw new RuntimeError(
      'embeddingBag: max mode does not support scaling the gradient by the frequency',
    );
  }
}

/**
 * Rows of `weight` [rows, width] picked by `input` and combined by bags: an input [bags, n], or [n] with
 * `offsets` [bags] that tell where bags start. Gives [bags, width]; an empty bag is zero.
 *
 * @throws ValueError or RuntimeError if the arguments do not go together.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
 */
export const embeddingBag = (
  input: Tensor,
  weight: Tensor,
  offsets: Tensor | null = null,
  options: EmbeddingBagOptions = {},
): Tensor => {
  check(input, offsets, options);
  const { mode = 'mean', perSampleWeights, includeLastOffset = false } = options;
  const rows = embedding(input, weight, options);
  const given = options.paddingIdx ?? null;
  const padding = given === null || given >= 0 ? given : given + (weight.shape[0] as number);
  const counts = padding === null ? onesLike(input) : input.ne(padding);
  const counted = unsqueeze(counts.to(weight.dtype), -1);
  const starts = offsets && includeLastOffset ? slice(offsets, 0, 0, -1) : offsets;
  const bags = starts && bagsOf(starts, input.shape[0] as number);
  const bagCount = starts ? (starts.shape[0] as number) : 0;
  if (mode === 'max') {
    const candidates = where(counted.ne(0), rows, Number.NEGATIVE_INFINITY);
    const best = bags ? maxima(candidates, bags, bagCount) : amax(candidates, 1);
    return where(best.eq(Number.NEGATIVE_INFINITY), 0, best);
  }
  const total = (t: Tensor) => {
    if (!bags) return sum(t, 1);
    const empty = zeros([bagCount, t.shape[1] as number], { dtype: t.dtype, device: t.device });
    return indexAdd(empty, 0, bags, t);
  };
  const factors = perSampleWeights ? counted.mul(unsqueeze(perSampleWeights, -1)) : counted;
  const sums = total(padding === null && !perSampleWeights ? rows : rows.mul(factors));
  return mode === 'sum' ? sums : sums.div(total(counted).clampMin(1));
};

/** The greatest row of each bag, element by element. */
function maxima(rows: Tensor, bags: Tensor, count: number): Tensor {
  const width = rows.shape[1] as number;
  const empty = zeros([count, width], { dtype: rows.dtype, device: rows.device });
  const low = empty.sub(Number.POSITIVE_INFINITY);
  return scatterReduce(low, 0, expand(unsqueeze(bags, 1), [-1, width]), rows, 'amax');
}
