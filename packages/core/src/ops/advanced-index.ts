import { computeType } from '../dtype.js';
import { formatShape, IndexError, RuntimeError, type SconceError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, type Expr, input, load, scalar } from '../expr.js';
import { op } from '../op.js';
import type { View } from '../primitive.js';
import { isScalar, type Scalar } from '../scalar.js';
import { broadcastShapes, numel, sameShape } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { to } from './copy.js';
import { checkIndexRange, indexInput, wrapIndex } from './index-range.js';
import { nonzero } from './nonzero.js';
import { combinerOf } from './scatter-reduction.js';
import { fill, maskedFill } from './ternary.js';
import { type Update, updating } from './update.js';
import { broadcastTo, reshape, select } from './view.js';

/** One tensor for each indexed dimension; null leaves a dimension whole. */
export type Indices = readonly (Tensor | null | undefined)[];

interface Walk {
  /** The shape of what the indices select. */
  readonly shape: readonly number[];
  /** The index tensors, broadcast over that shape: inputs from 0 on. */
  readonly inputs: readonly View[];
  /** The place in the indexed tensor; `scalar(i)` is the size behind input `i`. */
  readonly coords: readonly Expr[];
  readonly sizes: readonly number[];
}

/** How the positions of the result relate to those of the indexed tensor, by PyTorch's rule of placement. */
function walk(self: Tensor, indices: Indices): Walk {
  const indexed: number[] = [];
  indices.forEach((t, d) => {
    if (t) indexed.push(d);
  });
  const tensors = indexed.map((d) => indices[d] as Tensor);
  const common = broadcastShapes('index', ...tensors.map((t) => t.shape));
  const adjacent = indexed.every((d, i) => d === (indexed[0] as number) + i);
  // The selected dimensions come where the first indexed one was, or in front if others lie between.
  const at = adjacent ? (indexed[0] ?? 0) : 0;
  const rest = self.shape.map((_, d) => d).filter((d) => !indexed.includes(d));
  const sizes = rest.map((d) => self.shape[d] as number);
  const shape = [...sizes.slice(0, at), ...common, ...sizes.slice(at)];
  const trailing = sizes.length - at;
  const inputs = tensors.map((t) => {
    const ones = new Array<number>(trailing).fill(1);
    const zeros = new Array<number>(trailing).fill(0);
    return new Tensor(
      t.storage,
      t.dtype,
      [...t.shape, ...ones],
      [...t.strides, ...zeros],
      t.offset,
    );
  });
  const coords = self.shape.map((_, d) => {
    const i = indexed.indexOf(d);
    if (i >= 0) return wrapIndex(indexInput(i, tensors[i] as Tensor), scalar(i, 'int32'));
    const place = rest.indexOf(d);
    return coord(place < at ? place : place + common.length);
  });
  return { shape, inputs, coords, sizes: indexed.map((d) => self.shape[d] as number) };
}

const indexOp = op('index', 'self indices', (self: Tensor, indices: Indices): Tensor => {
  const { shape, inputs, coords, sizes } = walk(self, indices);
  const result = allocate(shape, self.dtype, self.device);
  if (numel(shape) === 0) return result;
  execute({
    kind: 'map',
    shape,
    inputs: [...inputs, self],
    scalars: sizes,
    values: [load(inputs.length, computeType(self.dtype), coords)],
    outputs: [result],
  });
  return result;
});

const putUpdate: Update<[indices: Indices, values: Tensor, accumulate: boolean]> = updating(
  'indexPut',
  'self indices values accumulate',
  (target, indices, values, accumulate) => {
    const { shape, inputs, coords, sizes } = walk(target, indices);
    if (numel(shape) === 0) return;
    execute({
      kind: 'scatter',
      shape,
      inputs: [...inputs, values],
      scalars: sizes,
      coords,
      value: input(inputs.length, computeType(values.dtype)),
      output: target,
      combine: accumulate ? combinerOf('sum', target.dtype) : 'set',
    });
  },
);

/** An index of the host's on the device of what it indexes: as in PyTorch, indices may stay on the cpu. */
const beside = (self: Tensor, t: Tensor): Tensor =>
  t.device.type === 'cpu' && t.device !== self.device ? to(t, self.device) : t;

/**
 * Masks become the positions where they hold; all is checked but the positions themselves.
 *
 * @param inside gets the positions of masks, which need no check.
 */
function positions(
  operation: string,
  self: Tensor,
  indices: Indices,
  inside: Set<Tensor>,
): Indices {
  const result: (Tensor | null)[] = [];
  indices.forEach((t, place) => {
    if (!t) {
      result.push(null);
      return;
    }
    if (t.dtype !== 'bool' && t.dtype !== 'uint8') {
      if (t.dtype !== 'int64' && t.dtype !== 'int32') {
        throw new IndexError(
          `${operation}: tensors used as indices must be long, byte or bool tensors, got ${t.dtype}`,
        );
      }
      result.push(beside(self, t));
      return;
    }
    t.shape.forEach((size, i) => {
      if (size !== self.shape[result.length + i]) {
        throw new IndexError(
          `${operation}: The shape of the mask ${formatShape(t.shape)} at index ${i} does not match the shape of the indexed tensor ${formatShape(self.shape)} at index ${result.length + i} (argument ${place})`,
        );
      }
    });
    const places = nonzero(t);
    for (let i = 0; i < t.shape.length; i++) {
      const place = beside(self, select(places, 1, i));
      inside.add(place);
      result.push(place);
    }
  });
  if (result.length > self.shape.length) {
    throw new IndexError(
      `${operation}: too many indices for tensor of dimension ${self.shape.length} (got ${result.length})`,
    );
  }
  const tensors = result.filter((t): t is Tensor => t !== null);
  try {
    broadcastShapes(operation, ...tensors.map((t) => t.shape));
  } catch (error) {
    throw new IndexError(
      `${operation}: shape mismatch: indexing tensors could not be broadcast together with shapes ${tensors.map((t) => formatShape(t.shape)).join(', ')}`,
      { cause: error as SconceError },
    );
  }
  return result;
}

