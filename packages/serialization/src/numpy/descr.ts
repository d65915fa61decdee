import type { DType } from '@sconce/core';
import { FileError, quote } from '../errors.js';

/** An element type of NumPy that we have, and its byte order. */
export interface ElementType {
  readonly dtype: DType;
  readonly bigEndian: boolean;
}

const byCode: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  b1: 'bool',
};

/**
 * The element type that NumPy writes as `<f4`, `|b1` and so on.
 *
 * @throws FileError if we have no such dtype.
 */
export function parseDescr(title: string, descr: string): ElementType {
  const match = /^([<>|=]?)([a-zA-Z]\d*)$/.exec(descr);
  const dtype = match ? byCode[match[2] as string] : undefined;
  if (!match || !dtype) {
    throw new FileError(
      `${title}: elements of type ${quote(descr)} have no dtype here; convert them first, e.g. array.astype('float32') or 'int64'`,
    );
  }
  return { dtype, bigEndian: match[1] === '>' };
}

/**
 * How NumPy writes a dtype.
 *
 * @throws FileError for bfloat16, which NumPy has not.
 */
export function descrOf(dtype: DType): string {
  const code = Object.keys(byCode).find((key) => byCode[key] === dtype);
  if (!code) {
    throw new FileError(
      `save: NumPy has no ${dtype}; convert the tensor first, e.g. with .to('float32')`,
    );
  }
  return `${code.endsWith('1') ? '|' : '<'}${code}`;
}
