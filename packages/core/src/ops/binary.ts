import { guarded } from '../arguments.js';
import { category, computeType } from '../dtype.js';
import { type Body, type ElementwiseRow, type Promotion, resultType } from '../elementwise.js';
import { RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { bitcast, cast, constant, type Expr, e, input, stage } from '../expr.js';
import { checkTensor } from '../op.js';
import type { OutOptions } from '../out.js';
import {
  float,
  isScalar,
  type Scalar,
  scalarCategory,
  scalarDtype,
  scalarValue,
} from '../scalar.js';
import { allocate, Tensor } from '../tensor.js';
import { bitsOf, floorDivided, integral, one, zero } from './bodies.js';
import { to } from './copy.js';
import { full } from './create.js';
import {
  type Binary,
  binary,
  define,
  type EitherBinary,
  eitherBinary,
  refusing,
  type TensorBinary,
  tensorBinary,
} from './define.js';

const floats = ['float16', 'bfloat16', 'float32', 'float64'] as const;

/** Options of `add` and `sub`. */
export interface AlphaOptions extends OutOptions {
  /** The factor of the second operand; default 1. */
  alpha?: number | boolean;
}

/** A row for arithmetic, which PyTorch also does on two numbers: the result is a zero-dimensional tensor. */
const arithmetic = (
  name: string,
  promotion: Promotion,
  body: Body,
  refuse?: ElementwiseRow['refuse'],
): EitherBinary => {
  const row = { name, params: 'self~ other~', promotion, body, refuse };
  const run = define<EitherBinary>(row);
  return (self, other, options) => {
    // Tensors are the common case: they are told apart first.
    if (self instanceof Tensor || !isScalar(self) || !isScalar(other))
      return run(self, other, options);
    const wide = scalarCategory(self) === 2 && scalarCategory(other) === 2;
    const dtype = wide ? 'float64' : scalarDtype(self);
    return run(full([], self, { dtype }), other, options);
  };
};

type Additive = (self: Tensor | Scalar, other: Tensor | Scalar, options?: AlphaOptions) => Tensor;

const plus = arithmetic('add', 'same', (a, b) => (a.dtype === 'bool' ? e.or(a, b) : e.add(a, b)));
const minus = arithmetic('sub', 'same', (a, b) => e.sub(a, b));

/** Bools have no difference, not even beside numbers. */
function checkSubtraction(operation: string, self: Tensor | Scalar, other: Tensor | Scalar): void {
  const isBool = (x: Tensor | Scalar) =>
    x instanceof Tensor ? x.dtype === 'bool' : typeof x === 'boolean';
  if (isBool(self) && isBool(other)) {
    throw new RuntimeError(
      `${operation}: Subtraction, the \`-\` operator, with two bool tensors is not supported. Use the \`^\` or \`logicalXor()\` operator instead.`,
    );
  }
  if (isBool(self) || isBool(other)) {
    throw new RuntimeError(
      `${operation}: Subtraction, the \`-\` operator, with a bool tensor is not supported. If you are trying to invert a mask, use the \`~\` or \`logicalNot()\` operator instead.`,
    );
  }
}

/** The second operand times alpha, in its own dtype. */
function scaled(
  operation: string,
  self: Tensor | Scalar,
  other: Tensor | Scalar,
  factor: number | boolean | undefined,
): Tensor | Scalar {
  if (factor === undefined || factor === 1 || factor === true) return other;
  const alpha = Number(factor);
  const own = resultType(self, other);
  if (typeof factor === 'boolean' && own !== 'bool') {
    throw new RuntimeError(`${operation}: Boolean alpha only supported for Boolean results.`);
  }
  if (!Number.isInteger(alpha) && category(own) < 2) {
    throw new RuntimeError(
      `${operation}: For integral input tensors, argument alpha must not be a floating point number, got ${alpha}`,
    );
  }
  if (other instanceof Tensor) return mul(to(other, own), own === 'bool' ? alpha !== 0 : alpha);
  const value = Number(typeof other === 'object' ? other.value : other) * alpha;
  return scalarCategory(other) === 2 ? float(value) : value;
}

/** self + alpha * other. */
export const add: Additive = guarded('add', (self, other, options) =>
  plus(self, scaled('add', self, other, options?.alpha), options),
);
/** self - alpha * other. */
export const sub: Additive = guarded('sub', (self, other, options) => {
  checkSubtraction('sub', self, other);
  return minus(self, scaled('sub', self, other, options?.alpha), options);
});
/** other - alpha * self. */
export const rsub = guarded(
  'rsub',
  (self: Tensor, other: Tensor | Scalar, options?: AlphaOptions): Tensor => {
    checkTensor('rsub', 'self', 0, self);
    checkSubtraction('rsub', self, other);
    return minus(other, scaled('rsub', other, self, options?.alpha), options);
  },
);

/** self * other. */
export const mul: EitherBinary = guarded(
  'mul',
  arithmetic('mul', 'same', (a, b) => (a.dtype === 'bool' ? e.and(a, b) : e.mul(a, b))),
);

/** How a quotient is rounded. */
export interface DivOptions extends OutOptions {
  /** `'trunc'` rounds towards zero, `'floor'` downwards; default: no rounding, and integers divide to floats. */
  roundingMode?: 'trunc' | 'floor' | null;
}

const quotientOp = arithmetic('div', 'float', (a, b) => e.div(a, b));
/** self / other without rounding; integers divide to the default float. */
export const trueDivide: EitherBinary = guarded('trueDivide', quotientOp);
const truncDivide = arithmetic(
  'divTrunc',
  'same',
  (a, b) => (integral(a) ? e.idiv(a, b) : e.trunc(e.div(a, b))),
  refusing('div_trunc', ['bool']),
);
/** Python's //: the quotient rounded down, exact for floats through the remainder. */
const floorDivideBody = (a: Expr, b: Expr): Expr => {
  if (integral(a)) return floorDivided(a, b);
  const mod = e.fmod(a, b);
  const quotient = e.div(e.sub(a, mod), b);
  const adjusted = e.where(
    e.and(e.ne(mod, 0), e.ne(e.lt(b, 0), e.lt(mod, 0))),
    e.sub(quotient, one(a)),
    quotient,
  );
  const floored = e.floor(adjusted);
  const nearest = e.where(e.gt(e.sub(adjusted, floored), 0.5), e.add(floored, one(a)), floored);
  const signedZero = e.mul(zero(a), e.div(a, b));
  return e.where(e.eq(b, 0), e.div(a, b), e.where(e.ne(adjusted, 0), nearest, signedZero));
};
const floorDivideOp = arithmetic(
  'floorDivide',
  'same',
  floorDivideBody,
  refusing('div_floor', ['bool']),
);

function checkIntegerDivisor(
  operation: string,
  self: Tensor | Scalar,
  other: Tensor | Scalar,
): void {
  // Bools are refused by the rows themselves.
  if (category(resultType(self, other)) !== 1) return;
  if (self instanceof Tensor && self.numel() === 0) return;
  if (
    other instanceof Tensor
      ? other.storage.backend.synchronous && hasZero(other)
      : Number(typeof other === 'object' ? other.value : other) === 0
  ) {
    throw new RuntimeError(`${operation}: ZeroDivisionError (an integer was divided by zero)`);
  }
}

/** Whether an integer tensor on a device that reads at once holds a zero. */
function hasZero(t: Tensor): boolean {
  const result = allocate(new Array(t.shape.length).fill(1), 'bool', t.device);
  const x = input(0, computeType(t.dtype));
  execute({
    kind: 'reduce',
    shape: t.shape,
    axes: t.shape.map((_, i) => i),
    inputs: [t],
    scalars: [],
    stages: [{ combine: 'max', value: x.dtype === 'bool' ? e.not(x) : e.eq(x, 0) }],
    outputs: [{ per: 'row', value: stage(0, 'bool'), view: result }],
  });
  const found = result.itemSync() !== 0;
  result.dispose();
  return found;
}

/** self / other; integers divide to the default float unless a rounding mode is given. */
export const div: (self: Tensor | Scalar, other: Tensor | Scalar, options?: DivOptions) => Tensor =
  guarded('div', (self, other, options) => {
    const mode = options?.roundingMode;
    if (!mode) return quotientOp(self, other, options);
    if (mode === 'floor') return floored(self, other, options);
    if (mode !== 'trunc') {
      throw new RuntimeError(
        `div: expected roundingMode to be one of null, 'trunc', or 'floor' but found '${mode}'`,
      );
    }
    checkIntegerDivisor('div', self, other);
    return truncDivide(self, other, options);
  });
const floored: EitherBinary = (self, other, options) => {
  checkIntegerDivisor('floorDivide', self, other);
  return floorDivideOp(self, other, options);
};
/** The quotient rounded downwards. */
export const floorDivide: EitherBinary = guarded('floorDivide', floored);
const remainderOp = eitherBinary(
  'remainder',
  'same',
  (a, b) => {
    const m = e.fmod(a, b);
    const wrong = e.and(e.ne(m, zero(a)), e.ne(e.lt(b, zero(a)), e.lt(m, zero(a))));
    return e.where(wrong, e.add(m, b), m);
  },
  refusing('remainder_cpu', ['bool']),
);
/** Python's %: the remainder with the sign of the divisor. */
export const remainder: EitherBinary = guarded('remainder', (self, other, options) => {
  checkIntegerDivisor('remainder', self, other);
  return remainderOp(self, other, options);
});
const fmodOp = binary('fmod', 'same', (a, b) => e.fmod(a, b), refusing('fmod_cpu', ['bool']));
/** C's fmod: the remainder with the sign of the dividend. */
export const fmod: Binary = guarded('fmod', (self, other, options) => {
  checkIntegerDivisor('fmod', self, other);
  return fmodOp(self, other, options);
});

/** Repeated squaring, unrolled over the lowest bits of the exponent, and what negative exponents give. */
function integerPower(a: Expr, b: Expr, bits: number): Expr {
  let result = one(a);
  let base = a;
  let left = b;
  for (let i = 0; i < bits; i++) {
    result = e.where(e.ne(e.and(left, one(b)), zero(b)), e.mul(result, base), result);
    base = e.mul(base, base);
    left = e.shr(left, one(b));
  }
  const negative = e.where(
    e.eq(a, one(a)),
    one(a),
    e.where(
      e.eq(a, constant(-1, a.dtype)),
      e.where(e.eq(e.and(b, one(b)), zero(b)), one(a), constant(-1, a.dtype)),
      zero(a),
    ),
  );
  return e.where(e.lt(b, zero(b)), negative, result);
}
// Powers with a small whole number are the common ones: the same operation with shorter bodies.
// They come first: the name stands for what is defined last.
const powSmall = binary('pow', 'same', (a, b) =>
  integral(a) ? integerPower(a, b, 5) : e.pow(a, b),
);
const powSquare = binary('pow', 'same', (a) => e.mul(a, a));
const power = eitherBinary('pow', 'same', (a, b) =>
  integral(a) ? integerPower(a, b, a.dtype === 'int64' ? 63 : 31) : e.pow(a, b),
);
/**
 * self to the power other.
 *
 * @throws RuntimeError for an integer tensor to a negative integer number.
 */
export const pow: EitherBinary = guarded('pow', (self, other, options) => {
  if (self instanceof Tensor && isScalar(other)) {
    const exponent = Number(scalarValue(other));
    if (exponent === 2) return powSquare(self, other, options);
    if (category(self.dtype) < 2 && scalarCategory(other) < 2 && exponent < 0)
      throw new RuntimeError('pow: Integers to negative integer powers are not allowed.');
    if (exponent < 32) return powSmall(self, other, options);
  }
  return power(self, other, options);
});

/** atan(self / other) in the right quadrant. */
export const atan2: TensorBinary = tensorBinary('atan2', 'float', (a, b) => e.atan2(a, b));
/** Elementwise greater; NaN if either is. */
export const maximum: TensorBinary = tensorBinary('maximum', 'same', (a, b) =>
  a.dtype === 'bool' ? e.or(a, b) : e.max(a, b),
);
/** Elementwise smaller; NaN if either is. */
export const minimum: TensorBinary = tensorBinary('minimum', 'same', (a, b) =>
  a.dtype === 'bool' ? e.and(a, b) : e.min(a, b),
);
const ignoringNaN =
  (pick: (a: Expr, b: Expr) => Expr) =>
  (a: Expr, b: Expr): Expr =>
    integral(a) ? pick(a, b) : e.where(e.isnan(a), b, e.where(e.isnan(b), a, pick(a, b)));
/** Elementwise greater; the other where one is NaN. */
export const fmax: TensorBinary = tensorBinary('fmax', 'same', (a, b) =>
  a.dtype === 'bool' ? e.or(a, b) : ignoringNaN(e.max)(a, b),
);
/** Elementwise smaller; the other where one is NaN. */
export const fmin: TensorBinary = tensorBinary('fmin', 'same', (a, b) =>
  a.dtype === 'bool' ? e.and(a, b) : ignoringNaN(e.min)(a, b),
);
/** sqrt(self² + other²) without overflow. */
export const hypot: TensorBinary = tensorBinary(
  'hypot',
  'same',
  (a, b) => {
    const x = e.abs(a);
    const y = e.abs(b);
    const big = e.max(x, y);
    const small = e.min(x, y);
    const ratio = e.div(small, big);
    const regular = e.where(
      e.eq(big, 0),
      zero(a),
      e.mul(big, e.sqrt(e.add(one(a), e.mul(ratio, ratio)))),
    );
    return e.where(
      e.or(e.eq(x, Infinity), e.eq(y, Infinity)),
      constant(Infinity, a.dtype),
      regular,
    );
  },
  refusing('hypot_cpu', ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64']),
);
/** The magnitude of self with the sign of other. */
export const copysign: Binary = binary('copysign', 'float', (a, b) => {
  const wide = a.dtype === 'float64';
  const sign = wide ? constant(-(2n ** 63n), 'int64') : constant(-(2 ** 31), 'int32');
  return bitcast(e.or(e.and(bitsOf(a), e.not(sign)), e.and(bitsOf(b), sign)), a.dtype);
});
/** log(e^self + e^other), without overflow. */
export const logaddexp: TensorBinary = tensorBinary(
  'logaddexp',
  'same',
  (a, b) => {
    const big = e.max(a, b);
    const regular = e.add(big, e.log1p(e.exp(e.neg(e.abs(e.sub(a, b))))));
    return e.where(e.and(e.eq(a, b), e.eq(e.abs(a), Infinity)), a, regular);
  },
  refusing('logaddexp_cpu', ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64']),
);
/** log2(2^self + 2^other), without overflow. */
export const logaddexp2: TensorBinary = tensorBinary(
  'logaddexp2',
  'same',
  (a, b) => {
    const big = e.max(a, b);
    const regular = e.add(big, e.mul(e.log1p(e.exp2(e.neg(e.abs(e.sub(a, b))))), Math.LOG2E));
    return e.where(e.and(e.eq(a, b), e.eq(e.abs(a), Infinity)), a, regular);
  },
  refusing('logaddexp2_cpu', ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64']),
);
/** self * log(other), 0 where self is 0. */
export const xlogy: EitherBinary = eitherBinary('xlogy', 'float', (a, b) =>
  e.where(e.isnan(b), b, e.where(e.eq(a, 0), zero(a), e.mul(a, e.log(b)))),
);
/** 0, `other` or 1 as self is negative, zero or positive. */
export const heaviside: TensorBinary = guarded('heaviside', (self, other, options) => {
  checkTensor('heaviside', 'self', 0, self);
  if (other instanceof Tensor && self.dtype !== other.dtype) {
    throw new RuntimeError(
      `heaviside: heaviside is not yet implemented for tensors with different dtypes, got ${self.dtype} and ${other.dtype}; convert one with .to('${self.dtype}')`,
    );
  }
  return heavisideOp(self, other, options);
});
const heavisideOp = tensorBinary('heaviside', 'same', (a, b) =>
  a.dtype === 'bool'
    ? e.or(a, b)
    : e.where(e.eq(a, zero(a)), b, e.where(e.gt(a, zero(a)), one(a), zero(a))),
);

// comparisons

const compare = (name: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'): Binary =>
  binary(name, 'bool', (a, b) => {
    if (a.dtype !== 'bool' || name === 'eq' || name === 'ne') return e[name](a, b);
    return e[name](cast(a, 'int32'), cast(b, 'int32'));
  });
/** self == other. */
export const eq: Binary = compare('eq');
/** self != other. */
export const ne: Binary = compare('ne');
/** self < other. */
export const lt: Binary = compare('lt');
/** self <= other. */
export const le: Binary = compare('le');
/** self > other. */
export const gt: Binary = compare('gt');
/** self >= other. */
export const ge: Binary = compare('ge');

// logic and bits

const truth = (x: Expr) => cast(x, 'bool');
/** Both are nonzero. */
export const logicalAnd: TensorBinary = tensorBinary('logicalAnd', 'bool', (a, b) =>
  e.and(truth(a), truth(b)),
);
/** Either is nonzero. */
export const logicalOr: TensorBinary = tensorBinary('logicalOr', 'bool', (a, b) =>
  e.or(truth(a), truth(b)),
);
/** Exactly one is nonzero. */
export const logicalXor: TensorBinary = tensorBinary('logicalXor', 'bool', (a, b) =>
  e.xor(truth(a), truth(b)),
);
/** Bitwise and; logical on bools. */
export const bitwiseAnd: EitherBinary = eitherBinary(
  'bitwiseAnd',
  'same',
  (a, b) => e.and(a, b),
  refusing('bitwise_and_cpu', floats),
);
/** Bitwise or; logical on bools. */
export const bitwiseOr: EitherBinary = eitherBinary(
  'bitwiseOr',
  'same',
  (a, b) => e.or(a, b),
  refusing('bitwise_or_cpu', floats),
);
/** Bitwise exclusive or; logical on bools. */
export const bitwiseXor: EitherBinary = eitherBinary(
  'bitwiseXor',
  'same',
  (a, b) => e.xor(a, b),
  refusing('bitwise_xor_cpu', floats),
);
/** Whether a number of bits is negative, or as many as there are or more; what processors do then differs. */
const beyondWidth = (bits: Expr): Expr =>
  e.or(e.lt(bits, zero(bits)), e.ge(bits, constant(bits.dtype === 'int64' ? 64 : 32, bits.dtype)));

/** self << other; 0 where `other` is negative or not below the number of bits. */
export const bitwiseLeftShift: EitherBinary = eitherBinary(
  'bitwiseLeftShift',
  'same',
  (a, b) => e.where(beyondWidth(b), zero(a), e.shl(a, b)),
  refusing('lshift_cpu', ['bool', ...floats]),
);
/** self >> other, keeping the sign; 0 or -1, as the sign is, where `other` is negative or not below the number of bits. */
export const bitwiseRightShift: EitherBinary = eitherBinary(
  'bitwiseRightShift',
  'same',
  (a, b) => e.shr(a, e.where(beyondWidth(b), constant(b.dtype === 'int64' ? 63 : 31, b.dtype), b)),
  refusing('rshift_cpu', ['bool', ...floats]),
);
