import { computeType } from '../dtype.js';
import type { Expr } from '../expr.js';
import type { ScalarValue, ScatterPrimitive } from '../primitive.js';
import { elementOffset, Program } from './program.js';
import { combinerOf } from './reduce.js';
import type { HostView } from './space.js';
import { BLOCK, cells, gather, register, Space, spread } from './space.js';

/** A scatter primitive over host views. */
export interface HostScatter {
  readonly shape: readonly number[];
  readonly inputs: readonly HostView[];
  readonly scalars: readonly ScalarValue[];
  readonly coords: readonly Expr[];
  readonly valid?: Expr;
  readonly value: Expr;
  readonly output: HostView;
  readonly combine: ScatterPrimitive['combine'];
}

/** Position by position in row-major order: read the target, combine, write it back rounded. */
export function runScatter(p: HostScatter): void {
  const { coords, valid, output } = p;
  const type = computeType(output.dtype);
  const program = Program.of([p.value, ...coords, ...(valid ? [valid] : [])]);
  const space = new Space(p.shape);
  const together = p.combine === 'set' ? undefined : combinerOf(p.combine, type);
  const target = new Int32Array(1);
  const one = register(type, 1);
  const held = cells(one);
  for (let start = 0; start < space.count; start += BLOCK) {
    space.at(start, Math.min(BLOCK, space.count - start));
    program.run({ operation: 'scatter', inputs: p.inputs, scalars: p.scalars }, space);
    const values = cells(program.result(0));
    const at = coords.map((_, d) => program.result(1 + d) as Int32Array);
    const writes = valid && program.result(1 + coords.length);
    for (let i = 0; i < space.length; i++) {
      if (writes && !writes[i]) continue;
      target[0] = elementOffset('scatter', output, at, i);
      const value = values[i] as number;
      if (together) {
        gather(output, target, 1, one);
        held[0] = together(held[0] as number, value);
      } else held[0] = value;
      spread(output, target, 1, one);
    }
  }
}
