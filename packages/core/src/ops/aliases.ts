import { atan2, div, ge, gt, le, lt, mul, ne, sub } from './binary.js';
import { clamp } from './ternary.js';
import { abs, acos, acosh, asin, asinh, atan, atanh, neg, trunc } from './unary.js';

/** As `abs`. */
export const absolute = abs;
/** As `acos`. */
export const arccos = acos;
/** As `acosh`. */
export const arccosh = acosh;
/** As `asin`. */
export const arcsin = asin;
/** As `asinh`. */
export const arcsinh = asinh;
/** As `atan`. */
export const arctan = atan;
/** As `atan2`. */
export const arctan2 = atan2;
/** As `atanh`. */
export const arctanh = atanh;
/** As `clamp`. */
export const clip = clamp;
/** As `div`. */
export const divide = div;
/** As `trunc`. */
export const fix = trunc;
/** As `gt`. */
export const greater = gt;
/** As `ge`. */
export const greaterEqual = ge;
/** As `lt`. */
export const less = lt;
/** As `le`. */
export const lessEqual = le;
/** As `mul`. */
export const multiply = mul;
/** As `neg`. */
export const negative = neg;
/** As `ne`. */
export const notEqual = ne;
/** As `sub`. */
export const subtract = sub;
