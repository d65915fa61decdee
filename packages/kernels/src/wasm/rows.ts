import type { Expr } from '@sconce/core';
import { STRIDED } from '../layout.js';
import type { Stage } from '../program.js';
import { Accumulator } from './accumulator.js';
import type { Emitter, Pointers } from './emitter.js';
import { i32 } from './opcodes.js';
import { convert, type Value } from './values.js';
import { LIGHT } from './weights.js';

export const rootsOf = (m: Emitter): Expr[] => [
  ...m.kernel.program.stages.map((s) => s.value),
  ...m.kernel.program.values,
];

export const keptDimensions = (m: Emitter): number[] =>
  Array.from({ length: m.kernel.kept }, (_, d) => d);
export const reducedDimensions = (m: Emitter): number[] =>
  Array.from({ length: m.kernel.reduced }, (_, d) => m.kernel.kept + d);

/** The operands that combining a stage walks along. */
export function stageOperands(m: Emitter, stage: Stage): number[] {
  const operands = m.operandsOf([stage.value]);
  if (stage.combine.startsWith('arg')) operands.push(m.positionOperand);
  return operands;
}

export function defineStage(m: Emitter, s: number, value: Value): void {
  for (const e of m.kernel.program.order) {
    if (e.op === 'stage' && Number(e.value) === s) m.define(e, convert(m.v, value, e.dtype));
  }
}

/**
 * The output in which the last stage leaves its elements, to be finished there: as in a softmax, where the
 * exponentials of the sum are the numerators. Only where nothing else of the inputs is needed any more.
 */
export function keptOutput(m: Emitter): { node: Expr; output: number } | undefined {
  const { kernel } = m;
  const { stages, values } = kernel.program;
  const node = stages.at(-1)?.value;
  const outputs = kernel.outputs.flatMap((o, i) => (o.per === 'element' ? [i] : []));
  const [output] = outputs as [number];
  if (!node || outputs.length !== 1 || m.weight([node]) < 16) return undefined;
  const root = values[output] as Expr;
  // A narrower output would round what the sum has not rounded.
  if (root.dtype !== 'float32' || kernel.outputs[output]?.dtype !== 'float32') return undefined;
  if (node.dtype !== 'float32' || root === node || !m.closure([root]).includes(node))
    return undefined;
  m.kept = { node, output };
  const rest = m.closure([root]).filter((e) => e !== node);
  m.kept = undefined;
  const needs = rest.some((e) => ['input', 'load', 'coord', 'linear'].includes(e.op));
  // Outputs of rows are computed in between, and may read inputs that the output overwrites.
  return needs || kernel.outputs.length > 1 ? undefined : { node, output };
}

/** Runs `body` for the rows [begin, end) with the addresses of all operands at the row's start. */
export function eachRow(
  m: Emitter,
  begin: number,
  end: number,
  body: (row: Pointers) => void,
): void {
  const { code } = m;
  const dimensions = keptDimensions(m);
  const operands = allOperands(m);
  const coordinates = new Map(dimensions.map((d) => [d, code.local('i32')]));
  const coordinate = (d: number): number => coordinates.get(d) as number;
  const row: Pointers = new Map(operands.map((o) => [o, code.local('i32')]));
  const at = code.local('i32');
  code.get(begin).set(at);
  m.unravel(dimensions, begin, coordinate);
  m.while(
    () => code.get(at).get(end).op(i32.ltU),
    () => {
      setRow(m, row, coordinate);
      body(row);
      code.get(at).i32(1).op(i32.add).set(at);
      m.advance(dimensions, coordinate);
    },
  );
}

export function setRow(m: Emitter, row: Pointers, coordinate: (d: number) => number): void {
  const { code } = m;
  for (const [o, pointer] of row) {
    const base = m.base(o);
    if (base === undefined) code.i32(0);
    else code.get(base);
    for (const d of keptDimensions(m)) {
      code.get(coordinate(d)).get(m.stride(o, d)).op(i32.mul).op(i32.add);
    }
    code.set(pointer);
  }
}

export function allOperands(m: Emitter): number[] {
  const operands = new Set(m.operandsOf(rootsOf(m)));
  for (const stage of m.kernel.program.stages)
    for (const o of stageOperands(m, stage)) operands.add(o);
  m.kernel.outputs.forEach((_, i) => {
    operands.add(m.outputBase + i);
  });
  return [...operands];
}

/** Combines a row, or the elements [begin, end) of it; leaves the elements in output `leave`, if given. */
export function reduceRow(
  m: Emitter,
  stage: Stage,
  row: Pointers,
  begin: number | undefined,
  end: number,
  leave?: number,
): Accumulator {
  m.prepare(1, [stage.value], row);
  const operands = stageOperands(m, stage);
  if (leave !== undefined) operands.push(m.outputBase + leave);
  const weight = m.weight([stage.value]);
  const regular = operands.every((o) => m.access(o) !== STRIDED);
  const light = weight <= LIGHT;
  const arg = stage.combine.startsWith('arg');
  const unroll = weight <= 8 && regular && !arg ? 4 : 1;
  const total = new Accumulator(m, stage.combine, stage.value.dtype, unroll);
  total.start(begin);
  m.walk(
    reducedDimensions(m),
    begin,
    end,
    operands,
    (o) => row.get(o),
    (count, pointers) => {
      m.forget(2);
      m.prepare(2, [stage.value], pointers);
      total.strips(count, 256 * unroll, (part) => {
        m.vectors(part, pointers, { light, unroll: [unroll] }, (u) => {
          total.add(m.value(stage.value), u, arg ? m.index(m.positionOperand) : undefined);
          if (leave !== undefined) m.store(leave, m.value(stage.value));
        });
      });
    },
  );
  total.combineLanes();
  return total;
}

/** Stores what is stored once a row; lanes hold one row. */
export function storeRow(m: Emitter, row: Pointers): void {
  const { kernel } = m;
  const roots = kernel.program.values.filter((_, i) => kernel.outputs[i]?.per === 'row');
  m.prepare(1, roots, row);
  kernel.outputs.forEach((output, i) => {
    if (output.per !== 'row') return;
    const value = m.value(kernel.program.values[i] as Expr);
    m.storeOne(output.dtype, value, row.get(m.outputBase + i) as number);
  });
}

/** Stores what is stored for each element of a row, or for its elements [begin, end). */
export function storeElements(
  m: Emitter,
  row: Pointers,
  begin: number | undefined,
  end: number,
): void {
  const { kernel } = m;
  const outputs = kernel.outputs.flatMap((o, i) => (o.per === 'element' ? [i] : []));
  if (outputs.length === 0) return;
  const roots = outputs.map((i) => kernel.program.values[i] as Expr);
  m.prepare(1, roots, row);
  const operands = [...new Set([...m.operandsOf(roots), ...outputs.map((i) => m.outputBase + i)])];
  const light = m.weight(roots) <= LIGHT;
  m.walk(
    reducedDimensions(m),
    begin,
    end,
    operands,
    (o) => row.get(o),
    (count, pointers) => {
      m.forget(2);
      m.prepare(2, roots, pointers);
      m.vectors(count, pointers, { light }, () => {
        const values = roots.map((e) => m.value(e));
        values.forEach((value, i) => {
          m.store(outputs[i] as number, value);
        });
      });
    },
  );
}
