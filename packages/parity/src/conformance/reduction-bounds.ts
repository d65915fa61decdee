import type {
  ComputeType,
  ReduceOutput,
  ReduceStage,
  ScalarValue,
  TypedArray,
  View,
} from '@sconce/core';
import { numel, typedArray } from '@sconce/core';
import type { Bounds } from './bounds.js';
import { doubtWide, Judge } from './bounds.js';
import type { Fixture } from './fixture.js';
import type { Limits } from './limits.js';

interface Described {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly inputs: readonly View[];
  readonly scalars: readonly ScalarValue[];
  readonly stages: readonly ReduceStage[];
  readonly outputs: readonly Pick<ReduceOutput, 'per' | 'value'>[];
}

/** The row of every position of `shape`, in row-major order of both. */
export function rowsOf(shape: readonly number[], axes: readonly number[]): Int32Array {
  const rows = new Int32Array(numel(shape));
  for (let i = 0; i < rows.length; i++) {
    let rest = i;
    let row = 0;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const size = shape[axis] as number;
      if (!axes.includes(axis)) {
        row += (rest % size) * step;
        step *= size;
      }
      rest = Math.floor(rest / size);
    }
    rows[i] = row;
  }
  return rows;
}

const floats = (type: ComputeType) => type === 'float32' || type === 'float64';
const emptyBounds = (type: ComputeType, length: number): Bounds => {
  const room = () => typedArray(floats(type) ? 'float64' : type, length);
  const low = room();
  return { type, low, high: floats(type) ? room() : low, sure: new Uint8Array(length).fill(1) };
};

/** Bounds of a reduction's outputs, stage after stage. */
export function boundReduction(reference: Fixture, limits: Limits, p: Described): Bounds[] {
  const rows = rowsOf(p.shape, p.axes);
  const rowShape = p.shape.map((size, axis) => (p.axes.includes(axis) ? 1 : size));
  const count = numel(rowShape);
  const perRow: Bounds[] = [];
  const perElement: Bounds[] = [];
  for (const { combine, value } of p.stages) {
    const judge = new Judge(reference, limits, { ...p, stages: perElement });
    const result = combineRows(combine, judge.bounds(value), rows, count, limits);
    perRow.push(result);
    perElement.push(spreadRows(result, rows));
  }
  const ofRows = new Judge(reference, limits, { ...p, shape: rowShape, stages: perRow });
  const ofElements = new Judge(reference, limits, { ...p, stages: perElement });
  return p.outputs.map(({ per, value }) => (per === 'row' ? ofRows : ofElements).bounds(value));
}

/** A row's bounds at each of its elements. */
function spreadRows(rowBounds: Bounds, rows: Int32Array): Bounds {
  const out = emptyBounds(rowBounds.type, rows.length);
  rows.forEach((row, i) => {
    out.low[i] = rowBounds.low[row] as never;
    out.high[i] = rowBounds.high[row] as never;
    out.sure[i] = rowBounds.sure[row] as number;
  });
  return out;
}

/** Bounds of one stage's result for every row. */
function combineRows(
  combine: ReduceStage['combine'],
  values: Bounds,
  rows: Int32Array,
  count: number,
  limits: Limits,
): Bounds {
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const [i, row] of rows.entries()) members[row]?.push(i);
  if (combine === 'argmax' || combine === 'argmin') return arg(combine, values, members);
  if (!floats(values.type)) {
    const exact = exactRows(combine, values, members);
    if (values.type === 'int64' && limits.int64Bits === 32) doubtWide(exact);
    return exact;
  }
  const out = emptyBounds(values.type, count);
  const epsilon = values.type === 'float32' ? 2 ** -23 : 2 ** -52;
  members.forEach((list, row) => {
    if (list.some((i) => !values.sure[i])) out.sure[row] = 0;
    const low = list.map((i) => values.low[i] as number);
    const high = list.map((i) => values.high[i] as number);
    const [a, b] = floatRow(combine, low, high, epsilon);
    out.low[row] = a;
    out.high[row] = b;
    if (limits.flushesDenormals && Math.abs(a) < 2 ** -125 && values.type === 'float32') {
      out.low[row] = Math.min(a, 0);
      out.high[row] = Math.max(b, 0);
    }
  });
  return out;
}

const sum = (list: readonly number[]) => list.reduce((s, v) => s + v, 0);
const product = (list: readonly number[]) => list.reduce((s, v) => s * v, 1);

/** Any order of additions or multiplications is within n roundings of the exact result. */
function floatRow(
  combine: ReduceStage['combine'],
  low: readonly number[],
  high: readonly number[],
  epsilon: number,
): [number, number] {
  if (combine === 'max') return [Math.max(...low), Math.max(...high)];
  if (combine === 'min') return [Math.min(...low), Math.min(...high)];
  const n = low.length;
  if (combine === 'sum') {
    const slack =
      n * epsilon * sum(low.map((v, i) => Math.max(Math.abs(v), Math.abs(high[i] as number))));
    return Number.isFinite(slack) ? [sum(low) - slack, sum(high) + slack] : [sum(low), sum(high)];
  }
  // Factors are near 1, so the ends of the product are the products of the ends.
  const [a, b] = [product(low), product(high)];
  return [a * (1 - n * epsilon), b * (1 + n * epsilon)];
}

/** Integers and bools, exactly. */
function exactRows(
  combine: ReduceStage['combine'],
  values: Bounds,
  members: readonly number[][],
): Bounds {
  const out = emptyBounds(values.type, members.length);
  const at = values.low as unknown as (number | bigint)[];
  const limits: Record<string, [bigint, bigint]> = {
    int32: [-(2n ** 31n), 2n ** 31n - 1n],
    int64: [-(2n ** 63n), 2n ** 63n - 1n],
    bool: [0n, 1n],
  };
  const [least, greatest] = limits[values.type] as [bigint, bigint];
  members.forEach((list, row) => {
    if (list.some((i) => !values.sure[i])) out.sure[row] = 0;
    let result = { sum: 0n, prod: 1n, max: least, min: greatest }[combine as 'sum'] as bigint;
    for (const i of list) {
      const v = BigInt(at[i] as number | bigint);
      if (combine === 'sum') result = BigInt.asIntN(64, result + v);
      else if (combine === 'prod') result = BigInt.asIntN(64, result * v);
      else if (combine === 'max' ? v > result : v < result) result = v;
    }
    out.low[row] = (values.type === 'int64' ? result : Number(BigInt.asIntN(32, result))) as never;
  });
  return out;
}

/** Positions of the first best element; only for values that are exactly known. */
function arg(combine: 'argmax' | 'argmin', values: Bounds, members: readonly number[][]): Bounds {
  const at = values.low as unknown as number[];
  const list = members.map((positions) => {
    let best = 0;
    positions.forEach((i, k) => {
      const held = at[positions[best] as number] as number;
      const v = at[i] as number;
      if (Number.isNaN(held)) return;
      if (Number.isNaN(v) || (combine === 'argmax' ? v > held : v < held)) best = k;
    });
    return best;
  });
  const low: TypedArray = BigInt64Array.from(list, BigInt);
  const sure = members.map((positions) =>
    positions.every((i) => Object.is(at[i], (values.high as unknown as number[])[i])),
  );
  return { type: 'int64', low, high: low, sure: Uint8Array.from(sure, Number) };
}
