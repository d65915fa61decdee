import { canCast, type DType } from './dtype.js';
import { formatShape, RuntimeError } from './errors.js';
import { mustRecord } from './op.js';
import { contiguousStrides, numel, sameShape } from './shape.js';
import { allocate, Tensor } from './tensor.js';

/** Tensors that receive results: one for a tensor, one in each place of several. */
export type Out<R> = R extends Tensor
  ? Tensor
  : R extends readonly [unknown, unknown]
    ? readonly [Tensor, Tensor]
    : R extends readonly [unknown, unknown, unknown]
      ? readonly [Tensor, Tensor, Tensor]
      : R extends readonly unknown[]
        ? readonly Tensor[]
        : { readonly [K in keyof R]: R[K] extends Tensor ? Tensor : R[K] };

/** Where results are written, if not to new tensors. */
export interface OutOptions<R = Tensor> {
  /**
   * What receives the result, and is returned: one of another shape is resized, and must have the dtype of the result, or one that this
   * casts to where the operation says so.
   */
  out?: Out<R>;
}

/** Which dtypes an `out` may have: that of the result, or any to which it casts. */
export type OutRule = 'same' | 'castable';

/** @throws RuntimeError if gradients are on and would have to flow through a write into `out`. */
export function refuseGradients(name: string, args: readonly unknown[]): void {
  if (mustRecord(args)) {
    throw new RuntimeError(
      `${name}: functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad; call it in noGrad() or without out`,
    );
  }
}

/** @throws RuntimeError if a result of `dtype` may not be written into `out`. */
export function checkOutDtype(name: string, dtype: DType, out: Tensor, rule: OutRule): void {
  if (rule === 'castable' ? canCast(dtype, out.dtype) : dtype === out.dtype) return;
  throw new RuntimeError(
    rule === 'castable'
      ? `${name}: result type ${dtype} can't be cast to the desired output type ${out.dtype}; give an out of dtype ${dtype}`
      : `${name}: Expected out tensor to have dtype ${dtype}, but got ${out.dtype} instead`,
  );
}

/** Gives `out` the shape of the result: silently where it is empty, with a warning where it is not. */
export function resizeOut(name: string, out: Tensor, shape: readonly number[]): void {
  if (sameShape(out.shape, shape)) return;
  if (numel(out.shape) > 0) {
    console.warn(
      `${name}: an output with one or more elements was resized since it had shape ${formatShape(out.shape)}, which does not match the required output shape ${formatShape(shape)}; resize it to zero elements with out.resize_(0) to say that this is meant`,
    );
  }
  const { storage, dtype, offset } = out;
  const fits = offset + numel(shape) <= storage.length;
  const memory = fits ? storage : allocate(shape, dtype, out.device).storage;
  out.data = new Tensor(memory, dtype, shape, contiguousStrides(shape), fits ? offset : 0);
}
