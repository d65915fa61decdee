import { takes } from './arguments.js';
import { signatures } from './signatures.js';

let enabled = false;

/**
 * Makes operations give the same bits in every run on the same device, where another way is faster: on WebGPU
 * the scattering of floats (`indexAdd`, `scatterAdd`, `scatter`, the gradients of indexing and of embeddings), whose
 * order is otherwise that in which the device gets to it. The cpu always does.
 *
 * @param mode on or off; off at first.
 * @see https://pytorch.org/docs/stable/generated/torch.use_deterministic_algorithms.html
 * @example useDeterministicAlgorithms(true);
 */
export function useDeterministicAlgorithms(mode: boolean): void {
  takes('useDeterministicAlgorithms', signatures.useDeterministicAlgorithms, arguments);
  enabled = mode;
}

/** Whether `useDeterministicAlgorithms` is on. */
export function areDeterministicAlgorithmsEnabled(): boolean {
  takes(
    'areDeterministicAlgorithmsEnabled',
    signatures.areDeterministicAlgorithmsEnabled,
    arguments,
  );
  return enabled;
}
