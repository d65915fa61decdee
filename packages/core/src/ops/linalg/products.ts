import { formatShape, RuntimeError } from '../../errors.js';
import { normalizeDim } from '../../shape.js';
import type { Tensor } from '../../tensor.js';
import { mul, sub } from '../binary.js';
import { eye } from '../create.js';
import { matmul } from '../matmul.js';
import { roll } from '../rearrange.js';
import { sum } from '../reduce.js';
import { reshape, unsqueeze } from '../view.js';
import { writing } from '../writing.js';
import { checkSquare } from './checks.js';
import { inv } from './solve.js';

/**
 * The sums of products of two tensors along a dimension (default the last).
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.vecdot.html
 */
export const vecdot = writing(
  'linalg.vecdot',
  (x: Tensor, y: Tensor, options: { dim?: number } = {}): Tensor => {
    if (x.dtype !== y.dtype) {
      throw new RuntimeError(
        `linalg.vecdot: Expected vectors of the same dtype, got ${x.dtype} and ${y.dtype}`,
      );
    }
    const product = mul(x, y);
    return sum(product, options.dim ?? -1, { dtype: product.dtype });
  },
);

/** The cost of multiplying chains of matrices, and where each is best cut, by dynamic programming. */
function bestCuts(sizes: readonly number[]): number[][] {
  const n = sizes.length - 1;
  const cost = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const cut = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const at = (table: number[][], i: number, j: number) => (table[i] as number[])[j] as number;
  for (let length = 1; length < n; length++) {
    for (let i = 0; i + length < n; i++) {
      const j = i + length;
      let best = Infinity;
      for (let k = i; k < j; k++) {
        const own = (sizes[i] as number) * (sizes[k + 1] as number) * (sizes[j + 1] as number);
        const total = at(cost, i, k) + at(cost, k + 1, j) + own;
        if (total < best) {
          best = total;
          (cut[i] as number[])[j] = k;
        }
      }
      (cost[i] as number[])[j] = best;
    }
  }
  return cut;
}

/**
 * The product of a chain of matrices in the cheapest order; the first and the last may be vectors.
 *
 * @throws RuntimeError for fewer than two tensors, or others of a dimension that is not 2.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html
 */
export const multiDot = writing('linalg.multiDot', (tensors: readonly Tensor[]): Tensor => {
  const n = tensors.length;
  if (n < 2) throw new RuntimeError(`linalg.multiDot: expected at least 2 tensors but got ${n}`);
  const [first, last] = [tensors[0] as Tensor, tensors[n - 1] as Tensor];
  const matrices = tensors.map((t, i) => {
    if (i === 0 && t.shape.length === 1) return unsqueeze(t, 0);
    if (i === n - 1 && t.shape.length === 1) return unsqueeze(t, 1);
    if (t.shape.length !== 2) {
      throw new RuntimeError(
        `linalg.multiDot: tensor ${i} must be 2D${i === 0 || i === n - 1 ? ' or 1D' : ''}, got ${formatShape(t.shape)}`,
      );
    }
    return t;
  });
  const sizes = [
    ...matrices.map((t) => t.shape[0] as number),
    (matrices[n - 1] as Tensor).shape[1] as number,
  ];
  const cuts = bestCuts(sizes);
  const product = (i: number, j: number): Tensor => {
    if (i === j) return matrices[i] as Tensor;
    const k = (cuts[i] as number[])[j] as number;
    return matmul(product(i, k), product(k + 1, j));
  };
  const result = product(0, n - 1);
  const vectors = [first.shape.length === 1, last.shape.length === 1];
  return vectors.some(Boolean)
    ? reshape(
        result,
        result.shape.filter((_, d) => !vectors[d]),
      )
    : result;
});

/**
 * Square matrices to the power `n`, by repeated squaring; negative powers are those of the inverse.
 *
 * @throws RuntimeError if the matrices are not square; LinAlgError if they are singular and `n` is negative.
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.matrix_power.html
 */
export const matrixPower = writing(
  'linalg.matrixPower',
  (self: Tensor, n: number): Tensor => {
    checkSquare('linalg.matrixPower', self);
    const size = self.shape.at(-1) as number;
    if (!Number.isInteger(n))
      throw new RuntimeError(`linalg.matrixPower: n must be whole, got ${n}`);
    if (n < 0) return matrixPower(inv(self), -n);
    let square = self;
    let result: Tensor | undefined;
    for (let left = n; left > 0; left = Math.floor(left / 2)) {
      if (left % 2 === 1) result = result ? matmul(result, square) : square;
      if (left > 1) square = matmul(square, square);
    }
    if (n === 1) return self.clone();
    // The zeroth power stays in the graph, as in PyTorch, though nothing flows through it.
    return (
      result ?? self.clone().copy_(eye(size, size, { dtype: self.dtype, device: self.device }))
    );
  },
  'castable',
);

const crossAlong = (self: Tensor, other: Tensor, d: number): Tensor =>
  sub(mul(roll(self, -1, d), roll(other, -2, d)), mul(roll(self, -2, d), roll(other, -1, d)));

function checkCross(operation: string, self: Tensor, other: Tensor, d: number): void {
  if (self.shape.length !== other.shape.length) {
    throw new RuntimeError(
      `${operation}: inputs must have the same number of dimensions, got ${formatShape(self.shape)} and ${formatShape(other.shape)}`,
    );
  }
  if (self.shape[d] !== 3 || other.shape[d] !== 3) {
    throw new RuntimeError(
      `${operation}: inputs dimension ${d} must have length 3. Got ${self.shape[d]} and ${other.shape[d]}`,
    );
  }
}

/**
 * The cross products of vectors of three along a dimension (default the last); the others broadcast.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.linalg.cross.html
 * @example linalg.cross(tensor([1, 0, 0]), tensor([0, 1, 0])) // tensor([0., 0., 1.])
 */
export const cross = writing(
  'linalg.cross',
  (self: Tensor, other: Tensor, options: { dim?: number } = {}): Tensor => {
    const d = normalizeDim('linalg.cross', options.dim ?? -1, self.shape.length);
    checkCross('linalg.cross', self, other, d);
    return crossAlong(self, other, d);
  },
);

/** As `linalg.cross`, by default along the first dimension of size 3. */
export const crossOfFirst = writing(
  'cross',
  (self: Tensor, other: Tensor, dim?: number | null): Tensor => {
    const found =
      dim === undefined || dim === null
        ? self.shape.indexOf(3)
        : normalizeDim('cross', dim, self.shape.length);
    if (found < 0) throw new RuntimeError('cross: no dimension of size 3 in input');
    checkCross('cross', self, other, found);
    return crossAlong(self, other, found);
  },
);
