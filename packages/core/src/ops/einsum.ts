import { takes } from '../arguments.js';
import { promoteTypes } from '../dtype.js';
import { RuntimeError } from '../errors.js';
import { numel } from '../shape.js';
import { signatures } from '../signatures.js';
import { Tensor } from '../tensor.js';
import { to } from './copy.js';
import { bmm } from './matmul.js';
import { sum } from './reduce.js';
import { diagonal, movedim, permute, reshape, squeeze, unsqueeze } from './view.js';

/** A tensor whose dimensions are named by labels, one each. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/** Labels of one operand: letters, with an ellipsis as numbered labels aligned from the right. */
function labelsOf(term: string, rank: number | undefined, ellipsisRank: number): string[] {
  const parts = term.split('...');
  if (parts.length > 2)
    throw new RuntimeError(
      `einsum: found '.' for operand '${term}' that is not part of any ellipsis`,
    );
  const letters = parts.map((p) => [...p.replaceAll(' ', '')]);
  for (const letter of letters.flat()) {
    if (!/^[a-zA-Z]$/.test(letter))
      throw new RuntimeError(
        `einsum: invalid subscript given: '${letter}', subscripts must be in [a-zA-Z]`,
      );
  }
  const [before, after] = letters as [string[], string[] | undefined];
  if (after === undefined) {
    if (rank !== undefined && before.length !== rank) {
      throw new RuntimeError(
        `einsum: the number of subscripts in the equation (${before.length}) does not match the number of dimensions (${rank}) for operand '${term}'`,
      );
    }
    return before;
  }
  const covered = rank === undefined ? ellipsisRank : rank - before.length - after.length;
  if (covered < 0)
    throw new RuntimeError(
      `einsum: the number of subscripts in the equation is more than the number of dimensions (${rank}) for operand '${term}'`,
    );
  return [
    ...before,
    ...Array.from({ length: covered }, (_, i) => `...${ellipsisRank - covered + i}`),
    ...after,
  ];
}

/** An operand with each label once: repeated ones are diagonals. */
function withoutRepeats({ tensor, labels }: Labelled): Labelled {
  const first = labels.findIndex((l, i) => labels.indexOf(l) !== i);
  if (first < 0) return { tensor, labels };
  const label = labels[first] as string;
  const other = labels.indexOf(label);
  if (tensor.shape[other] !== tensor.shape[first]) {
    throw new RuntimeError(
      `einsum: subscript ${label} is repeated but the sizes don't match, ${tensor.shape[first]} != ${tensor.shape[other]}`,
    );
  }
  const taken = movedim(diagonal(tensor, { dim1: other, dim2: first }), -1, other);
  return withoutRepeats({ tensor: taken, labels: labels.filter((_, i) => i !== first) });
}

/** Sums away the labels nobody else needs. */
function summed({ tensor, labels }: Labelled, keep: ReadonlySet<string>): Labelled {
  const axes = labels.map((l, i) => (keep.has(l) ? -1 : i)).filter((i) => i >= 0);
  if (axes.length === 0) return { tensor, labels };
  return { tensor: sum(tensor, axes), labels: labels.filter((l) => keep.has(l)) };
}

/** Dimensions in the order of `order`, size 1 where a label is missing. */
function aligned({ tensor, labels }: Labelled, order: readonly string[]): Tensor {
  const own = order.filter((l) => labels.includes(l));
  let result = permute(
    tensor,
    own.map((l) => labels.indexOf(l)),
  );
  order.forEach((l, i) => {
    if (!labels.includes(l)) result = unsqueeze(result, i);
  });
  return result;
}

/** Two operands into one, over the labels that are not in `keep`, by one batched matrix product. */
function contract(a: Labelled, b: Labelled, keep: ReadonlySet<string>): Labelled {
  const size = (label: string): number => {
    const of = (x: Labelled) => x.tensor.shape[x.labels.indexOf(label)] ?? 1;
    return Math.max(of(a), of(b)) === 1 ? Math.min(of(a), of(b)) : of(a) === 1 ? of(b) : of(a);
  };
  const shared = a.labels.filter((l) => b.labels.includes(l));
  const batch = shared.filter((l) => keep.has(l));
  const inner = shared.filter((l) => !keep.has(l));
  const left = a.labels.filter((l) => !shared.includes(l));
  const right = b.labels.filter((l) => !shared.includes(l));
  const sizes = (labels: readonly string[]) => labels.map(size);
  const matrix = (x: Labelled, groups: readonly (readonly string[])[]): Tensor => {
    const order = groups.flat();
    const full = aligned(x, order).expand(sizes(order));
    return reshape(
      full,
      groups.map((g) => numel(sizes(g))),
    );
  };
  // Integers that were summed before are int64 already.
  const dtype = promoteTypes(a.tensor.dtype, b.tensor.dtype);
  const product = bmm(
    to(matrix(a, [batch, left, inner]), dtype),
    to(matrix(b, [batch, inner, right]), dtype),
  );
  const labels = [...batch, ...left, ...right];
  return { tensor: reshape(product, sizes(labels)), labels };
}

/** A list of labels in the form without an equation: numbers from 0 to 51, and `'...'` for an ellipsis. */
export type Sublist = readonly (number | '...')[];

