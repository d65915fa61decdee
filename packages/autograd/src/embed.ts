import { op, type Tensor } from '@sconce/core';

/**
 * Zeros of `shape` with `grad` in the part that `place` shows of them: the gradient of an operation that shows a part.
 * It is an operation itself, whose gradient is the part.
 */
export const embed: (
  grad: Tensor,
  shape: readonly number[],
  place: (whole: Tensor) => Tensor,
) => Tensor = op(
  'embed',
  'grad shape place',
  (grad: Tensor, shape: readonly number[], place: (whole: Tensor) => Tensor): Tensor => {
    const whole = grad.newZeros(shape);
    place(whole).copy_(grad);
    return whole;
  },
);
