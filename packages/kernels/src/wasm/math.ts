import type { ExprFunction } from '@sconce/core';
import type { Vectors } from './vectors.js';

/** What formulas are written with. */
export interface MathContext {
  readonly v: Vectors;
  /** The JavaScript function of that name, lane by lane: for rare arguments. */
  readonly slow: (name: string, ...args: number[]) => number;
}

type Formula = (context: MathContext, x: number, y: number) => number;

/** Functions on four float32, each within 2 units in the last place. */
export const float32Functions: Partial<Record<ExprFunction, Formula>> = {};
