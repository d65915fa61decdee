import { formatShape, RuntimeError } from '../errors.js';
import { existingDim, numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { mm } from './matmul.js';
import { checkDtypes } from './product-dtypes.js';
import { sum } from './reduce.js';
import { permute, reshape } from './view.js';
import { writing } from './writing.js';

/**
 * Sums of products over chosen dimensions of both: the last n and first n, or two lists. A contracted size of 1 broadcasts.
 *
 * @throws RuntimeError if the sizes or the dtypes differ, or there are not so many dimensions; IndexError for one that there is not.
 * @see https://pytorch.org/docs/stable/generated/torch.tensordot.html
 * @example tensordot(ones([2, 3, 4]), ones([4, 3, 5]), [[1, 2], [1, 0]]).shape // [2, 5]
 */
export const tensordot = writing(
  'tensordot',
  (
    self: Tensor,
    other: Tensor,
    dims: number | readonly [readonly number[], readonly number[]] = 2,
  ): Tensor => {
    const [n, m] = [self.shape.length, other.shape.length];
    if (typeof dims === 'number' && !(Number.isInteger(dims) && dims >= 0)) {
      throw new RuntimeError(`tensordot: expected dims to be a whole number >= 0, but got ${dims}`);
    }
    if (typeof dims === 'number' && dims > Math.min(n, m)) {
      throw new RuntimeError(
        `tensordot: expected dims to be at most the number of dimensions, but got ${dims} for shapes ${formatShape(self.shape)} and ${formatShape(other.shape)}`,
      );
    }
    const named = (list: readonly number[], rank: number) =>
      list.map((d) => existingDim('tensordot', d, rank));
    const left =
      typeof dims === 'number'
        ? Array.from({ length: dims }, (_, i) => n - dims + i)
        : named(dims[0], n);
    const right =
      typeof dims === 'number' ? Array.from({ length: dims }, (_, i) => i) : named(dims[1], m);
    if (left.length !== right.length)
      throw new RuntimeError('tensordot: both dimension lists should have same length');
    checkDtypes('tensordot', self, other);
    for (const list of [left, right]) {
      const twice = list.find((d, i) => list.indexOf(d) !== i);
      if (twice === undefined) continue;
      throw new RuntimeError(`tensordot: dim ${twice} appears multiple times in the list of dims`);
    }
    // Where one side repeats a single element, the other can be summed first.
    const [onlySelf, onlyOther]: [number[], number[]] = [[], []];
    left.forEach((d, i) => {
      const e = right[i] as number;
      const [a, b] = [self.shape[d], other.shape[e]];
      if (a === b) return;
      if (b === 1) onlySelf.push(d);
      else if (a === 1) onlyOther.push(e);
      else {
        throw new RuntimeError(
          `tensordot: contracted dimensions need to match, but first has size ${a} in dim ${d} and second has size ${b} in dim ${e}`,
        );
      }
    });
    const summed = (x: Tensor, over: readonly number[]) =>
      over.length === 0 ? x : sum(x, over, { keepdim: true, dtype: x.dtype });
    const [first, second] = [summed(self, onlySelf), summed(other, onlyOther)];
    const freeLeft = first.shape.map((_, d) => d).filter((d) => !left.includes(d));
    const freeRight = second.shape.map((_, d) => d).filter((d) => !right.includes(d));
    const sizes = (x: Tensor, ds: readonly number[]) => ds.map((d) => x.shape[d] as number);
    const k = numel(sizes(first, left));
    const a = reshape(permute(first, [...freeLeft, ...left]), [numel(sizes(first, freeLeft)), k]);
    const b = reshape(permute(second, [...right, ...freeRight]), [
      k,
      numel(sizes(second, freeRight)),
    ]);
    return reshape(mm(a, b), [...sizes(first, freeLeft), ...sizes(second, freeRight)]);
  },
);
