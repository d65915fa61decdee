import { bitcast, constant, type Expr } from '../expr.js';

/** The bits of a float as an integer of the same width. */
export const bitsOf = (x: Expr): Expr => bitcast(x, x.dtype === 'float64' ? 'int64' : 'int32');

/** Whether an expression computes in integers. */
export const integral = (x: Expr): boolean => x.dtype === 'int32' || x.dtype === 'int64';

/** 1 of the type of `x`. */
export const one = (x: Expr): Expr => constant(1, x.dtype);

/** 0 of the type of `x`. */
export const zero = (x: Expr): Expr => constant(0, x.dtype);
