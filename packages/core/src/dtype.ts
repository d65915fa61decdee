import { takes } from './arguments.js';
import { OutOfMemoryError } from './errors.js';
import { signatures } from './signatures.js';

/** The element types of tensors, named as in PyTorch. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bool';

/** The types scalar expressions compute in; narrower dtypes are widened on load and narrowed on store. */
export type ComputeType = 'float32' | 'float64' | 'int32' | 'int64' | 'bool';

/** The typed arrays that hold elements on the host; float16 and bfloat16 as raw 16-bit patterns. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | Uint16Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Int32Array
  | BigInt64Array;

interface DTypeInfo {
  readonly bytes: number;
  /** Place in the promotion order: bool < integral < floating. */
  readonly category: 0 | 1 | 2;
  readonly compute: ComputeType;
  readonly array: new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray;
}

const table: Record<DType, DTypeInfo> = {
  float32: { bytes: 4, category: 2, compute: 'float32', array: Float32Array },
  float64: { bytes: 8, category: 2, compute: 'float64', array: Float64Array },
  float16: { bytes: 2, category: 2, compute: 'float32', array: Uint16Array },
  bfloat16: { bytes: 2, category: 2, compute: 'float32', array: Uint16Array },
  int8: { bytes: 1, category: 1, compute: 'int32', array: Int8Array },
  uint8: { bytes: 1, category: 1, compute: 'int32', array: Uint8Array },
  int16: { bytes: 2, category: 1, compute: 'int32', array: Int16Array },
  int32: { bytes: 4, category: 1, compute: 'int32', array: Int32Array },
  int64: { bytes: 8, category: 1, compute: 'int64', array: BigInt64Array },
  bool: { bytes: 1, category: 0, compute: 'bool', array: Uint8Array },
};

/** Every dtype, in a fixed order. */
export const dtypes = Object.keys(table) as readonly DType[];

/** Whether a name is that of a dtype. */
export const isDType = (name: string): name is DType => Object.hasOwn(table, name);

/** @throws TypeError with the names there are, if `dtype` is none of them. */
export function checkDType(operation: string, dtype: unknown): DType {
  if (typeof dtype === 'string' && isDType(dtype)) return dtype;
  throw new TypeError(
    `${operation}: ${typeof dtype === 'string' ? `'${dtype}'` : String(dtype)} is not a dtype; there are ${dtypes.join(', ')}`,
  );
}

/** Bytes one element takes on the host. */
export const itemSize = (dtype: DType): number => table[dtype].bytes;

/** The type in which expressions compute on elements of `dtype`. */
export const computeType = (dtype: DType): ComputeType => table[dtype].compute;

/** The promotion category: 0 for bool, 1 for integers, 2 for floating point. */
export const category = (dtype: DType): 0 | 1 | 2 => table[dtype].category;

/** Whether `dtype` is a floating-point type. */
export const isFloatingPoint = (dtype: DType): boolean => table[dtype].category === 2;

/** A typed array of `length` zeros of the kind that holds `dtype` on the host. @throws OutOfMemoryError. */
export function typedArray(dtype: DType, length: number): TypedArray {
  const bytes = length * table[dtype].bytes;
  try {
    return new table[dtype].array(new ArrayBuffer(bytes));
  } catch (error) {
    throw new OutOfMemoryError(
      `the host could not get ${bytes} bytes for ${length} elements of ${dtype}`,
      { cause: error },
    );
  }
}

/** A typed array of the kind that holds `dtype`, over existing bytes. */
export function typedArrayOver(
  dtype: DType,
  buffer: ArrayBufferLike,
  byteOffset: number,
  length: number,
): TypedArray {
  return new table[dtype].array(buffer, byteOffset, length);
}

let defaultFloat: DType = 'float32';

/** The floating dtype that creation functions and integer-to-float promotion use; `float32` unless set. */
export const getDefaultDtype = (): DType => defaultFloat;

/** The dtype of plain values of a promotion category: bool, int64, or the default float. */
export const categoryDtype = (category: 0 | 1 | 2): DType =>
  (['bool', 'int64', defaultFloat] as const)[category];

/**
 * Sets the default floating dtype.
 *
 * @throws TypeError if `dtype` is not floating point.
 * @see https://pytorch.org/docs/stable/generated/torch.set_default_dtype.html
 */
export function setDefaultDtype(dtype: DType): void {
  takes('setDefaultDtype', signatures.setDefaultDtype, arguments);
  if (!isFloatingPoint(dtype)) {
    throw new TypeError(
      `setDefaultDtype: only floating-point dtypes can be the default, got ${dtype}`,
    );
  }
  defaultFloat = dtype;
}

const integerRank: readonly DType[] = ['uint8', 'int8', 'int16', 'int32', 'int64'];

/**
 * The smallest dtype to which both can be cast, by PyTorch's promotion table.
 *
 * @example promoteTypes('int64', 'float16') // 'float16'
 * @see https://pytorch.org/docs/stable/generated/torch.promote_types.html
 */
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  const ca = category(a);
  const cb = category(b);
  if (ca !== cb) return ca > cb ? a : b;
  if (ca === 2) {
    if (a === 'float64' || b === 'float64') return 'float64';
    return 'float32'; // float16 with bfloat16, or either with float32
  }
  // uint8 holds values that int8 cannot: together they need int16.
  if ((a === 'uint8' && b === 'int8') || (a === 'int8' && b === 'uint8')) return 'int16';
  return integerRank.indexOf(a) > integerRank.indexOf(b) ? a : b;
}

/**
 * Whether a value of dtype `from` may be written in place into dtype `to`: never to a lower category.
 *
 * @see https://pytorch.org/docs/stable/generated/torch.can_cast.html
 */
export function canCast(from: DType, to: DType): boolean {
  return category(from) <= category(to);
}
