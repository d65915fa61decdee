/** The base of every error Sconce raises on purpose, so that `catch` can tell them apart. */
export class SconceError extends Error {
  override name = 'SconceError';
}

/** An operation that cannot be carried out on the given tensors: shapes, dtypes, devices or graph state. */
export class RuntimeError extends SconceError {
  override name = 'RuntimeError';
}

/** A dimension or an index out of range. */
export class IndexError extends SconceError {
  override name = 'IndexError';
}

/** An argument of the right type with a value the operation cannot take. */
export class ValueError extends SconceError {
  override name = 'ValueError';
}

/** A matrix that a routine of linear algebra cannot take by its values: singular, not positive-definite, not finite. */
export class LinAlgError extends RuntimeError {
  override name = 'LinAlgError';
}

/** Something PyTorch has and this device or dtype cannot do. */
export class NotImplementedError extends RuntimeError {
  override name = 'NotImplementedError';
}

/** A scalar expression that no element can have, as of a function on a type it does not take. */
export class ExpressionError extends SconceError {
  override name = 'ExpressionError';
}

/** Memory of a device is full; the message says who holds what. */
export class OutOfMemoryError extends RuntimeError {
  override name = 'OutOfMemoryError';
}

/** A shape as messages show it: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/** A value as messages about its kind show it. */
export const kindOf = (x: unknown): string => {
  if (x === undefined || x === null || Array.isArray(x))
    return Array.isArray(x) ? 'an array' : `${x}`;
  if (typeof x === 'string') return `the string '${x.length > 40 ? `${x.slice(0, 40)}…` : x}'`;
  if (typeof x === 'function' && x.constructor === Function)
    return x.name ? `the function ${x.name}` : 'a function';
  if (typeof x !== 'object' && typeof x !== 'function') return `the ${typeof x} ${String(x)}`;
  return x.constructor === Object ? 'a plain object' : `a ${x.constructor?.name ?? 'plain object'}`;
};

/** The error for an argument of another kind than an operation takes; `wanted` says which, as in "a Tensor". */
export function wrongArgument(
  operation: string,
  parameter: string,
  position: number,
  wanted: string,
  got: unknown,
): TypeError {
  const number = typeof got === 'number' || typeof got === 'bigint' || typeof got === 'boolean';
  const hint = number && wanted === 'a Tensor' ? `; scalarTensor(${got}) makes one` : '';
  return new TypeError(
    `${operation}: argument '${parameter}' (position ${position + 1}) must be ${wanted}, got ${kindOf(got)}${hint}`,
  );
}

/** @throws TypeError unless an argument is a whole number; a bool is none, as in PyTorch. */
export function checkInteger(
  operation: string,
  parameter: string,
  position: number,
  x: unknown,
): asserts x is number {
  if (!Number.isInteger(x)) throw wrongArgument(operation, parameter, position, 'an integer', x);
}
