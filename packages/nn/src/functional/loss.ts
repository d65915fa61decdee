import {
  binaryCrossEntropyElements,
  binaryCrossEntropyLogitElements,
  checking,
  checkLossReduction,
  formatShape,
  huber,
  isFloatingPoint,
  klDivElements,
  klDivLogElements,
  logSoftmax,
  NotImplementedError,
  nllLoss,
  numel,
  type Reduction,
  RuntimeError,
  sameShape,
  smoothL1,
  squaredError,
  type Tensor,
  takes,
  ValueError,
  where,
} from '@sconce/core';
import * as signatures from '../signatures.js';

/** What every loss takes. */
export interface LossOptions {
  /** `'mean'` (default) and `'sum'` give one number, `'none'` one an element or sample. */
  reduction?: Reduction;
}

/** Combines the losses of elements. */
export function reduced(name: string, losses: Tensor, reduction: Reduction = 'mean'): Tensor {
  checkLossReduction(name, reduction);
  if (reduction === 'none') return losses;
  return reduction === 'mean' ? losses.mean() : losses.sum();
}

const warned = new Set<string>();

/** Says once for each pair of shapes that input and target broadcast, which is seldom meant. */
function warnOfBroadcast(name: string, input: Tensor, target: Tensor): void {
  if (sameShape(input.shape, target.shape)) return;
  const message = `${name}: using a target size (${formatShape(target.shape)}) that is different to the input size (${formatShape(input.shape)}); this will likely lead to incorrect results due to broadcasting, make them the same size`;
  if (warned.has(message)) return;
  warned.add(message);
  console.warn(message);
}

/**
 * The mean of (input - target)².
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html
 * @example mseLoss(model(x), y)
 */
export const mseLoss = checking(
  'mseLoss',
  signatures.mseLoss,
  (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    warnOfBroadcast('mseLoss', input, target);
    return reduced('mseLoss', squaredError(input, target), options.reduction);
  },
);

/** The mean of |input - target|. */
export const l1Loss = checking(
  'l1Loss',
  signatures.l1Loss,
  (input: Tensor, target: Tensor, options: LossOptions = {}): Tensor => {
    warnOfBroadcast('l1Loss', input, target);
    return reduced('l1Loss', input.sub(target).abs(), options.reduction);
  },
);

/**
 * Squared near zero (over `beta`, default 1), absolute beyond.
 *
 * @throws ValueError if `beta` is negative.
 */
export const smoothL1Loss = checking(
  'smoothL1Loss',
  signatures.smoothL1Loss,
  (input: Tensor, target: Tensor, options: LossOptions & { beta?: number } = {}): Tensor => {
    const { beta = 1, reduction } = options;
    if (beta < 0) {
      throw new ValueError(
        'smoothL1Loss: smooth_l1_loss does not support negative values for beta.',
      );
    }
    if (beta === 0) return l1Loss(input, target, { reduction });
    warnOfBroadcast('smoothL1Loss', input, target);
    return reduced('smoothL1Loss', smoothL1(input, target, beta), reduction);
  },
);

/**
 * Half of the square up to `delta` (default 1), delta times the distance beyond.
 *
 * @throws ValueError unless `delta` is positive.
 */
export const huberLoss = checking(
  'huberLoss',
  signatures.huberLoss,
  (input: Tensor, target: Tensor, options: LossOptions & { delta?: number } = {}): Tensor => {
    const { delta = 1, reduction } = options;
    if (!(delta > 0)) {
      throw new ValueError('huberLoss: huber_loss does not support non-positive values for delta.');
    }
    warnOfBroadcast('huberLoss', input, target);
    return reduced('huberLoss', huber(input, target, delta), reduction);
  },
);

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends LossOptions {
  /** A factor for each class. */
  weight?: Tensor | null;
  /** Class numbers of this value do not count; default -100. */
  ignoreIndex?: number;
  /** How much of the target is spread over all classes; default 0. */
  labelSmoothing?: number;
}

/**
 * The negative logarithm of the softmax at the target: input of scores [N, C, ...] or [C], target of class
 * numbers [N, ...] or [], or of probabilities in the shape of the input.
 *
 * @throws RuntimeError if shapes or dtypes do not fit; IndexError for a class that is not there.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html
 * @example crossEntropy(logits, labels)
 */
