import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { normalizeDim, normalizeDims } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { add, div, mul, sub } from './binary.js';
import { cat } from './join.js';
import { narrow, reshape } from './view.js';

/** Options of `gradient`. */
export interface GradientOptions {
  /**
   * The distance of neighbours (default 1): one for all dimensions, one for each, or for each the coordinates as a vector.
   */
  spacing?: number | readonly number[] | readonly Tensor[] | null;
  /** The dimensions; default all. */
  dim?: number | readonly number[] | null;
  /** The order of accuracy at the ends, 1 (default) or 2. */
  edgeOrder?: 1 | 2 | number;
}

/** A number or a tensor of coefficients. */
type Factor = number | Tensor;

/** A sum of neighbours with coefficients. */
const combine = (terms: readonly (readonly [Tensor, Factor])[]): Tensor =>
  terms.map(([x, c]) => mul(x, c)).reduce((a, b) => add(a, b));

function along(self: Tensor, d: number, spacing: number | Tensor, edgeOrder: number): Tensor {
  const n = self.shape[d] as number;
  if (n < edgeOrder + 1) {
    throw new RuntimeError(
      `gradient: each dimension size must be at least edge_order+1 = ${edgeOrder + 1}, got ${formatShape(self.shape)}`,
    );
  }
  const part = (start: number, length: number) => narrow(self, d, start, length);
  if (typeof spacing === 'number') {
    const step = (a: number) => div(sub(part(a + 1, 1), part(a, 1)), spacing);
    const edge = (a: number, b: number, c: number, sign: number) =>
      div(
        combine([
          [part(a, 1), -1.5 * sign],
          [part(b, 1), 2 * sign],
          [part(c, 1), -0.5 * sign],
        ]),
        spacing,
      );
    const first = edgeOrder === 1 ? step(0) : edge(0, 1, 2, 1);
    const last = edgeOrder === 1 ? step(n - 2) : edge(n - 1, n - 2, n - 3, -1);
    const middle = div(sub(part(2, n - 2), part(0, n - 2)), 2 * spacing);
    return cat([first, middle, last], d);
  }
  if (spacing.shape.length !== 1 || spacing.shape[0] !== n) {
    throw new RuntimeError(
      `gradient: expected ${n} coordinates for dimension ${d}, got ${formatShape(spacing.shape)}`,
    );
  }
  const column = self.shape.map((_, i) => (i === d ? n - 1 : 1));
  const steps = reshape(sub(narrow(spacing, 0, 1, n - 1), narrow(spacing, 0, 0, n - 1)), column);
  const at = (start: number, length = 1) => narrow(steps, d, start, length);
  const [before, after] = [at(0, n - 2), at(1, n - 2)];
  const both = add(before, after);
  const middle = combine([
    [part(0, n - 2), div(after, mul(before, both)).neg()],
    [part(1, n - 2), div(sub(after, before), mul(before, after))],
    [part(2, n - 2), div(before, mul(after, both))],
  ]);
  if (edgeOrder === 1) {
    const first = div(sub(part(1, 1), part(0, 1)), at(0));
    const last = div(sub(part(n - 1, 1), part(n - 2, 1)), at(n - 2));
    return cat([first, middle, last], d);
  }
  /** The slope at an end from the three points there: `near` and `far` are the distances from it on. */
  const edge = (points: readonly [number, number, number], near: Tensor, far: Tensor) => {
    const total = add(near, far);
    return combine([
      [part(points[0], 1), div(add(near, total), mul(near, total)).neg()],
      [part(points[1], 1), div(total, mul(near, far))],
      [part(points[2], 1), div(near, mul(far, total)).neg()],
    ]);
  };
  const first = edge([0, 1, 2], at(0), at(1));
  const last = edge([n - 1, n - 2, n - 3], at(n - 2), at(n - 3)).neg();
  return cat([first, middle, last], d);
}

/**
 * Estimates of the derivative of sampled values along dimensions, by central differences; one tensor for each dimension.
 *
 * @throws RuntimeError if a dimension is too short, or spacings do not fit the dimensions.
 * @see https://pytorch.org/docs/stable/generated/torch.gradient.html
 * @example gradient(tensor([1, 2, 4, 8]))[0] // tensor([1.0000, 1.5000, 3.0000, 4.0000])
 */
export const gradient = explaining(
  'gradient',
  (self: Tensor, options: GradientOptions = {}): Tensor[] => {
    const { spacing, dim, edgeOrder = 1 } = options;
    if (edgeOrder !== 1 && edgeOrder !== 2) {
      throw new RuntimeError(
        `gradient: only supports edge_order=1 and edge_order=2, got ${edgeOrder}`,
      );
    }
    if (self.dtype === 'uint8')
      throw new RuntimeError('gradient: torch.gradient does not support uint8 input.');
    const rank = self.shape.length;
    normalizeDims('gradient', dim, rank);
    const dims =
      dim === undefined || dim === null
        ? self.shape.map((_, d) => d)
        : [dim].flat().map((d: number) => normalizeDim('gradient', d, rank));
    const distances: readonly (number | Tensor)[] =
      spacing === undefined || spacing === null
        ? dims.map(() => 1)
        : typeof spacing === 'number'
          ? dims.map(() => spacing)
          : spacing;
    if (distances.length !== dims.length) {
      throw new RuntimeError(
        `gradient: expected spacing to be unspecified, a scalar or a list of length ${dims.length}, got a list of length ${distances.length}`,
      );
    }
    return dims.map((d, i) => along(self, d, distances[i] as number | Tensor, edgeOrder));
  },
);
