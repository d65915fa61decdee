import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError, ValueError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, e, input, scalar } from '../expr.js';
import { mustRecord, op } from '../op.js';
import { numel, sameShape } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { mul } from './binary.js';
import { clone, to } from './copy.js';
import {
  type Normalized,
  normalizeRows,
  normInputGrad,
  normWeightGrad,
  recordedInputGrad,
  recordedWeightGrad,
  reportedDtype,
  reshaped,
} from './norm-rows.js';
import { memo } from './plan.js';
import { reshape, select, view } from './view.js';

type Maybe = Tensor | null;

/** A vector of channels as it broadcasts over [N, C, ...]. */
const channels = (t: Tensor, rank: number): Tensor =>
  view(t, [1, t.shape[0] as number, ...new Array<number>(Math.max(0, rank - 2)).fill(1)]);
const allBut = (rank: number, kept: number): number[] =>
  Array.from({ length: rank }, (_, d) => d).filter((d) => d !== kept);

/** Batch normalisation by the statistics of the batch: output, mean, 1 / sqrt(variance + eps), biased variance. */
export const batchNormTrain: (
  input: Tensor,
  weight: Maybe,
  bias: Maybe,
  eps: number,
) => Normalized = op(
  'batchNormTrain',
  'input weight bias eps',
  (x: Tensor, weight: Maybe, bias: Maybe, eps: number): Normalized => {
    const rank = x.shape.length;
    const lift = (t: Maybe) => t && channels(t, rank);
    const { out, mean, rstd, variance } = normalizeRows(
      x,
      allBut(rank, 1),
      lift(weight),
      lift(bias),
      eps,
    );
    const flat = (t: Tensor) => reshaped(t, [x.shape[1] as number]);
    return { out, mean: flat(mean), rstd: flat(rstd), variance: flat(variance) };
  },
);

const evalPlan = memo((dtype: DType, statistics: DType, weight: DType | '', bias: DType | '') => {
  const type = computeType(dtype);
  const as = (i: number, t: DType) => cast(input(i, computeType(t)), type);
  const rstd = e.div(constant(1, type), e.sqrt(e.add(as(2, statistics), scalar(0, type))));
  const factor = weight === '' ? rstd : e.mul(rstd, as(3, weight));
  const scaled = e.mul(e.sub(input(0, type), as(1, statistics)), factor);
  return bias === '' ? scaled : e.add(scaled, as(weight === '' ? 3 : 4, bias));
});

/** Batch normalisation by given statistics. */
export const batchNormEval: (
  input: Tensor,
  weight: Maybe,
  bias: Maybe,
  mean: Tensor,
  variance: Tensor,
  eps: number,
) => Tensor = op(
  'batchNormEval',
  'input weight bias mean variance eps',
  (x: Tensor, weight: Maybe, bias: Maybe, mean: Tensor, variance: Tensor, eps: number): Tensor => {
    const out = allocate(x.shape, x.dtype, x.device);
    if (numel(x.shape) === 0) return out;
    const vectors = [mean, variance, weight, bias].filter((t): t is Tensor => t !== null);
    execute({
      kind: 'map',
      shape: x.shape,
      inputs: [x, ...vectors.map((t) => channels(t, x.shape.length))],
      scalars: [eps],
      values: [evalPlan(x.dtype, mean.dtype, weight?.dtype ?? '', bias?.dtype ?? '')],
      outputs: [out],
    });
    return out;
  },
);

const runningPlan = memo((dtype: DType, running: DType) => {
  const type = computeType(running);
  const fresh = (i: number) => cast(input(i, computeType(dtype)), type);
  const [keep, momentum, unbias] = [scalar(0, type), scalar(1, type), scalar(2, type)];
  const blend = (old: number, now: ReturnType<typeof fresh>) =>
    e.add(e.mul(input(old, type), keep), e.mul(now, momentum));
  return [blend(0, fresh(2)), blend(1, e.mul(fresh(3), unbias))];
});

/** Moves running statistics towards those of a batch of `count` values a channel; never recorded. */
export function updateRunning(
  runningMean: Tensor,
  runningVar: Tensor,
  mean: Tensor,
  variance: Tensor,
  momentum: number,
  count: number,
): void {
  execute({
    kind: 'map',
    shape: runningMean.shape,
    inputs: [runningMean, runningVar, mean, variance],
    scalars: [1 - momentum, momentum, count / Math.max(count - 1, 1)],
    values: runningPlan(mean.dtype, runningMean.dtype),
    outputs: [runningMean, runningVar],
  });
  runningMean.counter.version++;
  runningVar.counter.version++;
}

function checkChannels(name: string, what: string, t: Maybe | undefined, count: number): void {
  if (t && numel(t.shape) !== count) {
    throw new RuntimeError(
      `${name}: ${what} should contain ${count} elements not ${numel(t.shape)}`,
    );
  }
}

