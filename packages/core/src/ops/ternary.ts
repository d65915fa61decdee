import { takes } from '../arguments.js';
import { canCast, category, type DType, itemSize } from '../dtype.js';
import { resultType } from '../elementwise.js';
import { NotImplementedError, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { constant, type Expr, e } from '../expr.js';
import type { OutOptions } from '../out.js';
import { canRead } from '../read.js';
import { checkFits, float, isScalar, type Scalar } from '../scalar.js';
import { signatures } from '../signatures.js';
import type { Tensor } from '../tensor.js';
import { type Binary, binary, define, refusing } from './define.js';
import { nonzero } from './nonzero.js';

type Limit = Tensor | Scalar | null | undefined;

const raise = (x: Expr, low: Expr): Expr => (x.dtype === 'bool' ? e.or(x, low) : e.max(x, low));
const lower = (x: Expr, high: Expr): Expr => (x.dtype === 'bool' ? e.and(x, high) : e.min(x, high));

const clampBoth = define<
  (self: Tensor, min: Tensor | Scalar, max: Tensor | Scalar, options?: OutOptions) => Tensor
>({
  name: 'clamp',
  params: 'self min~ max~',
  promotion: 'same',
  body: (x, low, high) => lower(raise(x, low), high),
  refuse: refusing('clamp_cpu', ['bool']),
});
/** As in PyTorch, a bool may be limited by a bool tensor, which is `maximum` or `minimum`, but by no plain bool. */
const noPlainBool = (kernel: string) => {
  const refuse = refusing(kernel, ['bool']);
  return (dtype: DType, [, limit]: readonly unknown[] = []): string | undefined =>
    isScalar(limit) ? refuse(dtype) : undefined;
};
/** Values below `min` become `min`. */
export const clampMin: Binary = binary('clampMin', 'same', raise, noPlainBool('clamp_min_cpu'));
/** Values above `max` become `max`. */
export const clampMax: Binary = binary(
  'clampMax',
  'same',
  lower,
  noPlainBool('clamp_max_scalar_cpu'),
);

/**
 * Values limited to [min, max]; either limit may be left out, not both. NaN stays NaN.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.clamp.html
 * @example tensor([-1, 0.5, 2]).clamp(0, 1) // tensor([0.0000, 0.5000, 1.0000])
 */
export const clamp = explaining(
  'clamp',
  (self: Tensor, min?: Limit, max?: Limit, options?: OutOptions): Tensor => {
    const low = min ?? undefined;
    const high = max ?? undefined;
    if (low === undefined && high === undefined) {
      throw new RuntimeError("clamp: At least one of 'min' or 'max' must not be None");
    }
    if (low === undefined) return clampMax(self, high as Tensor, options);
    if (high === undefined) return clampMin(self, low, options);
    return clampBoth(self, low, high, options);
  },
);

/** `self` where `condition` holds, else `other`; all three broadcast. */
const choose = define<(condition: Tensor, self: Tensor | Scalar, other: Tensor | Scalar) => Tensor>(
  {
    name: 'where',
    params: 'condition self~ other~',
    promotion: 'same',
    body: (c, a, b) => e.where(c, a, b),
    condition: 0,
  },
);

/**
 * Elements of `self` where `condition` is true, of `other` elsewhere; the three broadcast together. Of a condition alone,
 * the positions where it holds, one tensor for each dimension: `nonzero` with `asTuple`.
 *
 * @param condition a bool (or uint8) tensor; alone, of any dtype.
 * @see https://pytorch.org/docs/stable/generated/torch.where.html
 * @example where(x.gt(0), x, 0); const [rows, columns] = where(x.gt(0));
 */
export function where(condition: Tensor): Tensor[];
export function where(condition: Tensor, self: Tensor | Scalar, other: Tensor | Scalar): Tensor;
export function where(
  condition: Tensor,
  self?: Tensor | Scalar,
  other?: Tensor | Scalar,
): Tensor | Tensor[] {
  takes('where', signatures.where, arguments);
  if (self === undefined && other === undefined) return nonzero(condition, { asTuple: true });
  if (self === undefined || other === undefined) {
    throw new TypeError('where: pass both values, or the condition alone for its positions');
  }
  if (condition.dtype !== 'bool' && condition.dtype !== 'uint8') {
    throw new RuntimeError(
      `where: expected condition to be a boolean tensor, but got a tensor with dtype ${condition.dtype}`,
    );
  }
  for (const x of [self, other]) if (isScalar(x)) checkFits('where', x, resultType(self, other));
  return choose(condition, self, other);
}

/** Options of `addcmul` and `addcdiv`. */
export interface ValueOptions extends OutOptions {
  /** The factor of the product or quotient; default 1. */
  value?: Scalar;
}

const addcmulOp = define<
  (self: Tensor, a: Tensor, b: Tensor, value: Scalar, options?: OutOptions) => Tensor
>({
  name: 'addcmul',
  params: 'self tensor1 tensor2 value~',
  promotion: 'same',
  numbers: 1,
  body: (s, a, b, v) => e.add(s, e.mul(e.mul(v, a), b)),
});
/** self + value * tensor1 * tensor2. */
export const addcmul = explaining(
  'addcmul',
  (self: Tensor, tensor1: Tensor, tensor2: Tensor, options?: ValueOptions): Tensor =>
    addcmulOp(self, tensor1, tensor2, options?.value ?? 1, options),
);

const addcdivOp = define<
  (self: Tensor, a: Tensor, b: Tensor, value: Scalar, options?: OutOptions) => Tensor
>({
  name: 'addcdiv',
  params: 'self tensor1 tensor2 value~',
  promotion: 'same',
  numbers: 1,
  body: (s, a, b, v) => e.add(s, e.mul(v, e.div(a, b))),
});
/** self + value * tensor1 / tensor2. */
export const addcdiv = explaining(
  'addcdiv',
  (self: Tensor, tensor1: Tensor, tensor2: Tensor, options?: ValueOptions): Tensor => {
    if (category(tensor1.dtype) < 2 && category(tensor2.dtype) < 2) {
      throw new RuntimeError(
        'addcdiv: Integer division with addcdiv is no longer supported, and in a future release addcdiv would perform a true division of tensor1 and tensor2; convert them to a floating-point dtype first',
      );
    }
    return addcdivOp(self, tensor1, tensor2, options?.value ?? 1, options);
  },
);

const lerpOp = define<
  (self: Tensor, end: Tensor, weight: Tensor | Scalar, options?: OutOptions) => Tensor
>({
  name: 'lerp',
  params: 'self end weight~',
  promotion: 'same',
  body: (a, b, w) => {
    const d = e.sub(b, a);
    // The end that is nearer is kept exact.
    return e.where(
      e.lt(w, 0.5),
      e.add(a, e.mul(w, d)),
      e.sub(b, e.mul(d, e.sub(constant(1, d.dtype), w))),
    );
  },
});
/** self + weight * (end - self). */
export const lerp = explaining(
  'lerp',
  (self: Tensor, end: Tensor, weight: Tensor | Scalar, options?: OutOptions): Tensor => {
    if (self.dtype !== end.dtype) {
      throw new RuntimeError(
        `lerp: expected dtype ${self.dtype} for \`end\` but got dtype ${end.dtype}`,
      );
    }
    if (category(self.dtype) < 2) {
      const kernel = isScalar(weight) ? 'lerp_kernel_scalar' : 'lerp_kernel_tensor';
      throw new NotImplementedError(`lerp: "${kernel}" not implemented for '${self.dtype}'`);
    }
    return lerpOp(self, end, weight, options);
  },
);

const fillOp = define<(self: Tensor, value: Tensor | Scalar, options?: OutOptions) => Tensor>({
  name: 'fill',
  params: 'self value~',
  promotion: 'first',
  body: (_, v) => v,
});
/** A tensor like `self` with every element `value` (a number or a zero-dimensional tensor). */
export const fill = explaining(
  'fill',
  (self: Tensor, value: Tensor | Scalar, options?: OutOptions): Tensor => {
    if (!isScalar(value) && value.shape.length > 0) {
      throw new RuntimeError(
        `fill: only supports 0-dimension value tensor but got tensor with ${value.shape.length} dimensions`,
      );
    }
    if (isScalar(value)) checkFits('fill', value, self.dtype);
    return fillOp(self, value, options);
  },
);

/** `self` with elements where `mask` is true replaced by `value`. */
export const maskedFill: (
  self: Tensor,
  mask: Tensor,
  value: Tensor | Scalar,
  options?: OutOptions,
) => Tensor = explaining('maskedFill', (self, mask, value, options) => {
  if (mask.dtype !== 'bool') {
    throw new RuntimeError(`maskedFill: expects mask dtype to be bool, got ${mask.dtype}`);
  }
  if (!isScalar(value) && value.shape.length > 0) {
    throw new RuntimeError(
      `maskedFill: only supports a 0-dimensional value tensor, but got tensor with ${value.shape.length} dimension(s)`,
    );
  }
  if (isScalar(value)) checkFits('maskedFill', value, self.dtype);
  else if (!canCast(value.dtype, self.dtype) || itemSize(value.dtype) > itemSize(self.dtype)) {
    const read = (x: number) => (category(value.dtype) === 2 ? float(x) : x);
    if (canRead(value)) checkFits('maskedFill', read(value.itemSync()), self.dtype);
  }
  return maskedFillOp(self, mask, value, options);
});
const maskedFillOp = define<
  (self: Tensor, mask: Tensor, value: Tensor | Scalar, options?: OutOptions) => Tensor
>({
  name: 'maskedFill',
  params: 'self mask value~',
  promotion: 'first',
  body: (x, m, v) => e.where(m, v, x),
  condition: 1,
});
