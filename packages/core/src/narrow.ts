import type { DType } from './dtype.js';
import { constant, type Expr, e } from './expr.js';

/** Bits of an int32, in which narrow integers are computed, above those of the dtype. */
const spareBits: Partial<Record<DType, number>> = { uint8: 24, int8: 24, int16: 16 };

/** Whether a value computed for `dtype` may be out of its range if it comes from a tensor of dtype `from`. */
export const mayOverflow = (dtype: DType, from: DType): boolean =>
  spareBits[dtype] !== undefined &&
  dtype !== from &&
  from !== 'bool' &&
  !(dtype === 'int16' && (from === 'uint8' || from === 'int8'));

/** A value as a narrow integer dtype holds it: what does not fit wraps around before anything is computed. */
export function wrapAround(value: Expr, dtype: DType): Expr {
  const spare = spareBits[dtype];
  if (spare === undefined) return value;
  if (dtype === 'uint8') return e.and(value, constant(255, 'int32'));
  const bits = constant(spare, 'int32');
  return e.shr(e.shl(value, bits), bits);
}
