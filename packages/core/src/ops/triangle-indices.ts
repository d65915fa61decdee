import type { DeviceLike } from '../device.js';
import { type DType, typedArray } from '../dtype.js';
import { checkInteger, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import type { Tensor } from '../tensor.js';
import { fromTypedArray } from './create.js';

/** Options of `trilIndices` and `triuIndices`. */
export interface TriangleOptions {
  /** The diagonal up to which (or from which) elements count; default 0. */
  offset?: number;
  /** int64 (default) or int32. */
  dtype?: DType;
  device?: DeviceLike;
}

function triangle(
  operation: string,
  rows: number,
  columns: number,
  options: TriangleOptions,
  span: (row: number, offset: number) => readonly [from: number, to: number],
): Tensor {
  const { offset = 0, dtype = 'int64' } = options;
  checkInteger(operation, 'rows', 0, rows);
  checkInteger(operation, 'columns', 1, columns);
  checkInteger(operation, 'offset', 2, offset);
  if (rows * columns > 2 ** 31) {
    throw new RuntimeError(
      `${operation}: a triangle of ${rows} by ${columns} has more positions than can be listed`,
    );
  }
  if (!(rows >= 0) || !(columns >= 0))
    throw new RuntimeError(
      `${operation}: row and col must be non-negative, got ${rows} and ${columns}`,
    );
  if (dtype !== 'int64' && dtype !== 'int32')
    throw new RuntimeError(`${operation}: "${operation}" not implemented for '${dtype}'`);
  const spans = Array.from({ length: rows }, (_, row) => {
    const [from, to] = span(row, offset);
    return [Math.max(0, from), Math.min(columns, to)] as const;
  });
  const count = spans.reduce((n, [from, to]) => n + Math.max(0, to - from), 0);
  const data = typedArray(dtype, 2 * count);
  let k = 0;
  spans.forEach(([from, to], row) => {
    for (let column = from; column < to; column++, k++) {
      data[k] = (dtype === 'int64' ? BigInt(row) : row) as never;
      data[count + k] = (dtype === 'int64' ? BigInt(column) : column) as never;
    }
  });
  return fromTypedArray(data, [2, count], { dtype, device: options.device });
}

/** The row and column numbers of the lower triangle of a matrix, a row of each, in row-major order. */
export const trilIndices = explaining(
  'trilIndices',
  (rows: number, columns: number, options: TriangleOptions = {}): Tensor =>
    triangle('trilIndices', rows, columns, options, (row, offset) => [0, row + offset + 1]),
);

/** The row and column numbers of the upper triangle of a matrix, a row of each, in row-major order. */
export const triuIndices = explaining(
  'triuIndices',
  (rows: number, columns: number, options: TriangleOptions = {}): Tensor =>
    triangle('triuIndices', rows, columns, options, (row, offset) => [row + offset, columns]),
);