/**
 * Batch normalisation, with the mean and 1 / sqrt(variance + eps) it used (empty in evaluation), in the dtype of
 * the input, or float32 where parameters beside a narrower input are. In training the running statistics, if given, are updated in place.
 *
 * @throws RuntimeError if a vector does not have one element a channel.
 */
export const nativeBatchNorm = (
  input: Tensor,
  weight: Maybe | undefined,
  bias: Maybe | undefined,
  runningMean: Maybe | undefined,
  runningVar: Maybe | undefined,
  training: boolean,
  momentum: number,
  eps: number,
): [Tensor, Tensor, Tensor] => {
  const count = input.shape[1] ?? 0;
  const name = 'batchNorm';
  if (!isFloatingPoint(input.dtype)) {
    throw new NotImplementedError(`${name}: "batch_norm" not implemented for '${input.dtype}'`);
  }
  if (input.shape.length < 2) {
    throw new RuntimeError(
      `${name}: expected an input of at least 2 dimensions, got ${formatShape(input.shape)}`,
    );
  }
  checkChannels(name, 'running_mean', runningMean, count);
  checkChannels(name, 'running_var', runningVar, count);
  checkChannels(name, 'weight', weight, count);
  checkChannels(name, 'bias', bias, count);
  const reported = reportedDtype(input, weight, bias, runningMean, runningVar);
  if (!training) {
    if (!runningMean || !runningVar) {
      throw new RuntimeError(
        `${name}: Expected running_mean and running_var to be defined when training=False`,
      );
    }
    const out = batchNormEval(input, weight ?? null, bias ?? null, runningMean, runningVar, eps);
    const none = () => allocate([0], reported, input.device);
    return [out, none(), none()];
  }
  const { out, mean, rstd, variance } = batchNormTrain(input, weight ?? null, bias ?? null, eps);
  if (runningMean && runningVar) {
    updateRunning(runningMean, runningVar, mean, variance, momentum, numel(input.shape) / count);
  }
  // Gradients flow through the output alone.
  return [out, to(mean.detach(), reported), to(rstd.detach(), reported)];
};

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Normalise by the statistics of the batch, and update the running ones; default false. */
  training?: boolean;
  /** Weight of the batch in the running statistics; default 0.1. */
  momentum?: number;
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

/**
 * Batch normalisation over [N, C, ...], channel by channel.
 *
 * @throws ValueError in training with a single value a channel.
 * @see https://arxiv.org/abs/1502.03167
 */
export const batchNorm = explaining(
  'batchNorm',
  (
    input: Tensor,
    runningMean: Maybe,
    runningVar: Maybe,
    weight?: Maybe,
    bias?: Maybe,
    options: BatchNormOptions = {},
  ): Tensor => {
    const { training = false, momentum = 0.1, eps = 1e-5 } = options;
    const valuesPerChannel = numel(input.shape.filter((_, d) => d !== 1));
    if (training && valuesPerChannel === 1) {
      throw new ValueError(
        `batchNorm: Expected more than 1 value per channel when training, got input size ${formatShape(input.shape)}`,
      );
    }
    if (numel(input.shape) === 0) {
      const scaled = weight ? mul(input, select(weight, 0, 0)) : clone(input);
      return bias ? scaled.add(select(bias, 0, 0)) : scaled;
    }
    return nativeBatchNorm(
      input,
      weight ?? null,
      bias ?? null,
      runningMean,
      runningVar,
      training,
      momentum,
      eps,
    )[0];
  },
);

/**
 * The gradient of `batchNormTrain` to its input: one kernel, or differentiable operations when it is
 * recorded itself.
 */
export function batchNormInputGrad(
  grad: Tensor,
  input: Tensor,
  weight: Maybe,
  mean: Tensor,
  rstd: Tensor,
  eps: number,
): Tensor {
  const rank = input.shape.length;
  const axes = allBut(rank, 1);
  const wide = weight && channels(weight, rank);
  if (mustRecord([grad, input, weight])) return recordedInputGrad(grad, input, axes, wide, eps);
  return normInputGrad(grad, input, axes, wide, channels(mean, rank), channels(rstd, rank));
}

/** The gradient of `batchNormTrain` to its weight; recorded as that to the input is. */
export function batchNormWeightGrad(
  grad: Tensor,
  input: Tensor,
  mean: Tensor,
  rstd: Tensor,
  eps: number,
): Tensor {
  const rank = input.shape.length;
  const axes = allBut(rank, 1);
  const count = [input.shape[1] as number];
  if (mustRecord([grad, input])) {
    return reshape(recordedWeightGrad(grad, input, axes, axes, eps), count);
  }
  const sums = normWeightGrad(grad, input, axes, channels(mean, rank), channels(rstd, rank));
  return reshaped(sums, count);
}

/** Output and statistics of a normalisation by rows. */
export type RowNormalized = Omit<Normalized, 'variance'>;

const layerNormOp: (
  input: Tensor,
  normalizedShape: readonly number[],
  weight: Maybe,
  bias: Maybe,
  eps: number,
) => RowNormalized = op(
  'nativeLayerNorm',
  'input normalizedShape weight bias eps',
  (x: Tensor, normalizedShape: readonly number[], weight: Maybe, bias: Maybe, eps: number) => {
    const { out, mean, rstd } = normalizeRows(x, lastAxes(x, normalizedShape), weight, bias, eps);
    return { out, mean, rstd };
  },
);

