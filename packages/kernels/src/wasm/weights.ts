import type { Expr } from '@sconce/core';

const weights: Partial<Record<string, number>> = {
  const: 0,
  scalar: 0,
  input: 1,
  load: 8,
  add: 1,
  sub: 1,
  mul: 1,
  neg: 1,
  abs: 1,
  div: 4,
  sqrt: 5,
  min: 3,
  max: 3,
  where: 2,
  cast: 2,
  bitcast: 0,
  exp: 20,
  exp2: 20,
  sigmoid: 35,
  tanh: 36,
  log: 34,
  erf: 52,
  sin: 33,
  cos: 33,
  pow: 165,
  lgamma: 560,
  digamma: 400,
};

/** Bodies up to this weight are written twice, for whole vectors and for the last one. */
export const LIGHT = 300;

/** A rough price of evaluating a node once on four elements: 1 is a quarter of a nanosecond. */
export function weightOf(e: Expr): number {
  const known = weights[e.op];
  const wide = e.dtype === 'float64' || e.dtype === 'int64' ? 2 : 1;
  // Functions of float64 go through JavaScript, lane by lane.
  if (known !== undefined && (wide === 1 || known < 16)) return known * wide;
  return e.args.length === 0 || e.dtype === 'bool' || e.dtype === 'int32' ? 2 : 105;
}
