import { isScalar, type Op } from '@sconce/core';

type Args = readonly unknown[];

/** The first name where an argument is a plain number, the second where it is a tensor. */
const byNumber =
  (index: number, plain: string, tensor: string) =>
  (args: Args): string =>
    isScalar(args[index]) ? plain : tensor;

/** The first form reduces everything, the second named dimensions. */
const byAxes =
  (name: string) =>
  ([self, axes]: Args): string => {
    const rank = (self as { shape: readonly number[] }).shape.length;
    return `${name}Backward${(axes as readonly number[]).length === rank ? 0 : 1}`;
  };

/** Pooling is named after the number of dimensions that are pooled. */
const byWindows =
  (regular: string, adaptive: string) =>
  ([, windows]: Args): string => {
    const { kind, out } = windows as { kind: string; out: readonly number[] };
    return (kind === 'adaptive' ? adaptive : regular).replace('#', String(out.length));
  };

/** What PyTorch calls the node, where it is not simply the operation's name. */
const names: Readonly<Record<string, string | ((args: Args, inplace: boolean) => string)>> = {
  avgPool: byWindows('AvgPool#DBackward0', 'AdaptiveAvgPool#DBackward0'),
  batchNormEval: 'NativeBatchNormBackward0',
  batchNormTrain: 'NativeBatchNormBackward0',
  clamp: byNumber(1, 'ClampBackward1', 'ClampBackward0'),
  clampMin: byNumber(1, 'ClampBackward1', 'ClampBackward0'),
  clampMax: byNumber(1, 'ClampBackward1', 'ClampBackward0'),
  convolutionInputGrad: 'ConvolutionBackward0',
  copy: 'CopyBackwards',
  divTrunc: 'DivBackward2',
  fill: ([, value], inplace) => `FillBackward${(inplace ? 2 : 0) + (isScalar(value) ? 0 : 1)}`,
  fmod: byNumber(1, 'FmodBackward0', 'FmodBackward1'),
  geluTanh: 'GeluBackward0',
  huber: 'HuberLossBackward0',
  i1: 'SpecialI1Backward0',
  indexFill: byNumber(3, 'IndexFillBackward0', 'IndexFillBackward1'),
  lerp: byNumber(2, 'LerpBackward0', 'LerpBackward1'),
  log1p: 'Log1PBackward0',
  logsigmoid: 'LogSigmoidBackward0',
  maskedFill: byNumber(2, 'MaskedFillBackward0', 'MaskedFillBackward1'),
  maxPool: byWindows('MaxPool#DWithIndicesBackward0', 'AdaptiveMaxPool#DBackward0'),
  mean: byAxes('Mean'),
  pow: byNumber(1, 'PowBackward0', 'PowBackward1'),
  prod: byAxes('Prod'),
  remainder: byNumber(1, 'RemainderBackward0', 'RemainderBackward1'),
  scatterValue: 'ScatterBackward1',
  selu: 'EluBackward0',
  smoothL1: 'SmoothL1LossBackward0',
  square: 'PowBackward0',
  squaredError: 'MseLossBackward0',
  squeeze: ([self, dims], inplace) => {
    const { shape } = self as { shape: readonly number[] };
    const named = (dims as readonly number[]).length === shape.length ? 0 : 1;
    return `SqueezeBackward${(inplace ? 2 : 0) + named}`;
  },
  sum: byAxes('Sum'),
  toDevice: 'ToCopyBackward0',
  toDtype: 'ToCopyBackward0',
  transpose: (_, inplace) => `TransposeBackward${inplace ? 1 : 0}`,
  unsqueeze: (_, inplace) => `UnsqueezeBackward${inplace ? 1 : 0}`,
  vectorNorm: 'NormBackward1',
};

/** The name of an operation's node, as PyTorch prints it: `AddBackward0`. */
export function nodeName(op: Op, args: Args, inplace: boolean): string {
  const name = names[op.name];
  if (typeof name === 'function') return name(args, inplace);
  return name ?? `${op.name[0]?.toUpperCase()}${op.name.slice(1)}Backward0`;
}
