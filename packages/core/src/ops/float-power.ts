import type { Scalar } from '../scalar.js';
import { Tensor } from '../tensor.js';
import { pow } from './binary.js';
import { to } from './copy.js';
import { writing } from './writing.js';

/**
 * `pow` in float64, whatever the operands are.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.float_power.html
 */
export const floatPower = writing(
  'floatPower',
  (self: Tensor | Scalar, other: Tensor | Scalar): Tensor => {
    const wide = <T>(x: T | Tensor) => (x instanceof Tensor ? to(x, 'float64') : x);
    return pow(wide(self) as Tensor, wide(other));
  },
  'castable',
);
