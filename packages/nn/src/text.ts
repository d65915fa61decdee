import { pythonRepr } from '@sconce/core';

/** A value as Python prints it: `True`, `None`, `(1, 1)`. */
export const text = (value: boolean | number | string | null | readonly number[]): string =>
  Array.isArray(value) ? tuple(value) : pythonRepr(value as number);

/** A float as Python prints it: `1.0`, `1e-05`. */
export const floatText = (value: number): string => pythonRepr(value, { floats: true });

const tuple = (values: readonly number[]): string =>
  values.length === 1 ? `(${values[0]},)` : `(${values.join(', ')})`;
