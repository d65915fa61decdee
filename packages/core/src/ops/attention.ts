import type { Device } from '../device.js';
import { computeType } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, e } from '../expr.js';
import { allocate, type Tensor } from '../tensor.js';
import { zerosLike } from './create-like.js';
import { dropout } from './dropout.js';
import { matmul } from './matmul.js';
import { safeSoftmax, softmax } from './softmax.js';
import { maskedFill } from './ternary.js';
import { transpose } from './view.js';

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Bool: whether to attend; floating: added to the scores. Broadcasts to [..., L, S]. */
  attnMask?: Tensor | null;
  /** Probability of dropping a weight; default 0. */
  dropoutP?: number;
  /** Attend to earlier positions and the own one only; default false. */
  isCausal?: boolean;
  /** The factor of the scores; default 1 / sqrt(width). */
  scale?: number | null;
}

/** True where the key comes after the query. */
function later(queries: number, keys: number, device: Device): Tensor {
  const mask = allocate([queries, keys], 'bool', device);
  if (queries * keys === 0) return mask;
  execute({
    kind: 'map',
    shape: mask.shape,
    inputs: [],
    scalars: [],
    values: [e.gt(coord(1), coord(0))],
    outputs: [mask],
  });
  return mask;
}

function attend(
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions,
  normalized: (scores: Tensor, dim: number) => Tensor,
): [output: Tensor, weights: Tensor] {
  const { attnMask = null, dropoutP = 0, isCausal = false } = options;
  if (query.shape.length < 2 || key.shape.length < 2 || value.shape.length < 2) {
    throw new RuntimeError(
      `scaledDotProductAttention: Expected query, key, and value to be at least 2 dimensional, got ${[query, key, value].map((t) => formatShape(t.shape)).join(', ')}`,
    );
  }
  if (attnMask && isCausal) {
    throw new RuntimeError(
      'scaledDotProductAttention: Explicit attn_mask should not be set when is_causal=True',
    );
  }
  const scale = options.scale ?? 1 / Math.sqrt(query.shape.at(-1) as number);
  // Half of the scale on each side keeps products in the range of narrow dtypes.
  const root = 1 / Math.sqrt(Math.abs(scale));
  let scores = matmul(query.div(root), transpose(key, -2, -1).div(scale < 0 ? -root : root));
  if (isCausal) {
    const mask = later(query.shape.at(-2) as number, key.shape.at(-2) as number, query.device);
    scores = maskedFill(scores, mask, Number.NEGATIVE_INFINITY);
  } else if (attnMask) {
    // Bool masks are added too, so that the score of a key which is left out has no gradient.
    const added =
      computeType(attnMask.dtype) === 'bool'
        ? maskedFill(
            zerosLike(attnMask, { dtype: scores.dtype }),
            attnMask.logicalNot(),
            Number.NEGATIVE_INFINITY,
          )
        : attnMask;
    scores = scores.add(added);
  }
  let weights = normalized(scores, -1);
  if (dropoutP > 0) weights = dropout(weights, dropoutP);
  return [matmul(weights, value), weights];
}

/**
 * Output and weights of softmax(query keyᵀ * scale + mask) value: query [..., L, E], key [..., S, E], value [..., S, V].
 * A query that may attend to nothing has NaN for both, as softmax has.
 *
 * @throws RuntimeError if both a mask and `isCausal` are given.
 */
export const attentionWithWeights = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  options: AttentionOptions = {},
): [output: Tensor, weights: Tensor] => attend(query, key, value, options, softmax);

/**
 * Attention: softmax(query keyᵀ / sqrt(E) + mask) value, for query [..., L, E], key [..., S, E], value [..., S, V].
 * A query that may attend to nothing gives 0, and no gradient flows through it.
 *
 * @throws RuntimeError if both a mask and `isCausal` are given.
 * @see https://arxiv.org/abs/1706.03762
 * @example scaledDotProductAttention(q, k, v, { isCausal: true })
 */
export const scaledDotProductAttention = explaining(
  'scaledDotProductAttention',
  (query: Tensor, key: Tensor, value: Tensor, options: AttentionOptions = {}): Tensor =>
    attend(query, key, value, options, safeSoftmax)[0],
);
