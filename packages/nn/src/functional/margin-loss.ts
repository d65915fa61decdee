import {
  checkIndexRange,
  checking,
  float,
  formatShape,
  logsigmoid,
  oneHot,
  pairwiseDistance,
  RuntimeError,
  softMarginElements,
  type Tensor,
  ValueError,
  where,
} from '@sconce/core';
import * as signatures from '../signatures.js';
import { type LossOptions, needsFloat, reduced } from './loss.js';

/** Options of losses with a margin. */
export interface MarginOptions extends LossOptions {
  margin?: number;
}

/** x where the target is 1, max(0, margin - x) where it is -1; `margin` defaults to 1. */
export const hingeEmbeddingLoss = checking(
  'hingeEmbeddingLoss',
  signatures.hingeEmbeddingLoss,
  (input: Tensor, target: Tensor, options: MarginOptions = {}): Tensor => {
    const { margin = 1, reduction } = options;
    const hinge = input.neg().add(float(margin)).clampMin(0);
    const losses = where(target.ne(1), hinge, 0).add(where(target.ne(-1), input, 0));
    return reduced('hingeEmbeddingLoss', losses, reduction);
  },
);

/**
 * max(0, -target * (input1 - input2) + margin): whether the first ranks above the second; `margin` defaults to 0.
 *
 * @throws RuntimeError if the three differ in their number of dimensions.
 */
export const marginRankingLoss = checking(
  'marginRankingLoss',
  signatures.marginRankingLoss,
  (input1: Tensor, input2: Tensor, target: Tensor, options: MarginOptions = {}): Tensor => {
    const { margin = 0, reduction } = options;
    const ranks = [input1, input2, target].map((t) => t.shape.length);
    if (new Set(ranks).size > 1) {
      throw new RuntimeError(
        `marginRankingLoss: margin_ranking_loss : All input tensors should have same dimension but got sizes: input1: ${formatShape(input1.shape)}, input2: ${formatShape(input2.shape)}, target: ${formatShape(target.shape)}`,
      );
    }
    const losses = target.neg().mul(input1.sub(input2)).add(float(margin)).clampMin(0);
    return reduced('marginRankingLoss', losses, reduction);
  },
);

