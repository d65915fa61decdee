import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import { formatShape, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { constant, type Expr, e, input, scalar, stage } from '../expr.js';
import { mustRecord, op } from '../op.js';
import { float } from '../scalar.js';
import { broadcastShapes, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { div, mul, sub } from './binary.js';
import { fromTypedArray } from './create.js';
import { indexSelect } from './gather.js';
import { memo } from './plan.js';
import { sum, vectorNorm } from './reduce.js';
import { where } from './ternary.js';
import { abs, sign, square } from './unary.js';
import { expand, reshape, unsqueeze } from './view.js';

/** Options of `cosineSimilarity`. */
export interface CosineSimilarityOptions {
  /** Default 1. */
  dim?: number;
  /** The least norm that is divided by; default 1e-8. */
  eps?: number;
}

/**
 * The cosine of the angle between vectors along a dimension; the two broadcast.
 *
 * @throws RuntimeError on integers.
 */
export const cosineSimilarity = explaining(
  'cosineSimilarity',
  (x1: Tensor, x2: Tensor, options: CosineSimilarityOptions = {}): Tensor => {
    const { dim = 1, eps = 1e-8 } = options;
    if (!isFloatingPoint(x1.dtype) && !isFloatingPoint(x2.dtype)) {
      throw new RuntimeError(
        `cosineSimilarity: expected common dtype to be floating point, yet common dtype is ${x1.dtype}`,
      );
    }
    const shape = broadcastShapes('cosineSimilarity', x1.shape, x2.shape);
    const unit = (x: Tensor) => {
      const wide = expand(x, shape);
      const length = vectorNorm(wide, 2, dim, { keepdim: true });
      if (!(eps > 0)) return div(wide, length);
      // A length below the limit counts as the limit, yet PyTorch lets gradients through as if it had grown with x.
      const growth = sum(square(wide), dim, { keepdim: true }).div(2 * eps);
      const limit = growth.sub(growth.detach()).add(eps);
      return div(wide, where(length.lt(eps), limit, length));
    };
    return sum(mul(unit(x1), unit(x2)), dim);
  },
);

/** Options of `pairwiseDistance`. */
export interface PairwiseDistanceOptions {
  /** The p of the norm; default 2. */
  p?: number;
  /** Added to the differences; default 1e-6. */
  eps?: number;
  keepdim?: boolean;
}

/** The p-norm of x1 - x2 + eps along the last dimension. */
export const pairwiseDistance = explaining(
  'pairwiseDistance',
  (x1: Tensor, x2: Tensor, options: PairwiseDistanceOptions = {}): Tensor => {
    const { p = 2, eps = 1e-6, keepdim = false } = options;
    return vectorNorm(sub(x1, x2).add(float(eps)), p, -1, { keepdim });
  },
);

type Power = 'zero' | 'one' | 'two' | 'infinite' | 'any';
const powerOf = (p: number): Power =>
  p === 0
    ? 'zero'
    : p === 1
      ? 'one'
      : p === 2
        ? 'two'
        : p === Number.POSITIVE_INFINITY
          ? 'infinite'
          : 'any';

const distancePlan = memo((dtype: DType, power: Power) => {
  const type = computeType(dtype);
  const d = e.abs(e.sub(input(0, type), input(1, type)));
  const p = scalar(0, type);
  const whole = stage(0, type);
  const one = constant(1, type);
  const bodies: Record<Power, readonly [Expr, Expr]> = {
    zero: [e.where(e.ne(d, 0), one, constant(0, type)), whole],
    one: [d, whole],
    two: [e.mul(d, d), e.sqrt(whole)],
    infinite: [d, whole],
    any: [e.pow(d, p), e.pow(whole, e.div(one, p))],
  };
  const [value, result] = bodies[power];
  return { combine: power === 'infinite' ? ('max' as const) : ('sum' as const), value, result };
});

/** Rows of [..., P, M] against rows of [..., R, M], both with all batch dimensions: [..., P, 1, M] and [..., 1, R, M]. */
const crossed = (x1: Tensor, x2: Tensor): [Tensor, Tensor] => [
  unsqueeze(x1, -2),
  unsqueeze(x2, -3),
];

const cdistOp = op('cdist', 'x1 x2 p', (x1: Tensor, x2: Tensor, p: number): Tensor => {
  const shape = [...x1.shape.slice(0, -1), x2.shape.at(-2) as number];
  const result = allocate(shape, x1.dtype, x1.device);
  if (numel(shape) === 0) return result;
  const plan = distancePlan(x1.dtype, powerOf(p));
  execute({
    kind: 'reduce',
    shape: [...shape, x1.shape.at(-1) as number],
    axes: [shape.length],
    inputs: crossed(x1, x2),
    scalars: [Number.isFinite(p) ? p : 1],
    stages: [{ combine: plan.combine, value: plan.value }],
    outputs: [
      {
        per: 'row',
        value: plan.result,
        view: new Tensor(result.storage, result.dtype, [...shape, 1]),
      },
    ],
  });
  return result;
});

const gradPlan = memo((dtype: DType, power: Power): Expr => {
  const type = computeType(dtype);
  const [d, grad, dist] = [e.sub(input(0, type), input(1, type)), input(2, type), input(3, type)];
  const zero = constant(0, type);
  const one = constant(1, type);
  const direction = e.where(e.gt(d, 0), one, e.where(e.lt(d, 0), e.neg(one), zero));
  const still = e.or(e.eq(dist, 0), e.eq(d, 0));
  const rest = e.sub(scalar(0, type), 1);
  switch (power) {
    case 'zero':
      return zero;
    case 'one':
      return e.mul(grad, direction);
    case 'two':
      return e.where(e.eq(dist, 0), zero, e.div(e.mul(grad, d), dist));
    case 'infinite':
      return e.where(e.eq(e.abs(d), dist), e.mul(grad, direction), zero);
    case 'any':
      return e.where(
        still,
        zero,
        e.mul(e.mul(grad, direction), e.pow(e.div(e.abs(d), dist), rest)),
      );
  }
});

/**
 * The gradient of `cdist` to its first operand (to the second: with operands exchanged and `grad` and
 * `dist` transposed); one kernel, or differentiable operations when it is recorded itself.
 */
export function cdistBackward(
  grad: Tensor,
  x1: Tensor,
  x2: Tensor,
  p: number,
  dist: Tensor,
): Tensor {
  if (mustRecord([grad, x1, x2])) return recordedGrad(grad, x1, x2, p, dist);
  const result = allocate(x1.shape, x1.dtype, x1.device);
  if (numel(x1.shape) === 0) return result;
  const [a, b] = crossed(x1, x2);
  const lead = x1.shape.slice(0, -2);
  const [rows, width] = x1.shape.slice(-2) as [number, number];
  const value = gradPlan(x1.dtype, powerOf(p));
  execute({
    kind: 'reduce',
    shape: [...lead, rows, x2.shape.at(-2) as number, width],
    axes: [lead.length + 1],
    inputs: [a, b, unsqueeze(grad, -1), unsqueeze(dist, -1)],
    scalars: [Number.isFinite(p) ? p : 1],
    stages: [{ combine: 'sum', value }],
    outputs: [
      {
        per: 'row',
        value: stage(0, value.dtype),
        view: new Tensor(result.storage, result.dtype, [...lead, rows, 1, width]),
      },
    ],
  });
  return result;
}

function recordedGrad(grad: Tensor, x1: Tensor, x2: Tensor, p: number, dist: Tensor): Tensor {
  const [a, b] = crossed(x1, x2);
  const d = sub(a, b);
  const g = unsqueeze(grad, -1);
  const power = powerOf(p);
  if (power === 'zero') return mul(sum(mul(d, g), -2), 0);
  if (power === 'one') return sum(mul(g, sign(d)), -2);
  const whole = unsqueeze(dist, -1);
  if (power === 'infinite') {
    return sum(mul(mul(g, sign(d)), abs(d).eq(whole).to(d.dtype)), -2);
  }
  const same = whole.eq(0);
  const length = whole.maskedFill(same, 1);
  /** Sums of slopes times `g` but where there is none, whatever `g` is there. */
  const flowing = (slope: Tensor, none: Tensor): Tensor =>
    sum(mul(g, slope.maskedFill(none, 0)).maskedFill(none, 0), -2);
  if (power === 'two') return flowing(div(d, length), same);
  // Powers below 1 have no slope at 0, so what does not differ is kept out of them.
  const still = d.eq(0);
  const ratio = div(abs(d).maskedFill(still, 1), length);
  return flowing(mul(sign(d), ratio.pow(p - 1)), still);
}

/** Options of `cdist`. */
export interface CdistOptions {
  /** The norm of the differences; default 2. */
  p?: number;
  /** How PyTorch is to compute it; there is one way here, whose results fit all. */
  computeMode?:
    | 'use_mm_for_euclid_dist_if_necessary'
    | 'use_mm_for_euclid_dist'
    | 'donot_use_mm_for_euclid_dist'
    | null;
}

/**
 * The p-norm distance of every row of `x1` [..., P, M] to every row of `x2` [..., R, M]: [..., P, R].
 *
 * @throws RuntimeError if the widths differ or `p` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.cdist.html
 */
export const cdist = explaining(
  'cdist',
  (x1: Tensor, x2: Tensor, options: CdistOptions = {}): Tensor => {
    const { p = 2 } = options;
    for (const [name, { dtype }] of Object.entries({ X1: x1, X2: x2 })) {
      if (!isFloatingPoint(dtype))
        throw new RuntimeError(
          `cdist: cdist only supports floating-point dtypes, ${name} got: ${dtype}`,
        );
    }
    if (x1.shape.length < 2 || x2.shape.length < 2) {
      throw new RuntimeError(
        `cdist: cdist only supports at least 2D tensors, got ${formatShape(x1.shape)} and ${formatShape(x2.shape)}`,
      );
    }
    if (x1.shape.at(-1) !== x2.shape.at(-1)) {
      throw new RuntimeError(
        `cdist: X1 and X2 must have the same number of columns. X1: ${x1.shape.at(-1)} X2: ${x2.shape.at(-1)}`,
      );
    }
    if (!(p >= 0))
      throw new RuntimeError(`cdist: cdist only supports non-negative p values, got ${p}`);
    const lead = broadcastShapes('cdist', x1.shape.slice(0, -2), x2.shape.slice(0, -2));
    const wide = (x: Tensor) => expand(x, [...lead, ...x.shape.slice(-2)]);
    return cdistOp(wide(x1), wide(x2), p);
  },
);

/**
 * The p-norm distances between all pairs of rows of [N, M], in the order of the upper triangle: [N (N - 1) / 2].
 *
 * @throws RuntimeError unless the tensor has 2 dimensions.
 */
export const pdist = explaining('pdist', (self: Tensor, options: { p?: number } = {}): Tensor => {
  if (self.shape.length !== 2) {
    throw new RuntimeError(`pdist: pdist only supports 2D tensors, got: ${self.shape.length}D`);
  }
  const n = self.shape[0] as number;
  const places = new BigInt64Array((n * (n - 1)) / 2);
  let k = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) places[k++] = BigInt(i * n + j);
  }
  const index = fromTypedArray(places, [places.length], { device: self.device });
  return indexSelect(reshape(cdist(self, self, options), [n * n]), 0, index);
});
