import { categoryDtype, type DType } from './dtype.js';
import { RuntimeError } from './errors.js';
import { integerRange, isFloatDType, largestFloat } from './number-ranges.js';

/**
 * A number that promotes as a floating-point number even when it is whole, as Python's `2.0` does:
 * JavaScript itself cannot tell `2.0` from `2`.
 *
 * @example tensor([1n, 2n]).mul(float(2)).dtype // 'float32'
 */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Marks a number as floating point; see `Float`. */
export const float = (value: number): Float => new Float(value);

/** A plain value where a tensor could stand: whole numbers promote as integers, others as floats. */
export type Scalar = number | boolean | bigint | Float;

/** The value itself, as a number or bigint. */
export function scalarValue(x: Scalar): number | bigint {
  if (typeof x === 'object') return x.value;
  return typeof x === 'boolean' ? Number(x) : x;
}

/** The promotion category of a scalar: 0 bool, 1 integer, 2 float. */
export function scalarCategory(x: Scalar): 0 | 1 | 2 {
  switch (typeof x) {
    case 'boolean':
      return 0;
    case 'bigint':
      return 1;
    case 'number':
      return Number.isInteger(x) ? 1 : 2;
    default:
      return 2;
  }
}

/** Whether a value is one of the plain scalars. */
export const isScalar = (x: unknown): x is Scalar =>
  typeof x === 'number' || typeof x === 'boolean' || typeof x === 'bigint' || x instanceof Float;

/**
 * Checks that a number can be written into a tensor; negative integers wrap around in uint8, as in PyTorch.
 *
 * @throws RuntimeError if it is out of the range of the dtype.
 */
export function checkFits(operation: string, x: Scalar, dtype: DType): void {
  if (dtype === 'bool') return;
  const value = scalarValue(x);
  if (isFloatDType(dtype)) {
    const size = Math.abs(Number(value));
    if (size <= largestFloat[dtype] || !(size < Infinity)) return;
  } else {
    const [smallest, largest] = integerRange[dtype];
    const wraps = dtype === 'uint8' && scalarCategory(x) < 2;
    if (value >= (wraps ? -largest : smallest) && value <= largest) return;
  }
  throw new RuntimeError(
    `${operation}: value cannot be converted to type ${dtype} without overflow: ${value}`,
  );
}

/** The dtype a scalar alone has as a tensor: bool, int64, or the default float. */
export const scalarDtype = (x: Scalar): DType => categoryDtype(scalarCategory(x));
