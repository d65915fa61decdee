import { noGrad } from '@sconce/autograd';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  ones,
  onesLike,
  type Tensor,
  takes,
  tensor,
  ValueError,
  zeros,
  zerosLike,
} from '@sconce/core';
import { constant_, zeros_ } from '@sconce/init';
import { Module } from '../module.js';
import { Parameter } from '../parameter.js';
import { type PlaceOptions, placing } from '../placing.js';
import * as signatures from '../signatures.js';
import type { LoadStateDictPreHook } from '../state-dict.js';
import { floatText, text } from '../text.js';

/** Options of batch and instance normalisation layers. */
export interface BatchNormLayerOptions extends PlaceOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** Weight of the batch in the running statistics; default 0.1; null for the plain average over all batches. */
  momentum?: number | null;
  /** Learn a scale and an offset for each channel. */
  affine?: boolean;
  /** Keep running statistics for evaluation. */
  trackRunningStats?: boolean;
}

/** Older state dicts have no count of batches: the present one stays. */
const countFromHere: LoadStateDictPreHook = (module, { state, prefix, metadata }) => {
  const { numBatchesTracked } = module as ChannelNorm;
  const key = `${prefix}num_batches_tracked`;
  if (numBatchesTracked && (metadata.version ?? 1) < 2 && !state.has(key))
    state.set(key, numBatchesTracked);
};

/** Before there was a version, running statistics were kept by default. */
const refuseStatistics: LoadStateDictPreHook = (module, { state, prefix, metadata, problems }) => {
  if (metadata.version !== undefined || (module as ChannelNorm).trackRunningStats) return;
  const found = ['running_mean', 'running_var'].filter((name) => state.delete(prefix + name));
  if (found.length === 0) return;
  problems.push(
    `Unexpected running stats buffer(s) ${found.map((name) => `"${prefix}${name}"`).join(' and ')} for ${module.getName()} with trackRunningStats: false. A file of PyTorch before 0.4 holds them, as they were kept by default then: take these keys out of the state dict, or set trackRunningStats: true.`,
  );
};

/** What batch and instance normalisation share. */
abstract class ChannelNorm extends Module {
  static override readonly stateKeys = {
    runningMean: 'running_mean',
    runningVar: 'running_var',
    numBatchesTracked: 'num_batches_tracked',
  };

  /** Version 2 counts the batches. */
  static override readonly stateVersion: number = 2;

  readonly numFeatures: number;
  readonly eps: number;
  readonly momentum: number | null;
  readonly affine: boolean;
  readonly trackRunningStats: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;
  declare runningMean: Tensor | null;
  declare runningVar: Tensor | null;
  declare numBatchesTracked: Tensor | null;
  /** Ranks of input that are taken. */
  protected abstract readonly ranks: readonly number[];

  constructor(
    numFeatures: number,
    options: Required<Pick<BatchNormLayerOptions, 'affine' | 'trackRunningStats'>> &
      BatchNormLayerOptions,
  ) {
    super();
    this.numFeatures = numFeatures;
    this.eps = options.eps ?? 1e-5;
    this.momentum = options.momentum === undefined ? 0.1 : options.momentum;
    this.affine = options.affine;
    this.trackRunningStats = options.trackRunningStats;
    this.registerParameter(
      'weight',
      this.affine ? new Parameter(ones([numFeatures], placing(options))) : null,
    );
    this.registerParameter(
      'bias',
      this.affine ? new Parameter(zeros([numFeatures], placing(options))) : null,
    );
    const tracked = this.trackRunningStats;
    this.registerBuffer('runningMean', tracked ? zeros([numFeatures], placing(options)) : null);
    this.registerBuffer('runningVar', tracked ? ones([numFeatures], placing(options)) : null);
    this.registerBuffer(
      'numBatchesTracked',
      tracked ? tensor(0, { dtype: 'int64', device: options.device }) : null,
    );
    this.registerLoadStateDictPreHook(countFromHere);
  }

  /** Sets the running statistics to mean 0 and variance 1. */
  resetRunningStats(): void {
    this.runningMean?.fill_(0);
    this.runningVar?.fill_(1);
    this.numBatchesTracked?.fill_(0);
  }