/** @throws IndexError if a position is out of range; see `checkIndexRange`. */
function checkPositions(
  operation: string,
  self: Tensor,
  found: Indices,
  inside: ReadonlySet<Tensor>,
): void {
  const tensors = found.filter((t): t is Tensor => t != null);
  // As in PyTorch, where nothing is picked no position is looked at.
  if (numel(walk(self, found).shape) === 0) {
    const none = found.some((t, d) => t && self.shape[d] === 0);
    if (none && tensors.every((t) => numel(t.shape) > 0)) {
      throw new IndexError(`${operation}: index is out of bounds for dimension with size 0`);
    }
    return;
  }
  found.forEach((t, d) => {
    const size = self.shape[d] as number;
    if (t && !inside.has(t)) {
      checkIndexRange(
        t,
        -size,
        size,
        (i) => `${operation}: index ${i} is out of bounds for dimension ${d} with size ${size}`,
      );
    }
  });
}

/**
 * Elements picked by one index tensor a dimension, which broadcast together; the indexing behind `at`.
 *
 * @param indices int64 tensors (negative positions count from the end), bool masks over as many dimensions as they have,
 * null for dimensions taken whole. They are on the device of the tensor, or on the cpu.
 * @throws IndexError if shapes do not fit or an index is out of range (on WebGPU the next read tells).
 * @see https://pytorch.org/docs/stable/tensor_view.html
 */
export const index = explaining('index', (self: Tensor, indices: Indices): Tensor => {
  const inside = new Set<Tensor>();
  const found = positions('index', self, indices, inside);
  checkPositions('index', self, found, inside);
  return indexOp(self, found);
});

/** Options of `indexPut`. */
export interface IndexPutOptions {
  /** Add to what is there, also where indices repeat, rather than replace it; default false. */
  accumulate?: boolean;
}

type PutFn = (
  self: Tensor,
  indices: Indices,
  values: Tensor | Scalar,
  options?: IndexPutOptions,
) => Tensor;

const typeNames = {
  float32: 'Float',
  float64: 'Double',
  float16: 'Half',
  bfloat16: 'BFloat16',
  int8: 'Char',
  uint8: 'Byte',
  int16: 'Short',
  int32: 'Int',
  int64: 'Long',
  bool: 'Bool',
} as const;

/** One mask alone, with dimensions behind it that it covers whole: what a plain masked fill can do on any device. */
function soleMask(self: Tensor, indices: Indices): Tensor | undefined {
  const given = indices.filter((t): t is Tensor => t != null);
  const mask = given[0];
  if (given.length !== 1 || !mask || (mask.dtype !== 'bool' && mask.dtype !== 'uint8')) return;
  const before = indices.indexOf(mask);
  const after = self.shape.length - before - mask.shape.length;
  if (after < 0 || mask.shape.some((size, i) => size !== self.shape[before + i])) return;
  if (mask.dtype === 'uint8') {
    throw new RuntimeError(
      "indexPut: masked_fill_ only supports boolean masks, but got mask with dtype uint8; convert it with .to('bool')",
    );
  }
  const holds = beside(self, mask);
  return reshape(holds, [...mask.shape, ...new Array<number>(after).fill(1)]);
}

const putForm =
  (form: 'copied' | 'inPlace'): PutFn =>
  (self, indices, values, options) => {
    const accumulate = options?.accumulate ?? false;
    const given = isScalar(values) ? fill(allocate([], self.dtype, self.device), values) : values;
    const sameDtype = given.dtype === self.dtype;
    if (!accumulate && numel(given.shape) === 1) {
      const mask = soleMask(self, indices);
      if (mask) {
        const value = isScalar(values) ? values : reshape(given, []).to(self.dtype);
        return form === 'copied' ? maskedFill(self, mask, value) : self.maskedFill_(mask, value);
      }
    }
    const inside = new Set<Tensor>();
    const found = positions('indexPut', self, indices, inside);
    if (!sameDtype) {
      throw new RuntimeError(
        `indexPut: Index put requires the source and destination dtypes match, got ${typeNames[self.dtype]} for the destination and ${typeNames[given.dtype]} for the source.`,
      );
    }
    const { shape } = walk(self, found);
    const fits =
      given.shape.length <= shape.length && sameShape(broadcastOr(shape, given.shape), shape);
    if (!fits) {
      throw new RuntimeError(
        `indexPut: shape mismatch: value tensor of shape ${formatShape(given.shape)} cannot be broadcast to indexing result of shape ${formatShape(shape)}`,
      );
    }
    checkPositions('indexPut', self, found, inside);
    return putUpdate[form](self, found, broadcastTo(given, shape), accumulate);
  };

/** The shape both broadcast to; an impossible one where they do not. */
function broadcastOr(a: readonly number[], b: readonly number[]): readonly number[] {
  try {
    return broadcastShapes('indexPut', a, b);
  } catch {
    return [-1];
  }
}

/**
 * A copy with `values` written at the positions that `index` would read.
 *
 * @throws RuntimeError if `values` has another dtype or does not broadcast to the selection.
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_put_.html
 */
export const indexPut: PutFn = explaining('indexPut', putForm('copied'));
/** `indexPut` into the tensor itself. */
export const indexPut_: PutFn = explaining('indexPut_', putForm('inPlace'));
