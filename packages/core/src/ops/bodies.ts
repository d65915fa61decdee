import { bitcast, constant, type Expr, e } from '../expr.js';

/** The bits of a float as an integer of the same width. */
export const bitsOf = (x: Expr): Expr => bitcast(x, x.dtype === 'float64' ? 'int64' : 'int32');

/** Whether an expression computes in integers. */
export const integral = (x: Expr): boolean => x.dtype === 'int32' || x.dtype === 'int64';

/** 1 of the type of `x`. */
export const one = (x: Expr): Expr => constant(1, x.dtype);

/** 0 of the type of `x`. */
export const zero = (x: Expr): Expr => constant(0, x.dtype);

/** The quotient of two integers rounded downwards. */
export const floorDivided = (a: Expr, b: Expr): Expr => {
  const quotient = e.idiv(a, b);
  const inexact = e.ne(e.mul(quotient, b), a);
  const negative = e.ne(e.lt(a, zero(a)), e.lt(b, zero(b)));
  return e.where(e.and(inexact, negative), e.sub(quotient, one(quotient)), quotient);
};

/** 1 for positive numbers, -1 for negative ones, 0 for zeros and NaN; bools stay as they are. */
export const signOf = (x: Expr): Expr =>
  x.dtype === 'bool'
    ? x
    : e.where(e.gt(x, zero(x)), one(x), e.where(e.lt(x, zero(x)), constant(-1, x.dtype), zero(x)));
