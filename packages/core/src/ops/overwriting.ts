import { formatShape, RuntimeError } from '../errors.js';
import { checkResult, mustRecord } from '../op.js';
import type { Scalar } from '../scalar.js';
import type { Tensor } from '../tensor.js';
import { copy_ } from './copy.js';
import { ldexp } from './float-bits.js';
import { floatPower } from './float-power.js';
import { addbmm, addmm, addmv, addr, baddbmm } from './matmul.js';
import { polygamma } from './polygamma.js';
import { renorm } from './renorm.js';
import { mvlgamma } from './special/multivariate-gamma.js';
import { asStrided } from './view.js';

/** The in-place form of a function composed of others: its result is copied over its first operand. */
const overwriting =
  <A extends unknown[]>(name: string, run: (self: Tensor, ...args: A) => Tensor) =>
  (self: Tensor, ...args: A): Tensor => {
    // What the graph saves of the operand must outlive the write.
    const result = run(mustRecord([self, ...args]) ? self.clone() : self, ...args);
    checkResult(name, self, result.shape, result.dtype);
    return copy_(self, result);
  };

/** `addbmm` in place. */
export const addbmm_ = overwriting('addbmm', addbmm);
/** `addmm` in place. */
export const addmm_ = overwriting('addmm', addmm);
/** `addmv` in place. */
export const addmv_ = overwriting('addmv', addmv);
/** `addr` in place. */
export const addr_ = overwriting('addr', addr);
/** `baddbmm` in place. */
export const baddbmm_ = overwriting('baddbmm', baddbmm);
/** `ldexp` in place. */
export const ldexp_ = overwriting('ldexp', ldexp);
/** `mvlgamma` in place. */
export const mvlgamma_ = overwriting('mvlgamma', mvlgamma);
/** `polygamma` in place. */
export const polygamma_ = overwriting('polygamma', (self: Tensor, n: number) => polygamma(n, self));
/** `renorm` in place. */
export const renorm_ = overwriting('renorm', renorm);
/** The tensor itself: all numbers here are real. */
export const conjPhysical_ = (self: Tensor): Tensor => self;

/**
 * `floatPower` in place.
 *
 * @throws RuntimeError unless the tensor is float64, as the result is.
 */
export const floatPower_ = (self: Tensor, exponent: Tensor | Scalar): Tensor => {
  if (self.dtype !== 'float64') {
    throw new RuntimeError(
      `floatPower_: the base given to float_power_ has dtype ${self.dtype} but the operation's result requires dtype float64; use floatPower`,
    );
  }
  return overwriting('floatPower', floatPower)(self, exponent);
};

/**
 * Writes a number onto the main diagonal, in place: the positions whose coordinates are all equal.
 *
 * @param wrap goes on after a gap of one row where a matrix is taller than wide; default false.
 * @throws RuntimeError for less than two dimensions, or more that are not all of one size.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.fill_diagonal_.html
 */
export const fillDiagonal_ = (self: Tensor, value: Scalar, wrap = false): Tensor => {
  const rank = self.shape.length;
  if (rank < 2) throw new RuntimeError('fillDiagonal_: dimensions must larger than 1');
  if (rank > 2 && self.shape.some((size) => size !== self.shape[0])) {
    throw new RuntimeError(
      `fillDiagonal_: all dimensions of input must be of equal length, got ${formatShape(self.shape)}`,
    );
  }
  const [rows, columns] = [self.shape[0] as number, self.shape[1] as number];
  const step = self.strides.reduce((total, stride) => total + stride, 0);
  const last = wrap && rank === 2 ? rows : 1;
  for (let row = 0; row < last; row += columns + 1) {
    const length = Math.min(rank === 2 ? columns : rows, rows - row);
    const start = self.offset + row * (self.strides[0] as number);
    asStrided(self, [length], [step], start).fill_(value);
  }
  return self;
};
