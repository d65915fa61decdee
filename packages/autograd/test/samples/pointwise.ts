import * as f from '@sconce/core';
import { type Tensor, tensor } from '@sconce/core';
import { of, positive, real, type Samples } from './sample.js';

/** The operation as a function of as many tensors as it takes. */
type Fn = (...args: readonly Tensor[]) => Tensor;
const named = (name: string): Fn => (f as unknown as Record<string, Fn>)[name] as Fn;

const one = (name: string, from = -2, to = 2, avoid: readonly number[] = []): Samples => ({
  [name]: [{ run: (x) => named(name)(x), inputs: () => [real([2, 3], { from, to, avoid })] }],
});
const two = (
  name: string,
  make: (shape: number[]) => Tensor = (shape) => real(shape),
): Samples => ({
  [name]: [
    { run: (a, b) => named(name)(a, b), inputs: () => [make([2, 3]), make([2, 3])] },
    { run: (a, b) => named(name)(a, b), inputs: () => [make([2, 1]), make([3])] },
    { run: (a, b) => named(name)(a, b), inputs: () => [make([3]), make([])] },
  ],
});
const strictlyPositive = (shape: number[]) => positive(...shape);

const mask = tensor([[true, false, true]]);

export const pointwiseSamples: Samples = {
  frexp: [
    // Within one power of two, beyond which the mantissa jumps.
    { run: (x) => f.frexp(x).mantissa, inputs: () => [real([2, 3], { from: 4.2, to: 7.8 })] },
  ],
  ...two('add'),
  ...two('sub'),
  mul: [
    of((a, b) => f.mul(a, b), [2, 3], [2, 3]),
    of((a, b) => f.mul(a, b), [2, 1], [3]),
    of((a) => a.mul(3), [3]),
    of((a) => a.mul(a), [3]),
  ],
  div: [
    { run: (a, b) => f.div(a, b), inputs: () => [real([2, 3]), positive(3)] },
    of((a) => a.div(3), [3]),
  ],
  ...two('atan2'),
  ...two('hypot'),
  ...two('copysign', (shape) => real(shape, { avoid: [0] })),
  ...two('logaddexp'),
  ...two('logaddexp2'),
  ...two('xlogy', strictlyPositive),
  ...two('maximum'),
  ...two('minimum'),
  ...two('fmax'),
  ...two('fmin'),
  divTrunc: [{ run: (a, b) => f.div(a, b, { roundingMode: 'trunc' }), inputs: steps }],
  floorDivide: [{ run: (a, b) => f.floorDivide(a, b), inputs: steps }],
  remainder: [{ run: (a, b) => f.remainder(a, b), inputs: steps }],
  fmod: [{ run: (a, b) => f.fmod(a, b), inputs: steps }],
  pow: [
    { run: (a, b) => f.pow(a, b), inputs: () => [positive(2, 3), real([3])] },
    { run: (a) => f.pow(a, 3), inputs: () => [real([4])] },
    { run: (a) => f.pow(a, 2), inputs: () => [real([4])] },
    { run: (a) => f.pow(a, 0), inputs: () => [real([4])], once: true },
    { run: (a) => f.pow(a, -1.5), inputs: () => [positive(4)] },
    { run: (a) => f.pow(2 as never, a), inputs: () => [real([4])] },
  ],
  clamp: [
    of((x) => f.clamp(x, -1, 1), [4]),
    of((x, low, high) => f.clamp(x, low!.sub(3), high!.add(3)), [4], [4], [4]),
    of((x, low, high) => f.clamp(x, low!, high!.add(0.5)), [6], [6], [6]),
  ],
  clampMin: [of((x) => f.clampMin(x, 0.1), [4]), of((a, b) => f.clampMin(a, b), [2, 3], [3])],
  clampMax: [of((x) => f.clampMax(x, 0.1), [4]), of((a, b) => f.clampMax(a, b), [2, 3], [3])],
  where: [
    of((a, b) => f.where(mask, a, b), [2, 3], [3]),
    of((a) => f.where(mask, a, 1), [2, 3]),
    of((b) => f.where(mask, 1, b), [2, 3]),
  ],
  maskedFill: [
    of((x) => f.maskedFill(x, mask, 3), [2, 3]),
    of((x, v) => f.maskedFill(x, mask, v), [2, 3], []),
  ],
  zero: [of((x) => x.clone().zero_().add(x), [2, 3])],
  fill: [of((x, v) => f.fill(x, v), [2, 3], [])],
  copy: [of((x, y) => x.clone().copy_(y), [2, 3], [3])],
  addcmul: [of((a, b, c) => f.addcmul(a, b, c, { value: 0.7 }), [2, 3], [3], [2, 1])],
  addcdiv: [
    {
      run: (a, b, c) => f.addcdiv(a, b, c, { value: 0.7 }),
      inputs: () => [real([2, 3]), real([3]), positive(2, 1)],
    },
  ],
  lerp: [
    of((a, b) => f.lerp(a, b, 0.3), [2, 3], [3]),
    of((a, b, c) => f.lerp(a, b, c), [2, 3], [3], [2, 3]),
  ],
  ...one('abs', -2, 2, [0]),
  ...one('neg'),
  ...one('sign', -2, 2, [0]),
  ...one('floor', -2, 2, [-2, -1, 0, 1, 2]),
  ...one('ceil', -2, 2, [-2, -1, 0, 1, 2]),
  ...one('trunc', -2, 2, [-2, -1, 0, 1, 2]),
  ...one('round', -2, 2, [-1.5, -0.5, 0.5, 1.5]),
  ...one('sgn', -2, 2, [0]),
  ...one('angle', -2, 2, [0]),
  ...one('logit', 0.1, 0.9),
  ...one('nanToNum'),
  ...one('i0', -12, 12),
  ...one('i1', -12, 12),
  ...one('frac', -2, 2, [-2, -1, 0, 1, 2]),
  ...one('square'),
  ...one('sqrt', 0.3, 3),
  ...one('rsqrt', 0.3, 3),
  ...one('reciprocal', 0.3, 3),
  ...one('exp'),
  ...one('exp2'),
  ...one('expm1'),
  ...one('log', 0.3, 3),
  ...one('log1p', -0.5, 3),
  ...one('log2', 0.3, 3),
  ...one('log10', 0.3, 3),
  ...one('sin'),
  ...one('cos'),
  ...one('tan', -1, 1),
  ...one('asin', -0.9, 0.9),
  ...one('acos', -0.9, 0.9),
  ...one('atan'),
  ...one('sinh'),
  ...one('cosh'),
  ...one('tanh'),
  ...one('asinh'),
  ...one('acosh', 1.3, 3),
  ...one('atanh', -0.9, 0.9),
  ...one('sigmoid'),
  ...one('erf'),
  ...one('erfc'),
  ...one('erfinv', -0.8, 0.8),
  lgamma: [{ run: (x) => f.lgamma(x), inputs: () => [positive(4)] }],
  ...one('digamma', -2.7, 3, [-2, -1, 0]),
  polygamma: [
    {
      run: (x) => f.polygamma(1, x),
      inputs: () => [real([6], { from: -2.7, to: 3, avoid: [-2, -1, 0] })],
    },
    { run: (x) => f.polygamma(2, x), inputs: () => [positive(4)] },
    { run: (x) => f.polygamma(3, x), inputs: () => [positive(4)] },
  ],
  ...one('sinc', 0.2, 2),
  ...one('deg2rad'),
  ...one('rad2deg'),
};

function steps(): Tensor[] {
  return [
    tensor([5.3, -4.7, 3.2], { dtype: 'float64', requiresGrad: true }),
    tensor([2.1, 1.9, -1.5], { dtype: 'float64', requiresGrad: true }),
  ];
}
