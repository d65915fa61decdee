import type { Tensor } from '@sconce/core';
import type { Draw, Reader } from './draw.js';
import type { Call, Result } from './twin.js';

/** An operator and how a call of it is drawn. */
export interface OperatorRow {
  readonly name: string;
  draw(d: Draw): Call;
}

/** The drawn arguments as text, and the call. */
type Drawn = readonly [text: string, run: (t: Reader<Tensor>) => Result];

const call = (name: string, exact: boolean, [text, run]: Drawn): Call => ({
  text: `${name}(${text})`,
  exact,
  run,
});

/** An operator whose results round. */
export const rounding = (name: string, draw: (d: Draw) => Drawn): OperatorRow => ({
  name,
  draw: (d) => call(name, false, draw(d)),
});

/** An operator whose results are elements of its operands, positions, counts or bools. */
export const exact = (name: string, draw: (d: Draw) => Drawn): OperatorRow => ({
  name,
  draw: (d) => call(name, true, draw(d)),
});

/** An argument as text. */
export const show = (x: unknown): string => JSON.stringify(x) ?? 'undefined';
