import { computeType } from '../dtype.js';
import { formatShape, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { coord, input } from '../expr.js';
import { isScalar, type Scalar, scalarValue } from '../scalar.js';
import { normalizeDim, numel } from '../shape.js';
import { allocate, Tensor } from '../tensor.js';
import { asVector, checkIndexDtype, checkIndexRange, indexInput } from './index-range.js';
import {
  checkReduction,
  combinerOf,
  type IncludeSelfOptions,
  type Placement,
  reduceInto,
  type ScatterReduction,
  scalarAs,
} from './scatter-reduction.js';
import { fill } from './ternary.js';
import { type Update, updating } from './update.js';
import { type Writing, writing } from './writing.js';

/** Where a scatter by an index tensor of the target's rank goes. */
function placement(target: Tensor, dim: number, index: Tensor, src?: Tensor): Placement {
  const at = asVector(index);
  const coords = at.shape.map((_, d) => (d === dim ? indexInput(0, index) : coord(d)));
  if (!src) return { shape: at.shape, inputs: [at], coords, source: scalarAs(0, target.dtype) };
  const from = asVector(src);
  // Only the part of the source under the index counts.
  const part = new Tensor(from.storage, from.dtype, at.shape, from.strides, from.offset);
  const source = input(1, computeType(src.dtype));
  return { shape: at.shape, inputs: [at, part], coords, source };
}

function place(
  target: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor | Scalar,
  combine: 'set' | 'sum' | 'max',
): void {
  if (numel(index.shape) === 0) return;
  const { source, ...where } = placement(target, dim, index, isScalar(src) ? undefined : src);
  const scalars = isScalar(src) ? [scalarValue(src)] : [];
  execute({
    kind: 'scatter',
    ...where,
    scalars,
    value: source,
    output: asVector(target),
    combine,
  });
}

const scatterUpdate: Update<[dim: number, index: Tensor, src: Tensor]> = updating(
  'scatter',
  'self dim index src',
  (target, dim, index, src) => place(target, dim, index, src, 'set'),
);
const scatterValueUpdate: Update<[dim: number, index: Tensor, value: Scalar]> = updating(
  'scatterValue',
  'self dim index value',
  (target, dim, index, value) => place(target, dim, index, value, 'set'),
);
const scatterAddUpdate: Update<[dim: number, index: Tensor, src: Tensor]> = updating(
  'scatterAdd',
  'self dim index src',
  (target, dim, index, src) =>
    place(target, dim, index, src, combinerOf('sum', target.dtype) as 'sum' | 'max'),
);
const scatterReduceUpdate: Update<
  [dim: number, index: Tensor, src: Tensor, reduce: ScatterReduction, includeSelf: boolean]
> = updating(
  'scatterReduce',
  'self dim index src reduce includeSelf',
  (target, dim, index, src, reduce, includeSelf) => {
    if (numel(index.shape) === 0) return;
    reduceInto(asVector(target), placement(target, dim, index, src), reduce, includeSelf);
  },
);

/** Checks the operands and gives the dimension, counted from the front. */
function checked(
  operation: string,
  self: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor | Scalar,
): number {
  const d = normalizeDim(operation, dim, self.shape.length);
  checkIndexDtype(operation, index);
  if (!isScalar(src) && src.dtype !== self.dtype) {
    throw new RuntimeError(
      `${operation}: Expected self.dtype to be equal to src.dtype, got ${self.dtype} and ${src.dtype}`,
    );
  }
  if (numel(index.shape) === 0) return d;
  const own = asVector(self).shape;
  const at = asVector(index).shape;
  if (own.length !== at.length) {
    throw new RuntimeError(
      `${operation}: Index tensor must have the same number of dimensions as self tensor, got ${formatShape(index.shape)} and ${formatShape(self.shape)}`,
    );
  }
  const from = isScalar(src) ? at : asVector(src).shape;
  if (from.length !== at.length) {
    throw new RuntimeError(
      `${operation}: Index tensor must have the same number of dimensions as src tensor, got ${formatShape(index.shape)} and ${formatShape(from)}`,
    );
  }
  const outside = (size: number, i: number) =>
    (i !== d && size > (own[i] as number)) || size > (from[i] as number);
  if (at.some(outside)) {
    const beside = isScalar(src) ? '' : ` and to be smaller size than src ${formatShape(from)}`;
    throw new RuntimeError(
      `${operation}: Expected index ${formatShape(index.shape)} to be smaller than self ${formatShape(self.shape)} apart from dimension ${d}${beside}`,
    );
  }
  const size = own[d] as number;
  checkIndexRange(
    index,
    0,
    size,
    (i) => `${operation}: index ${i} is out of bounds for dimension ${d} with size ${size}`,
    RuntimeError,
  );
  return d;
}

/** Options of `scatter`. */
export interface ScatterOptions {
  /** Combine with what is there rather than replace it. */
  reduce?: 'add' | 'multiply';
}

type ScatterFn = (
  self: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor | Scalar,
  options?: ScatterOptions,
) => Tensor;

const scatterForm =
  (form: 'copied' | 'inPlace'): ScatterFn =>
  (self, dim, index, src, options) => {
    const d = checked('scatter', self, dim, index, src);
    const reduce = options?.reduce;
    if (reduce === undefined) {
      return isScalar(src)
        ? scatterValueUpdate[form](self, d, index, src)
        : scatterUpdate[form](self, d, index, src);
    }
    if (reduce !== 'add' && reduce !== 'multiply') {
      throw new RuntimeError(
        `scatter: reduce argument must be either 'add' or 'multiply', got '${reduce as string}'`,
      );
    }
    const values = isScalar(src) ? fill(allocate(index.shape, self.dtype, self.device), src) : src;
    const name = reduce === 'add' ? 'sum' : 'prod';
    return scatterReduceUpdate[form](self, d, index, values, name, true);
  };

/**
 * A copy with values written along a dimension: `result[index[i][j]][j] = src[i][j]` for `dim` 0. Where several meet, the last wins.
 *
 * @param src a tensor of the same dtype, at least as large as `index`, or one number.
 * @throws RuntimeError on other shapes or dtypes, and if an index is out of range (on WebGPU the next read tells).
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_.html
 * @example zeros([2, 3]).scatter(1, tensor([[2n], [0n]]), 1) // [[0, 0, 1], [1, 0, 0]]
 */
export const scatter: Writing<ScatterFn> = writing('scatter', scatterForm('copied'));
/** `scatter` into the tensor itself. */
export const scatter_: ScatterFn = explaining('scatter_', scatterForm('inPlace'));

type AddFn = (self: Tensor, dim: number, index: Tensor, src: Tensor) => Tensor;
/**
 * A copy with values added along a dimension: `result[index[i][j]][j] += src[i][j]` for `dim` 0.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_add_.html
 */
export const scatterAdd: Writing<AddFn> = writing<AddFn>('scatterAdd', (self, dim, index, src) =>
  scatterAddUpdate.copied(self, checked('scatterAdd', self, dim, index, src), index, src),
);
/** `scatterAdd` into the tensor itself. */
export const scatterAdd_: AddFn = explaining('scatterAdd_', (self, dim, index, src) =>
  scatterAddUpdate.inPlace(self, checked('scatterAdd', self, dim, index, src), index, src),
);

type ReduceFn = (
  self: Tensor,
  dim: number,
  index: Tensor,
  src: Tensor,
  reduce: ScatterReduction,
  options?: IncludeSelfOptions,
) => Tensor;

const scatterReduceForm =
  (form: 'copied' | 'inPlace'): ReduceFn =>
  (self, dim, index, src, reduce, options) => {
    checkReduction('scatterReduce', reduce, ['sum', 'prod', 'mean', 'amax', 'amin']);
    if (self.dtype === 'bool' && reduce === 'mean') {
      throw new NotImplementedError(
        `scatterReduce: "scatter_gather_tensor_cpu_reduce_mean" not implemented for 'bool'`,
      );
    }
    const d = checked('scatterReduce', self, dim, index, src);
    return scatterReduceUpdate[form](self, d, index, src, reduce, options?.includeSelf ?? true);
  };

/**
 * A copy in which values that meet at one place are combined by sum, prod, mean, amax or amin.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.Tensor.scatter_reduce_.html
 */
export const scatterReduce: Writing<ReduceFn> = writing(
  'scatterReduce',
  scatterReduceForm('copied'),
);
/** `scatterReduce` into the tensor itself. */
export const scatterReduce_: ReduceFn = explaining('scatterReduce_', scatterReduceForm('inPlace'));
