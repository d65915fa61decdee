import { formatShape, RuntimeError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { arange, full, zeros } from './create.js';
import { onesLike } from './create-like.js';
import { checkIndices, type EmbeddingOptions, embedding } from './embedding.js';
import { gather } from './gather.js';
import { indexAdd } from './index-update.js';
import { max } from './max.js';
import { sum } from './reduce.js';
import { scatterReduce } from './scatter.js';
import { where } from './ternary.js';
import { detach, expand, slice, unsqueeze } from './view.js';

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
        : 'embeddingBag: offsets has to be a 1D tensor but got null; a 1D input needs to know where its bags begin, a 2D one has a bag in each row',
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
      `embeddingBag: If per_sample_weights (${formatShape(perSampleWeights.shape)}) is not null, then it must have the same shape as the input (${formatShape(input.shape)})`,
    );
  }
  if (perSampleWeights && mode !== 'sum') {
    throw new RuntimeError(
      `embeddingBag: per_sample_weights was not null; per_sample_weights is only supported for mode='sum' (got mode='${mode}')`,
    );
  }
  if (mode === 'max' && options.scaleGradByFreq) {
    throw new RuntimeError(
      'embeddingBag: max mode does not support scaling the gradient by the frequency',
    );
  }
}

/** @throws RuntimeError where the offsets, if they can be read at once, leave out the first or go past the last position. */
function checkOffsets(offsets: Tensor, positions: number, includeLastOffset: boolean): void {
  const count = offsets.numel();
  if (includeLastOffset && count === 0) {
    throw new RuntimeError(
      'embeddingBag: include_last_offset: number of offset should be at least 1',
    );
  }
  if (!offsets.storage.backend.synchronous || count === 0) return;
  const [first, last] = [0, count - 1].map((i) => offsets.select(0, i).itemSync()) as [
    number,
    number,
  ];
  if (first !== 0) {
    throw new RuntimeError(
      `embeddingBag: offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, got ${first}`,
    );
  }
  if (last > positions) {
    throw new RuntimeError(
      `embeddingBag: offsets[-1] can not be greater than input's length ${positions} but got offsets[-1] of ${last}`,
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
export const embeddingBag = explaining(
  'embeddingBag',
  (
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | null = null,
    options: EmbeddingBagOptions = {},
  ): Tensor => {
    check(input, offsets, options);
    checkIndices('embeddingBag', input);
    const { mode = 'mean', perSampleWeights, includeLastOffset = false } = options;
    const { paddingIdx, maxNorm, normType, scaleGradByFreq } = options;
    const rows = embedding(input, weight, { paddingIdx, maxNorm, normType, scaleGradByFreq });
    const given = options.paddingIdx ?? null;
    const padding = given === null || given >= 0 ? given : given + (weight.shape[0] as number);
    const counts = padding === null ? onesLike(input) : input.ne(padding);
    const counted = unsqueeze(counts.to(weight.dtype), -1);
    if (offsets) checkOffsets(offsets, input.numel(), includeLastOffset);
    const bags = offsets && bagsOf(offsets, input.shape[0] as number);
    // What lies behind an included last offset falls into a bag that is dropped.
    const bagCount = offsets ? (offsets.shape[0] as number) : 0;
    const kept = (t: Tensor) => (offsets && includeLastOffset ? slice(t, 0, 0, -1) : t);
    if (mode === 'max') {
      const candidates = where(counted.ne(0), rows, Number.NEGATIVE_INFINITY);
      const best = bags ? maxima(candidates, bags, bagCount) : max(candidates, 1).values;
      return kept(where(best.eq(Number.NEGATIVE_INFINITY), 0, best));
    }
    const total = (t: Tensor) => {
      if (!bags) return sum(t, 1);
      const empty = zeros([bagCount, t.shape[1] as number], { dtype: t.dtype, device: t.device });
      return indexAdd(empty, 0, bags, t);
    };
    const factors = perSampleWeights ? counted.mul(unsqueeze(perSampleWeights, -1)) : counted;
    const sums = total(padding === null && !perSampleWeights ? rows : rows.mul(factors));
    return kept(mode === 'sum' ? sums : sums.div(total(counted).clampMin(1)));
  },
);

/** The greatest row of each bag, element by element: the first among equals, which alone takes the gradient. */
function maxima(rows: Tensor, bags: Tensor, count: number): Tensor {
  const [length, width] = rows.shape as [number, number];
  const { dtype, device } = rows;
  const low = full([count, width], Number.NEGATIVE_INFINITY, { dtype, device });
  if (length === 0) return low;
  const bag = expand(unsqueeze(bags, 1), [-1, width]);
  const values = detach(rows);
  const best = gather(scatterReduce(low, 0, bag, values, 'amax'), 0, bag);
  const hit = values.eq(best).logicalOr(values.isnan().logicalAnd(best.isnan()));
  const places = { dtype: 'int64', device } as const;
  const at = where(hit, unsqueeze(arange(length, places), 1), length);
  const first = scatterReduce(full([count, width], length, places), 0, bag, at, 'amin');
  const empty = first.eq(length);
  return where(empty, low, gather(rows, 0, where(empty, 0, first)));
}
