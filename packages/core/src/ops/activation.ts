import { category, type DType } from '../dtype.js';
import type { Body } from '../elementwise.js';
import { RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { e } from '../expr.js';
import type { OutOptions } from '../out.js';
import { normalizeDim } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, div, sub } from './binary.js';
import { zero } from './bodies.js';
import { define, refusing } from './define.js';
import { abs, tanh } from './unary.js';
import { narrow, view } from './view.js';

/** Options that every activation takes. */
export interface ActivationOptions extends OutOptions {
  /** Overwrite the tensor itself; default false. */
  inplace?: boolean;
}

type Activation = (self: Tensor, options?: ActivationOptions) => Tensor;

const integers = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const;
const floatOnly = (kernel: string) => refusing(kernel, integers);

/** Where the result goes: into the tensor itself, into `out`, or nowhere in particular. */
const target = (self: Tensor, options: ActivationOptions | undefined) =>
  options?.inplace ? { out: self, inplace: true } : options;

/** An activation with run-time numbers: computes in the dtype of the tensor, whatever they are. */
function row<A extends number[]>(
  name: string,
  numbers: string,
  body: Body,
  refuse: (dtype: DType) => string | undefined,
): (self: Tensor, values: A, options: ActivationOptions | undefined) => Tensor {
  const run = define<(...args: never[]) => Tensor>({
    name,
    params: numbers === '' ? 'self' : `self ${numbers.replaceAll(/\w+/g, '$&~')}`,
    promotion: 'first',
    body,
    refuse,
  }) as unknown as (...args: unknown[]) => Tensor;
  return (self, values, options) => run(self, ...values, target(self, options));
}

const plain = (name: string, body: Body, refuse: (dtype: DType) => string | undefined) => {
  const run = row<[]>(name, '', body, refuse);
  return explaining(name, ((self, options) => run(self, [], options)) as Activation);
};

/**
 * max(x, 0).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.relu.html
 */
export const relu: Activation = plain(
  'relu',
  (x) => e.max(x, zero(x)),
  (t) => (t === 'bool' ? 'Boolean inputs not supported for relu' : undefined),
);

/** x * sigmoid(x). */
export const silu: Activation = plain('silu', (x) => e.mul(x, e.sigmoid(x)), floatOnly('silu_cpu'));

/** x * tanh(softplus(x)). */
export const mish: Activation = plain(
  'mish',
  (x) => e.mul(x, e.tanh(e.log1p(e.exp(x)))),
  floatOnly('mish_cpu'),
);

/** min(x, 0) - log(1 + e^-|x|): the logarithm of the sigmoid, without overflow. */
export const logsigmoid: (self: Tensor, options?: OutOptions) => Tensor = plain(
  'logsigmoid',
  (x) => e.sub(e.min(x, zero(x)), e.log1p(e.exp(e.neg(e.abs(x))))),
  floatOnly('log_sigmoid_cpu'),
);

/** clamp(x / 6 + 1/2, 0, 1). */
export const hardsigmoid: Activation = plain(
  'hardsigmoid',
  (x) => e.div(e.min(e.max(e.add(x, 3), 0), 6), 6),
  floatOnly('hardsigmoid_cpu'),
);

/** x * hardsigmoid(x). */
export const hardswish: Activation = plain(
  'hardswish',
  (x) => e.div(e.mul(x, e.min(e.max(e.add(x, 3), 0), 6)), 6),
  floatOnly('hardswish_cpu'),
);

const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;
/** scale * (x, or alpha * (e^x - 1) for negative x), with the two constants that keep activations normalised. */
export const selu: Activation = plain(
  'selu',
  (x) => e.where(e.gt(x, 0), e.mul(x, seluScale), e.mul(e.expm1(x), seluAlpha * seluScale)),
  floatOnly('elu_cpu'),
);

const eluRow = row<[number]>(
  'elu',
  'alpha',
  (x, alpha) => e.where(e.gt(x, 0), x, e.mul(alpha, e.expm1(x))),
  floatOnly('elu_cpu'),
);
/** x, or alpha * (e^x - 1) for negative x; `alpha` defaults to 1. */
export const elu = explaining(
  'elu',
  (self: Tensor, options?: ActivationOptions & { alpha?: number }): Tensor =>
    eluRow(self, [options?.alpha ?? 1], options),
);

const celuRow = row<[number]>(
  'celu',
  'alpha',
  (x, alpha) => e.where(e.gt(x, 0), x, e.mul(alpha, e.expm1(e.div(x, alpha)))),
  floatOnly('elu_cpu'),
);
/**
 * x, or alpha * (e^(x / alpha) - 1) for negative x; `alpha` defaults to 1.
 *
 * @throws RuntimeError if `alpha` is 0.
 */
