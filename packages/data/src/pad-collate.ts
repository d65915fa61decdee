import { checking, full, RuntimeError, Tensor, type TypedArray, takes, tensor } from '@sconce/core';
import { type Collated, collateInto, type Join } from './collate.js';
import { tensorTarget } from './host.js';
import * as signatures from './signatures.js';

/** Options of `padCollate`. */
export interface PadCollateOptions {
  /** Whether a padded tensor is [N, longest, ...] (default) or [longest, N, ...]. */
  batchFirst?: boolean;
  /** What fills the places after the end of a sequence; default 0. */
  paddingValue?: number;
}

/** The lengths of sequences [length, ...], int64 [N]. */
export const lengthsOf = checking(
  'lengthsOf',
  signatures.lengthsOf,
  (sequences: readonly (Tensor | TypedArray)[]): Tensor =>
    tensor(
      sequences.map((s) => (s instanceof Tensor ? s.size(0) : s.length)),
      { dtype: 'int64' },
    ),
);

/**
 * A `collateFn` as `defaultCollate` which pads sequences at their ends to the longest of the batch: every tensor or typed array of the
 * samples is a sequence [length, ...], and becomes part of one tensor [N, longest, ...].
 *
 * @throws RuntimeError if sequences differ in another dimension or in dtype, or a tensor is a scalar.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
 * @example new DataLoader(sentences, { batchSize: 16, collateFn: padCollate({ paddingValue: -1 }) })
 */
export function padCollate(
  options: PadCollateOptions = {},
): <T>(samples: readonly T[]) => Collated<T> {
  takes('padCollate', signatures.padCollate, arguments);
  const { batchFirst = true, paddingValue = 0 } = options;
  const join: Join = (rows) => {
    const tensors = rows.map((x) => (x instanceof Tensor ? x : tensor(x)));
    const first = tensors[0] as Tensor;
    const rest = first.shape.slice(1);
    for (const [i, t] of tensors.entries()) {
      if (t.ndim === 0)
        throw new RuntimeError('padCollate: a scalar tensor is no sequence; give numbers instead');
      if (t.dtype !== first.dtype || t.shape.slice(1).join() !== rest.join())
        throw new RuntimeError(
          `padCollate: sequences may differ in length alone, but got [${first.shape.join(', ')}] ${first.dtype} in sample 0 and [${t.shape.join(', ')}] ${t.dtype} in sample ${i} of the batch`,
        );
    }
    const longest = Math.max(...tensors.map((t) => t.size(0)));
    const n = tensors.length;
    const shape = batchFirst ? [n, longest, ...rest] : [longest, n, ...rest];
    const padded = full(shape, paddingValue, { dtype: first.dtype, device: first.device });
    for (const [i, t] of tensors.entries())
      padded
        .select(batchFirst ? 0 : 1, i)
        .narrow(0, 0, t.size(0))
        .copy_(t);
    return padded;
  };
  return <T>(samples: readonly T[]) => collateInto(samples, tensorTarget, join) as Collated<T>;
}