const lastAxes = (x: Tensor, shape: readonly number[]): number[] =>
  shape.map((_, i) => x.shape.length - shape.length + i);
const leadAxes = (x: Tensor, shape: readonly number[]): number[] =>
  Array.from({ length: x.shape.length - shape.length }, (_, d) => d);

/** Options of normalisations. */
export interface NormOptions {
  /** Added to the variance; default 1e-5. */
  eps?: number;
}

/**
 * Layer normalisation over the last dimensions: output, mean, 1 / sqrt(variance + eps), the statistics in the dtype of
 * the input, or float32 where parameters beside a narrower input are.
 *
 * @throws RuntimeError if the shapes do not agree; NotImplementedError on integers.
 */
export const nativeLayerNorm = (
  input: Tensor,
  normalizedShape: readonly number[],
  weight: Maybe | undefined,
  bias: Maybe | undefined,
  eps: number,
): RowNormalized => {
  const { out, mean, rstd } = checkedLayerNorm(input, normalizedShape, weight, bias, eps);
  const reported = reportedDtype(input, weight, bias);
  return { out, mean: to(mean, reported), rstd: to(rstd, reported) };
};

function checkedLayerNorm(
  input: Tensor,
  normalizedShape: readonly number[],
  weight: Maybe | undefined,
  bias: Maybe | undefined,
  eps: number,
): RowNormalized {
  checkLayerNorm('layerNorm', input, normalizedShape, weight ?? null, bias ?? null);
  return layerNormOp(input, [...normalizedShape], weight ?? null, bias ?? null, eps);
}

/**
 * Layer normalisation over the last dimensions, which must be `normalizedShape`.
 *
 * @throws RuntimeError if the shapes do not agree.
 * @see https://arxiv.org/abs/1607.06450
 * @example layerNorm(x, [768], weight, bias)
 */
export const layerNorm = explaining(
  'layerNorm',
  (
    input: Tensor,
    normalizedShape: readonly number[],
    weight?: Maybe,
    bias?: Maybe,
    options: NormOptions = {},
  ): Tensor => checkedLayerNorm(input, normalizedShape, weight, bias, options.eps ?? 1e-5).out,
);

/** Checks what is normalised over the last dimensions. @throws RuntimeError if these are not `normalizedShape`. */
export function checkLayerNorm(
  operation: string,
  input: Tensor,
  normalizedShape: readonly number[],
  weight: Maybe,
  bias: Maybe,
): void {
  if (normalizedShape.length < 1) {
    throw new RuntimeError(
      `${operation}: Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = []`,
    );
  }
  for (const [what, t] of [
    ['weight', weight],
    ['bias', bias],
  ] as const) {
    if (t && !sameShape(t.shape, normalizedShape)) {
      throw new RuntimeError(
        `${operation}: Expected ${what} to be of same shape as normalized_shape, but got ${what} of shape ${formatShape(t.shape)} and normalized_shape = ${formatShape(normalizedShape)}`,
      );
    }
  }
  const tail = input.shape.slice(Math.max(0, input.shape.length - normalizedShape.length));
  if (!sameShape(tail, normalizedShape)) {
    throw new RuntimeError(
      `${operation}: Given normalized_shape=${formatShape(normalizedShape)}, expected input with shape [*, ${normalizedShape.join(', ')}], but got input of size ${formatShape(input.shape)}`,
    );
  }
  if (!isFloatingPoint(input.dtype)) {
    throw new NotImplementedError(
      `${operation}: "LayerNormKernelImpl" not implemented for '${input.dtype}'`,
    );
  }
}

/** The gradient of `nativeLayerNorm` to its input; recorded as that of `batchNormTrain` is. */
export function layerNormInputGrad(
  grad: Tensor,
  input: Tensor,
  normalizedShape: readonly number[],
  weight: Maybe,
  mean: Tensor,
  rstd: Tensor,
  eps: number,
): Tensor {
  const axes = lastAxes(input, normalizedShape);
  if (mustRecord([grad, input, weight])) return recordedInputGrad(grad, input, axes, weight, eps);
  return normInputGrad(grad, input, axes, weight, mean, rstd);
}

/** The gradient of `nativeLayerNorm` to its weight; recorded as that to the input is. */
export function layerNormWeightGrad(
  grad: Tensor,
  input: Tensor,
  normalizedShape: readonly number[],
  mean: Tensor,
  rstd: Tensor,
  eps: number,
): Tensor {
  const lead = leadAxes(input, normalizedShape);
  if (mustRecord([grad, input])) {
    const axes = lastAxes(input, normalizedShape);
    return reshape(recordedWeightGrad(grad, input, axes, lead, eps), normalizedShape);
  }
  return reshaped(normWeightGrad(grad, input, lead, mean, rstd), normalizedShape);
}
