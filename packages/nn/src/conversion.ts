import {
  type DType,
  isFloatingPoint,
  RuntimeError,
  type Tensor,
  type ToArguments,
  type ToOptions,
  to,
  toTarget,
} from '@sconce/core';
import type { Module } from './module.js';

/** What `Module.to` takes, as `Tensor.to`: a tensor stands for its dtype and device. */
export type Target = ToArguments;

/**
 * What `target` asks of each parameter or buffer: a dtype applies to floating-point ones only.
 *
 * @throws TypeError if that dtype is none for parameters.
 */
export function wanted(target: Target): (t: Tensor) => ToOptions {
  const { dtype, device } = toTarget(...target);
  if (dtype !== undefined && !isFloatingPoint(dtype)) {
    throw new TypeError(
      `to: a module takes floating-point dtypes only, got ${dtype}; type('${dtype}') converts every parameter and buffer`,
    );
  }
  return (t) => ({ dtype: isFloatingPoint(t.dtype) ? dtype : undefined, device });
}

/**
 * What makes every parameter and buffer one of a dtype.
 *
 * @throws RuntimeError if the dtype has no gradients and a parameter wants them.
 */
export function retyped(module: Module, dtype: DType): (t: Tensor) => Tensor {
  if (!isFloatingPoint(dtype)) {
    for (const [name, p] of module.namedParameters()) {
      if (!p.requiresGrad) continue;
      throw new RuntimeError(
        `type: ${name} requires gradients, which ${dtype} cannot have; requiresGrad_(false) of the module first`,
      );
    }
  }
  return (t) => to(t.detach(), { dtype });
}
