import { type DType, fromTypedArray, isFloatingPoint, numel, Tensor } from '@sconce/core';
import type { Value } from '../corpus/value.js';
import type { Variant } from '../rounding/variants.js';

/** Every tensor in a value that takes part in the loss, depth first. */
export function differentiable(value: Value, found: Tensor[] = []): Tensor[] {
  if (value instanceof Tensor) {
    if (isFloatingPoint(value.dtype) && value.requiresGrad) found.push(value);
  } else if (Array.isArray(value)) for (const item of value) differentiable(item, found);
  else if (value instanceof Map) for (const item of value.values()) differentiable(item, found);
  else if (typeof value === 'object' && value !== null) {
    const packed = value as { data?: Value; batchSizes?: Value };
    if (packed.data instanceof Tensor && packed.batchSizes) differentiable(packed.data, found);
    else if (Object.getPrototypeOf(value) === Object.prototype) {
      for (const item of Object.values(value)) differentiable(item, found);
    }
  }
  return found;
}

/** cos(0), cos(1), ... in the shape and dtype of an output, rounded to `rounded` first: what weighs it in the loss. */
function weights(output: Tensor, rounded: DType): Tensor {
  const values = Float64Array.from({ length: numel(output.shape) }, (_, i) => Math.cos(i));
  const { dtype, device, shape } = output;
  return fromTypedArray(values, shape, { dtype: rounded, device }).to(dtype);
}

/**
 * The loss of the corpus: the sum of all outputs, weighted.
 *
 * @param variant of the run; its weights are rounded as those that PyTorch's results had.
 */
export function weightedLoss(outputs: readonly Tensor[], variant?: Variant): Tensor | undefined {
  let loss: Tensor | undefined;
  for (const output of outputs) {
    const part = output.mul(weights(output, variant?.weights ?? output.dtype)).sum();
    loss = loss ? loss.add(part) : part;
  }
  return loss;
}
