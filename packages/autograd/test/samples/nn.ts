import * as f from '@sconce/core';
import { type Tensor, tensor } from '@sconce/core';
import { ints, of, positive, real, type Sample, type Samples } from './sample.js';

const classes = ints([2, 0, 1]);
const bits = tensor(
  [
    [1, 0, 1],
    [0, 1, 0],
  ],
  { dtype: 'float64' },
);

/** The nodes of gradients: what the first derivative of an operation is made of. */
const gradientOf = (run: Sample['run'], ...shapes: number[][]): Sample => of(run, ...shapes);

const geometry = [[2], [1], [1], 1] as const;
const windows = (self: Tensor) => f.regularWindows('avgPool1d', 1, self.shape, 2, { stride: 1 });

export const nnSamples: Samples = {
  convolution: [
    of((x, w, b) => f.conv2d(x, w, b, { stride: 2, padding: 1 }), [2, 2, 4, 3], [3, 2, 2, 2], [3]),
    of((x, w) => f.conv1d(x, w, null, { groups: 2, dilation: 2 }), [1, 4, 6], [2, 2, 2]),
  ],
  convolutionInputGrad: [
    of((g, w) => f.convolutionInputGrad(g, w, [1, 2, 5], ...geometry), [1, 3, 3], [3, 2, 3]),
    of(
      (x, w, b) => f.convTranspose2d(x, w, b, { stride: 2, outputPadding: 1 }),
      [1, 2, 2, 2],
      [2, 2, 2, 2],
      [2],
    ),
  ],
  convolutionWeightGrad: [
    of((g, x) => f.convolutionWeightGrad(g, x, [3, 2, 3], ...geometry), [2, 3, 3], [2, 2, 5]),
  ],
  avgPool: [
    of((x) => f.avgPool2d(x, 2, { stride: 1, padding: 1 }), [1, 2, 3, 3]),
    of((x) => f.avgPool1d(x, 3, { padding: 1, countIncludePad: false }), [1, 2, 5]),
    of((x) => f.adaptiveAvgPool1d(x, 3), [1, 2, 5]),
  ],
  avgPoolBackward: [
    gradientOf(
      (g) => f.avgPoolBackward(g, [1, 2, 4], windows(f.zeros([1, 2, 4])), true, null),
      [1, 2, 3],
    ),
  ],
  maxPool: [
    of((x) => f.maxPool2d(x, 2, { stride: 1 }), [1, 2, 3, 3]),
    of((x) => f.maxPool1d(x, 3, { stride: 2, padding: 1 }), [2, 5]),
  ],
  fractionalMaxPool: [
    of(
      (x) =>
        f.fractionalMaxPool2d(x, 2, {
          outputSize: 2,
          randomSamples: f.tensor([[[0.2, 0.7]]], { dtype: 'float64' }),
        }),
      [1, 1, 4, 5],
    ),
  ],
  maxPoolBackward: [
    gradientOf(
      (g) =>
        f.maxPoolBackward(
          g,
          ints([
            [
              [0, 1, 3],
              [1, 1, 2],
            ],
          ]),
          [1, 2, 4],
          windows(f.zeros([1, 2, 4])),
        ),
      [1, 2, 3],
    ),
  ],
  im2col: [of((x) => f.unfoldImage(x, 2, { padding: 1, stride: 2 }), [1, 2, 3, 3])],
  col2im: [of((x) => f.foldImage(x, 3, 2), [1, 4, 4])],
  upsample: [
    of((x) => f.upsample(x, [4, 5], 'linear', true, [1 / 3, 2 / 4]), [1, 2, 2, 3]),
    of((x) => f.upsample(x, [5], 'nearest', false, [3 / 5]), [1, 2, 3]),
    of((x) => f.upsample(x, [5, 4], 'cubic', false, [3 / 5, 3 / 4]), [1, 1, 3, 3]),
  ],
  upsampleBackward: [
    gradientOf((g) => f.upsampleBackward(g, [1, 2, 3], 'linear', false, [3 / 5]), [1, 2, 5]),
  ],
  constantPadNd: [of((x) => f.pad(x, [1, 2, -1, 0], { value: 3 }), [3, 2])],
  padMode: (['reflect', 'replicate', 'circular'] as const).map((mode) =>
    of((x) => f.pad(x, [1, 2, 2, 1], { mode }), [1, 1, 3, 4]),
  ),
  padModeBackward: [
    gradientOf((g) => f.padModeBackward(g, [1, 1, 4], [1, 2], 'reflect'), [1, 1, 7]),
  ],
  safeSoftmax: [of((x) => f.safeSoftmax(x, -1), [2, 3])],
  softmax: [of((x) => f.softmax(x, 0), [3, 2]), of((x) => f.softmax(x, -1), [2, 3])],
  logSoftmax: [of((x) => f.logSoftmax(x, 0), [3, 2]), of((x) => f.logSoftmax(x, -1), [2, 3])],
  batchNormTrain: [
    of((x, w, b) => f.batchNorm(x, null, null, w, b, { training: true }), [3, 2, 2], [2], [2]),
    of((x) => f.batchNorm(x, null, null, null, null, { training: true }), [4, 2]),
  ],
  batchNormEval: [
    {
      run: (x, w, b) =>
        f.batchNorm(
          x,
          f.tensor([0.1, 0.2], { dtype: 'float64' }),
          f.tensor([1.1, 0.8], { dtype: 'float64' }),
          w,
          b,
        ),
      inputs: () => [real([3, 2, 2]), real([2]), real([2])],
    },
  ],
  nativeLayerNorm: [
    of((x, w, b) => f.layerNorm(x, [2, 3], w, b), [2, 2, 3], [2, 3], [2, 3]),
    of((x) => f.layerNorm(x, [4]), [2, 4]),
  ],
  nativeGroupNorm: [
    of((x, w, b) => f.groupNorm(x, 2, w, b), [2, 4, 2], [4], [4]),
    of((x) => f.groupNorm(x, 2), [2, 4, 2]),
  ],
  embedding: [
    of(
      (w) =>
        f.embedding(
          ints([
            [0, 2],
            [2, 1],
          ]),
          w,
        ),
      [3, 2],
    ),
    of((w) => f.embedding(ints([0, 2, 2]), w, { paddingIdx: 1 }), [3, 2]),
    { ...of((w) => f.embedding(ints([0, 2, 2]), w), [3, 2]), once: true },
  ],
  embeddingBackward: [
    gradientOf((g) => f.embeddingBackward(g, ints([0, 2, 2, 1]), 3, 1, false), [4, 2]),
  ],
  squaredError: [of((x, t) => f.squaredError(x, t), [2, 3], [2, 3])],
  smoothL1: [of((x, t) => f.smoothL1(x, t, 0.7), [2, 3], [2, 3])],
  huber: [of((x, t) => f.huber(x, t, 0.7), [2, 3], [2, 3])],
  binaryCrossEntropy: [
    {
      run: (x, t) => f.binaryCrossEntropyElements(x, t),
      inputs: () => [real([2, 3], { from: 0.1, to: 0.9 }), real([2, 3], { from: 0.1, to: 0.9 })],
    },
  ],
  binaryCrossEntropyWithLogits: [
    of((x) => f.binaryCrossEntropyLogitElements(x, bits, 1), [2, 3]),
    of((x, t, w) => f.binaryCrossEntropyLogitElements(x, t, w), [2, 3], [2, 3], [3]),
  ],
  ctcLoss: [
    {
      ...of(
        (x) =>
          f.ctcLoss(
            f.logSoftmax(x, -1),
            ints([
              [1, 2, 2],
              [3, 1, 0],
            ]),
            [5, 4],
            [3, 2],
          ),
        [5, 2, 4],
      ),
      once: true,
    },
  ],
  klDiv: [{ run: (x, t) => f.klDivElements(x, t), inputs: () => [real([2, 3]), positive(2, 3)] }],
  klDivLog: [of((x, t) => f.klDivLogElements(x, t), [2, 3], [2, 3])],
  softMargin: [of((x, t) => f.softMarginElements(x, t), [2, 3], [2, 3])],
  nllLoss: (['none', 'mean', 'sum'] as const).flatMap((reduction) => [
    of((x) => f.nllLoss(x, classes, { reduction }), [3, 4]),
    of(
      (x) =>
        f.nllLoss(x, classes, {
          reduction,
          ignoreIndex: 1,
          weight: f.tensor([0.5, 1.5, 2, 1], { dtype: 'float64' }),
        }),
      [3, 4],
    ),
  ]),
  nllLossBackward: [
    gradientOf(
      (g) =>
        f.nllLossBackward(
          g,
          [3, 4],
          classes,
          null,
          'none',
          -100,
          f.tensor(3, { dtype: 'float64' }),
        ),
      [3],
    ),
  ],
};