  /** Resets statistics, scale and offset. */
  resetParameters(): void {
    this.resetRunningStats();
    if (this.weight) constant_(this.weight, 1);
    if (this.bias) zeros_(this.bias);
  }

  protected checkInput(input: Tensor): void {
    const { ranks } = this;
    if (!ranks.includes(input.shape.length)) {
      throw new ValueError(
        `${this.getName()}: expected ${ranks.map((r) => `${r}D`).join(' or ')} input (got ${input.shape.length}D input)`,
      );
    }
  }

  override extraRepr(): string {
    const momentum = this.momentum === null ? 'None' : floatText(this.momentum);
    return `${this.numFeatures}, eps=${floatText(this.eps)}, momentum=${momentum}, affine=${text(this.affine)}, track_running_stats=${text(this.trackRunningStats)}`;
  }
}

abstract class BatchNorm extends ChannelNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions) {
    super(numFeatures, {
      ...options,
      affine: options.affine ?? true,
      trackRunningStats: options.trackRunningStats ?? true,
    });
  }

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.BatchNorm_forward, arguments);
    this.checkInput(input);
    const { weight, bias, momentum, eps, runningMean, runningVar, numBatchesTracked } = this;
    const update = this.training && this.trackRunningStats;
    if (update) numBatchesTracked?.add_(1);
    if (update && momentum === null && runningMean && runningVar && numBatchesTracked) {
      // The plain average weighs a batch by how many there were, which only the device knows.
      const [mean, variance] = [zerosLike(runningMean), onesLike(runningVar)];
      const y = batchNorm(input, mean, variance, weight, bias, {
        training: true,
        momentum: 1,
        eps,
      });
      noGrad(() => {
        const share = numBatchesTracked.to(runningMean.dtype).reciprocal();
        runningMean.add_(mean.sub(runningMean).mul(share));
        runningVar.add_(variance.sub(runningVar).mul(share));
      });
      return y;
    }
    const useBatch = this.training || runningMean === null;
    const keep = !this.training || this.trackRunningStats;
    return batchNorm(input, keep ? runningMean : null, keep ? runningVar : null, weight, bias, {
      training: useBatch,
      momentum: momentum ?? 0,
      eps,
    });
  }
}

/**
 * Batch normalisation of [N, C] or [N, C, L]: running statistics under `running_mean` and `running_var`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html
 */
export class BatchNorm1d extends BatchNorm {
  protected override readonly ranks = [2, 3];
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    takes('BatchNorm1d', signatures.BatchNorm1d, arguments);
    super(numFeatures, options);
  }
}

/**
 * Batch normalisation of images [N, C, H, W].
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html
 */
export class BatchNorm2d extends BatchNorm {
  protected override readonly ranks = [4];
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    takes('BatchNorm2d', signatures.BatchNorm2d, arguments);
    super(numFeatures, options);
  }
}

/** Batch normalisation of volumes [N, C, D, H, W]. */
export class BatchNorm3d extends BatchNorm {
  protected override readonly ranks = [5];
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    takes('BatchNorm3d', signatures.BatchNorm3d, arguments);
    super(numFeatures, options);
  }
}

abstract class InstanceNorm extends ChannelNorm {
  constructor(numFeatures: number, options: BatchNormLayerOptions) {
    super(numFeatures, {
      ...options,
      affine: options.affine ?? false,
      trackRunningStats: options.trackRunningStats ?? false,
    });
    this.registerLoadStateDictPreHook(refuseStatistics);
  }

  override forward(input: Tensor): Tensor {
    takes(this.constructor.name, signatures.InstanceNorm_forward, arguments);
    this.checkInput(input);
    const [batched] = this.ranks.slice(-1);
    const x = input.shape.length === batched ? input : input.unsqueeze(0);
    const y = instanceNorm(x, {
      runningMean: this.runningMean,
      runningVar: this.runningVar,
      weight: this.weight,
      bias: this.bias,
      useInputStats: this.training || !this.trackRunningStats,
      momentum: this.momentum ?? 0,
      eps: this.eps,
    });
    return x === input ? y : y.squeeze(0);
  }
}

