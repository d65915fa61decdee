import { computeType } from '../dtype.js';
import { IndexError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { cast, constant, type Expr, e, input, load, scalar } from '../expr.js';
import { broadcastShapes, isContiguous, numel, sameShape, viewStrides } from '../shape.js';
import { Tensor } from '../tensor.js';
import { checkIndexDtype, checkIndexRange, indexInput, wrapIndex } from './index-range.js';
import { maskPositions, positionsCount } from './mask-positions.js';
import { combinerOf } from './scatter-reduction.js';
import { copyOf, type Update, updating } from './update.js';
import { broadcastTo } from './view.js';

/** The elements as one dimension in row-major order: on the same memory where strides allow. */
function flattened(t: Tensor): Tensor {
  const count = numel(t.shape);
  const strides = viewStrides(t.shape, t.strides, [count]);
  return strides
    ? new Tensor(t.storage, t.dtype, [count], strides, t.offset)
    : new Tensor(copyOf(t).storage, t.dtype, [count]);
}

const maskedUpdate: Update<[mask: Tensor, source: Tensor]> = updating(
  'maskedScatter',
  'self mask source',
  (target, mask, source) => {
    const from = flattened(source);
    const positions = maskPositions(mask);
    const available = numel(source.shape);
    if (mask.storage.backend.synchronous && positionsCount(positions) > available) {
      throw new RuntimeError(
        `maskedScatter: expected self and source to have same dtypes and at least as many elements in source (${available}) as true in mask (${positionsCount(positions)})`,
      );
    }
    const type = computeType(target.dtype);
    const place = e.sub(input(2, 'int32'), constant(1, 'int32'));
    const taken = e.and(input(1, 'bool'), e.lt(place, scalar(0, 'int32')));
    execute({
      kind: 'map',
      shape: target.shape,
      inputs: [target, mask, new Tensor(positions.storage, 'int32', target.shape), from],
      scalars: [available],
      values: [e.where(input(1, 'bool'), load(3, type, [place], taken), input(0, type))],
      outputs: [target],
    });
    positions.dispose();
  },
);

type MaskedFn = (self: Tensor, mask: Tensor, source: Tensor) => Tensor;

/** The mask in the shape of `self`, and the checks of both forms. */
function maskFor(self: Tensor, mask: Tensor, source: Tensor): Tensor {
  if (mask.dtype !== 'bool' && mask.dtype !== 'uint8') {
    throw new RuntimeError(
      `maskedScatter: expected BoolTensor or ByteTensor for mask, got ${mask.dtype}`,
    );
  }
  if (self.dtype !== source.dtype) {
    throw new RuntimeError(
      `maskedScatter: expected self and source to have same dtypes but got ${self.dtype} and ${source.dtype}`,
    );
  }
  const bools = mask.dtype === 'bool' ? mask : mask.to('bool');
  return sameShape(bools.shape, self.shape) ? bools : broadcastTo(bools, self.shape);
}

/**
 * A copy with the elements where `mask` is true replaced by those of `source`, taken one after the other.
 *
 * @throws RuntimeError if `source` has fewer elements than the mask true ones (synchronous devices).
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.masked_scatter_.html
 */
export const maskedScatter: MaskedFn = explaining('maskedScatter', (self, mask, source) => {
  const shape = broadcastShapes('maskedScatter', self.shape, mask.shape);
  const base = sameShape(shape, self.shape) ? self : broadcastTo(self, shape);
  return maskedUpdate.copied(base, maskFor(base, mask, source), source);
});
/** `maskedScatter` into the tensor itself. */
export const maskedScatter_: MaskedFn = explaining('maskedScatter_', (self, mask, source) =>
  maskedUpdate.inPlace(self, maskFor(self, mask, source), source),
);

/** The coordinates of a row-major position in a shape, whose sizes are the scalars from `first` on. */
function unravel(position: Expr, rank: number, first: number): Expr[] {
  const coords = new Array<Expr>(rank);
  let rest = position;
  for (let d = rank - 1; d >= 0; d--) {
    const size = scalar(first + d, 'int32');
    coords[d] = e.fmod(rest, size);
    rest = e.idiv(rest, size);
  }
  return coords;
}

const putUpdate: Update<[index: Tensor, source: Tensor, accumulate: boolean]> = updating(
  'put',
  'self index source accumulate',
  (target, index, source, accumulate) => {
    if (numel(index.shape) === 0) return;
    const count = numel(target.shape);
    const strides = viewStrides(target.shape, target.strides, [count]);
    const position = wrapIndex(indexInput(0, index), scalar(0, 'int32'));
    const dense = isContiguous(source.shape, source.strides) ? source : copyOf(source);
    const from = new Tensor(dense.storage, dense.dtype, index.shape, undefined, dense.offset);
    execute({
      kind: 'scatter',
      shape: index.shape,
      inputs: [index, from],
      scalars: [count, ...target.shape],
      coords: strides ? [position] : unravel(position, target.shape.length, 1),
      value: cast(input(1, computeType(source.dtype)), computeType(target.dtype)),
      output: strides
        ? new Tensor(target.storage, target.dtype, [count], strides, target.offset)
        : target,
      combine: accumulate ? combinerOf('sum', target.dtype) : 'set',
    });
  },
);

type PutFn = (
  self: Tensor,
  index: Tensor,
  source: Tensor,
  options?: { accumulate?: boolean },
) => Tensor;

const putForm =
  (form: 'copied' | 'inPlace'): PutFn =>
  (self, index, source, options) => {
    checkIndexDtype('put', index);
    const count = numel(self.shape);
    if (self.dtype !== source.dtype) {
      throw new RuntimeError(
        `put: self and source expected to have the same dtype, but got self.dtype = ${self.dtype} and source.dtype = ${source.dtype}`,
      );
    }
    if (numel(index.shape) !== numel(source.shape)) {
      throw new IndexError(
        `put: expected source and index to have the same number of elements, but got source.numel() = ${numel(source.shape)}, index.numel() = ${numel(index.shape)}`,
      );
    }
    if (count === 0 && numel(index.shape) > 0)
      throw new IndexError('put: tried to put elements into an empty tensor');
    checkIndexRange(
      index,
      -count,
      count,
      (i) => `put: out of range: tried to access index ${i} on a tensor of ${count} elements.`,
    );
    return putUpdate[form](self, index, source, options?.accumulate ?? false);
  };

/**
 * A copy with elements written at positions of the flattened tensor; negative positions count from the end.
 *
 * @param options.accumulate add rather than replace; default false.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.put_.html
 */
export const put: PutFn = explaining('put', putForm('copied'));
/** `put` into the tensor itself. */
export const put_: PutFn = explaining('put_', putForm('inPlace'));
