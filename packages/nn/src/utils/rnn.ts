import {
  cat,
  checking,
  formatShape,
  full,
  RuntimeError,
  Tensor,
  takes,
  tensor,
  transpose,
  ValueError,
} from '@sconce/core';
import * as signatures from '../signatures.js';

/** Options of `packPaddedSequence`. */
export interface PackPaddedOptions {
  /** The input is [N, L, ...] instead of [L, N, ...]; default false. */
  batchFirst?: boolean;
  /** Require sequences from the longest to the shortest; without it they are sorted; default true. */
  enforceSorted?: boolean;
}

/** Options of `padPackedSequence`. */
export interface PadPackedOptions {
  /** The result is [N, L, ...] instead of [L, N, ...]; default false. */
  batchFirst?: boolean;
  /** What stands behind the ends of sequences; default 0. */
  paddingValue?: number;
  /** The length of the result; default that of the longest sequence. */
  totalLength?: number | null;
}

/** Options of `padSequence`. */
export interface PadSequenceOptions {
  /** The result is [N, L, ...] instead of [L, N, ...]; default false. */
  batchFirst?: boolean;
  /** What stands behind the ends of sequences; default 0. */
  paddingValue?: number;
}

/**
 * Sequences of several lengths without padding: first the first elements of all, then the second ones of those that
 * have any, and so on. Made by `packPaddedSequence` and `packSequence`; recurrent layers take and give it.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.PackedSequence.html
 */
export class PackedSequence {
  /** The elements [sum of lengths, ...]. */
  readonly data: Tensor;
  /** How many sequences reach each step; int64, on the CPU. */
  readonly batchSizes: Tensor;
  /** Where each sequence, from the longest to the shortest, stood; null if they were in this order. */
  readonly sortedIndices: Tensor | null;
  /** Where each sequence went; null if they were in order. */
  readonly unsortedIndices: Tensor | null;

  constructor(
    data: Tensor,
    batchSizes: Tensor,
    sortedIndices: Tensor | null = null,
    unsortedIndices: Tensor | null = null,
  ) {
    takes('PackedSequence', signatures.PackedSequence, arguments);
    this.data = data;
    this.batchSizes = batchSizes;
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = unsortedIndices;
  }

  /** `batchSizes` as plain numbers. */
  sizes(): readonly number[] {
    return numbers(this.batchSizes);
  }

  /** The same sequences with other elements in their places. */
  with(data: Tensor): PackedSequence {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }
}

// What was made from plain numbers is not read back: devices may only be read asynchronously.
const plain = new WeakMap<Tensor, readonly number[]>();

const numbers = (values: Tensor | readonly number[]): readonly number[] =>
  values instanceof Tensor
    ? (plain.get(values) ?? Array.from(values.toTypedArraySync(), Number))
    : values;

function indices(values: readonly number[], like?: Tensor): Tensor {
  const made = tensor([...values], { dtype: 'int64', device: like?.device ?? 'cpu' });
  plain.set(made, values);
  return made;
}

/** Successive steps that equally many sequences reach. */
function* runs(
  sizes: readonly number[],
): Generator<{ start: number; steps: number; size: number }> {
  for (let start = 0; start < sizes.length; ) {
    const size = sizes[start] as number;
    let end = start;
    while (end < sizes.length && sizes[end] === size) end++;
    yield { start, steps: end - start, size };
    start = end;
  }
}

/**
 * Packs padded sequences [L, N, ...] of the given lengths.
 *
 * @throws ValueError if a length is not in 1..L, or their number is not N.
 * @throws RuntimeError if they do not descend, with `enforceSorted`.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_padded_sequence.html
 * @example packPaddedSequence(randn([5, 2, 3]), [5, 2]).data.shape // [7, 3]
 */
export function packPaddedSequence(
  input: Tensor,
  lengths: Tensor | readonly number[],
  options: PackPaddedOptions = {},
): PackedSequence {
  takes('packPaddedSequence', signatures.packPaddedSequence, arguments);
  const { batchFirst = false, enforceSorted = true } = options;
  let padded = batchFirst ? transpose(input, 0, 1) : input;
  let given = numbers(lengths);
  const [steps, batch] = padded.shape as [number, number];
  if (given.length !== batch || given.some((n) => !(n > 0 && n <= steps))) {
    throw new ValueError(
      `packPaddedSequence: expected ${batch} lengths from 1 to ${steps} for input ${formatShape(input.shape)}, got ${formatShape(given)}`,
    );
  }
  let sorted: Tensor | null = null;
  let unsorted: Tensor | null = null;
  if (!enforceSorted) {
    const order = given.map((_, i) => i).sort((a, b) => (given[b] ?? 0) - (given[a] ?? 0));
    const inverse: number[] = [];
    for (const [to, from] of order.entries()) inverse[from] = to;
    sorted = indices(order, input);
    unsorted = indices(inverse, input);
    padded = padded.indexSelect(1, sorted);
    given = order.map((i) => given[i] as number);
  }
  if (given.some((n, i) => i > 0 && n > (given[i - 1] as number))) {
    throw new RuntimeError(
      `packPaddedSequence: lengths ${formatShape(given)} must be sorted in decreasing order when enforceSorted is true; pass enforceSorted: false`,
    );
  }
  const sizes = Array.from(
    { length: given[0] as number },
    (_, t) => given.filter((n) => n > t).length,
  );
  const rows = [...runs(sizes)].map((run) =>
    padded.narrow(0, run.start, run.steps).narrow(1, 0, run.size).flatten(0, 1),
  );
  return new PackedSequence(cat(rows), indices(sizes), sorted, unsorted);
}

