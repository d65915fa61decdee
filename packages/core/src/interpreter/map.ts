import type { Expr } from '../expr.js';
import type { ScalarValue } from '../primitive.js';
import { Program } from './program.js';
import type { HostView } from './space.js';
import { BLOCK, Space, store } from './space.js';

/** A map primitive over host views. */
export interface HostMap {
  readonly shape: readonly number[];
  readonly inputs: readonly HostView[];
  readonly scalars: readonly ScalarValue[];
  readonly values: readonly Expr[];
  readonly outputs: readonly HostView[];
}

/** Every output at every position; all values of a run of positions before any is stored. */
export function runMap(
  { shape, inputs, scalars, values, outputs }: HostMap,
  operation = 'map',
): void {
  const program = Program.of(values);
  const space = new Space(shape);
  for (let start = 0; start < space.count; start += BLOCK) {
    space.at(start, Math.min(BLOCK, space.count - start));
    program.run({ operation, inputs, scalars }, space);
    storeResults(program, space, outputs);
  }
}

/** Stores the roots of a program at the current positions, each into its view. */
export function storeResults(program: Program, space: Space, views: readonly HostView[]): void {
  for (const [k, view] of views.entries()) store(space, view, program.result(k));
}
