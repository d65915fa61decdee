import { type Combiner, type ComputeType, type Expr, exprKey } from '@sconce/core';
import { RecentLaunches } from './recent-launches.js';
import { schedule, simplify } from './simplify.js';

/** One pass of a reduction, simplified. */
export interface Stage {
  readonly combine: Combiner;
  readonly value: Expr;
}

/**
 * What a set of expressions needs, found once and kept for as long as the process lives:
 * independent of dtypes of storage, shapes and strides.
 */
export interface Program {
  /** What is stored (map), the output values (reduce), or the coordinates, `valid` and value (scatter). */
  readonly values: readonly Expr[];
  readonly stages: readonly Stage[];
  /** All distinct nodes, arguments first. */
  readonly order: readonly Expr[];
  /** Inputs whose element at the current position is used. */
  readonly streams: readonly number[];
  /** Inputs read at computed coordinates. */
  readonly loads: readonly number[];
  /** The `coord` and `linear` nodes. */
  readonly indices: readonly Expr[];
  readonly scalars: readonly { readonly index: number; readonly dtype: ComputeType }[];
  /** Kernels made of this program, by dtypes and layout. */
  readonly variants: Trie<unknown>;
  /** Its latest launches, for when the same shapes and strides come again. */
  readonly recent: RecentLaunches;
  /** The expressions as text, equal in every process. */
  readonly key: string;
}

/** A map from sequences of numbers. */
export class Trie<T> {
  value: T | undefined = undefined;
  #next: Map<number, Trie<T>> | undefined = undefined;

  child(key: number): Trie<T> {
    this.#next ??= new Map();
    let next = this.#next.get(key);
    if (!next) {
      next = new Trie<T>();
      this.#next.set(key, next);
    }
    return next;
  }
}

/** Analyses the expressions of a primitive. */
export function makeProgram(values: readonly Expr[], stages: readonly Stage[]): Program {
  const simpleStages = stages.map((s) => ({ combine: s.combine, value: simplify(s.value) }));
  const simpleValues = values.map(simplify);
  const order = schedule([...simpleStages.map((s) => s.value), ...simpleValues]);
  const numbers = (op: string): number[] => [
    ...new Set(order.filter((e) => e.op === op).map((e) => Number(e.value))),
  ];
  return {
    values: simpleValues,
    stages: simpleStages,
    order,
    streams: numbers('input'),
    loads: numbers('load'),
    indices: order.filter((e) => e.op === 'coord' || e.op === 'linear'),
    scalars: order
      .filter((e) => e.op === 'scalar')
      .map((e) => ({ index: Number(e.value), dtype: e.dtype })),
    variants: new Trie(),
    recent: new RecentLaunches(),
    key: [
      ...simpleStages.map((s) => `${s.combine} ${exprKey(s.value)}`),
      ...simpleValues.map(exprKey),
    ].join(';'),
  };
}
