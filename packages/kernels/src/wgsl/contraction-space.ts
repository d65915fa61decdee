import type { Expr, ScalarValue } from '@sconce/core';
import { broadcastStrides } from '../layout.js';
import { type Frame, Nest } from './frame.js';
import type { positions } from './map.js';
import type { Operand } from './plan.js';

/**
 * A sum of products over an iteration space of four groups of axes, in this order: `batch`, `m`, `n` and `k`,
 * of which `k` is summed over. `a` does not depend on the axes of `n`, nor `b` on those of `m`. Operands have
 * the shape of the space (1 where they repeat). Matrix products and convolutions are this.
 */
export interface Contraction {
  readonly label: string;
  readonly batch: readonly number[];
  readonly m: readonly number[];
  readonly n: readonly number[];
  readonly k: readonly number[];
  readonly inputs: readonly Operand[];
  readonly scalars: readonly ScalarValue[];
  readonly a: Expr;
  readonly b: Expr;
  /** What is stored, over `inputs`, with `stage(0)` for the sum. */
  readonly value: Expr;
  /** Size 1 along `k`. */
  readonly output: Operand;
}

/** What all schedules of a contraction need: the extents of its groups, multiplied out, and its whole shape. */
export interface Extents {
  readonly shape: readonly number[];
  readonly batch: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/**
 * The loops of a contraction, in four groups: batch, m, n and k. The first participant is what is stored, whole
 * results or, where its place is computed, partial ones.
 */
export function nestOf(
  frame: Frame,
  work: Contraction,
  shape: readonly number[],
  participants: ReturnType<typeof positions>['participants'],
  partials: Operand | undefined,
): Nest {
  const m = work.batch.length;
  const n = m + work.m.length;
  const k = n + work.n.length;
  const range = (first: number, end: number) =>
    Array.from({ length: end - first }, (_, i) => first + i);
  const { output } = work;
  // Partial results lie in the order of the axes, so an index must count in it.
  const ordered = partials !== undefined;
  const target = partials
    ? { operand: partials, strides: shape.map(() => 0) }
    : { operand: output, strides: broadcastStrides(shape, output.shape, output.strides) };
  return new Nest(
    frame,
    shape,
    [
      { prefix: 'g', axes: range(0, m), ordered },
      { prefix: 'm', axes: range(m, n), ordered },
      { prefix: 'n', axes: range(n, k), ordered },
      { prefix: 'k', axes: range(k, shape.length) },
    ],
    [target, ...participants],
    1,
  );
}

/** How far participants move by an index of each group. */
export const group = { batch: 0, m: 1, n: 2, k: 3 } as const;