/** Normalisation of each channel of each signal by itself. */
export class InstanceNorm1d extends InstanceNorm {
  protected override readonly ranks = [2, 3];
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    takes('InstanceNorm1d', signatures.InstanceNorm1d, arguments);
    super(numFeatures, options);
  }
}

/** Normalisation of each channel of each image by itself. */
export class InstanceNorm2d extends InstanceNorm {
  protected override readonly ranks = [3, 4];
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    takes('InstanceNorm2d', signatures.InstanceNorm2d, arguments);
    super(numFeatures, options);
  }
}

/** Normalisation of each channel of each volume by itself. */
export class InstanceNorm3d extends InstanceNorm {
  protected override readonly ranks = [4, 5];
  constructor(numFeatures: number, options: BatchNormLayerOptions = {}) {
    takes('InstanceNorm3d', signatures.InstanceNorm3d, arguments);
    super(numFeatures, options);
  }
}

/** Options of `LayerNorm`. */
export interface LayerNormOptions extends PlaceOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** Learn a scale and an offset for each element; default true. */
  elementwiseAffine?: boolean;
}

/**
 * Normalisation over the last dimensions, whose sizes are `normalizedShape`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html
 */
export class LayerNorm extends Module {
  readonly normalizedShape: readonly number[];
  readonly eps: number;
  readonly elementwiseAffine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(normalizedShape: number | readonly number[], options: LayerNormOptions = {}) {
    takes('LayerNorm', signatures.LayerNorm, arguments);
    super();
    this.normalizedShape =
      typeof normalizedShape === 'number' ? [normalizedShape] : [...normalizedShape];
    this.eps = options.eps ?? 1e-5;
    this.elementwiseAffine = options.elementwiseAffine ?? true;
    const affine = this.elementwiseAffine;
    this.registerParameter(
      'weight',
      affine ? new Parameter(ones(this.normalizedShape, placing(options))) : null,
    );
    this.registerParameter(
      'bias',
      affine ? new Parameter(zeros(this.normalizedShape, placing(options))) : null,
    );
  }

  override forward(input: Tensor): Tensor {
    takes('LayerNorm', signatures.LayerNorm_forward, arguments);
    return layerNorm(input, this.normalizedShape, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${text(this.normalizedShape)}, eps=${floatText(this.eps)}, elementwise_affine=${text(this.elementwiseAffine)}`;
  }
}

/** Options of `GroupNorm`. */
export interface GroupNormOptions extends PlaceOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
  /** Learn a scale and an offset for each channel; default true. */
  affine?: boolean;
}

/**
 * Normalisation over groups of channels of [N, C, ...].
 *
 * @throws ValueError if the channels cannot be divided into the groups.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html
 */
export class GroupNorm extends Module {
  readonly numGroups: number;
  readonly numChannels: number;
  readonly eps: number;
  readonly affine: boolean;
  declare weight: Parameter | null;
  declare bias: Parameter | null;

  constructor(numGroups: number, numChannels: number, options: GroupNormOptions = {}) {
    takes('GroupNorm', signatures.GroupNorm, arguments);
    super();
    if (numChannels % numGroups !== 0) {
      throw new ValueError(
        `GroupNorm: num_channels must be divisible by num_groups (${numChannels} by ${numGroups})`,
      );
    }
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = options.eps ?? 1e-5;
    this.affine = options.affine ?? true;
    this.registerParameter(
      'weight',
      this.affine ? new Parameter(ones([numChannels], placing(options))) : null,
    );
    this.registerParameter(
      'bias',
      this.affine ? new Parameter(zeros([numChannels], placing(options))) : null,
    );
  }

  override forward(input: Tensor): Tensor {
    takes('GroupNorm', signatures.GroupNorm_forward, arguments);
    return groupNorm(input, this.numGroups, this.weight, this.bias, { eps: this.eps });
  }

  override extraRepr(): string {
    return `${this.numGroups}, ${this.numChannels}, eps=${floatText(this.eps)}, affine=${text(this.affine)}`;
  }
}
