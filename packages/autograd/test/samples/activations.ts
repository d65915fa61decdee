import * as f from '@sconce/core';
import { of, real, type Sample, type Samples } from './sample.js';

const corners = (run: Sample['run'], ...avoid: number[]): Sample[] => [
  { run, inputs: () => [real([3, 4], { from: -4, to: 4, avoid })] },
];

export const activationSamples: Samples = {
  relu: corners((x) => f.relu(x), 0),
  silu: corners((x) => f.silu(x)),
  mish: corners((x) => f.mish(x)),
  logsigmoid: corners((x) => f.logsigmoid(x)),
  hardsigmoid: corners((x) => f.hardsigmoid(x), -3, 3),
  hardswish: corners((x) => f.hardswish(x), -3, 3),
  selu: corners((x) => f.selu(x), 0),
  elu: corners((x) => f.elu(x, { alpha: 1.3 }), 0),
  celu: corners((x) => f.celu(x, { alpha: 1.3 }), 0),
  gelu: corners((x) => f.gelu(x)),
  geluTanh: corners((x) => f.gelu(x, { approximate: 'tanh' })),
  softplus: corners((x) => f.softplus(x, { beta: 1.5, threshold: 3 }), 2),
  hardtanh: corners((x) => f.hardtanh(x, { minVal: -1.5, maxVal: 0.5 }), -1.5, 0.5),
  leakyRelu: corners((x) => f.leakyRelu(x, { negativeSlope: 0.2 }), 0),
  threshold: corners((x) => f.threshold(x, 0.3, 1.5), 0.3),
  hardshrink: corners((x) => f.hardshrink(x), -0.5, 0.5),
  softshrink: corners((x) => f.softshrink(x), -0.5, 0.5),
  prelu: [of((x, w) => f.prelu(x, w), [2, 3, 2], [3]), of((x, w) => f.prelu(x, w), [5], [1])],
  glu: [of((x) => f.glu(x, 1), [2, 4])],
};
