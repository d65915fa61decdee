import { formatShape, IndexError, RuntimeError } from './errors.js';

/** The number of elements of a shape; 1 for a scalar. */
export function numel(shape: readonly number[]): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i] as number;
  // Past all numbers a size of 0 gives NaN.
  return Number.isNaN(n) && shape.includes(0) ? 0 : n;
}

/** Row-major strides, in elements; dimensions of size 0 count as 1, as PyTorch does. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= Math.max(shape[i] as number, 1);
  }
  return strides;
}

/** Whether the strides are the row-major ones, dimensions of size 1 aside. */
export function isContiguous(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i] as number;
    if (size === 0) return true;
    if (size !== 1 && strides[i] !== step) return false;
    step *= size;
  }
  return true;
}

/** How many elements of memory lie from the first to the last one that is shown; 0 if none is. */
export function span(shape: readonly number[], strides: readonly number[]): number {
  let length = 1;
  for (let d = 0; d < shape.length; d++) {
    const size = shape[d] as number;
    if (size === 0) return 0;
    length += (size - 1) * (strides[d] as number);
  }
  return length;
}

/** Whether every element lies in memory once, without gaps, in whatever order of the dimensions. */
export function isDense(shape: readonly number[], strides: readonly number[]): boolean {
  const dims = shape
    .map((size, d) => [strides[d] as number, size] as const)
    .filter(([, size]) => size !== 1)
    .sort(([a], [b]) => a - b);
  let step = 1;
  for (const [stride, size] of dims) {
    if (size === 0) return true;
    if (stride !== step) return false;
    step *= size;
  }
  return true;
}

/** Whether two positions may show the same element. */
export function mayOverlap(shape: readonly number[], strides: readonly number[]): boolean {
  if (shape.includes(0) || isContiguous(shape, strides)) return false;
  const dims = shape
    .map((size, i) => [strides[i] as number, size] as const)
    .filter(([, size]) => size > 1)
    .sort(([a], [b]) => a - b);
  let reach = 0;
  for (const [stride, size] of dims) {
    if (stride <= reach) return true;
    reach += stride * (size - 1);
  }
  return false;
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * The shape to which all broadcast together.
 *
 * @throws RuntimeError where two sizes differ and neither is 1.
 * @see https://pytorch.org/docs/stable/notes/broadcasting.html
 */
export function broadcastShapes(
  operation: string,
  ...shapes: readonly (readonly number[])[]
): number[] {
  let result: number[] = [...(shapes[0] ?? [])];
  for (let s = 1; s < shapes.length; s++) {
    const b = shapes[s] as readonly number[];
    if (sameShape(result, b)) continue;
    const rank = Math.max(result.length, b.length);
    const merged = new Array<number>(rank);
    for (let i = 0; i < rank; i++) {
      const x = result[result.length - rank + i] ?? 1;
      const y = b[b.length - rank + i] ?? 1;
      if (x !== y && x !== 1 && y !== 1) {
        throw new RuntimeError(
          `${operation}: the size of tensor a (${x}) must match the size of tensor b (${y}) at non-singleton dimension ${i} (shapes ${formatShape(result)} and ${formatShape(b)})`,
        );
      }
      merged[i] = x === 1 ? y : x;
    }
    result = merged;
  }
  return result;
}

/**
 * A dimension counted from the front, from one that may count from the back.
 *
 * @throws IndexError if it is out of range; a scalar has the dimensions -1 and 0.
 */
export function normalizeDim(operation: string, dim: number, rank: number): number {
  const n = Math.max(rank, 1);
  if (!Number.isInteger(dim) || dim < -n || dim >= n) {
    throw new IndexError(
      `${operation}: Dimension out of range (expected to be in range of [${-n}, ${n - 1}], but got ${dim})`,
    );
  }
  return dim < 0 ? dim + n : dim;
}

/** As `normalizeDim`, of a tensor that must have dimensions. @throws IndexError if it is out of range. */
export function existingDim(operation: string, dim: number, rank: number): number {
  const d = normalizeDim(operation, dim, rank);
  if (rank > 0) return d;
  throw new IndexError(`${operation}: Dimension specified as ${dim} but tensor has no dimensions`);
}

/**
 * Several dimensions, ascending; all of them if none is given.
 *
 * @throws RuntimeError if one appears twice.
 */
export function normalizeDims(
  operation: string,
  dims: number | readonly number[] | undefined | null,
  rank: number,
): number[] {
  if (dims === undefined || dims === null) return Array.from({ length: rank }, (_, i) => i);
  const list = (typeof dims === 'number' ? [dims] : dims).map((d) =>
    normalizeDim(operation, d, rank),
  );
  list.forEach((d, i) => {
    if (list.indexOf(d) !== i) {
      throw new RuntimeError(`${operation}: dim ${d} appears multiple times in the list of dims`);
    }
  });
  return list.sort((a, b) => a - b);
}

/**
 * A requested shape with its -1, if any, filled in.
 *
 * @throws RuntimeError if the number of elements cannot fit.
 */
export function inferShape(operation: string, shape: readonly number[], count: number): number[] {
  const result = [...shape];
  let unknown = -1;
  let known = 1;
  shape.forEach((size, i) => {
    if (size === -1) {
      if (unknown >= 0) throw new RuntimeError(`${operation}: only one dimension can be inferred`);
      unknown = i;
    } else if (size < 0 || !Number.isInteger(size)) {
      throw new RuntimeError(`${operation}: invalid shape dimension ${size}`);
    } else known *= size;
  });
  const fail = () => {
    throw new RuntimeError(
      `${operation}: shape '${formatShape(shape)}' is invalid for input of size ${count}`,
    );
  };
  if (unknown >= 0) {
    if (known === 0) {
      throw new RuntimeError(
        `${operation}: cannot reshape tensor of 0 elements into shape ${formatShape(shape)} because the unspecified dimension size -1 can be any value and is ambiguous`,
      );
    }
    if (count % known !== 0) fail();
    result[unknown] = count / known;
  } else if (known !== count) fail();
  return result;
}

/** Whether several positions share an element, as those of an expanded tensor do. */
export function repeats(shape: readonly number[], strides: readonly number[]): boolean {
  for (let d = 0; d < shape.length; d++) {
    if (strides[d] === 0 && (shape[d] as number) > 1) return !shape.includes(0);
  }
  return false;
}

/** Strides that show `shape`/`strides` as `target` without a copy; undefined if there are none. */
export function viewStrides(
  shape: readonly number[],
  strides: readonly number[],
  target: readonly number[],
): number[] | undefined {
  if (numel(shape) === 0)
    return sameShape(shape, target) ? [...strides] : contiguousStrides(target);
  // Runs of old dimensions that lie in one piece, back to front; the last dimension begins the first
  // one whatever its size, others of size 1 have no say.
  const runs = [{ size: shape.at(-1) ?? 1, step: strides.at(-1) ?? 1 }];
  for (let i = shape.length - 2; i >= 0; i--) {
    const size = shape[i] as number;
    const step = strides[i] as number;
    if (size === 1) continue;
    const last = runs.at(-1) as { size: number; step: number };
    if (step === last.step * last.size) last.size *= size;
    else runs.push({ size, step });
  }
  const result = new Array<number>(target.length);
  let t = target.length - 1;
  for (const { size, step } of runs) {
    let filled = 1;
    for (; t >= 0 && (filled < size || target[t] === 1); t--) {
      result[t] = filled * step;
      filled *= target[t] as number;
    }
    if (filled !== size) return undefined;
  }
  return result;
}
