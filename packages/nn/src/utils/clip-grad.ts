import { noGrad } from '@sconce/autograd';
import { RuntimeError, stack, Tensor, takes, tensor, vectorNorm } from '@sconce/core';
import * as signatures from '../signatures.js';

/** Options of `clipGradNorm_`. */
export interface ClipGradNormOptions {
  /** The order of the norm, which may be Infinity; default 2. */
  normType?: number;
  /** Throw if the norm is NaN or infinite, which reads it back; default false. */
  errorIfNonfinite?: boolean;
}

const gradients = (parameters: Tensor | Iterable<Tensor>): Tensor[] =>
  [...(parameters instanceof Tensor ? [parameters] : parameters)]
    .map((p) => p.grad)
    .filter((grad): grad is Tensor => grad !== null && grad !== undefined);

/**
 * Scales gradients in place so that the norm of all of them together is at most `maxNorm`; gives the norm before.
 *
 * @throws RuntimeError if the norm is not finite, with `errorIfNonfinite`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
 * @example clipGradNorm_(model.parameters(), 1);
 */
export function clipGradNorm_(
  parameters: Tensor | Iterable<Tensor>,
  maxNorm: number,
  options: ClipGradNormOptions = {},
): Tensor {
  takes('clipGradNorm_', signatures.clipGradNorm_, arguments);
  const { normType = 2, errorIfNonfinite = false } = options;
  return noGrad(() => {
    const grads = gradients(parameters);
    if (grads.length === 0) return tensor(0);
    const norms = grads.map((grad) => vectorNorm(grad, normType));
    const total = vectorNorm(stack(norms), normType);
    if (errorIfNonfinite && !Number.isFinite(total.itemSync())) {
      throw new RuntimeError(
        `clipGradNorm_: The total norm of order ${normType} of the gradients is non-finite, so it cannot be clipped; pass errorIfNonfinite: false to scale by it anyway`,
      );
    }
    // Multiplying by 1 is cheaper than reading the norm to see whether it is needed.
    const factor = total.add(1e-6).reciprocal().mul(maxNorm).clampMax(1);
    for (const grad of grads) grad.mul_(factor);
    return total;
  });
}

/**
 * Clamps every element of the gradients to [-clipValue, clipValue], in place.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html
 */
export function clipGradValue_(parameters: Tensor | Iterable<Tensor>, clipValue: number): void {
  takes('clipGradValue_', signatures.clipGradValue_, arguments);
  noGrad(() => {
    for (const grad of gradients(parameters)) grad.clamp_(-clipValue, clipValue);
  });
}
