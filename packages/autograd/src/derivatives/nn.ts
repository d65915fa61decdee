import {
  avgPool,
  avgPoolBackward,
  batchNormInputGrad,
  batchNormWeightGrad,
  constantPadNd,
  convolution,
  convolutionInputGrad,
  convolutionWeightGrad,
  embeddingBackward,
  groupNormInputGrad,
  groupNormWeightGrad,
  layerNormInputGrad,
  layerNormWeightGrad,
  logSoftmaxBackward,
  logsigmoid,
  maxPoolBackward,
  nllLossBackward,
  nllLossForward,
  padMode,
  padModeBackward,
  RuntimeError,
  softmaxBackward,
  type Tensor,
} from '@sconce/core';
import { type Derivatives, saving } from './formula.js';

/** A vector of channels as it broadcasts over [N, C, ...]. */
const channels = (t: Tensor, like: Tensor): Tensor =>
  t.reshape([1, -1, ...like.shape.slice(2).map(() => 1)]);
/** The sum over all but the channels of [N, C, ...]. */
const perChannel = (g: Tensor): Tensor => g.sum(g.shape.map((_, d) => d).filter((d) => d !== 1));
const rstdOf = (variance: Tensor, eps: number, like: Tensor): Tensor =>
  channels(variance.add(eps).rsqrt(), like);

const convolutions: Readonly<Record<string, Derivatives>> = {
  convolution: {
    input: saving('weight', (g, { input, weight, stride, padding, dilation, groups }) =>
      convolutionInputGrad(g, weight, input.shape, stride, padding, dilation, groups),
    ),
    weight: saving('input', (g, { input, weight, stride, padding, dilation, groups }) =>
      convolutionWeightGrad(g, input, weight.shape, stride, padding, dilation, groups),
    ),
    bias: perChannel,
  },
  convolutionInputGrad: {
    grad: saving('weight', (g, { weight, stride, padding, dilation, groups }) =>
      convolution(g, weight, null, stride, padding, dilation, groups),
    ),
    weight: saving('grad', (g, { grad, weight, stride, padding, dilation, groups }) =>
      convolutionWeightGrad(grad, g, weight.shape, stride, padding, dilation, groups),
    ),
  },
  convolutionWeightGrad: {
    grad: saving('input', (g, { input, stride, padding, dilation, groups }) =>
      convolution(input, g, null, stride, padding, dilation, groups),
    ),
    input: saving('grad', (g, { grad, input, stride, padding, dilation, groups }) =>
      convolutionInputGrad(grad, g, input.shape, stride, padding, dilation, groups),
    ),
  },
};

const pooling: Readonly<Record<string, Derivatives>> = {
  avgPool: {
    self: (g, { self, windows, countIncludePad, divisorOverride }) =>
      avgPoolBackward(g, self.shape, windows, countIncludePad, divisorOverride),
  },
  avgPoolBackward: {
    grad: (g, { windows, countIncludePad, divisorOverride }) =>
      avgPool(g, windows, countIncludePad, divisorOverride),
  },
  maxPool: {
    self: saving('indices', (g, { self, indices, windows }) =>
      maxPoolBackward(g, indices, self.shape, windows),
    ),
  },
  fractionalMaxPool: {
    self: saving('indices', (g, { self, indices, windows }) =>
      maxPoolBackward(g, indices, self.shape, windows),
    ),
  },
  maxPoolBackward: {
    grad: saving('indices', (g, { indices, windows }) => {
      // Positions are counted in the pooled dimensions.
      const first = g.shape.length - windows.out.length;
      return g.flatten(first).gather(first, indices.flatten(first)).reshape(indices.shape);
    }),
  },
  constantPadNd: {
    self: (g, { pad }) =>
      constantPadNd(
        g,
        pad.map((n) => -n),
        0,
      ),
  },
  padMode: { self: (g, { self, pad, mode }) => padModeBackward(g, self.shape, pad, mode) },
  padModeBackward: { grad: (g, { pad, mode }) => padMode(g, pad, mode) },
};

const normalizations: Readonly<Record<string, Derivatives>> = {
  softmax: {
    self: saving('result', (g, { result, dim }) => softmaxBackward(g, result, dim)),
  },
  safeSoftmax: {
    self: saving('result', (g, { result, dim }) => softmaxBackward(g, result, dim)),
  },
  logSoftmax: {
    self: saving('result', (g, { result, dim }) => logSoftmaxBackward(g, result, dim)),
  },
  batchNormTrain: {
    input: saving('input weight mean rstd', (g, { input, weight, mean, rstd, eps }) =>
      batchNormInputGrad(g, input, weight, mean, rstd, eps),
    ),
    weight: saving('input mean rstd', (g, { input, mean, rstd, eps }) =>
      batchNormWeightGrad(g, input, mean, rstd, eps),
    ),
    bias: perChannel,
  },
  batchNormEval: {
    input: saving('weight variance', (g, { weight, variance, eps }) => {
      const scaled = g.mul(rstdOf(variance, eps, g));
      return weight ? scaled.mul(channels(weight, g)) : scaled;
    }),
    weight: saving('input mean variance', (g, { input, mean, variance, eps }) =>
      perChannel(g.mul(input.sub(channels(mean, g))).mul(rstdOf(variance, eps, g))),
    ),
    bias: perChannel,
  },
  nativeLayerNorm: {
    input: saving(
      'input weight mean rstd',
      (g, { input, normalizedShape, weight, mean, rstd, eps }) =>
        layerNormInputGrad(g, input, normalizedShape, weight, mean, rstd, eps),
    ),
    weight: saving('input mean rstd', (g, { input, normalizedShape, mean, rstd, eps }) =>
      layerNormWeightGrad(g, input, normalizedShape, mean, rstd, eps),
    ),
    bias: (g) => g,
  },
  nativeGroupNorm: {
    input: saving('input weight mean rstd', (g, { input, weight, mean, rstd, numGroups, eps }) =>
      groupNormInputGrad(g, input, weight, mean, rstd, numGroups, eps),
    ),
    weight: saving('input mean rstd', (g, { input, mean, rstd, numGroups, eps }) =>
      groupNormWeightGrad(g, input, mean, rstd, numGroups, eps),
    ),
    bias: perChannel,
  },
};

