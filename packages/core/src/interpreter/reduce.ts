import type { ComputeType } from '../dtype.js';
import type { Combiner, ReduceOutput, ReduceStage, ScalarValue } from '../primitive.js';
import { elementFunction } from './functions.js';
import { storeResults } from './map.js';
import type { Environment } from './program.js';
import { Program } from './program.js';
import type { HostView, Register } from './space.js';
import { BLOCK, cells, product, register, Space } from './space.js';

/** A reduce primitive over host views; `outputs` pairs with `views`. */
export interface HostReduce {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly inputs: readonly HostView[];
  readonly scalars: readonly ScalarValue[];
  readonly stages: readonly ReduceStage[];
  readonly outputs: readonly ReduceOutput[];
  readonly views: readonly HostView[];
}

const limits: Record<ComputeType, readonly [least: number | bigint, greatest: number | bigint]> = {
  float32: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  float64: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  bool: [0, 1],
};

/** The value that changes nothing in a combination. */
export function identityOf(combine: Combiner, type: ComputeType): number | bigint {
  if (combine === 'max' || combine === 'argmax') return limits[type][0];
  if (combine === 'min' || combine === 'argmin') return limits[type][1];
  const value = combine === 'sum' ? 0 : 1;
  return type === 'int64' ? BigInt(value) : value;
}

/** How two elements combine; float32 in double precision, the others as their arithmetic. */
export function combinerOf(combine: Combiner, type: ComputeType): (a: number, b: number) => number {
  if (type === 'bool') {
    return combine === 'sum' || combine === 'max' ? (a, b) => a | b : (a, b) => a & b;
  }
  const name =
    combine === 'sum' ? 'add' : combine === 'prod' ? 'mul' : combine === 'max' ? 'max' : 'min';
  return elementFunction(name, type) as unknown as (a: number, b: number) => number;
}

/** Collects one stage for some rows. */
interface Collector {
  add(row: number, withinRow: number, value: number): void;
  result(): Register;
}

function collector(stage: ReduceStage, rows: number): Collector {
  const type = stage.value.dtype;
  const { combine } = stage;
  // Sums and products of float32 are kept in double precision until the row is complete.
  const kept = register(type === 'float32' ? 'float64' : type, rows);
  (kept as Float64Array).fill(identityOf(combine, type) as number);
  const best = cells(kept);
  if (combine === 'argmax' || combine === 'argmin') {
    const places = new Int32Array(rows);
    const found = new Uint8Array(rows);
    return {
      add(row, withinRow, value) {
        const held = best[row] as number;
        const unordered = Number.isNaN(value);
        const better = combine === 'argmax' ? value > held : value < held;
        if (found[row] && (Number.isNaN(held) || !(better || unordered))) return;
        found[row] = 1;
        best[row] = value;
        places[row] = withinRow;
      },
      result: () => places,
    };
  }
  const together = combinerOf(combine, type);
  return {
    add(row, _, value) {
      best[row] = together(best[row] as number, value);
    },
    result: () => (type === 'float32' ? Float32Array.from(best) : kept),
  };
}

/**
 * Rows one group after the other: a group is as many whole rows as fit a run of positions, at least
 * one. Positions are visited with the reduced axes innermost, so a row is a stretch of them.
 */
export function runReduce(p: HostReduce): void {
  const keptAxes = p.shape.map((_, axis) => axis).filter((axis) => !p.axes.includes(axis));
  const order = [...keptAxes, ...p.axes];
  const rowLength = product(p.axes.map((axis) => p.shape[axis] as number));
  const rows = product(keptAxes.map((axis) => p.shape[axis] as number));
  const space = new Space(p.shape, order);
  const rowSpace = new Space(
    p.shape.map((size, axis) => (p.axes.includes(axis) ? 1 : size)),
    order,
    p.shape,
  );
  const base = { operation: 'reduce', inputs: p.inputs, scalars: p.scalars };
  const stagePrograms = p.stages.map((stage) => Program.of([stage.value]));
  const writers = (['row', 'element'] as const).map((per) => {
    const chosen = p.outputs.flatMap((output, k) => (output.per === per ? [k] : []));
    return {
      views: chosen.map((k) => p.views[k] as HostView),
      program: Program.of(chosen.map((k) => (p.outputs[k] as ReduceOutput).value)),
    };
  });
  const [rowWriter, elementWriter] = writers as [(typeof writers)[0], (typeof writers)[0]];

  const group = Math.max(1, Math.floor(BLOCK / Math.max(rowLength, 1)));
  for (let first = 0; first < rows; first += group) {
    const count = Math.min(group, rows - first);
    const begin = first * rowLength;
    const end = begin + count * rowLength;
    const stages: Register[] = [];
    const perElement: Environment = {
      ...base,
      stages,
      rowOf: (position) => Math.floor((position - begin) / rowLength),
    };

    p.stages.forEach((stage, s) => {
      const program = stagePrograms[s] as Program;
      const into = collector(stage, count);
      for (let start = begin; start < end; start += BLOCK) {
        space.at(start, Math.min(BLOCK, end - start));
        program.run(perElement, space);
        const values = cells(program.result(0));
        let row = Math.floor((start - begin) / rowLength);
        let within = (start - begin) % rowLength;
        for (let i = 0; i < space.length; i++) {
          into.add(row, within, values[i] as number);
          if (++within === rowLength) {
            within = 0;
            row++;
          }
        }
      }
      stages.push(into.result());
    });

    if (rowWriter.views.length > 0) {
      rowSpace.at(first, count);
      rowWriter.program.run({ ...base, stages, rowOf: (row) => row - first }, rowSpace);
      storeResults(rowWriter.program, rowSpace, rowWriter.views);
    }
    if (elementWriter.views.length > 0) {
      for (let start = begin; start < end; start += BLOCK) {
        space.at(start, Math.min(BLOCK, end - start));
        elementWriter.program.run(perElement, space);
        storeResults(elementWriter.program, space, elementWriter.views);
      }
    }
  }
}
