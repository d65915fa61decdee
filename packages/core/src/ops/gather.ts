import { computeType } from '../dtype.js';
import { formatShape, IndexError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { coord, load } from '../expr.js';
import { op } from '../op.js';
import { broadcastShapes, existingDim, normalizeDim, numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { index as indexBy } from './advanced-index.js';
import { gatherOp } from './gathering.js';
import { alongDim, asVector, checkIndexDtype, checkIndexRange, indexInput } from './index-range.js';
import { broadcastTo, reshape } from './view.js';
import { writing } from './writing.js';

/**
 * Elements picked along a dimension: `result[i][j] = self[index[i][j]][j]` for `dim` 0. The result has the shape of `index`.
 *
 * @throws RuntimeError if `index` is not int64 or has other dimensions; also if an index is out of range (on WebGPU the next read tells).
 * @see https://pytorch.org/docs/stable/generated/torch.gather.html
 * @example tensor([[1, 2], [3, 4]]).gather(1, tensor([[0n, 0n], [1n, 0n]])) // [[1, 1], [4, 3]]
 */
export const gather = writing('gather', (self: Tensor, dim: number, index: Tensor): Tensor => {
  const d = normalizeDim('gather', dim, self.shape.length);
  checkIndexDtype('gather', index);
  if (numel(index.shape) > 0) {
    const own = asVector(self).shape;
    const wanted = asVector(index).shape;
    if (own.length !== wanted.length) {
      throw new RuntimeError(
        `gather: Index tensor must have the same number of dimensions as input tensor, got ${formatShape(index.shape)} and ${formatShape(self.shape)}`,
      );
    }
    if (wanted.some((size, i) => i !== d && size > (own[i] as number))) {
      throw new RuntimeError(
        `gather: Size does not match: expected index ${formatShape(index.shape)} to be smaller than self ${formatShape(self.shape)} apart from dimension ${d}`,
      );
    }
    const size = own[d] as number;
    checkIndexRange(
      index,
      0,
      size,
      (i) => `gather: index ${i} is out of bounds for dimension ${d} with size ${size}`,
      RuntimeError,
    );
  }
  return gatherOp(self, d, index);
});

const indexSelectOp = op(
  'indexSelect',
  'self dim index',
  (self: Tensor, dim: number, index: Tensor): Tensor => {
    const source = asVector(self);
    const count = numel(index.shape);
    const shape = source.shape.map((size, d) => (d === dim ? count : size));
    const result = allocate(self.shape.length === 0 ? [] : shape, self.dtype, self.device);
    if (numel(shape) === 0) return result;
    const coords = shape.map((_, d) => (d === dim ? indexInput(0, index) : coord(d)));
    execute({
      kind: 'map',
      shape,
      inputs: [alongDim(asVector(index), dim, shape.length), source],
      scalars: [],
      values: [load(1, computeType(self.dtype), coords)],
      outputs: [asVector(result)],
    });
    return result;
  },
);

/**
 * The positions of a dimension named by a vector of indices, in its order.
 *
 * @throws IndexError if an index is negative or out of range (on WebGPU the next read tells).
 * @see https://pytorch.org/docs/stable/generated/torch.index_select.html
 */
export const indexSelect = writing(
  'indexSelect',
  (self: Tensor, dim: number, index: Tensor): Tensor => {
    const d = normalizeDim('indexSelect', dim, self.shape.length);
    checkIndexDtype('indexSelect', index, ['int64', 'int32']);
    if (index.shape.length > 1) {
      throw new IndexError(
        `indexSelect: Index is supposed to be a vector, got shape ${formatShape(index.shape)}`,
      );
    }
    if (self.shape.length === 0 && numel(index.shape) === 0) {
      throw new IndexError(
        `indexSelect: Index to scalar can have only 1 value, got ${numel(index.shape)} value(s)`,
      );
    }
    checkIndexRange(
      index,
      0,
      self.shape[d] ?? 1,
      (i) =>
        `indexSelect: index out of range in self (index ${i}, dimension ${d} has size ${self.shape[d] ?? 1})`,
    );
    return indexSelectOp(self, d, index);
  },
);

/**
 * Elements at positions of the flattened tensor, in the shape of `index`; negative positions count from the end.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.take.html
 */
export const take = writing('take', (self: Tensor, index: Tensor): Tensor => {
  checkIndexDtype('take', index);
  const count = numel(self.shape);
  if (count === 0 && numel(index.shape) > 0)
    throw new IndexError('take: tried to take from an empty tensor');
  checkIndexRange(
    index,
    -count,
    count,
    (i) => `take: out of range: tried to access index ${i} on a tensor of ${count} elements.`,
  );
  return indexBy(reshape(self, [-1]), [index]);
});

/**
 * `gather` that broadcasts both along the other dimensions: takes what `argsort` and `argmax` give. Without `dim`, on the flattened tensors.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
 */
export const takeAlongDim = writing(
  'takeAlongDim',
  (self: Tensor, indices: Tensor, dim?: number): Tensor => {
    checkIndexDtype('takeAlongDim', indices);
    if (dim === undefined) return gather(reshape(self, [-1]), 0, reshape(indices, [-1]));
    const rank = self.shape.length;
    if (rank !== indices.shape.length) {
      throw new RuntimeError(
        `takeAlongDim: input and indices should have the same number of dimensions, but got ${rank} dimensions for input, and ${indices.shape.length} dimensions for indices`,
      );
    }
    const d = existingDim('takeAlongDim', dim, rank);
    const without = (shape: readonly number[]) => shape.map((size, i) => (i === d ? 1 : size));
    const common = broadcastShapes('takeAlongDim', without(self.shape), without(indices.shape));
    const withDim = (t: Tensor) =>
      broadcastTo(
        t,
        common.map((size, i) => (i === d ? (t.shape[i] as number) : size)),
      );
    return gather(withDim(self), d, withDim(indices));
  },
);
