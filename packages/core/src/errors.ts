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

/** Something PyTorch has and this device or dtype cannot do. */
export class NotImplementedError extends RuntimeError {
  override name = 'NotImplementedError';
}

/** Memory of a device is full; the message says who holds what. */
export class OutOfMemoryError extends RuntimeError {
  override name = 'OutOfMemoryError';
}

/** A shape as messages show it: `[3, 4]`. */
export const formatShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;