/**
 * The padded sequences of a packed one, in their first order, and their lengths.
 *
 * @throws ValueError if `totalLength` is less than the longest length.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_packed_sequence.html
 */
export function padPackedSequence(
  sequence: PackedSequence,
  options: PadPackedOptions = {},
): [padded: Tensor, lengths: Tensor] {
  takes('padPackedSequence', signatures.padPackedSequence, arguments);
  const { batchFirst = false, paddingValue = 0 } = options;
  const { data, unsortedIndices } = sequence;
  const sizes = sequence.sizes();
  const batch = sizes[0] as number;
  const total = options.totalLength ?? sizes.length;
  if (total < sizes.length) {
    throw new ValueError(
      `padPackedSequence: Expected total_length to be at least the length of the longest sequence in input, but got total_length=${total} and max sequence length being ${sizes.length}`,
    );
  }
  const rest = data.shape.slice(1);
  const filler = (steps: number, count: number): Tensor =>
    full([steps, count, ...rest], paddingValue, { dtype: data.dtype, device: data.device });
  const blocks: Tensor[] = [];
  let at = 0;
  for (const { steps, size } of runs(sizes)) {
    const block = data.narrow(0, at, steps * size).reshape([steps, size, ...rest]);
    blocks.push(size === batch ? block : cat([block, filler(steps, batch - size)], 1));
    at += steps * size;
  }
  if (total > sizes.length) blocks.push(filler(total - sizes.length, batch));
  let padded = cat(blocks);
  let lengths = indices(
    Array.from({ length: batch }, (_, i) => sizes.filter((size) => size > i).length),
  );
  if (unsortedIndices) {
    padded = padded.indexSelect(1, unsortedIndices);
    lengths = indices(numbers(unsortedIndices).map((i) => numbers(lengths)[i] as number));
  }
  return [batchFirst ? transpose(padded, 0, 1) : padded, lengths];
}

/**
 * Sequences [length, ...] of several lengths as one tensor [longest, N, ...], padded at their ends.
 *
 * @throws RuntimeError if there are none.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pad_sequence.html
 */
export function padSequence(
  sequences: readonly Tensor[],
  options: PadSequenceOptions = {},
): Tensor {
  takes('padSequence', signatures.padSequence, arguments);
  const { batchFirst = false, paddingValue = 0 } = options;
  const [first] = sequences;
  if (!first) {
    throw new RuntimeError('padSequence: expected at least one sequence, got an empty list');
  }
  const longest = Math.max(...sequences.map((s) => s.size(0)));
  const batchDim = batchFirst ? 0 : 1;
  const columns = sequences.map((s) => {
    const missing = longest - s.size(0);
    const { dtype, device } = s;
    const filler = (): Tensor =>
      full([missing, ...s.shape.slice(1)], paddingValue, { dtype, device });
    return (missing === 0 ? s : cat([s, filler()])).unsqueeze(batchDim);
  });
  return cat(columns, batchDim);
}

/**
 * Packs sequences [length, ...] of several lengths.
 *
 * @throws RuntimeError if lengths do not descend, with `enforceSorted` (the default).
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.pack_sequence.html
 */
export const packSequence = checking(
  'packSequence',
  signatures.packSequence,
  (sequences: readonly Tensor[], options: { enforceSorted?: boolean } = {}): PackedSequence =>
    packPaddedSequence(
      padSequence(sequences),
      sequences.map((s) => s.size(0)),
      options,
    ),
);

/**
 * The sequences in a padded tensor [L, N, ...], each without what stands behind its end: views, one for each of `lengths`.
 *
 * @throws RuntimeError if there is not one length a sequence, or one is longer than the tensor.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpad_sequence.html
 * @example const [first] = unpadSequence(padded, [3, 2], { batchFirst: true });
 */
export function unpadSequence(
  padded: Tensor,
  lengths: Tensor | readonly number[],
  options: { batchFirst?: boolean } = {},
): Tensor[] {
  takes('unpadSequence', signatures.unpadSequence, arguments);
  const rows = options.batchFirst ? padded : transpose(padded, 0, 1);
  const known = numbers(lengths);
  const [count, longest] = rows.shape as [number, number];
  if (known.length !== count || known.some((length) => length > longest)) {
    throw new RuntimeError(
      `unpadSequence: lengths [${known.join(', ')}] do not fit ${count} sequences of ${longest} elements`,
    );
  }
  return known.map((length, i) => rows.select(0, i).narrow(0, 0, length));
}

/**
 * The sequences that a packed one holds, in the order in which they were given: the opposite of `packSequence`.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.nn.utils.rnn.unpack_sequence.html
 * @example const [a, b] = unpackSequence(packSequence([x, y]));
 */
export function unpackSequence(packed: PackedSequence): Tensor[] {
  takes('unpackSequence', signatures.unpackSequence, arguments);
  const [padded, lengths] = padPackedSequence(packed, { batchFirst: true });
  return unpadSequence(padded, lengths, { batchFirst: true });
}