export const celu = explaining(
  'celu',
  (self: Tensor, options?: ActivationOptions & { alpha?: number }): Tensor => {
    const alpha = options?.alpha ?? 1;
    if (alpha === 0) throw new RuntimeError('celu: ZeroDivisionError: alpha cannot be 0 for CELU');
    return celuRow(self, [alpha], options);
  },
);

const geluExact = plain(
  'gelu',
  (x) => e.mul(e.mul(x, 0.5), e.add(e.erf(e.mul(x, Math.SQRT1_2)), 1)),
  floatOnly('GeluKernelImpl'),
);
const geluTanh = plain(
  'geluTanh',
  (x) => {
    const cube = e.mul(e.mul(x, x), x);
    const inner = e.mul(e.add(x, e.mul(cube, 0.044715)), Math.sqrt(2 / Math.PI));
    return e.mul(e.mul(x, 0.5), e.add(e.tanh(inner), 1));
  },
  floatOnly('GeluKernelImpl'),
);
/**
 * x times the normal distribution function at x; `approximate: 'tanh'` uses the cheaper formula.
 *
 * @throws RuntimeError for another `approximate`.
 * @see https://arxiv.org/abs/1606.08415
 */
export const gelu = explaining(
  'gelu',
  (self: Tensor, options?: OutOptions & { approximate?: 'none' | 'tanh' }): Tensor => {
    const approximate = options?.approximate ?? 'none';
    if (approximate === 'none') return geluExact(self, options);
    if (approximate === 'tanh') return geluTanh(self, options);
    throw new RuntimeError(
      `gelu: approximate argument must be either none or tanh, got '${approximate}'`,
    );
  },
);

const softplusRow = row<[number, number]>(
  'softplus',
  'beta threshold',
  (x, beta, threshold) => {
    const scaled = e.mul(x, beta);
    return e.where(e.gt(scaled, threshold), x, e.div(e.log1p(e.exp(scaled)), beta));
  },
  floatOnly('softplus_cpu'),
);
/** log(1 + e^(beta x)) / beta, and x itself where beta x exceeds `threshold`; beta 1, threshold 20. */
export const softplus = explaining(
  'softplus',
  (self: Tensor, options?: OutOptions & { beta?: number; threshold?: number }): Tensor =>
    softplusRow(self, [options?.beta ?? 1, options?.threshold ?? 20], options),
);

const hardtanhRow = row<[number, number]>(
  'hardtanh',
  'minVal maxVal',
  (x, low, high) => e.min(e.max(x, low), high),
  (t) => (t === 'bool' ? 'Bool inputs not supported for hardtanh' : undefined),
);
/**
 * Values limited to [minVal, maxVal], by default [-1, 1].
 *
 * @throws RuntimeError on uint8 with a negative limit.
 */
export const hardtanh = explaining(
  'hardtanh',
  (self: Tensor, options?: ActivationOptions & { minVal?: number; maxVal?: number }): Tensor => {
    const { minVal = -1, maxVal = 1 } = options ?? {};
    if (self.dtype === 'uint8' && (Math.trunc(minVal) < 0 || Math.trunc(maxVal) < 0)) {
      throw new RuntimeError(
        'hardtanh: cannot do hardtanh on an unsigned type with negative limits',
      );
    }
    if (category(self.dtype) === 2) return hardtanhRow(self, [minVal, maxVal], options);
    return hardtanhRow(self, [Math.trunc(minVal), Math.trunc(maxVal)], options);
  },
);
/** Values limited to [0, 6]. */
export const relu6 = explaining(
  'relu6',
  (self: Tensor, options?: ActivationOptions): Tensor =>
    hardtanh(self, { ...options, minVal: 0, maxVal: 6 }),
);

const leakyReluRow = row<[number]>(
  'leakyRelu',
  'negativeSlope',
  (x, slope) => e.where(e.gt(x, 0), x, e.mul(x, slope)),
  floatOnly('leaky_relu_cpu'),
);
/** x, or negativeSlope * x for negative x; 0.01 by default. */
export const leakyRelu = explaining(
  'leakyRelu',
  (self: Tensor, options?: ActivationOptions & { negativeSlope?: number }): Tensor =>
    leakyReluRow(self, [options?.negativeSlope ?? 0.01], options),
);

const thresholdRow = row<[number, number]>(
  'threshold',
  'threshold value',
  (x, threshold, value) => e.where(e.le(x, threshold), value, x),
  refusing('threshold_cpu', ['bool']),
);
/** x where it exceeds `threshold`, `value` elsewhere. */
export const threshold = explaining(
  'threshold',
  (self: Tensor, limit: number, value: number, options?: ActivationOptions): Tensor =>
    thresholdRow(self, [limit, value], options),
);

