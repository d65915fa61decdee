import { takes } from './arguments.js';
import { keepStorage } from './scope.js';
import { signatures } from './signatures.js';
import type { Tensor } from './tensor.js';

/**
 * Exempts a tensor from every `tidy` around it, and returns it: it lives until it is disposed or collected.
 *
 * @example tidy(() => { best = keep(model(x)); });
 */
export function keep<T extends Tensor>(tensor: T): T {
  takes('keep', signatures.keep, arguments);
  keepStorage(tensor.storage);
  return tensor;
}
