import { computeType } from '../dtype.js';
import { formatShape, IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, e, input, scalar } from '../expr.js';
import { isScalar, type Scalar, scalarValue } from '../scalar.js';
import { normalizeDim, numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import {
  alongDim,
  asVector,
  checkIndexDtype,
  checkIndexRange,
  indexInput,
  wrapIndex,
} from './index-range.js';
import {
  checkReduction,
  combinerOf,
  type IncludeSelfOptions,
  reduceInto,
  type ScatterReduction,
  scalarAs,
} from './scatter-reduction.js';
import { type Update, updating } from './update.js';
import { type Writing, writing } from './writing.js';

/** Coordinates that replace the one along `dim` by the index, which is input 0. */
const coordsAt = (rank: number, dim: number, index: Tensor) =>
  Array.from({ length: rank }, (_, d) => (d === dim ? indexInput(0, index) : coord(d)));

/** The index as a vector over `dim`, and the source, with the target's dimensions. */
const operands = (target: Tensor, dim: number, index: Tensor, source: Tensor) => {
  const rank = Math.max(target.shape.length, 1);
  return [alongDim(asVector(index), dim, rank), asVector(source)] as const;
};

const add: Update<[dim: number, index: Tensor, source: Tensor, alpha: number]> = updating(
  'indexAdd',
  'self dim index source alpha',
  (target, dim, index, source, alpha) => {
    if (numel(index.shape) === 0 || (target.dtype === 'bool' && alpha === 0)) return;
    const inputs = operands(target, dim, index, source);
    const value = input(1, computeType(source.dtype));
    const scaled = alpha !== 1 && target.dtype !== 'bool';
    execute({
      kind: 'scatter',
      shape: inputs[1].shape,
      inputs,
      scalars: scaled ? [alpha] : [],
      coords: coordsAt(inputs[1].shape.length, dim, index),
      value: scaled ? e.mul(value, scalarAs(0, target.dtype)) : value,
      output: asVector(target),
      combine: combinerOf('sum', target.dtype),
    });
  },
);

const copy: Update<[dim: number, index: Tensor, source: Tensor]> = updating(
  'indexCopy',
  'self dim index source',
  (target, dim, index, source) => {
    if (numel(index.shape) === 0) return;
    const inputs = operands(target, dim, index, source);
    execute({
      kind: 'scatter',
      shape: inputs[1].shape,
      inputs,
      scalars: [],
      coords: coordsAt(inputs[1].shape.length, dim, index),
      value: input(1, computeType(source.dtype)),
      output: asVector(target),
      combine: 'set',
    });
  },
);

const fill: Update<[dim: number, index: Tensor, value: Tensor | Scalar]> = updating(
  'indexFill',
  'self dim index value',
  (target, dim, index, value) => {
    const count = numel(index.shape);
    if (count === 0) return;
    const output = asVector(target);
    const shape = output.shape.map((size, d) => (d === dim ? count : size));
    const at = alongDim(asVector(index), dim, shape.length);
    const plain = isScalar(value);
    execute({
      kind: 'scatter',
      shape,
      inputs: plain ? [at] : [at, value],
      scalars: plain
        ? [output.shape[dim] as number, scalarValue(value)]
        : [output.shape[dim] as number],
      coords: coordsAt(shape.length, dim, index).map((c, d) =>
        d === dim ? wrapIndex(c, scalar(0, 'int32')) : c,
      ),
      value: plain ? scalarAs(1, target.dtype) : input(1, computeType(value.dtype)),
      output,
      combine: 'set',
    });
  },
);

const reduceUpdate: Update<
  [dim: number, index: Tensor, source: Tensor, reduce: ScatterReduction, includeSelf: boolean]
> = updating(
  'indexReduce',
  'self dim index source reduce includeSelf',
  (target, dim, index, source, reduce, includeSelf) => {
    if (numel(index.shape) === 0) return;
    const inputs = operands(target, dim, index, source);
    const { shape } = inputs[1];
    const coords = coordsAt(shape.length, dim, index);
    const value = input(1, computeType(source.dtype));
    reduceInto(asVector(target), { shape, inputs, coords, source: value }, reduce, includeSelf);
  },
);

/** Checks the index alone; negative positions are allowed from `low` on. */
function checkedIndex(
  operation: string,
  self: Tensor,
  dim: number,
  index: Tensor,
  wrap: boolean,
): number {
  const d = normalizeDim(operation, dim, self.shape.length);
  checkIndexDtype(operation, index, ['int64', 'int32']);
  if (index.shape.length > 1) {
    throw new IndexError(
      `${operation}: Index should have dimension 1 or 0 (got ${index.shape.length})`,
    );
  }
  const size = self.shape[d] ?? 1;
  checkIndexRange(
    index,
    wrap ? -size : 0,
    size,
    (i) => `${operation}: index ${i} is out of bounds for dimension ${d} with size ${size}`,
  );
  return d;
}

/** Checks index and source, and gives the dimension counted from the front. */
function checked(
  operation: string,
  self: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
): number {
  const d = checkedIndex(operation, self, dim, index, false);
  if (source.dtype !== self.dtype) {
    throw new RuntimeError(
      `${operation}: self (${self.dtype}) and source (${source.dtype}) must have the same scalar type`,
    );
  }
  const own = asVector(self).shape;
  const from = asVector(source).shape;
  const count = numel(index.shape);
  if ((from[d] ?? 1) !== count && !(source.shape.length === 0 && count === 1)) {
    throw new IndexError(
      `${operation}: Number of indices (${count}) should be equal to source.size(dim) (${from[d] ?? 1})`,
    );
  }
  if (from.length !== own.length || from.some((size, i) => i !== d && size !== own[i])) {
    throw new IndexError(
      `${operation}: Source/destination tensor must have same slice shapes. Destination slice shape: ${formatShape(self.shape)} at dimension ${d} and source slice shape: ${formatShape(source.shape)} at dimension ${d}`,
    );
  }
  return d;
}

type Form = 'copied' | 'inPlace';
type CopyFn = (self: Tensor, dim: number, index: Tensor, source: Tensor) => Tensor;
type AddFn = (
  self: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  options?: { alpha?: number | boolean },
) => Tensor;
type FillFn = (self: Tensor, dim: number, index: Tensor, value: Tensor | Scalar) => Tensor;
type ReduceFn = (
  self: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor,
  reduce: ScatterReduction,
  options?: IncludeSelfOptions,
) => Tensor;

const addForm =
  (form: Form): AddFn =>
  (self, dim, index, source, options) =>
    add[form](
      self,
      checked('indexAdd', self, dim, index, source),
      index,
      source,
      Number(options?.alpha ?? 1),
    );
const copyForm =
  (form: Form): CopyFn =>
  (self, dim, index, source) =>
    copy[form](self, checked('indexCopy', self, dim, index, source), index, source);
const fillForm =
  (form: Form): FillFn =>
  (self, dim, index, value) => {
    if (!isScalar(value) && value.shape.length > 0) {
      throw new RuntimeError(
        `indexFill: only supports a 0-dimensional value tensor, but got tensor with ${value.shape.length} dimension(s).`,
      );
    }
    const d = checkedIndex('indexFill', self, dim, index, true);
    const converted = isScalar(value) || value.dtype === self.dtype ? value : value.to(self.dtype);
    return fill[form](self, d, index, converted);
  };
const reduceForm =
  (form: Form): ReduceFn =>
  (self, dim, index, source, reduce, options) => {
    checkReduction('indexReduce', reduce, ['prod', 'mean', 'amax', 'amin']);
    if (self.dtype === 'bool')
      throw new NotImplementedError(`indexReduce: "index_func_" not implemented for 'bool'`);
    const d = checked('indexReduce', self, dim, index, source);
    return reduceUpdate[form](self, d, index, source, reduce, options?.includeSelf ?? true);
  };

/**
 * A copy with `alpha * source` added at the indexed positions of a dimension: `result[index[i]] += alpha * source[i]`.
 *
 * @throws IndexError if sizes do not match or an index is out of range (on WebGPU the next read tells).
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_add_.html
 */
export const indexAdd: Writing<AddFn> = writing('indexAdd', addForm('copied'));
/** `indexAdd` into the tensor itself. */
export const indexAdd_: AddFn = explaining('indexAdd_', addForm('inPlace'));
/**
 * A copy with the indexed positions of a dimension replaced by those of `source`, in order.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_copy_.html
 */
export const indexCopy: Writing<CopyFn> = writing('indexCopy', copyForm('copied'));
/** `indexCopy` into the tensor itself. */
export const indexCopy_: CopyFn = explaining('indexCopy_', copyForm('inPlace'));
/**
 * A copy with the indexed positions of a dimension set to one value; negative indices count from the end.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_fill_.html
 */
export const indexFill: FillFn = explaining('indexFill', fillForm('copied'));
/** `indexFill` into the tensor itself. */
export const indexFill_: FillFn = explaining('indexFill_', fillForm('inPlace'));
/**
 * A copy in which `source` is combined into the indexed positions by prod, mean, amax or amin.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.index_reduce_.html
 */
export const indexReduce: Writing<ReduceFn> = writing('indexReduce', reduceForm('copied'));
/** `indexReduce` into the tensor itself. */
export const indexReduce_: ReduceFn = explaining('indexReduce_', reduceForm('inPlace'));
