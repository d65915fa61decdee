import { op } from '../op.js';
import type { Tensor } from '../tensor.js';
import { reduceOne } from './reduction.js';

/**
 * The reduction of both `amax` and `max` of everything, which differ in one thing: where the result is NaN, the gradient of `max` goes to
 * the elements that are (`toNaN`), that of `amax` is NaN for all.
 */
const extreme = (name: 'amax' | 'amin') =>
  op(
    name,
    'self axes keepdim toNaN',
    (self: Tensor, axes: readonly number[], keepdim: boolean, _toNaN: boolean): Tensor =>
      reduceOne(self, axes, keepdim, name === 'amax' ? 'max' : 'min', self.dtype),
  );

export const extremes = { amax: extreme('amax'), amin: extreme('amin') } as const;
