import { computeType, type DType, isFloatingPoint } from '../dtype.js';
import { checkInteger, IndexError, NotImplementedError, RuntimeError } from '../errors.js';
import { execute } from '../execute.js';
import { explaining } from '../explain.js';
import { inplace, type Op, op, operations } from '../op.js';
import type { ScanPrimitive } from '../primitive.js';
import { float } from '../scalar.js';
import { normalizeDim, numel } from '../shape.js';
import { allocate, type Tensor } from '../tensor.js';
import { logicalXor, sub } from './binary.js';
import { copyInto } from './copy.js';
import { asVector } from './index-range.js';
import { cat } from './join.js';
import { pair, type ValuesIndices } from './pair.js';
import { sum } from './reduce.js';
import { accumulationDtype } from './reduction.js';
import { detach, narrow } from './view.js';
import { type Writing, writing } from './writing.js';

function scanned(
  self: Tensor,
  dim: number,
  combine: ScanPrimitive['combine'],
  dtype: DType,
  indices?: Tensor,
): Tensor {
  const result = allocate(self.shape, dtype, self.device);
  if (numel(self.shape) === 0) return result;
  // A scan runs in one type, so what is narrower is converted first.
  const input = computeType(self.dtype) === computeType(dtype) ? self : self.to(dtype);
  execute({
    kind: 'scan',
    axis: dim,
    combine,
    reverse: false,
    input: asVector(input),
    output: asVector(result),
    ...(indices && { indices: asVector(indices) }),
  });
  return result;
}

/** Options of `cumsum` and `cumprod`. */
export interface CumulateOptions {
  /** Convert to this dtype first; default: integers and bools become int64. */
  dtype?: DType | null;
}

type Cumulate = (self: Tensor, dim: number, options?: CumulateOptions) => Tensor;
const cumulate = (name: 'cumsum' | 'cumprod', combine: 'sum' | 'prod'): Cumulate => {
  const run = op(name, 'self dim dtype', (self: Tensor, dim: number, dtype: DType): Tensor => {
    // Sums and products of bools are sums and products of 0 and 1.
    const source = self.dtype === 'bool' && dtype !== 'bool' ? self.to(dtype) : self;
    return scanned(source, dim, combine, dtype);
  });
  return (self, dim, options = {}) =>
    run(self, normalizeDim(name, dim, self.shape.length), accumulationDtype(self, options.dtype));
};

/**
 * The sums of all elements up to and with each one, along a dimension.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.cumsum.html
 * @example tensor([1, 2, 3]).cumsum(0) // tensor([1., 3., 6.])
 */
export const cumsum: Writing<Cumulate> = writing('cumsum', cumulate('cumsum', 'sum'), 'castable');
/** The products of all elements up to and with each one, along a dimension. */
export const cumprod: Writing<Cumulate> = writing(
  'cumprod',
  cumulate('cumprod', 'prod'),
  'castable',
);

const overwrite = (name: 'cumsum' | 'cumprod', self: Tensor, dim: number): Tensor => {
  if (self.dtype === 'bool')
    throw new NotImplementedError(`${name}_: "${name}_out_cpu" not implemented for 'bool'`);
  const d = normalizeDim(name, dim, self.shape.length);
  return inplace(operations.get(name) as Op, [self, d, self.dtype], () => {
    const plain = detach(self);
    const dtype = { dtype: self.dtype };
    copyInto(self, name === 'cumsum' ? cumsum(plain, d, dtype) : cumprod(plain, d, dtype));
  });
};
/** `cumsum` in place, in the tensor's own dtype. */
export const cumsum_ = explaining(
  'cumsum_',
  (self: Tensor, dim: number): Tensor => overwrite('cumsum', self, dim),
);
/** `cumprod` in place, in the tensor's own dtype. */
export const cumprod_ = explaining(
  'cumprod_',
  (self: Tensor, dim: number): Tensor => overwrite('cumprod', self, dim),
);

const logcumsumexpOp = op('logcumsumexp', 'self dim', (self: Tensor, dim: number): Tensor => {
  if (!isFloatingPoint(self.dtype)) {
    throw new NotImplementedError(
      `logcumsumexp: "logcumsumexp_out_dispatch" not implemented for '${self.dtype}'`,
    );
  }
  return scanned(self, dim, 'logaddexp', self.dtype);
});
/** The logarithms of the sums of exponentials up to and with each element, along a dimension. */
export const logcumsumexp = writing(
  'logcumsumexp',
  (self: Tensor, dim: number): Tensor =>
    logcumsumexpOp(self, normalizeDim('logcumsumexp', dim, self.shape.length)),
);

type CumulateBest = (self: Tensor, dim: number) => ValuesIndices;
const cumulateBest = (name: 'cummax' | 'cummin', combine: 'max' | 'min'): CumulateBest => {
  const run = op(name, 'self dim', (self: Tensor, dim: number): ValuesIndices => {
    const indices = allocate(self.shape, 'int64', self.device);
    // Bools are scanned as the integers they stand for.
    if (self.dtype === 'bool') {
      const values = scanned(self.to('int32'), dim, combine, 'int32', indices);
      return pair(values.to('bool'), indices);
    }
    return pair(scanned(self, dim, combine, self.dtype, indices), indices);
  });
  return (self, dim) => run(self, normalizeDim(name, dim, self.shape.length));
};