const embeddings: Readonly<Record<string, Derivatives>> = {
  embedding: {
    weight: saving('indices', (g, { weight, indices, paddingIdx, scaleGradByFreq }) =>
      embeddingBackward(g, indices, weight.shape[0] as number, paddingIdx, scaleGradByFreq),
    ),
  },
  embeddingBackward: {
    grad: saving('indices', (g, { indices, paddingIdx, scaleGradByFreq }) => {
      if (scaleGradByFreq) {
        throw new RuntimeError(
          'embedding: double backward does not support scaleGradByFreq; leave it false',
        );
      }
      const rows = g.indexSelect(0, indices.reshape(-1)).reshape([...indices.shape, -1]);
      return paddingIdx < 0 ? rows : rows.maskedFill(indices.eq(paddingIdx).unsqueeze(-1), 0);
    }),
  },
};

/** Losses of single elements, and that of classes. */
const losses: Readonly<Record<string, Derivatives>> = {
  squaredError: {
    self: saving('self target', (g, { self, target }) => g.mul(self.sub(target).mul(2))),
    target: saving('self target', (g, { self, target }) => g.mul(target.sub(self).mul(2))),
  },
  smoothL1: {
    self: saving('self target', (g, { self, target, beta }) =>
      g.mul(clipped(self.sub(target), beta).div(beta)),
    ),
    target: saving('self target', (g, { self, target, beta }) =>
      g.mul(clipped(target.sub(self), beta).div(beta)),
    ),
  },
  huber: {
    self: saving('self target', (g, { self, target, delta }) =>
      g.mul(clipped(self.sub(target), delta)),
    ),
    target: saving('self target', (g, { self, target, delta }) =>
      g.mul(clipped(target.sub(self), delta)),
    ),
  },
  binaryCrossEntropy: {
    self: saving('self target', (g, { self, target }) =>
      g.mul(self.sub(target)).div(self.neg().add(1).mul(self).clampMin(1e-12)),
    ),
    target: saving('self', (g, { self }) => g.mul(self.neg().log1p().sub(self.log()))),
  },
  binaryCrossEntropyWithLogits: {
    self: saving('self target posWeight', (g, { self, target, posWeight }) => {
      const factor = target.mul(sub1(posWeight)).add(1);
      return g.mul(target.neg().add(1).sub(factor.mul(self.neg().sigmoid())));
    }),
    target: saving('self posWeight', (g, { self, posWeight }) =>
      g.mul(logsigmoid(self).neg().mul(sub1(posWeight)).sub(self)),
    ),
    posWeight: saving('self target', (g, { self, target }) =>
      g.mul(target.mul(logsigmoid(self).neg())),
    ),
  },
  klDiv: {
    self: saving('target', (g, { target }) => g.neg().mul(target)),
    target: saving('self target', (g, { self, target }) =>
      g.mul(target.log().add(target.div(target)).sub(self)),
    ),
  },
  klDivLog: {
    self: saving('target', (g, { target }) => g.neg().mul(target.exp())),
    target: saving('self target', (g, { self, target }) =>
      g.mul(target.exp().mul(target.sub(self).add(1))),
    ),
  },
  softMargin: {
    self: saving('self target', (g, { self, target }) =>
      g.neg().mul(target).mul(self.mul(target).neg().sigmoid()),
    ),
    target: saving('self target', (g, { self, target }) =>
      g.neg().mul(self).mul(self.mul(target).neg().sigmoid()),
    ),
  },
  nllLoss: {
    self: saving('target weight totalWeight', (g, c) =>
      nllLossBackward(
        g,
        c.self.shape,
        c.target,
        c.weight,
        c.reduction,
        c.ignoreIndex,
        c.totalWeight,
      ),
    ),
  },
  nllLossBackward: {
    grad: saving(
      'target weight',
      (g, { target, weight, reduction, ignoreIndex }) =>
        nllLossForward(g, target, weight, reduction, ignoreIndex).loss,
    ),
  },
};

/** A difference limited to [-limit, limit]. */
const clipped = (x: Tensor, limit: number): Tensor => x.clamp(-limit, limit);
/** One less than a tensor or a plain number. */
const sub1 = (x: Tensor): Tensor | number => (typeof x === 'number' ? x - 1 : x.sub(1));

/** Operations of neural networks. */
export const nn: Readonly<Record<string, Derivatives>> = {
  ...convolutions,
  ...pooling,
  ...normalizations,
  ...embeddings,
  ...losses,
};