export const crossEntropy = checking(
  'crossEntropy',
  signatures.crossEntropy,
  (input: Tensor, target: Tensor, options: CrossEntropyOptions = {}): Tensor => {
    const { weight = null, ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = options;
    if (labelSmoothing < 0 || labelSmoothing > 1) {
      throw new RuntimeError(
        `crossEntropy: label_smoothing must be between 0.0 and 1.0. Got: ${labelSmoothing}`,
      );
    }
    const dim = input.shape.length === 1 ? 0 : 1;
    const logs = logSoftmax(input, dim);
    const classes = input.shape[dim] as number;
    if (weight && (weight.shape.length !== 1 || weight.shape[0] !== classes)) {
      throw new RuntimeError(
        `crossEntropy: weight tensor should be defined either for all ${classes} classes or no classes but got weight tensor of shape: ${formatShape(weight.shape)}`,
      );
    }
    const spread = weight?.view([
      classes,
      ...new Array<number>(Math.max(0, input.shape.length - dim - 1)).fill(1),
    ]);
    if (sameShape(input.shape, target.shape)) {
      if (!isFloatingPoint(target.dtype)) {
        throw new RuntimeError(
          `crossEntropy: Expected floating point type for target with class probabilities, got ${target.dtype}`,
        );
      }
      if (ignoreIndex >= 0) {
        throw new RuntimeError(
          'crossEntropy: ignore_index is not supported for floating point target',
        );
      }
      checkLossReduction('crossEntropy', reduction);
      const smooth =
        labelSmoothing > 0 ? target.mul(1 - labelSmoothing).add(labelSmoothing / classes) : target;
      const losses = logs
        .mul(spread ? smooth.mul(spread) : smooth)
        .sum(dim)
        .neg();
      if (reduction === 'none') return losses;
      const total = losses.sum();
      return reduction === 'sum' ? total : total.div(numel(input.shape) / classes);
    }
    const plain = nllLoss(logs, target, { weight, ignoreIndex, reduction });
    if (labelSmoothing === 0) return plain;
    const ignored = target.eq(ignoreIndex);
    const losses = (spread ? logs.mul(spread) : logs).sum(dim).neg().maskedFill(ignored, 0);
    let smooth = losses;
    if (reduction === 'sum') smooth = losses.sum();
    else if (reduction === 'mean') {
      smooth = weight
        ? losses.sum().div(weight.take(target.maskedFill(ignored, 0)).maskedFill(ignored, 0).sum())
        : losses.sum().div(ignored.logicalNot().sum());
    }
    return plain.mul(1 - labelSmoothing).add(smooth.mul(labelSmoothing / classes));
  },
);

/** Options of the binary cross entropies. */
export interface BinaryCrossEntropyOptions extends LossOptions {
  /** A factor for each element; broadcasts. */
  weight?: Tensor | null;
}

function checkSizes(name: string, input: Tensor, target: Tensor): void {
  if (!sameShape(input.shape, target.shape)) {
    throw new ValueError(
      `${name}: Using a target size (${formatShape(target.shape)}) that is different to the input size (${formatShape(input.shape)}) is deprecated. Please ensure they have the same size.`,
    );
  }
}

/** @throws RuntimeError if an element, where they can be read at once, is no probability. */
function checkProbabilities(input: Tensor): void {
  if (!input.storage.backend.synchronous || input.numel() === 0) return;
  const { min, max } = input.detach().aminmax();
  if (min.itemSync() >= 0 && max.itemSync() <= 1) return;
  throw new RuntimeError(
    'binaryCrossEntropy: all elements of input should be between 0 and 1; see binaryCrossEntropyWithLogits for scores',
  );
}

/**
 * The binary cross entropy of probabilities; logarithms are not taken below -100.
 *
 * @throws ValueError if the shapes differ; RuntimeError if the dtypes do, or (where it can be read at once) for an input
 *   outside of [0, 1].
 */
export const binaryCrossEntropy = checking(
  'binaryCrossEntropy',
  signatures.binaryCrossEntropy,
  (input: Tensor, target: Tensor, options: BinaryCrossEntropyOptions = {}): Tensor => {
    checkSizes('binaryCrossEntropy', input, target);
    if (input.dtype !== target.dtype) {
      throw new RuntimeError(
        `binaryCrossEntropy: Found dtype ${target.dtype} but expected ${input.dtype}: input and target must have the same dtype`,
      );
    }
    checkProbabilities(input);
    const losses = binaryCrossEntropyElements(input, target);
    const { weight, reduction } = options;
    return reduced('binaryCrossEntropy', weight ? losses.mul(weight) : losses, reduction);
  },
);

/**
 * The binary cross entropy of sigmoid(input), without overflow.
 *
 * @param options `posWeight` multiplies the loss of positive targets, class by class.
 * @throws ValueError if the shapes differ.
 */
export const binaryCrossEntropyWithLogits = checking(
  'binaryCrossEntropyWithLogits',
  signatures.binaryCrossEntropyWithLogits,
  (
    input: Tensor,
    target: Tensor,
    options: BinaryCrossEntropyOptions & { posWeight?: Tensor | null } = {},
  ): Tensor => {
    const { weight, posWeight, reduction } = options;
    if (!sameShape(input.shape, target.shape)) {
      throw new ValueError(
        `binaryCrossEntropyWithLogits: Target size (${formatShape(target.shape)}) must be the same as input size (${formatShape(input.shape)})`,
      );
    }
    const losses = binaryCrossEntropyLogitElements(input, target, posWeight ?? 1);
    return reduced('binaryCrossEntropyWithLogits', weight ? losses.mul(weight) : losses, reduction);
  },
);

/** Options of `klDiv`. */
export interface KlDivOptions {
  /** `'batchmean'` divides the sum by the size of the first dimension; default `'mean'`. */
  reduction?: Reduction | 'batchmean';
  /** Whether the target is logarithms too; default false. */
  logTarget?: boolean;
}

/** The Kullback-Leibler divergence: input of log-probabilities, target of probabilities. */
export const klDiv = checking(
  'klDiv',
  signatures.klDiv,
  (input: Tensor, target: Tensor, options: KlDivOptions = {}): Tensor => {
    const { reduction = 'mean', logTarget = false } = options;
    const losses = logTarget ? klDivLogElements(input, target) : klDivElements(input, target);
    if (reduction !== 'batchmean') return reduced('klDiv', losses, reduction);
    return input.shape.length === 0 ? losses.sum() : losses.sum().div(input.shape[0] as number);
  },
);

/** Options of `poissonNllLoss`. */
export interface PoissonNllOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate; default true. */
  logInput?: boolean;
  /** Add Stirling's approximation of log(target!); default false. */
  full?: boolean;
  /** Keeps the logarithm from 0; default 1e-8. */
  eps?: number;
}

