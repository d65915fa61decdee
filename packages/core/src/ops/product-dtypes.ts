import { NotImplementedError, RuntimeError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** @throws RuntimeError where dtypes differ, or are none that can be multiplied. */
export function checkDtypes(operation: string, a: Tensor, b: Tensor): void {
  if (a.dtype !== b.dtype) {
    throw new RuntimeError(
      `${operation}: expected both tensors to have the same dtype, but got ${a.dtype} and ${b.dtype}; convert one with .to('${a.dtype}')`,
    );
  }
  if (a.dtype === 'bool') {
    throw new NotImplementedError(`${operation}: "addmm_impl_cpu_" not implemented for 'Bool'`);
  }
}
