import {
  type CtcLossOptions,
  ctcLoss,
  type NllLossOptions,
  type Tensor,
  takes,
} from '@sconce/core';
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
import * as signatures from '../signatures.js';
import { PairwiseDistance } from './shape.js';

/** A loss: its options are those of the function of the same name. */
abstract class Loss<O extends object> extends Module {
  /** What the constructor takes. */
  static readonly signature: string;

  readonly options: O;

  constructor(options: O = {} as O) {
    takes(new.target.name, new.target.signature, arguments);
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
  static override readonly signature = signatures.MSELoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('MSELoss', signatures.MSELoss_forward, arguments);
    return F.mseLoss(input, target, this.options);
  }
}

/** The mean of |input - target|. @see https://pytorch.org/docs/stable/generated/torch.nn.L1Loss.html */
export class L1Loss extends Loss<LossOptions> {
  static override readonly signature = signatures.L1Loss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('L1Loss', signatures.L1Loss_forward, arguments);
    return F.l1Loss(input, target, this.options);
  }
}

/** Squared near zero, absolute beyond `beta` (1). @see https://pytorch.org/docs/stable/generated/torch.nn.SmoothL1Loss.html */
export class SmoothL1Loss extends Loss<LossOptions & { beta?: number }> {
  static override readonly signature = signatures.SmoothL1Loss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('SmoothL1Loss', signatures.SmoothL1Loss_forward, arguments);
    return F.smoothL1Loss(input, target, this.options);
  }
}

/** Squared near zero, absolute beyond `delta` (1). @see https://pytorch.org/docs/stable/generated/torch.nn.HuberLoss.html */
export class HuberLoss extends Loss<LossOptions & { delta?: number }> {
  static override readonly signature = signatures.HuberLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('HuberLoss', signatures.HuberLoss_forward, arguments);
    return F.huberLoss(input, target, this.options);
  }
}

/** The Kullback-Leibler divergence of log-probabilities from a target distribution. @see https://pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html */
export class KLDivLoss extends Loss<KlDivOptions> {
  static override readonly signature = signatures.KLDivLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('KLDivLoss', signatures.KLDivLoss_forward, arguments);
    return F.klDiv(input, target, this.options);
  }
}

/** The negative log likelihood of Poisson counts. @see https://pytorch.org/docs/stable/generated/torch.nn.PoissonNLLLoss.html */
export class PoissonNLLLoss extends Loss<PoissonNllOptions> {
  static override readonly signature = signatures.PoissonNLLLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('PoissonNLLLoss', signatures.PoissonNLLLoss_forward, arguments);
    return F.poissonNllLoss(input, target, this.options);
  }
}

/** A loss of distances and labels 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.HingeEmbeddingLoss.html */
export class HingeEmbeddingLoss extends Loss<MarginOptions> {
  static override readonly signature = signatures.HingeEmbeddingLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('HingeEmbeddingLoss', signatures.HingeEmbeddingLoss_forward, arguments);
    return F.hingeEmbeddingLoss(input, target, this.options);
  }
}

/** The logistic loss of labels 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.SoftMarginLoss.html */
export class SoftMarginLoss extends Loss<LossOptions> {
  static override readonly signature = signatures.SoftMarginLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('SoftMarginLoss', signatures.SoftMarginLoss_forward, arguments);
    return F.softMarginLoss(input, target, this.options);
  }
}

/** The hinge loss of several classes at once. @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelMarginLoss.html */
export class MultiLabelMarginLoss extends Loss<LossOptions> {
  static override readonly signature = signatures.MultiLabelMarginLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('MultiLabelMarginLoss', signatures.MultiLabelMarginLoss_forward, arguments);
    return F.multilabelMarginLoss(input, target, this.options);
  }
}

/** The negative log likelihood of classes, from log-probabilities [N, C, ...]. @see https://pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html */
export class NLLLoss extends WeightedLoss<NllLossOptions> {
  static override readonly signature = signatures.NLLLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('NLLLoss', signatures.NLLLoss_forward, arguments);
    return F.nllLoss(input, target, this.current);
  }
}

/** The cross entropy of scores [N, C, ...] and classes [N, ...] or probabilities. @see https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html */
export class CrossEntropyLoss extends WeightedLoss<CrossEntropyOptions> {
  static override readonly signature = signatures.CrossEntropyLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('CrossEntropyLoss', signatures.CrossEntropyLoss_forward, arguments);
    return F.crossEntropy(input, target, this.current);
  }
}

/** The binary cross entropy of probabilities. @see https://pytorch.org/docs/stable/generated/torch.nn.BCELoss.html */
export class BCELoss extends WeightedLoss<BinaryCrossEntropyOptions> {
  static override readonly signature = signatures.BCELoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('BCELoss', signatures.BCELoss_forward, arguments);
    return F.binaryCrossEntropy(input, target, this.current);
  }
}