/** The negative log likelihood of counts under Poisson rates. */
export const poissonNllLoss = checking(
  'poissonNllLoss',
  signatures.poissonNllLoss,
  (input: Tensor, target: Tensor, options: PoissonNllOptions = {}): Tensor => {
    const { logInput = true, full = false, eps = 1e-8, reduction } = options;
    let losses = logInput
      ? input.exp().sub(target.mul(input))
      : input.sub(target.mul(input.add(eps).log()));
    if (full) {
      const stirling = target
        .mul(target.log())
        .sub(target)
        .add(
          target
            .mul(2 * Math.PI)
            .log()
            .mul(0.5),
        );
      losses = losses.add(where(target.gt(1), stirling, 0));
    }
    return reduced('poissonNllLoss', losses, reduction);
  },
);

/** Options of `gaussianNllLoss`. */
export interface GaussianNllOptions extends LossOptions {
  /** Add the constant log(2π) / 2; default false. */
  full?: boolean;
  /** The least variance; default 1e-6. */
  eps?: number;
}

/**
 * The negative log likelihood of targets under normal distributions of mean `input` and variance `variance`.
 *
 * @throws ValueError if the shape of the variance fits neither the input nor one variance a sample.
 */
export const gaussianNllLoss = checking(
  'gaussianNllLoss',
  signatures.gaussianNllLoss,
  (input: Tensor, target: Tensor, variance: Tensor, options: GaussianNllOptions = {}): Tensor => {
    const { full = false, eps = 1e-6, reduction } = options;
    let spread = variance;
    if (!sameShape(variance.shape, input.shape)) {
      const lead = input.shape.slice(0, -1);
      if (sameShape(lead, variance.shape)) spread = variance.unsqueeze(-1);
      else if (!(variance.shape.at(-1) === 1 && sameShape(lead, variance.shape.slice(0, -1)))) {
        throw new ValueError(
          `gaussianNllLoss: var is of incorrect size: ${formatShape(variance.shape)} with input ${formatShape(input.shape)}`,
        );
      }
    }
    if (variance.storage.backend.synchronous && variance.lt(0).any().itemSync() !== 0) {
      throw new ValueError('gaussianNllLoss: var has negative entry/entries');
    }
    // The limit is put on the value alone: gradients pass as if it were not there.
    const clamped = spread.add(spread.detach().clampMin(eps).sub(spread.detach()));
    const square = input.sub(target).square();
    let losses = clamped.log().add(square.div(clamped)).mul(0.5);
    if (full) losses = losses.add(0.5 * Math.log(2 * Math.PI));
    return reduced('gaussianNllLoss', losses, reduction);
  },
);

/** @throws NotImplementedError on integers and bools. */
export function needsFloat(name: string, kernel: string, input: Tensor): void {
  takes('needsFloat', signatures.needsFloat, arguments);
  if (!isFloatingPoint(input.dtype)) {
    throw new NotImplementedError(`${name}: "${kernel}" not implemented for '${input.dtype}'`);
  }
}
