import { category, computeType, type DType } from '../dtype.js';
import { resultType } from '../elementwise.js';
import { NotImplementedError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { bitcast, cast, constant, type Expr, e, input } from '../expr.js';
import { checkTensor, op } from '../op.js';
import { allocate, type Tensor } from '../tensor.js';
import { mul } from './binary.js';
import { bitsOf } from './bodies.js';
import { refusing, type TensorBinary, tensorBinary } from './define.js';
import { exp2 } from './unary.js';
import { writing } from './writing.js';

const nextBy = (name: string, step: number, kinds: readonly DType[]): TensorBinary =>
  tensorBinary(
    name,
    'same',
    (a, b) => {
      const bits = bitsOf(a);
      const one = constant(step, bits.dtype);
      // Towards larger magnitude the bit pattern grows, whatever the sign.
      const away = e.eq(e.gt(b, a), e.gt(a, 0));
      const moved = bitcast(e.where(away, e.add(bits, one), e.sub(bits, one)), a.dtype);
      const smallest = bitcast(one, a.dtype);
      const fromZero = e.where(e.gt(b, 0), smallest, e.neg(smallest));
      const regular = e.where(e.eq(a, 0), fromZero, moved);
      const number = e.where(e.eq(a, b), b, regular);
      return e.where(e.isnan(a), a, e.where(e.isnan(b), b, number));
    },
    refusing('nextafter_cpu', kinds),
  );
const integers = ['bool', 'uint8', 'int8', 'int16', 'int32', 'int64'] as const;
const nextWide = nextBy('nextafter', 1, [...integers, 'float16', 'bfloat16']);
// A bfloat16 is the upper half of a float32.
const nextBrain = nextBy('nextafter', 2 ** 16, [...integers, 'float16']);
/** The next representable number after `self` in the direction of `other`. */
export const nextafter: TensorBinary = explaining('nextafter', (self, other, options) =>
  (resultType(self, other) === 'bfloat16' ? nextBrain : nextWide)(self, other, options),
);

/** self * 2^other. */
export const ldexp = writing(
  'ldexp',
  (self: Tensor, other: Tensor): Tensor => {
    checkTensor('ldexp', 'self', 0, self);
    checkTensor('ldexp', 'other', 1, other);
    return mul(self, exp2(other));
  },
  'castable',
);

const split: (self: Tensor) => { mantissa: Tensor; exponent: Tensor } = op(
  'frexp',
  'self',
  (self: Tensor) => {
    if (category(self.dtype) < 2) {
      throw new NotImplementedError(
        `frexp: torch.frexp() only supports floating-point dtypes, got ${self.dtype}`,
      );
    }
    const compute = computeType(self.dtype);
    const wide = compute === 'float64';
    const x = input(0, compute);
    const given = bitsOf(x);
    const int = (value: number | bigint): Expr => constant(value, given.dtype);
    const [shift, mask, bias] = wide ? [52n, 0x7ffn, 1022n] : [23, 0xff, 126];
    // The significand of a denormal is a whole number of the least one's size. No arithmetic on it: devices take it for zero.
    const tiny = e.eq(e.and(e.ushr(given, int(shift)), int(mask)), int(wide ? 0n : 0));
    const fraction = e.and(given, int(wide ? 2n ** 52n - 1n : 2 ** 23 - 1));
    const bits = bitsOf(e.where(tiny, cast(fraction, compute), x));
    const sign = e.and(given, int(wide ? -(2n ** 63n) : -(2 ** 31)));
    const field = e.and(e.ushr(bits, int(shift)), int(mask));
    const special = e.or(e.eq(x, 0), e.eq(field, int(mask)));
    const cleared = e.and(bits, e.not(e.shl(int(mask), int(shift))));
    const mantissa = e.where(
      special,
      x,
      bitcast(e.or(sign, e.or(cleared, e.shl(int(bias), int(shift)))), compute),
    );
    const raised = e.where(tiny, int(wide ? 1074n : 149), int(wide ? 0n : 0));
    const exponent = e.where(special, int(wide ? 0n : 0), e.sub(e.sub(field, int(bias)), raised));
    const [m, n] = [
      allocate(self.shape, self.dtype, self.device),
      allocate(self.shape, 'int32', self.device),
    ];
    execute({
      kind: 'map',
      shape: self.shape,
      inputs: [self],
      scalars: [],
      values: [mantissa, cast(exponent, 'int32')],
      outputs: [m, n],
    });
    return { mantissa: m, exponent: n };
  },
);

/**
 * Mantissa with magnitude in [0.5, 1) and int32 exponent, so that self = mantissa * 2^exponent.
 *
 * @throws NotImplementedError on other than floats.
 * @see https://pytorch.org/docs/stable/generated/torch.frexp.html
 */
export const frexp = writing('frexp', (self: Tensor) => split(self));
