import { category, computeType } from '../dtype.js';
import { formatShape, RuntimeError, ValueError } from '../errors.js';
import { explaining } from '../explain.js';
import { cast, constant, type Expr, e, input, scalar, stage } from '../expr.js';
import { op } from '../op.js';
import type { Tensor } from '../tensor.js';
import { matrixNorm } from './linalg/norms.js';
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

/**
 * The matrix or vector norm of older PyTorch, over dimensions or all elements: of a number or `'fro'` (default) that of vectors;
 * `'nuc'` is the sum of the singular values of matrices, in two dimensions or of a matrix.
 *
 * @throws RuntimeError for another order, or dimensions that `'nuc'` cannot take; LinAlgError where matrices are not finite.
 * @see https://pytorch.org/docs/stable/generated/torch.norm.html
 */
export const norm = writing(
  'norm',
  (
    self: Tensor,
    p: number | 'fro' | 'nuc' = 'fro',
    dim?: Dims,
    options: ReduceOptions = {},
  ): Tensor => {
    if (p === 'nuc') return nuclearNorm(self, dim, options);
    if (typeof p !== 'number' && p !== 'fro') {
      throw new RuntimeError(`norm: only valid string values are 'fro' and 'nuc', found ${p}`);
    }
    const order = p === 'fro' ? 2 : p;
    // Unlike `vectorNorm`, this one has an answer for nothing at all: 0, as every other sum of nothing.
    const nothing = rowLength(self, axesOf('norm', self, dim)) === 0;
    return vectorNorm(self, nothing && (order < 0 || order === Infinity) ? 2 : order, dim, options);
  },
  'castable',
);

function nuclearNorm(self: Tensor, dim: Dims, { dtype, keepdim = false }: ReduceOptions): Tensor {
  if (dtype) {
    throw new ValueError(
      `norm: dtype argument is not supported in nuclear norm; convert with .to('${dtype}')`,
    );
  }
  if (dim === undefined || dim === null) {
    if (self.shape.length !== 2) {
      throw new RuntimeError(
        `norm: Expected a tensor with 2 dimensions for 'nuc', but got shape ${formatShape(self.shape)} instead; name two in dim`,
      );
    }
    return matrixNorm(self, 'nuc', [-2, -1], { keepdim });
  }
  if (typeof dim === 'number' || dim.length !== 2) {
    throw new RuntimeError(
      `norm: nuclear norm requires a 'dim' argument of size 2, got ${typeof dim === 'number' ? dim : formatShape(dim)}`,
    );
  }
  return matrixNorm(self, 'nuc', dim, { keepdim });
}

/** The `p`-norm of self - other. */
export const dist = explaining(
  'dist',
  (self: Tensor, other: Tensor, p = 2): Tensor => norm(self.sub(other), p),
);