const hardshrinkRow = row<[number]>(
  'hardshrink',
  'lambd',
  (x, lambd) => e.where(e.and(e.ge(x, e.neg(lambd)), e.le(x, lambd)), zero(x), x),
  floatOnly('hardshrink_cpu'),
);
/** x, or 0 where |x| is at most `lambd` (0.5). */
export const hardshrink = explaining(
  'hardshrink',
  (self: Tensor, options?: OutOptions & { lambd?: number }): Tensor =>
    hardshrinkRow(self, [options?.lambd ?? 0.5], options),
);

const softshrinkRow = row<[number]>(
  'softshrink',
  'lambd',
  (x, lambd) =>
    e.where(
      e.gt(x, lambd),
      e.sub(x, lambd),
      e.where(e.lt(x, e.neg(lambd)), e.add(x, lambd), zero(x)),
    ),
  floatOnly('softshrink_cpu'),
);
/**
 * x moved towards 0 by `lambd` (0.5), and 0 where it would cross it.
 *
 * @throws RuntimeError if `lambd` is negative.
 */
export const softshrink = explaining(
  'softshrink',
  (self: Tensor, options?: OutOptions & { lambd?: number }): Tensor => {
    const lambd = options?.lambd ?? 0.5;
    if (!(lambd >= 0)) {
      throw new RuntimeError(
        `softshrink: lambda must be greater or equal to 0, but found to be ${lambd}.`,
      );
    }
    return softshrinkRow(self, [lambd], options);
  },
);

/** x / (1 + |x|). */
export const softsign = explaining(
  'softsign',
  (self: Tensor): Tensor => div(self, add(abs(self), 1)),
);

/** x - tanh(x). */
export const tanhshrink = explaining('tanhshrink', (self: Tensor): Tensor => sub(self, tanh(self)));

const preluRow = define<(self: Tensor, weight: Tensor) => Tensor>({
  name: 'prelu',
  params: 'self weight',
  promotion: 'same',
  body: (x, w) => e.where(e.gt(x, 0), x, e.mul(w, x)),
  refuse: floatOnly('prelu_cpu'),
});
/**
 * x, or weight * x for negative x, with one weight for all or one a channel (dimension 1).
 *
 * @throws RuntimeError if the number of weights fits neither.
 */
export const prelu = explaining('prelu', (self: Tensor, weight: Tensor): Tensor => {
  if (self.dtype !== weight.dtype) {
    throw new RuntimeError(
      `prelu: Type promoting not supported. Got ${self.dtype} and ${weight.dtype} (found dtype ${weight.dtype} but expected ${self.dtype})`,
    );
  }
  if (weight.shape.length > 1) {
    throw new RuntimeError(
      `prelu: Expected \`weight\` to be a scalar or 1D tensor, but got ndim = ${weight.shape.length}`,
    );
  }
  const count = weight.numel();
  const rank = self.shape.length;
  if (count === 1) return preluRow(self, view(weight, new Array<number>(rank).fill(1)));
  if (rank === 0) throw new RuntimeError('prelu: Not allow zero-dim input tensor.');
  const channels = rank > 1 ? (self.shape[1] as number) : 1;
  if (channels !== count) {
    throw new RuntimeError(
      `prelu: Mismatch of parameter numbers and input channel size. Found parameter numbers = ${count} and channel size = ${channels}.`,
    );
  }
  return preluRow(self, view(weight, [count, ...new Array<number>(rank - 2).fill(1)]));
});

const gluRow = define<(self: Tensor, gate: Tensor) => Tensor>({
  name: 'glu',
  params: 'self gate',
  promotion: 'same',
  body: (a, b) => e.mul(a, e.sigmoid(b)),
  refuse: floatOnly('glu_cpu'),
});
/**
 * The first half of a dimension times the sigmoid of the second.
 *
 * @throws RuntimeError if the size of the dimension is odd.
 */
export const glu = explaining('glu', (self: Tensor, dim = -1): Tensor => {
  if (self.shape.length === 0) {
    throw new RuntimeError('glu: glu does not support scalars because halving size must be even');
  }
  const d = normalizeDim('glu', dim, self.shape.length);
  const size = self.shape[d] as number;
  if (size % 2 !== 0) {
    throw new RuntimeError(
      `glu: Halving dimension must be even, but dimension ${d} is size ${size}`,
    );
  }
  return gluRow(narrow(self, d, 0, size / 2), narrow(self, d, size / 2, size / 2));
});