/**
 * The greatest element up to and with each one, along a dimension, and where it stands (the last among equals).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.cummax.html
 */
export const cummax: Writing<CumulateBest> = writing('cummax', cumulateBest('cummax', 'max'));
/** The smallest element up to and with each one, along a dimension, and where it stands (the last among equals). */
export const cummin: Writing<CumulateBest> = writing('cummin', cumulateBest('cummin', 'min'));

/** What `diff` puts before and behind the tensor. */
export interface DiffOptions {
  prepend?: Tensor | null;
  append?: Tensor | null;
}

/**
 * The `n`-th differences of neighbours along a dimension; of bools, whether they differ.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.diff.html
 */
export const diff = writing(
  'diff',
  (self: Tensor, n = 1, dim = -1, options: DiffOptions = {}): Tensor => {
    const { prepend, append } = options;
    if (self.shape.length === 0)
      throw new RuntimeError('diff: expects input to be at least one-dimensional');
    checkInteger('diff', 'n', 1, n);
    if (n < 0) throw new RuntimeError(`diff: order must be non-negative but got ${n}`);
    const d = normalizeDim('diff', dim, self.shape.length);
    if (n === 0) return self.clone();
    let result =
      prepend || append
        ? cat(
            [prepend, self, append].filter((t) => t != null),
            d,
          )
        : self;
    const rounds = Math.min(n, result.shape[d] as number);
    for (let i = 0; i < rounds; i++) {
      const size = Math.max(0, (result.shape[d] as number) - 1);
      const ahead = narrow(result, d, (result.shape[d] as number) - size, size);
      const behind = narrow(result, d, 0, size);
      result = result.dtype === 'bool' ? logicalXor(ahead, behind) : sub(ahead, behind);
    }
    return result;
  },
);

/** How far apart the points of `trapezoid` lie. */
export interface TrapezoidOptions {
  /** Their distance, where it is constant; default 1. */
  dx?: number;
  /** The dimension to integrate over; default the last. */
  dim?: number;
}

/** The areas of the strips between neighbours. */
function strips(
  operation: string,
  y: Tensor,
  x: Tensor | null | undefined,
  { dx = 1, dim = -1 }: TrapezoidOptions,
): [Tensor, number] {
  if (y.dtype === 'bool' || x?.dtype === 'bool') {
    throw new RuntimeError(
      `${operation}: received a bool input for \`x\` or \`y\`, but bool is not supported`,
    );
  }
  const d = normalizeDim(operation, dim, y.shape.length);
  const size = y.shape[d] as number;
  const heights = (t: Tensor, axis: number) => {
    const n = Math.max(0, (t.shape[axis] as number) - 1);
    return [narrow(t, axis, (t.shape[axis] as number) - n, n), narrow(t, axis, 0, n)] as const;
  };
  const [ahead, behind] = heights(y, d);
  const sums = ahead.add(behind);
  if (!x) return [sums.mul(float(dx / 2)), d];
  if (x.shape.length === 0) {
    throw new IndexError(`${operation}: the x tensor must have at least one dimension`);
  }
  const fitted =
    x.shape.length === 1
      ? x.reshape(y.shape.map((_, i) => (i === d ? (x.shape[0] as number) : 1)))
      : x.reshape([
          ...new Array<number>(Math.max(0, y.shape.length - x.shape.length)).fill(1),
          ...x.shape,
        ]);
  if (fitted.shape[d] !== size) {
    throw new RuntimeError(
      `${operation}: There must be one \`x\` value for each sample point (${size}), got ${fitted.shape[d]}`,
    );
  }
  const [right, left] = heights(fitted, d);
  return [right.sub(left).mul(sums).div(2), d];
}

/**
 * The integral of samples along a dimension by the trapezoidal rule.
 *
 * @param x their positions, one vector or one for each element; without it they lie `dx` apart.
 * @see https://pytorch.org/docs/stable/generated/torch.trapezoid.html
 */
export const trapezoid = explaining(
  'trapezoid',
  (self: Tensor, x?: Tensor | null, options: TrapezoidOptions = {}): Tensor => {
    const [areas, dim] = strips('trapezoid', self, x, options);
    return sum(areas, dim);
  },
);
/** As `trapezoid`. */
export const trapz = trapezoid;

/** The integral up to each sample after the first, by the trapezoidal rule. */
export const cumulativeTrapezoid = explaining(
  'cumulativeTrapezoid',
  (self: Tensor, x?: Tensor | null, options: TrapezoidOptions = {}): Tensor => {
    const [areas, dim] = strips('cumulativeTrapezoid', self, x, options);
    return cumsum(areas, dim);
  },
);
