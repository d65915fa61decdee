import { category, computeType } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { cast, constant, type Expr, e, input, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import type { Tensor } from '../tensor.js';
import type { ReduceOptions } from './reduce.js';
import { axesOf, type Dims, nonzeroExpr, reduceRows, rowLength } from './reduction.js';
import { writing } from './writing.js';

const vectorNormOp = op(
  'vectorNorm',
  'self ord axes keepdim',
  (self: Tensor, ord: number, axes: readonly number[], keepdim: boolean): Tensor => {
    const compute = computeType(self.dtype);
    const magnitude = e.abs(input(0, compute));
    const dtype = self.dtype;
    const one = (
      combine: 'sum' | 'max' | 'min',
      value: Expr,
      result: Expr = stage(0, compute),
      scalars: number[] = [],
    ) =>
      reduceRows(
        self,
        axes,
        keepdim,
        [{ combine, value }],
        [{ value: result, dtype }],
        scalars,
      )[0] as Tensor;
    if (ord === Infinity) return one('max', magnitude);
    if (ord === -Infinity) return one('min', magnitude);
    if (ord === 0) return one('sum', cast(nonzeroExpr(magnitude), compute));
    if (ord === 1) return one('sum', magnitude);
    if (ord === 2) return one('sum', e.mul(magnitude, magnitude), e.sqrt(stage(0, compute)));
    const p = scalar(0, compute);
    return one(
      'sum',
      e.pow(magnitude, p),
      e.pow(stage(0, compute), e.div(constant(1, compute), p)),
      [ord],
    );
  },
);
/**
 * The `ord`-norm of the elements over dimensions; default 2.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.vector_norm.html
 */
export const vectorNorm = writing(
  'vectorNorm',
  (self: Tensor, ord = 2, dim?: Dims, options: ReduceOptions = {}): Tensor => {
    const x = options.dtype ? self.to(options.dtype) : self;
    if (category(x.dtype) < 2) {
      throw new RuntimeError(
        `vectorNorm: Expected a floating point or complex tensor as input. Got ${x.dtype}`,
      );
    }
    const axes = axesOf('vectorNorm', x, dim);
    if ((ord < 0 || ord === Infinity) && rowLength(x, axes) === 0) {
      throw new RuntimeError(
        `vectorNorm: cannot compute the ${ord} norm on an empty tensor because the operation does not have an identity`,
      );
    }
    return vectorNormOp(x, ord, axes, options.keepdim ?? false);
  },
);

/** The matrix or vector norm of older PyTorch: `'fro'` (default) or a number, over dimensions or all elements. */
export const norm = writing(
  'norm',
  (self: Tensor, p: number | 'fro' = 'fro', dim?: Dims, options: ReduceOptions = {}): Tensor => {
    const order = p === 'fro' ? 2 : p;
    // Unlike `vectorNorm`, this one has an answer for nothing at all: 0, as every other sum of nothing.
    const nothing = rowLength(self, axesOf('norm', self, dim)) === 0;
    return vectorNorm(self, nothing && (order < 0 || order === Infinity) ? 2 : order, dim, options);
  },
  'castable',
);

/** The `p`-norm of self - other. */
export const dist = (self: Tensor, other: Tensor, p = 2): Tensor => norm(self.sub(other), p);
