import { type CtcLossOptions, ctcLoss, type NllLossOptions, type Tensor } from '@sconce/core';
import * as F from '../functional/index.js';
import type {
  BinaryCrossEntropyOptions,
  CrossEntropyOptions,
  GaussianNllOptions,
  KlDivOptions,
  LossOptions,
  PoissonNllOptions,
} from '../functional/loss.js';
import type {
  MarginOptions,
  MultiMarginOptions,
  TripletDistanceOptions,
  TripletMarginOptions,
} from '../functional/margin-loss.js';
import { Module } from '../module.js';
import { PairwiseDistance } from './shape.js';

/** A loss: its options are those of the function of the same name. */
abstract class Loss<O extends object> extends Module {
  readonly options: O;

  constructor(options: O = {} as O) {
    super();
    this.options = options;
  }
}

/** A loss with a weight for each class, which is a buffer: it moves with the module and is saved. */
abstract class WeightedLoss<O extends { weight?: Tensor | null }> extends Loss<O> {
  declare weight: Tensor | null;

  constructor(options: O = {} as O) {
    super(options);
    this.registerBuffer('weight', options.weight ?? null);
  }

  /** The options with the weight where it is now. */
  protected get current(): O {
    return { ...this.options, weight: this.weight };
  }
}

/** The mean of (input - target)². @see https://pytorch.org/docs/stable/generated/torch.nn.MSELoss.html */
export class MSELoss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.mseLoss(input, target, this.options);
  }
}

/** The mean of |input - target|. @see https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html */
export class L1Loss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.l1Loss(input, target, this.options);
  }
}

/** Squared near zero, absolute beyond `beta` (1). @see https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html */
export class SmoothL1Loss extends Loss<LossOptions & { beta?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.smoothL1Loss(input, target, this.options);
  }
}

/** Squared near zero, absolute beyond `delta` (1). @see https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html */
export class HuberLoss extends Loss<LossOptions & { delta?: number }> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.huberLoss(input, target, this.options);
  }
}

/** The Kullback-Leibler divergence of log-probabilities from a target distribution. @see https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html */
export class KLDivLoss extends Loss<KlDivOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.klDiv(input, target, this.options);
  }
}

/** The negative log likelihood of Poisson counts. @see https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html */
export class PoissonNLLLoss extends Loss<PoissonNllOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.poissonNllLoss(input, target, this.options);
  }
}

/** A loss of distances and labels 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html */
export class HingeEmbeddingLoss extends Loss<MarginOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** The logistic loss of labels 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html */
export class SoftMarginLoss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.softMarginLoss(input, target, this.options);
  }
}

/** The hinge loss of several classes at once. @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html */
export class MultiLabelMarginLoss extends Loss<LossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelMarginLoss(input, target, this.options);
  }
}

/** The negative log likelihood of classes, from log-probabilities [N, C, ...]. @see https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html */
export class NLLLoss extends WeightedLoss<NllLossOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.nllLoss(input, target, this.current);
  }
}

/** The cross entropy of scores [N, C, ...] and classes [N, ...] or probabilities. @see https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html */
export class CrossEntropyLoss extends WeightedLoss<CrossEntropyOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.crossEntropy(input, target, this.current);
  }
}

/** The binary cross entropy of probabilities. @see https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html */
export class BCELoss extends WeightedLoss<BinaryCrossEntropyOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropy(input, target, this.current);
  }
}

/** The hinge loss of one class among many. @see https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html */
export class MultiMarginLoss extends WeightedLoss<MultiMarginOptions> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multiMarginLoss(input, target, this.current);
  }
}

/** The logistic loss of several classes at once. @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html */
export class MultiLabelSoftMarginLoss extends WeightedLoss<
  LossOptions & { weight?: Tensor | null }
> {
  override forward(input: Tensor, target: Tensor): Tensor {
    return F.multilabelSoftMarginLoss(input, target, this.current);
  }
}

/** The negative log likelihood of normal targets with given variances. @see https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html */
export class GaussianNLLLoss extends Loss<GaussianNllOptions> {
  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** A loss of which of two scores should be higher: target 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html */
export class MarginRankingLoss extends Loss<MarginOptions> {
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.marginRankingLoss(input1, input2, target, this.options);
  }
}

/** A loss of whether two vectors should be alike: target 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html */
export class CosineEmbeddingLoss extends Loss<MarginOptions> {
  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    return F.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

/** An anchor should be nearer to the positive than to the negative, by a margin. @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html */
export class TripletMarginLoss extends Loss<TripletMarginOptions> {
  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    return F.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** As `TripletMarginLoss`, with any distance. @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html */
export class TripletMarginWithDistanceLoss extends Loss<TripletDistanceOptions> {
  static override readonly stateKeys = { distanceFunction: 'distance_function' };

  /** The distance: a module (`PairwiseDistance` by default) or a function. */
  readonly distanceFunction: NonNullable<TripletDistanceOptions['distanceFunction']>;

  constructor(options: TripletDistanceOptions = {}) {
    super(options);
    this.distanceFunction = options.distanceFunction ?? new PairwiseDistance();
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    const { distanceFunction } = this;
    const options = { ...this.options, distanceFunction };
    return F.tripletMarginWithDistanceLoss(anchor, positive, negative, options);
  }
}

/**
 * The binary cross entropy of sigmoid(input), without overflow.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
 */
export class BCEWithLogitsLoss extends WeightedLoss<
  BinaryCrossEntropyOptions & { posWeight?: Tensor | null }
> {
  static override readonly stateKeys = { posWeight: 'pos_weight' };
  declare posWeight: Tensor | null;

  constructor(options: BinaryCrossEntropyOptions & { posWeight?: Tensor | null } = {}) {
    super(options);
    this.registerBuffer('posWeight', options.posWeight ?? null);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    return F.binaryCrossEntropyWithLogits(input, target, {
      ...this.current,
      posWeight: this.posWeight,
    });
  }
}

/**
 * The connectionist temporal classification loss of log-probabilities [T, N, C] and label sequences.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.CTCLoss.html
 */
export class CTCLoss extends Loss<CtcLossOptions> {
  override forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
  ): Tensor {
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}
