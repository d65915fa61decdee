import { computeType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, coord, type Expr, e, input } from '../expr.js';
import type { OutOptions } from '../out.js';
import { broadcastShapes, sameShape } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { index } from './advanced-index.js';
import { checkSynchronous, maskPositions, positionsCount } from './mask-positions.js';
import { broadcastTo, select } from './view.js';
import { writing } from './writing.js';

/** Options of `nonzero`. */
export interface NonzeroOptions {
  /** Give one vector for each dimension, fit for indexing, rather than one matrix; default false. */
  asTuple?: boolean;
}

/** The coordinates of the nonzero elements, one row each, in row-major order. */
function coordinates(self: Tensor): Tensor {
  checkSynchronous('nonzero', self);
  const rank = self.shape.length;
  const places = maskPositions(self);
  const result = allocate([positionsCount(places), rank], 'int64', self.device);
  if (rank === 0 || result.shape[0] === 0) return result;
  const shape = [...self.shape, rank];
  const column = coord(rank);
  let value: Expr = coord(0);
  for (let d = 1; d < rank; d++)
    value = e.where(e.eq(column, constant(d, 'int32')), coord(d), value);
  const withColumn = (t: Tensor, strides: readonly number[]) =>
    new Tensor(t.storage, t.dtype, [...self.shape, 1], [...strides, 0], t.offset);
  const dense = new Tensor(places.storage, 'int32', self.shape);
  execute({
    kind: 'scatter',
    shape,
    inputs: [withColumn(self, self.strides), withColumn(dense, dense.strides)],
    scalars: [],
    coords: [e.sub(input(1, 'int32'), constant(1, 'int32')), column],
    valid: cast(input(0, computeType(self.dtype)), 'bool'),
    value: cast(value, 'int64'),
    output: result,
    combine: 'set',
  });
  places.dispose();
  return result;
}

/** One matrix, or a vector for each dimension. */
interface Nonzero {
  (self: Tensor, options?: OutOptions): Tensor;
  (self: Tensor, options: { asTuple: true }): Tensor[];
  (self: Tensor, options?: NonzeroOptions): Tensor | Tensor[];
}

/**
 * The coordinates of the elements that are not zero: an int64 matrix with a row for each, in row-major order.
 *
 * @throws NotImplementedError on a device that cannot be read at once: the shape of the result depends on values.
 * @see https://pytorch.org/docs/stable/generated/torch.nonzero.html
 * @example tensor([[1, 0], [0, 2]]).nonzero() // [[0, 0], [1, 1]]
 */
export const nonzero = writing('nonzero', (self: Tensor, options?: NonzeroOptions) => {
  if (!options?.asTuple) return coordinates(self);
  const at = coordinates(
    self.shape.length === 0 ? new Tensor(self.storage, self.dtype, [1], [1], self.offset) : self,
  );
  return Array.from({ length: at.shape[1] as number }, (_, d) => select(at, 1, d));
}) as Nonzero;

/** As `nonzero`. */
export const argwhere = explaining('argwhere', (self: Tensor): Tensor => coordinates(self));

/**
 * The elements where `mask` is true, as a vector; the two broadcast together.
 *
 * @throws NotImplementedError on a device that cannot be read at once.
 * @see https://pytorch.org/docs/stable/generated/torch.masked_select.html
 */
export const maskedSelect = writing('maskedSelect', (self: Tensor, mask: Tensor): Tensor => {
  if (mask.dtype !== 'bool' && mask.dtype !== 'uint8') {
    throw new RuntimeError(
      `maskedSelect: expected BoolTensor or ByteTensor for mask, got ${mask.dtype}`,
    );
  }
  const shape = broadcastShapes('maskedSelect', self.shape, mask.shape);
  const vectors = shape.length === 0 ? [1] : shape;
  const at = sameShape(mask.shape, vectors) ? mask : broadcastTo(mask, vectors);
  return index(broadcastTo(self, vectors), [at]);
});
