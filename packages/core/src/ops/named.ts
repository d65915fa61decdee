import type { Tensor } from '../tensor.js';
import { Results } from './results.js';

/** Several results: an array to destructure, and the same tensors as fields under the names PyTorch has for them. */
export type Named<K extends readonly string[]> = { readonly [I in keyof K]: Tensor } & {
  readonly [N in K[number]]: Tensor;
};

/** Results under their names, in the order of the names. */
export function named<const K extends readonly string[]>(
  names: K,
  ...results: { [I in keyof K]: Tensor }
): Named<K> {
  const list = results as unknown as Tensor[];
  const fields = Object.fromEntries(names.map((name, i) => [name, list[i] as Tensor]));
  return new Results(fields) as unknown as Named<K>;
}
