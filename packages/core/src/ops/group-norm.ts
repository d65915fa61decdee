import { isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import { mustRecord, op } from '../op.js';
import { numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { avgPool2d, avgPool3d } from './avg-pool.js';
import { add, div, mul, pow } from './binary.js';
import { epsilon } from './linalg/tolerance.js';
import {
  batchNorm,
  checkLayerNorm,
  type NormOptions,
  type RowNormalized,
  updateRunning,
} from './norm.js';
import {
  normalizeRows,
  normInputGrad,
  normWeightGrad,
  recordedInputGrad,
  recordedWeightGrad,
  reshaped,
} from './norm-rows.js';
import { pad } from './pad.js';
import { mean as meanOf } from './reduce.js';
import { rsqrt, square } from './unary.js';
import { reshape, squeeze, unsqueeze, view } from './view.js';

type Maybe = Tensor | null;

/** [N, C, ...] as [N, groups, C / groups, ...]. */
const grouped = (x: Tensor, groups: number): Tensor =>
  reshape(x, [x.shape[0] as number, groups, (x.shape[1] as number) / groups, ...x.shape.slice(2)]);
/** A vector of channels as it broadcasts over the grouped input. */
const groupedVector = (t: Tensor, groups: number, rank: number): Tensor =>
  view(t, [1, groups, numel(t.shape) / groups, ...new Array<number>(rank - 2).fill(1)]);
const groupAxes = (rank: number): number[] => Array.from({ length: rank - 1 }, (_, i) => i + 2);

/** Group normalisation over [N, C, ...]: output, mean and 1 / sqrt(variance + eps), both [N, groups]. */
export const nativeGroupNorm: (
  input: Tensor,
  weight: Maybe,
  bias: Maybe,
  numGroups: number,
  eps: number,
) => RowNormalized = op(
  'nativeGroupNorm',
  'input weight bias numGroups eps',
  (x: Tensor, weight: Maybe, bias: Maybe, groups: number, eps: number): RowNormalized => {
    const rank = x.shape.length;
    const lift = (t: Maybe) => t && groupedVector(t, groups, rank);
    const { out, mean, rstd } = normalizeRows(
      grouped(x, groups),
      groupAxes(rank),
      lift(weight),
      lift(bias),
      eps,
    );
    const flat = [x.shape[0] as number, groups];
    return { out: reshaped(out, x.shape), mean: reshaped(mean, flat), rstd: reshaped(rstd, flat) };
  },
);

/** Statistics [N, groups] as they broadcast over the grouped input. */
const groupedRows = (t: Tensor, rank: number): Tensor =>
  view(t, [...t.shape, ...new Array<number>(rank - 1).fill(1)]);

/** The gradient of `nativeGroupNorm` to its input; recorded as that of `batchNormTrain` is. */
export function groupNormInputGrad(
  grad: Tensor,
  input: Tensor,
  weight: Maybe,
  mean: Tensor,
  rstd: Tensor,
  numGroups: number,
  eps: number,
): Tensor {
  const rank = input.shape.length;
  const [g, x] = [grouped(grad, numGroups), grouped(input, numGroups)];
  const axes = groupAxes(rank);
  const w = weight && groupedVector(weight, numGroups, rank);
  if (mustRecord([grad, input, weight])) {
    return reshape(recordedInputGrad(g, x, axes, w, eps), input.shape);
  }
  const [mu, r] = [groupedRows(mean, rank), groupedRows(rstd, rank)];
  return reshaped(normInputGrad(g, x, axes, w, mu, r), input.shape);
}

/** The gradient of `nativeGroupNorm` to its weight; recorded as that to the input is. */
export function groupNormWeightGrad(
  grad: Tensor,
  input: Tensor,
  mean: Tensor,
  rstd: Tensor,
  numGroups: number,
  eps: number,
): Tensor {
  const rank = input.shape.length;
  const [g, x] = [grouped(grad, numGroups), grouped(input, numGroups)];
  const summed = [0, ...groupAxes(rank).slice(1)];
  const count = [input.shape[1] as number];
  if (mustRecord([grad, input])) {
    return reshape(recordedWeightGrad(g, x, groupAxes(rank), summed, eps), count);
  }
  const [mu, r] = [groupedRows(mean, rank), groupedRows(rstd, rank)];
  return reshaped(normWeightGrad(g, x, summed, mu, r), count);
}

/**
 * Normalisation of [N, C, ...] over each of `numGroups` groups of channels.
 *
 * @throws RuntimeError if the channels cannot be divided, or the vectors do not have one element a channel.
 * @see https://arxiv.org/abs/1803.08494
 */
export const groupNorm = explaining(
  'groupNorm',
  (
    input: Tensor,
    numGroups: number,
    weight?: Maybe,
    bias?: Maybe,
    options: NormOptions = {},
  ): Tensor => {
    if (input.shape.length < 2) {
      throw new RuntimeError(
        `groupNorm: Expected at least 2 dimensions for input tensor but received ${input.shape.length}`,
      );
    }
    if (!isFloatingPoint(input.dtype)) {
      throw new NotImplementedError(
        `groupNorm: "GroupNormKernelImpl" not implemented for '${input.dtype}'`,
      );
    }
    const count = input.shape[1] as number;
    if (!(numGroups > 0) || count % numGroups !== 0) {
      throw new RuntimeError(
        `groupNorm: Expected number of channels in input to be divisible by num_groups, but got input of shape ${formatShape(input.shape)} and num_groups=${numGroups}`,
      );
    }
    for (const [what, t] of [
      ['weight', weight],
      ['bias', bias],
    ] as const) {
      if (t && (t.shape.length !== 1 || t.shape[0] !== count)) {
        throw new RuntimeError(
          `groupNorm: Expected ${what} to be a vector of size equal to the number of channels in input, but got ${what} of shape ${formatShape(t.shape)} and input of shape ${formatShape(input.shape)}`,
        );
      }
    }
    return nativeGroupNorm(input, weight ?? null, bias ?? null, numGroups, options.eps ?? 1e-5).out;
  },
);

/** Options of `instanceNorm`. */
export interface InstanceNormOptions {
  runningMean?: Maybe;
  runningVar?: Maybe;
  weight?: Maybe;
  bias?: Maybe;
  /** Normalise each instance by its own statistics (and update the running ones); default true. */
  useInputStats?: boolean;
  /** Weight of the batch in the running statistics; default 0.1. */
  momentum?: number;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

/**
 * Normalisation of each channel of each instance of [N, C, ...] by itself.
 *
 * @throws ValueError if there is only one value a channel.
 * @see https://arxiv.org/abs/1607.08022
 */
export const instanceNorm = explaining(
  'instanceNorm',
  (input: Tensor, options: InstanceNormOptions = {}): Tensor => {
    const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
    const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
    if (!useInputStats) return batchNorm(input, runningMean, runningVar, weight, bias, { eps });
    const values = numel(input.shape.slice(2));
    if (values === 1) {
      throw new ValueError(
        `instanceNorm: Expected more than 1 spatial element when training, got input size ${formatShape(input.shape)}`,
      );
    }
    const channels = input.shape[1] as number;
    const { out, mean, rstd } = nativeGroupNorm(input, weight, bias, channels, eps);
    if (runningMean && runningVar && (input.shape[0] as number) > 0) {
      const still = (t: Tensor) => t.detach();
      const variance = square(still(rstd)).reciprocal().sub(eps);
      updateRunning(
        runningMean,
        runningVar,
        meanOf(still(mean), 0),
        meanOf(variance, 0),
        momentum,
        values,
      );
    }
    return out;
  },
);

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** Added to the mean of the squares; default the epsilon that is computed with: 2^-52 for float64, else 2^-23. */
  eps?: number | null;
}

/**
 * x / sqrt(mean(x²) + eps) * weight over the last dimensions, which must be `normalizedShape`.
 *
 * @throws RuntimeError if they are not.
 * @see https://arxiv.org/abs/1910.07467
 */
export const rmsNorm = explaining(
  'rmsNorm',
  (
    input: Tensor,
    normalizedShape: readonly number[],
    weight?: Maybe,
    options: RmsNormOptions = {},
  ): Tensor => {
    checkLayerNorm('rmsNorm', input, normalizedShape, weight ?? null, null);
    const dims = normalizedShape.map((_, i) => i - normalizedShape.length);
    const power = meanOf(square(input), dims, { keepdim: true });
    const scaled = mul(input, rsqrt(add(power, options.eps ?? epsilon(input))));
    return weight ? mul(scaled, weight) : scaled;
  },
);

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  alpha?: number;
  /** Default 0.75. */
  beta?: number;
  /** Default 1. */
  k?: number;
}

/**
 * Each element of [N, C, ...] divided by (k + alpha * mean of squares over `size` neighbouring channels)^beta.
 *
 * @throws ValueError for fewer than 3 dimensions.
 */
export const localResponseNorm = explaining(
  'localResponseNorm',
  (input: Tensor, size: number, options: LocalResponseNormOptions = {}): Tensor => {
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    const rank = input.shape.length;
    if (rank < 3) {
      throw new ValueError(
        `localResponseNorm: Expected 3D or higher dimensionality input (got ${rank} dimensions)`,
      );
    }
    if (numel(input.shape) === 0) return input;
    const squares = unsqueeze(square(input), 1);
    const around: [number, number] = [Math.floor(size / 2), Math.floor((size - 1) / 2)];
    let power: Tensor;
    if (rank === 3) {
      power = squeeze(avgPool2d(pad(squares, [0, 0, ...around]), [size, 1], { stride: 1 }), 1);
    } else {
      const [n, c, h] = input.shape as readonly number[];
      const flat = view(squares, [n as number, 1, c as number, h as number, -1]);
      const padded = pad(flat, [0, 0, 0, 0, ...around]);
      power = reshape(squeeze(avgPool3d(padded, [size, 1, 1], { stride: 1 }), 1), input.shape);
    }
    return div(input, pow(add(mul(power, alpha), k), beta));
  },
);
