import { category, computeType, type DType } from '../dtype.js';
import { formatShape, IndexError, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { cast, constant, type Expr, e, input, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import { sameShape } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { extremes } from './extremes.js';
import {
  accumulationDtype,
  axesOf,
  checkNotEmpty,
  type Dims,
  floatDtype,
  nonzeroExpr,
  reduceOne,
  reduceRows,
  rowLength,
} from './reduction.js';
import { reshape } from './view.js';
import { type Writing, writing } from './writing.js';

export { dist, norm, vectorNorm } from './vector-norm.js';

/** Options of reductions. */
export interface ReduceOptions {
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean;
  /** Convert to this dtype before reducing; the result has it. */
  dtype?: DType | null;
}

const sumOp = op(
  'sum',
  'self axes keepdim dtype',
  (self: Tensor, axes: readonly number[], keepdim: boolean, dtype: DType): Tensor =>
    reduceOne(self, axes, keepdim, 'sum', dtype),
);
/**
 * The sum over dimensions; integers and bools sum to int64.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.sum.html
 * @example tensor([[1, 2], [3, 4]]).sum(0) // tensor([4., 6.])
 */
export const sum = writing(
  'sum',
  (self: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor =>
    sumOp(
      self,
      axesOf('sum', self, dim),
      options.keepdim ?? false,
      accumulationDtype(self, options.dtype),
    ),
  'castable',
);

const nansumOp = op(
  'nansum',
  'self axes keepdim dtype',
  (self: Tensor, axes: readonly number[], keepdim: boolean, dtype: DType): Tensor =>
    reduceOne(self, axes, keepdim, 'sum', dtype, (x) =>
      isFloat(x) ? e.where(e.isnan(x), constant(0, x.dtype), x) : x,
    ),
);
/** The sum over dimensions with NaN counted as zero. */
export const nansum = writing(
  'nansum',
  (self: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor =>
    nansumOp(
      self,
      axesOf('nansum', self, dim),
      options.keepdim ?? false,
      accumulationDtype(self, options.dtype),
    ),
  'castable',
);

const isFloat = (x: Expr) => x.dtype === 'float32' || x.dtype === 'float64';

const meanOp = op(
  'mean',
  'self axes keepdim dtype',
  (self: Tensor, axes: readonly number[], keepdim: boolean, dtype: DType): Tensor => {
    const compute = computeType(dtype);
    return reduceRows(
      self,
      axes,
      keepdim,
      [{ combine: 'sum', value: cast(input(0, computeType(self.dtype)), compute) }],
      [{ value: e.div(stage(0, compute), scalar(0, compute)), dtype }],
      [rowLength(self, axes)],
    )[0] as Tensor;
  },
);
/**
 * The mean over dimensions.
 *
 * @throws RuntimeError on integers, unless `dtype` is a floating one.
 */
export const mean = writing(
  'mean',
  (self: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor => {
    const dtype = options.dtype ?? self.dtype;
    if (category(dtype) < 2) {
      throw new RuntimeError(
        `mean: could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: ${dtype}`,
      );
    }
    return meanOp(self, axesOf('mean', self, dim), options.keepdim ?? false, dtype);
  },
  'castable',
);

/** The mean over dimensions of the elements that are not NaN. */
export const nanmean = writing(
  'nanmean',
  (self: Tensor, dim?: Dims, options: ReduceOptions = {}): Tensor => {
    if (category(self.dtype) < 2)
      throw new RuntimeError(
        `nanmean: expected input to have floating point dtype but got ${self.dtype}`,
      );
    const counted = self.isnan().logicalNot();
    return nansum(self, dim, options).div(sum(counted, dim, { keepdim: options.keepdim }));
  },
  'castable',
);

const prodOp = op(
  'prod',
  'self axes keepdim dtype',
  (self: Tensor, axes: readonly number[], keepdim: boolean, dtype: DType): Tensor =>
    reduceOne(self, axes, keepdim, 'prod', dtype),
);
/** The product over one dimension, or all. */
export const prod = writing(
  'prod',
  (self: Tensor, dim?: number | null, options: ReduceOptions = {}): Tensor =>
    prodOp(
      self,
      axesOf('prod', self, dim),
      options.keepdim ?? false,
      accumulationDtype(self, options.dtype),
    ),
  'castable',
);

const extreme =
  (name: 'amax' | 'amin') =>
  (self: Tensor, dim?: Dims, options: { keepdim?: boolean } = {}): Tensor => {
    const axes = axesOf(name, self, dim);
    checkNotEmpty(name, self, dim, axes);
    return extremes[name](self, axes, options.keepdim ?? false, false);
  };
/** The greatest element over dimensions; the gradient is shared evenly between equal ones, and NaN for all where the result is NaN. */
export const amax: Writing<(self: Tensor, dim?: Dims, options?: { keepdim?: boolean }) => Tensor> =
  writing('amax', extreme('amax'));
/** The smallest element over dimensions; the gradient is shared evenly between equal ones, and NaN for all where the result is NaN. */
export const amin: Writing<(self: Tensor, dim?: Dims, options?: { keepdim?: boolean }) => Tensor> =
  writing('amin', extreme('amin'));

/** Both the smallest and the greatest element, over one dimension or all. */
export const aminmax = writing(
  'aminmax',
  (
    self: Tensor,
    options: { dim?: number; keepdim?: boolean } = {},
  ): { min: Tensor; max: Tensor } => {
    if (options.dim === undefined && self.numel() === 0) {
      throw new RuntimeError(
        `aminmax: cannot compute aminmax over an empty dimension as the operation has no identity (shape ${formatShape(self.shape)}).`,
      );
    }
    checkNotEmpty('aminmax', self, options.dim, axesOf('aminmax', self, options.dim));
    const { keepdim } = options;
    const min = amin(self, options.dim, { keepdim });
    const max = amax(self, options.dim, { keepdim });
    // PyTorch keeps the dimension asked for even where there is none.
    const kept = self.shape.length === 0 && options.keepdim && options.dim !== undefined;
    return kept ? { min: reshape(min, [1]), max: reshape(max, [1]) } : { min, max };
  },
);

const decide =
  (name: 'all' | 'any', combine: 'min' | 'max') =>
  (self: Tensor, dim?: number | null, options: { keepdim?: boolean } = {}): Tensor => {
    const value = nonzeroExpr(input(0, computeType(self.dtype)));
    const dtype = self.dtype === 'uint8' ? 'uint8' : 'bool';
    return reduceRows(
      self,
      axesOf(name, self, dim),
      options.keepdim ?? false,
      [{ combine, value }],
      [{ value: stage(0, 'bool'), dtype }],
    )[0] as Tensor;
  };
/** Whether all elements are nonzero. */
export const all: Writing<
  (self: Tensor, dim?: number | null, options?: { keepdim?: boolean }) => Tensor
> = writing('all', decide('all', 'min'), 'castable');
/** Whether any element is nonzero. */
export const any: Writing<
  (self: Tensor, dim?: number | null, options?: { keepdim?: boolean }) => Tensor
> = writing('any', decide('any', 'max'), 'castable');

/** Options of `var` and `std`. */
export interface VarianceOptions {
  /** `false` is `correction: 0`. */
  unbiased?: boolean;
  /** Keep the reduced dimensions with size 1; default false. */
  keepdim?: boolean;
  /** Subtracted from the count in the denominator; default 1. */
  correction?: number | null;
}

/** Variance and mean as rows; `root` takes the square root. */
const moments = (
  self: Tensor,
  axes: readonly number[],
  correction: number,
  keepdim: boolean,
  root: boolean,
): Tensor[] => {
  const compute = computeType(self.dtype);
  const x = input(0, compute);
  const average = e.div(stage(0, compute), scalar(0, compute));
  // Squares of small float32 are no float32, so they are doubles where no dtype is out of the device's reach.
  const wide = compute === 'float32' && !self.storage.backend.whyNot ? 'float64' : compute;
  const deviation = e.sub(cast(x, wide), cast(average, wide));
  const variance = e.div(stage(1, wide), scalar(1, wide));
  const n = rowLength(self, axes);
  return reduceRows(
    self,
    axes,
    keepdim,
    [
      { combine: 'sum', value: x },
      { combine: 'sum', value: e.mul(deviation, deviation) },
    ],
    [
      { value: cast(root ? e.sqrt(variance) : variance, compute), dtype: self.dtype },
      { value: average, dtype: self.dtype },
    ],
    [n, Math.max(0, n - correction)],
  );
};
const varOp = op(
  'var',
  'self axes correction keepdim',
  (self: Tensor, axes: readonly number[], correction: number, keepdim: boolean): Tensor =>
    moments(self, axes, correction, keepdim, false)[0] as Tensor,
);
const stdOp = op(
  'std',
  'self axes correction keepdim',
  (self: Tensor, axes: readonly number[], correction: number, keepdim: boolean): Tensor =>
    moments(self, axes, correction, keepdim, true)[0] as Tensor,
);
/** Runs `var` or `std` with what the options say. */
const spread = (
  name: string,
  run: typeof varOp,
  self: Tensor,
  dim: Dims,
  options: VarianceOptions,
): Tensor => {
  if (category(self.dtype) < 2) {
    throw new RuntimeError(
      `${name}: std and var only support floating point and complex dtypes, got ${self.dtype}`,
    );
  }
  const correction = options.correction ?? (options.unbiased === false ? 0 : 1);
  return run(self, axesOf(name, self, dim), correction, options.keepdim ?? false);
};
/** The variance over dimensions, with Bessel's correction unless told otherwise. */
const var_ = writing(
  'var',
  (self: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor =>
    spread('var', varOp, self, dim, options),
  'castable',
);

export { var_ as var };
/** The standard deviation over dimensions. */
export const std = writing(
  'std',
  (self: Tensor, dim?: Dims, options: VarianceOptions = {}): Tensor =>
    spread('std', stdOp, self, dim, options),
  'castable',
);
/** Variance and mean. */
export const varMean = explaining(
  'varMean',
  (self: Tensor, dim?: Dims, options: VarianceOptions = {}): [Tensor, Tensor] => [
    var_(self, dim, options),
    mean(self, dim, { keepdim: options.keepdim }),
  ],
);
/** Standard deviation and mean. */
export const stdMean = explaining(
  'stdMean',
  (self: Tensor, dim?: Dims, options: VarianceOptions = {}): [Tensor, Tensor] => [
    std(self, dim, options),
    mean(self, dim, { keepdim: options.keepdim }),
  ],
);

const logsumexpOp = op(
  'logsumexp',
  'self axes keepdim',
  (self: Tensor, axes: readonly number[], keepdim: boolean): Tensor => {
    const dtype = floatDtype(self);
    const compute = computeType(dtype);
    const x = cast(input(0, computeType(self.dtype)), compute);
    const top = stage(0, compute);
    // An infinite maximum would give inf - inf.
    const shift = e.where(e.eq(e.abs(top), Infinity), constant(0, compute), top);
    return reduceRows(
      self,
      axes,
      keepdim,
      [
        { combine: 'max', value: x },
        { combine: 'sum', value: e.exp(e.sub(x, shift)) },
      ],
      [{ value: e.add(e.log(stage(1, compute)), shift), dtype }],
    )[0] as Tensor;
  },
);
/** log(sum(exp(self))) over dimensions, without overflow. */
export const logsumexp = writing(
  'logsumexp',
  (self: Tensor, dim: Dims, options: { keepdim?: boolean } = {}): Tensor =>
    logsumexpOp(self, axesOf('logsumexp', self, dim), options.keepdim ?? false),
  'castable',
);

const argument =
  (name: 'argmax' | 'argmin') =>
  (self: Tensor, dim?: number | null, options: { keepdim?: boolean } = {}): Tensor => {
    const axes = axesOf(name, self, dim);
    checkNotEmpty(name, self, dim, axes, IndexError);
    if (self.dtype === 'bool')
      throw new RuntimeError(`${name}: "${name}_cpu" not implemented for 'Bool'`);
    return reduceRows(
      self,
      axes,
      options.keepdim ?? false,
      [{ combine: name, value: input(0, computeType(self.dtype)) }],
      [{ value: stage(0, 'int64'), dtype: 'int64' }],
    )[0] as Tensor;
  };
/** The position of the greatest element (the first, if equal) over one dimension, or in the flattened tensor. */
export const argmax: Writing<
  (self: Tensor, dim?: number | null, options?: { keepdim?: boolean }) => Tensor
> = writing('argmax', argument('argmax'));
/** The position of the smallest element (the first, if equal) over one dimension, or in the flattened tensor. */
export const argmin: Writing<
  (self: Tensor, dim?: number | null, options?: { keepdim?: boolean }) => Tensor
> = writing('argmin', argument('argmin'));

/** How many elements are nonzero. */
export const countNonzero = explaining(
  'countNonzero',
  (self: Tensor, dim?: Dims): Tensor => sum(self.ne(0), dim),
);

/**
 * Sums away what broadcasting repeated: the inverse of `expand`, in gradients.
 *
 * @throws RuntimeError if `shape` does not broadcast to the tensor's shape.
 */
export const sumToSize = explaining(
  'sumToSize',
  (self: Tensor, ...size: number[] | [readonly number[]]): Tensor => {
    const shape = (Array.isArray(size[0]) ? size[0] : size) as readonly number[];
    // PyTorch sums to one element even where there is one, which makes integers int64.
    if (shape.length === 0) return sum(self);
    if (sameShape(self.shape, shape)) return self;
    const lead = self.shape.length - shape.length;
    if (lead < 0 || shape.some((s, i) => s !== 1 && s !== self.shape[i + lead])) {
      throw new RuntimeError(
        `sumToSize: size {${formatShape(self.shape)}} is not expandable to size {${formatShape(shape)}}.`,
      );
    }
    const axes = self.shape
      .map((_, d) => d)
      .filter((d) => d < lead || (shape[d - lead] === 1 && self.shape[d] !== 1));
    const summed =
      axes.length === 0 ? self : sumOp(self, axes, true, accumulationDtype(self, null));
    return lead > 0 ? reshape(summed, shape) : summed;
  },
);