/** log(1 + e^(-target * input)). */
export const softMarginLoss = checking(
  'softMarginLoss',
  signatures.softMarginLoss,
  (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor =>
    reduced('softMarginLoss', softMarginElements(input, target), options.reduction),
);

/** Options of `multiMarginLoss`. */
export interface MultiMarginOptions extends MarginOptions {
  /** The power of the hinge, 1 (default) or 2. */
  p?: number;
  /** A factor for each class. */
  weight?: Tensor | null;
}

/**
 * The mean over the other classes of max(0, margin - input[target] + input[class])^p: input [N, C] or [C].
 *
 * @throws ValueError for another `p`; RuntimeError if the shapes do not fit.
 */
export const multiMarginLoss = checking(
  'multiMarginLoss',
  signatures.multiMarginLoss,
  (input: Tensor, target: Tensor, options: MultiMarginOptions = {}): Tensor => {
    const { p = 1, margin = 1, weight, reduction } = options;
    if (p !== 1 && p !== 2)
      throw new ValueError('multiMarginLoss: only p == 1 and p == 2 supported');
    needsFloat('multiMarginLoss', 'multi_margin_loss', input);
    const single = input.shape.length < 2;
    const x = single ? input.reshape([1, -1]) : input;
    const y = target.reshape([-1]);
    if (y.shape[0] !== x.shape[0]) {
      throw new RuntimeError(
        `multiMarginLoss: inconsistent target size, got: ${formatShape(target.shape)} for input ${formatShape(input.shape)}`,
      );
    }
    const classes = x.shape[1] as number;
    const outside = (bad: number) =>
      `multiMarginLoss: target out of range: ${bad} is not among ${classes} classes`;
    checkIndexRange(y, 0, classes, outside, RuntimeError);
    const own = x.gather(1, y.unsqueeze(1));
    let hinge = x.sub(own).add(margin).clampMin(0);
    if (p === 2) hinge = hinge.square();
    if (weight) hinge = hinge.mul(weight.take(y).unsqueeze(1));
    const others = oneHot(y, classes).eq(0);
    const losses = where(others, hinge, 0).sum(1).div(classes);
    return reduced(
      'multiMarginLoss',
      single && target.shape.length === 0 ? losses.squeeze(0) : losses,
      reduction,
    );
  },
);

/**
 * For each label in `target` (class numbers up to the first -1) and each class that is none, the mean of
 * max(0, 1 - (input[label] - input[class])): both [N, C] or [C].
 *
 * @throws RuntimeError if the shapes differ.
 */
export const multilabelMarginLoss = checking(
  'multilabelMarginLoss',
  signatures.multilabelMarginLoss,
  (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    if (input.shape.join() !== target.shape.join()) {
      throw new RuntimeError(
        `multilabelMarginLoss: inconsistent target size: ${formatShape(target.shape)} for input of size: ${formatShape(input.shape)}`,
      );
    }
    needsFloat('multilabelMarginLoss', 'multilabel_margin_loss', input);
    const single = input.shape.length < 2;
    const x = single ? input.reshape([1, -1]) : input;
    const y = single ? target.reshape([1, -1]) : target;
    const classes = x.shape[1] as number;
    const outside = (bad: number) =>
      `multilabelMarginLoss: argument 'target' is out of range: ${bad} is not among ${classes} classes`;
    checkIndexRange(y, -1, classes, outside, RuntimeError);
    const counts = y.lt(0).to('int64').cumsum(1).eq(0);
    const labels = y.clampMin(0);
    // [N, label, class]: which class each label that counts names.
    const named = oneHot(labels, classes).ne(0).logicalAnd(counts.unsqueeze(2));
    const none = named.any(1).logicalNot();
    const margins = x.unsqueeze(1).sub(x.gather(1, labels).unsqueeze(2)).add(1).clampMin(0);
    const wanted = counts.unsqueeze(2).logicalAnd(none.unsqueeze(1));
    const losses = where(wanted, margins, 0).sum([1, 2]).div(classes);
    return reduced('multilabelMarginLoss', single ? losses.squeeze(0) : losses, options.reduction);
  },
);

/** The mean over classes of the binary cross entropy of sigmoid(input): [..., C]. */
export const multilabelSoftMarginLoss = checking(
  'multilabelSoftMarginLoss',
  signatures.multilabelSoftMarginLoss,
  (
    input: Tensor,
    target: Tensor,
    options: LossOptions & { weight?: Tensor | null } = {},
  ): Tensor => {
    const positive = target.mul(logsigmoid(input));
    const negative = target.neg().add(1).mul(logsigmoid(input.neg()));
    const losses = positive.add(negative).neg();
    const weighted = options.weight ? losses.mul(options.weight) : losses;
    const perSample = input.shape.length === 0 ? weighted : weighted.mean(-1);
    return reduced('multilabelSoftMarginLoss', perSample, options.reduction);
  },
);

/**
 * 1 - cosine similarity where the target is 1, max(0, similarity - margin) where it is -1: inputs
 * [N, D] or [D]; `margin` defaults to 0.
 *
 * @throws RuntimeError if the shapes do not fit.
 */
export const cosineEmbeddingLoss = checking(
  'cosineEmbeddingLoss',
  signatures.cosineEmbeddingLoss,
  (input1: Tensor, input2: Tensor, target: Tensor, options: MarginOptions = {}): Tensor => {
    const { margin = 0, reduction } = options;
    const rank = target.shape.length;
    if (rank > 1) {
      throw new RuntimeError(
        `cosineEmbeddingLoss: 0D or 1D target tensor expected, multi-target not supported, got ${formatShape(target.shape)}`,
      );
    }
    if (input1.shape.length !== rank + 1 || input2.shape.length !== rank + 1) {
      throw new RuntimeError(
        `cosineEmbeddingLoss: ${rank}D target tensor expects ${rank + 1}D input tensors, but found inputs with sizes ${formatShape(input1.shape)} and ${formatShape(input2.shape)}.`,
      );
    }
    // Not `cosineSimilarity`: integers have one too here, and the limit is added to the squares.
    const square = (x: Tensor) => x.mul(x).sum(rank).add(1e-12);
    const lengths = square(input1).mul(square(input2)).sqrt();
    const similarity = input1.mul(input2).sum(rank).div(lengths);
    const close = where(target.eq(1), similarity.neg().add(1), 0);
    const apart = where(target.eq(-1), similarity.sub(margin).clampMin(0), 0);
    return reduced('cosineEmbeddingLoss', close.add(apart), reduction);
  },
);

/** Options of `tripletMarginLoss`. */
export interface TripletMarginOptions extends MarginOptions {
  /** By how much the negative is to be farther; default 1. */
  margin?: number;
  /** The p of the distance; default 2. */
  p?: number;
  /** Added to differences; default 1e-6. */
  eps?: number;
  /** Take the nearer of anchor and positive as the distance to the negative; default false. */
  swap?: boolean;
}

/**
 * max(0, d(anchor, positive) - d(anchor, negative) + margin); `margin` defaults to 1.
 *
 * @throws RuntimeError if the three differ in their number of dimensions.
 */
export const tripletMarginLoss = checking(
  'tripletMarginLoss',
  signatures.tripletMarginLoss,
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    options: TripletMarginOptions = {},
  ): Tensor => {
    const { margin = 1, p = 2, eps = 1e-6, swap = false, reduction } = options;
    const distance = (a: Tensor, b: Tensor) => pairwiseDistance(a, b, { p, eps });
    return triplet(
      'tripletMarginLoss',
      anchor,
      positive,
      negative,
      distance,
      margin,
      swap,
      reduction,
    );
  },
);

function triplet(
  name: string,
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  distance: (a: Tensor, b: Tensor) => Tensor,
  margin: number,
  swap: boolean,
  reduction: LossOptions['reduction'],
): Tensor {
  const ranks = [anchor, positive, negative].map((t) => t.shape.length);
  if (new Set(ranks).size > 1) {
    throw new RuntimeError(
      `${name}: The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ${ranks[0]}D, positive ${ranks[1]}D, and negative ${ranks[2]}D inputs`,
    );
  }
  const near = distance(anchor, positive);
  let far = distance(anchor, negative);
  if (swap) far = far.minimum(distance(positive, negative));
  return reduced(name, near.sub(far).add(margin).clampMin(0), reduction);
}

/** Options of `tripletMarginWithDistanceLoss`. */
export interface TripletDistanceOptions extends MarginOptions {
  /** Default: `pairwiseDistance`. */
  distanceFunction?: ((a: Tensor, b: Tensor) => Tensor) | null;
  /** As in `tripletMarginLoss`. */
  margin?: number;
  /** As in `tripletMarginLoss`. */
  swap?: boolean;
}

/** `tripletMarginLoss` with a distance of one's own. */
export const tripletMarginWithDistanceLoss = checking(
  'tripletMarginWithDistanceLoss',
  signatures.tripletMarginWithDistanceLoss,
  (
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    options: TripletDistanceOptions = {},
  ): Tensor =>
    triplet(
      'tripletMarginWithDistanceLoss',
      anchor,
      positive,
      negative,
      options.distanceFunction ?? ((a, b) => pairwiseDistance(a, b)),
      options.margin ?? 1,
      options.swap ?? false,
      options.reduction,
    ),
);
