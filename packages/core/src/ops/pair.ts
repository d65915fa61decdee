import type { Tensor } from '../tensor.js';
import { Results } from './results.js';

/**
 * Values and where they were found: destructures as `[values, indices]` and has both as fields.
 *
 * @example
 * const { values, indices } = x.sort();
 * const [best] = x.max(1);
 */
export type ValuesIndices = readonly [values: Tensor, indices: Tensor] & {
  readonly values: Tensor;
  readonly indices: Tensor;
};

/** The named pair of values and their positions. */
export const pair = (values: Tensor, indices: Tensor): ValuesIndices =>
  new Results({ values, indices }) as unknown as ValuesIndices;