/** The equation that operands followed by their lists of labels stand for, and the operands. */
function fromSublists(items: readonly (Tensor | Sublist)[]): [string, Tensor[]] {
  const term = (list: Sublist) =>
    list
      .map((label) => {
        if (label === '...') return label;
        if (!(Number.isInteger(label) && label >= 0 && label < 52)) {
          throw new RuntimeError(
            `einsum: expected subscripts to be within [0, 52), but got ${String(label)}`,
          );
        }
        return String.fromCharCode(label < 26 ? 65 + label : 71 + label);
      })
      .join('');
  const tensors = items.filter((x): x is Tensor => x instanceof Tensor);
  const lists = items.filter((x): x is Sublist => !(x instanceof Tensor)).map(term);
  const ordered = items.every(
    (x, i) => i === items.length - 1 || x instanceof Tensor === (i % 2 === 0),
  );
  const extra = lists.length - tensors.length;
  if (!ordered || extra < 0 || extra > 1) {
    throw new RuntimeError(
      'einsum: expected each operand to be followed by a list of its labels, and at most one list for the result behind them',
    );
  }
  const inputs = lists.slice(0, tensors.length).join(',');
  return [extra === 1 ? `${inputs}->${lists.at(-1)}` : inputs, tensors];
}

/**
 * Sums of products in Einstein's notation: `'ij,jk->ik'` is a matrix product, `'...ii->...i'` takes diagonals.
 *
 * In place of an equation each operand may be followed by a list of its labels, numbers from 0 to 51, and the labels of
 * the result come last.
 *
 * @throws RuntimeError if the equation does not fit the operands.
 * @see https://pytorch.org/docs/stable/generated/torch.einsum.html
 * @example einsum('bij,bjk->bik', x, y); einsum(x, [0, 1], y, [1, 2], [0, 2])
 */
export function einsum(equation: string, ...operands: Tensor[] | [readonly Tensor[]]): Tensor;
export function einsum(operand: Tensor, labels: Sublist, ...rest: (Tensor | Sublist)[]): Tensor;
export function einsum(
  first: string | Tensor,
  ...operands: (Tensor | Sublist)[] | [readonly Tensor[]]
): Tensor {
  takes('einsum', signatures.einsum, arguments);
  if (typeof first !== 'string') {
    const [equation, tensors] = fromSublists([first, ...operands] as (Tensor | Sublist)[]);
    return contracted(equation, tensors);
  }
  const list = operands.length === 1 && Array.isArray(operands[0]) ? operands[0] : operands;
  return contracted(first, list as readonly Tensor[]);
}

function contracted(equation: string, tensors: readonly Tensor[]): Tensor {
  const [inputs = '', output] = equation.replaceAll(' ', '').split('->');
  const terms = inputs.split(',');
  if (terms.length !== tensors.length) {
    throw new RuntimeError(
      `einsum: ${terms.length} operands were named in the equation '${equation}', but ${tensors.length} were provided`,
    );
  }
  const covered = terms.map((term, i) =>
    term.includes('...') ? (tensors[i] as Tensor).shape.length - term.replace('...', '').length : 0,
  );
  const ellipsisRank = Math.max(0, ...covered);
  let items = tensors.map(
    (tensor, i): Labelled =>
      withoutRepeats({
        tensor,
        labels: labelsOf(terms[i] as string, tensor.shape.length, ellipsisRank),
      }),
  );
  checkSizes(items);
  const all = items.flatMap((x) => x.labels);
  const result =
    output === undefined
      ? implicitOutput([...inputs.replaceAll(/[^a-zA-Z]/g, '')], ellipsisRank)
      : labelsOf(output, undefined, ellipsisRank);
  for (const label of result) {
    if (!all.includes(label))
      throw new RuntimeError(
        `einsum: output subscript ${label} does not appear in the equation for any input operand`,
      );
    if (result.indexOf(label) !== result.lastIndexOf(label)) {
      throw new RuntimeError(
        `einsum: output subscript ${label} appears more than once in the output`,
      );
    }
  }
  while (items.length > 1) {
    const [a, b, ...rest] = items as [Labelled, Labelled, ...Labelled[]];
    const later = new Set([...result, ...rest.flatMap((x) => x.labels)]);
    const keepA = new Set([...later, ...b.labels]);
    const keepB = new Set([...later, ...a.labels]);
    items = [contract(summed(a, keepA), summed(b, keepB), later), ...rest];
  }
  const last = summed(items[0] as Labelled, new Set(result));
  const final = aligned(last, result);
  return final.shape.length === result.length ? final : squeeze(final);
}

/** Without `->`: the ellipsis, then letters that appear once in all, in alphabetical order. */
function implicitOutput(all: readonly string[], ellipsisRank: number): string[] {
  const letters = all.filter((l) => all.indexOf(l) === all.lastIndexOf(l)).sort();
  return [...Array.from({ length: ellipsisRank }, (_, i) => `...${i}`), ...letters];
}

function checkSizes(items: readonly Labelled[]): void {
  const sizes = new Map<string, number>();
  items.forEach(({ tensor, labels }, k) => {
    labels.forEach((label, i) => {
      const size = tensor.shape[i] as number;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size) {
        throw new RuntimeError(
          `einsum: operands do not broadcast with remapped shapes: subscript ${label} has size ${size} for operand ${k} which does not broadcast with previously seen size ${known}`,
        );
      }
      sizes.set(label, Math.max(known, size) === 1 ? size : known === 1 ? size : known);
    });
  });
}
