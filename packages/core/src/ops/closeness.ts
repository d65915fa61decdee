import { category } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { e } from '../expr.js';
import { checkTensor } from '../op.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { define } from './define.js';
import { all } from './reduce.js';

/** How far two numbers may be apart and still count as close. */
export interface CloseOptions {
  /** Relative to the second; default 1e-5. */
  rtol?: number;
  /** Absolute; default 1e-8. */
  atol?: number;
  /** Two NaN are close; default false. */
  equalNan?: boolean;
}

const close = define<(self: Tensor, other: Tensor, rtol: number, atol: number) => Tensor>({
  name: 'isclose',
  params: 'self other rtol~ atol~',
  promotion: 'bool',
  body: (a, b, rtol, atol) => {
    if (a.dtype === 'bool') return e.eq(a, b);
    const within = e.le(e.abs(e.sub(a, b)), e.add(atol, e.abs(e.mul(rtol, b))));
    return e.or(e.eq(a, b), e.and(within, e.lt(e.abs(b), Infinity)));
  },
});
const same = define<(self: Tensor, other: Tensor) => Tensor>({
  name: 'bothNaN',
  params: 'self other',
  promotion: 'bool',
  body: (a, b) =>
    a.dtype === 'float32' || a.dtype === 'float64' ? e.and(e.isnan(a), e.isnan(b)) : e.ne(a, a),
});

/**
 * Whether |self - other| <= atol + rtol * |other|, element by element; equal infinities are close.
 *
 * @throws RuntimeError if the dtypes differ or a tolerance is negative.
 */
export const isclose = explaining(
  'isclose',
  (self: Tensor, other: Tensor, options: CloseOptions = {}): Tensor => {
    checkTensor('isclose', 'self', 0, self);
    checkTensor('isclose', 'other', 1, other);
    const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
    if (self.dtype !== other.dtype)
      throw new RuntimeError(`isclose: ${self.dtype} did not match ${other.dtype}`);
    for (const [name, value] of [
      ['rtol', rtol],
      ['atol', atol],
    ] as const) {
      if (!(value >= 0))
        throw new RuntimeError(
          `isclose: ${name} must be greater than or equal to zero, but got ${value}`,
        );
    }
    if (category(self.dtype) === 0) return self.eq(other);
    // Integers are compared by value, with the tolerance in the widest floating point there is.
    const wide = self.storage.backend.supports('float64') ? 'float64' : 'float32';
    const [a, b] = category(self.dtype) === 1 ? [self.to(wide), other.to(wide)] : [self, other];
    const result = close(a, b, rtol, atol);
    return equalNan ? result.logicalOr(same(a, b)) : result;
  },
);

/** Whether all elements are close; see `isclose`. Reads the result, so it works on devices that read at once. */
export const allclose = explaining(
  'allclose',
  (self: Tensor, other: Tensor, options: CloseOptions = {}): boolean =>
    all(isclose(self, other, options)).itemSync() !== 0,
);

/** Whether two tensors have the same shape and elements. Reads the result, so it works on devices that read at once. */
export const equal = explaining('equal', (self: Tensor, other: Tensor): boolean => {
  if (self.device !== other.device) {
    throw new RuntimeError(
      `equal: expected all tensors to be on the same device, but found ${self.device} and ${other.device}`,
    );
  }
  return (
    sameShape(self.shape, other.shape) &&
    (self.numel() === 0 || all(self.eq(other)).itemSync() !== 0)
  );
});
