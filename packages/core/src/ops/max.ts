import { computeType } from '../dtype.js';
import { cast, input, stage } from '../expr.js';
import { op } from '../op.js';
import type { OutOptions } from '../out.js';
import { isScalar } from '../scalar.js';
import { normalizeDim } from '../shape.js';
import { Tensor } from '../tensor.js';
import { maximum, minimum } from './binary.js';
import { extremes } from './extremes.js';
import { pair, type ValuesIndices } from './pair.js';
import { axesOf, checkNotEmpty, reduceRows } from './reduction.js';
import { writing } from './writing.js';

const along = (name: 'max' | 'min') =>
  op(name, 'self dim keepdim', (self: Tensor, dim: number, keepdim: boolean): ValuesIndices => {
    const compute = computeType(self.dtype);
    const x = input(0, compute);
    const axes = self.shape.length === 0 ? [] : [dim];
    const [values, indices] = reduceRows(
      self,
      axes,
      keepdim,
      [
        { combine: name, value: x },
        {
          combine: name === 'max' ? 'argmax' : 'argmin',
          value: compute === 'bool' ? cast(x, 'int32') : x,
        },
      ],
      [
        { value: stage(0, compute), dtype: self.dtype },
        { value: stage(1, 'int64'), dtype: 'int64' },
      ],
    );
    return pair(values as Tensor, indices as Tensor);
  });

const maxAlong = along('max');
const minAlong = along('min');

function extreme(
  name: 'max' | 'min',
  self: Tensor,
  second?: number | Tensor,
  options: { keepdim?: boolean } = {},
): Tensor | ValuesIndices {
  if (second === undefined) {
    checkNotEmpty(name, self, undefined, []);
    return extremes[name === 'max' ? 'amax' : 'amin'](
      self,
      axesOf(name, self, undefined),
      false,
      true,
    );
  }
  if (second instanceof Tensor)
    return name === 'max' ? maximum(self, second) : minimum(self, second);
  if (!isScalar(second))
    throw new TypeError(`${name}: expected a dimension or a Tensor, got ${typeof second}`);
  const dim = normalizeDim(name, second, self.shape.length);
  checkNotEmpty(name, self, dim, [dim]);
  return (name === 'max' ? maxAlong : minAlong)(self, dim, options.keepdim ?? false);
}

/** The reduction of everything, the one along a dimension, and the elementwise function. */
interface Extreme {
  (self: Tensor, options?: OutOptions): Tensor;
  (
    self: Tensor,
    dim: number,
    options?: { keepdim?: boolean } & OutOptions<ValuesIndices>,
  ): ValuesIndices;
  (self: Tensor, other: Tensor, options?: OutOptions): Tensor;
}

type Second = number | Tensor;

/** The greatest element; the greatest along a dimension with their positions; or the elementwise maximum. */
export const max = writing(
  'max',
  (self: Tensor, second?: Second, options?: { keepdim?: boolean }) =>
    extreme('max', self, second, options),
) as Extreme;

/** The smallest element; the smallest along a dimension with their positions; or the elementwise minimum. */
export const min = writing(
  'min',
  (self: Tensor, second?: Second, options?: { keepdim?: boolean }) =>
    extreme('min', self, second, options),
) as Extreme;
