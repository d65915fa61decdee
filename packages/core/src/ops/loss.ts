import { constant, type Expr, e } from '../expr.js';
import type { Scalar } from '../scalar.js';
import type { Tensor } from '../tensor.js';
import { zero } from './bodies.js';
import { define, refusing } from './define.js';

/** The losses of single elements, before they are combined; what `nn.functional` makes its losses of. */
type Pointwise = (input: Tensor, target: Tensor) => Tensor;
type WithNumber = (input: Tensor, target: Tensor, number: Tensor | Scalar) => Tensor;

const integers = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const;

const pointwise = (name: string, kernel: string, body: (x: Expr, t: Expr) => Expr): Pointwise =>
  define<Pointwise>({
    name,
    params: 'self target',
    promotion: 'same',
    body,
    refuse: refusing(kernel, integers),
  });

const withNumber = (
  name: string,
  number: string,
  kernel: string,
  body: (x: Expr, t: Expr, n: Expr) => Expr,
): WithNumber =>
  define<WithNumber>({
    name,
    params: `self target ${number}~`,
    promotion: 'same',
    body,
    refuse: refusing(kernel, integers),
  });

/** (x - t)². */
export const squaredError: Pointwise = pointwise('squaredError', 'mse_cpu', (x, t) => {
  const d = e.sub(x, t);
  return e.mul(d, d);
});

/** |x - t|, squared and halved (over beta) where below beta. */
export const smoothL1: WithNumber = withNumber(
  'smoothL1',
  'beta',
  'smooth_l1_cpu',
  (x, t, beta) => {
    const d = e.abs(e.sub(x, t));
    return e.where(e.lt(d, beta), e.div(e.mul(e.mul(d, d), 0.5), beta), e.sub(d, e.mul(beta, 0.5)));
  },
);

/** Half of the square of x - t where that is at most delta, linear beyond. */
export const huber: WithNumber = withNumber('huber', 'delta', 'huber_cpu', (x, t, delta) => {
  const d = e.abs(e.sub(x, t));
  return e.where(
    e.le(d, delta),
    e.mul(e.mul(d, d), 0.5),
    e.mul(delta, e.sub(d, e.mul(delta, 0.5))),
  );
});

/** -(t log x + (1 - t) log(1 - x)), the logarithms not below -100. */
export const binaryCrossEntropyElements: Pointwise = pointwise(
  'binaryCrossEntropy',
  'binary_cross_entropy',
  (x, t) => {
    const log = e.max(e.log(x), -100);
    const logOfRest = e.max(e.log1p(e.neg(x)), -100);
    return e.sub(e.mul(e.sub(t, 1), logOfRest), e.mul(t, log));
  },
);

/** The same of sigmoid(x), without overflow; `posWeight` multiplies what concerns positive targets. */
export const binaryCrossEntropyLogitElements: WithNumber = withNumber(
  'binaryCrossEntropyWithLogits',
  'posWeight',
  'binary_cross_entropy_with_logits',
  (x, t, posWeight) => {
    const softplus = e.add(e.log1p(e.exp(e.neg(e.abs(x)))), e.max(e.neg(x), zero(x)));
    const factor = e.add(e.mul(e.sub(posWeight, 1), t), 1);
    return e.add(e.mul(e.sub(constant(1, x.dtype), t), x), e.mul(factor, softplus));
  },
);

/** t (log t - x), 0 where t is 0. */
export const klDivElements: Pointwise = pointwise('klDiv', 'kl_div', (x, t) =>
  e.sub(e.where(e.eq(t, 0), zero(t), e.mul(t, e.log(t))), e.mul(t, x)),
);

/** e^t (t - x), for targets that are logarithms. */
export const klDivLogElements: Pointwise = pointwise('klDivLog', 'kl_div', (x, t) =>
  e.mul(e.exp(t), e.sub(t, x)),
);

/** log(1 + e^(-t x)). */
export const softMarginElements: Pointwise = pointwise('softMargin', 'soft_margin', (x, t) =>
  e.log1p(e.exp(e.neg(e.mul(t, x)))),
);