/** The hinge loss of one class among many. @see https://pytorch.org/docs/stable/generated/torch.nn.MultiMarginLoss.html */
export class MultiMarginLoss extends WeightedLoss<MultiMarginOptions> {
  static override readonly signature = signatures.MultiMarginLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('MultiMarginLoss', signatures.MultiMarginLoss_forward, arguments);
    return F.multiMarginLoss(input, target, this.current);
  }
}

/** The logistic loss of several classes at once. @see https://pytorch.org/docs/stable/generated/torch.nn.MultiLabelSoftMarginLoss.html */
export class MultiLabelSoftMarginLoss extends WeightedLoss<
  LossOptions & { weight?: Tensor | null }
> {
  static override readonly signature = signatures.MultiLabelSoftMarginLoss;

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('MultiLabelSoftMarginLoss', signatures.MultiLabelSoftMarginLoss_forward, arguments);
    return F.multilabelSoftMarginLoss(input, target, this.current);
  }
}

/** The negative log likelihood of normal targets with given variances. @see https://pytorch.org/docs/stable/generated/torch.nn.GaussianNLLLoss.html */
export class GaussianNLLLoss extends Loss<GaussianNllOptions> {
  static override readonly signature = signatures.GaussianNLLLoss;

  override forward(input: Tensor, target: Tensor, variance: Tensor): Tensor {
    takes('GaussianNLLLoss', signatures.GaussianNLLLoss_forward, arguments);
    return F.gaussianNllLoss(input, target, variance, this.options);
  }
}

/** A loss of which of two scores should be higher: target 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.MarginRankingLoss.html */
export class MarginRankingLoss extends Loss<MarginOptions> {
  static override readonly signature = signatures.MarginRankingLoss;

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    takes('MarginRankingLoss', signatures.MarginRankingLoss_forward, arguments);
    return F.marginRankingLoss(input1, input2, target, this.options);
  }
}

/** A loss of whether two vectors should be alike: target 1 or -1. @see https://pytorch.org/docs/stable/generated/torch.nn.CosineEmbeddingLoss.html */
export class CosineEmbeddingLoss extends Loss<MarginOptions> {
  static override readonly signature = signatures.CosineEmbeddingLoss;

  override forward(input1: Tensor, input2: Tensor, target: Tensor): Tensor {
    takes('CosineEmbeddingLoss', signatures.CosineEmbeddingLoss_forward, arguments);
    return F.cosineEmbeddingLoss(input1, input2, target, this.options);
  }
}

/** An anchor should be nearer to the positive than to the negative, by a margin. @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginLoss.html */
export class TripletMarginLoss extends Loss<TripletMarginOptions> {
  static override readonly signature = signatures.TripletMarginLoss;

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    takes('TripletMarginLoss', signatures.TripletMarginLoss_forward, arguments);
    return F.tripletMarginLoss(anchor, positive, negative, this.options);
  }
}

/** As `TripletMarginLoss`, with any distance. @see https://pytorch.org/docs/stable/generated/torch.nn.TripletMarginWithDistanceLoss.html */
export class TripletMarginWithDistanceLoss extends Loss<TripletDistanceOptions> {
  static override readonly signature = signatures.TripletMarginWithDistanceLoss;

  static override readonly stateKeys = { distanceFunction: 'distance_function' };

  /** The distance: a module (`PairwiseDistance` by default) or a function. */
  readonly distanceFunction: NonNullable<TripletDistanceOptions['distanceFunction']>;

  constructor(options: TripletDistanceOptions = {}) {
    super(options);
    this.distanceFunction = options.distanceFunction ?? new PairwiseDistance();
  }

  override forward(anchor: Tensor, positive: Tensor, negative: Tensor): Tensor {
    takes(
      'TripletMarginWithDistanceLoss',
      signatures.TripletMarginWithDistanceLoss_forward,
      arguments,
    );
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
  static override readonly signature = signatures.BCEWithLogitsLoss;

  static override readonly stateKeys = { posWeight: 'pos_weight' };
  declare posWeight: Tensor | null;

  constructor(options: BinaryCrossEntropyOptions & { posWeight?: Tensor | null } = {}) {
    super(options);
    this.registerBuffer('posWeight', options.posWeight ?? null);
  }

  override forward(input: Tensor, target: Tensor): Tensor {
    takes('BCEWithLogitsLoss', signatures.BCEWithLogitsLoss_forward, arguments);
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
  static override readonly signature = signatures.CTCLoss;

  override forward(
    logProbs: Tensor,
    targets: Tensor,
    inputLengths: Tensor | readonly number[],
    targetLengths: Tensor | readonly number[],
  ): Tensor {
    takes('CTCLoss', signatures.CTCLoss_forward, arguments);
    return ctcLoss(logProbs, targets, inputLengths, targetLengths, this.options);
  }
}
