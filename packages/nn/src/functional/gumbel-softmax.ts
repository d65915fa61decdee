import { emptyLike, oneHot, softmax, type Tensor, takes, ValueError } from '@sconce/core';
import * as signatures from '../signatures.js';

/** Options of `gumbelSoftmax`. */
export interface GumbelSoftmaxOptions {
  /** How soft the choice is: near 0 it is almost one-hot; default 1. */
  tau?: number;
  /** Give one-hot choices, through which gradients flow as through the soft ones; default false. */
  hard?: boolean;
  /** The dimension along which one is chosen; default the last. */
  dim?: number;
}

/**
 * A choice along a dimension drawn with the probabilities of unnormalised logits, differentiable in them.
 *
 * @throws ValueError unless `tau` is positive.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.gumbel_softmax.html (Jang et al. 2017)
 * @example gumbelSoftmax(randn([20, 32]), { tau: 0.5, hard: true });
 */
export function gumbelSoftmax(logits: Tensor, options: GumbelSoftmaxOptions = {}): Tensor {
  takes('gumbelSoftmax', signatures.gumbelSoftmax, arguments);
  const { tau = 1, hard = false, dim = -1 } = options;
  if (!(tau > 0)) throw new ValueError(`gumbelSoftmax: tau must be positive, got ${tau}`);
  const noise = emptyLike(logits.detach()).exponential_().log().neg();
  const soft = softmax(logits.add(noise).div(tau), dim);
  if (!hard) return soft;
  const classes = soft.size(dim);
  const chosen = oneHot(soft.detach().argmax(dim), classes).to(soft.dtype).movedim(-1, dim);
  return chosen.sub(soft.detach()).add(soft);
}
