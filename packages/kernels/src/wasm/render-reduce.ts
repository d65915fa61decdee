import type { Expr } from '@sconce/core';
import { BROADCAST, STRIDED } from '../layout.js';
import { Accumulator } from './accumulator.js';
import type { Emitter, Pointers } from './emitter.js';
import { renderSplit } from './render-split.js';
import {
  allOperands,
  defineStage,
  eachRow,
  keptDimensions,
  keptOutput,
  reducedDimensions,
  reduceRow,
  rootsOf,
  stageOperands,
  storeElements,
  storeRow,
} from './rows.js';
import { LIGHT } from './weights.js';

/** Writes one phase of a row-wise reduction. */
export function renderReduce(m: Emitter, phase: number): void {
  const { kernel } = m;
  m.prepare(0, rootsOf(m), new Map());
  if (kernel.vector === 'kept') reduceAcrossRows(m);
  else if (kernel.split) renderSplit(m, phase);
  else reduceWithinRows(m);
}

/** Vectors along rows; items are rows. */
function reduceWithinRows(m: Emitter): void {
  const { kernel } = m;
  const keep = keptOutput(m);
  const { stages } = kernel.program;
  eachRow(m, 1, 2, (row) => {
    m.forget(1);
    stages.forEach((stage, s) => {
      const leave = s === stages.length - 1 ? keep?.output : undefined;
      const total = reduceRow(m, stage, row, undefined, m.argument(m.layout.reducedCount), leave);
      defineStage(m, s, total.finish());
    });
    storeRow(m, row);
    m.kept = keep;
    storeElements(m, row, undefined, m.argument(m.layout.reducedCount));
    m.kept = undefined;
  });
}

/** Lanes are neighbouring rows; items are rows. */
function reduceAcrossRows(m: Emitter): void {
  const wide = isPlain(m);
  m.walk(
    keptDimensions(m),
    1,
    2,
    allOperands(m),
    (o) => m.base(o),
    (count, group) => {
      // Whole cache lines of neighbours: a vector at a time would read each line, and visit each page, four times.
      const light = m.weight(rootsOf(m)) <= LIGHT / 4;
      const options = wide ? { light: true, unroll: [16, 4], together: true } : { light };
      m.vectors(count, group, options, (vectors) => reduceGroup(m, group, wide ? vectors : 1));
    },
  );
}

/** Whether several vectors of rows can be reduced side by side: one light stage, all operands in order. */
function isPlain(m: Emitter): boolean {
  const { stages, values } = m.kernel.program;
  const stage = stages[0];
  if (!stage || stages.length > 1 || stage.combine.startsWith('arg')) return false;
  if (m.kernel.outputs.some((o) => o.per === 'element')) return false;
  const inOrder = allOperands(m).every((o) => m.access(o) !== STRIDED);
  const still = m
    .operandsOf([stage.value, ...values])
    .some((o) => m.operand(o).fixed && m.access(o) !== BROADCAST);
  return inOrder && !still && m.weight([stage.value]) <= 12;
}

/** Reduces `vectors` times four neighbouring rows. */
function reduceGroup(m: Emitter, group: Pointers, vectors: number): void {
  const { kernel } = m;
  const { stages, values } = kernel.program;
  const reduced = reducedDimensions(m);
  const position = m.position;
  const all = Array.from({ length: vectors }, (_, u) => u);
  const inner = (
    roots: readonly Expr[],
    used: readonly number[],
    body: (u: number) => void,
  ): void => {
    m.position = { ...position, level: 1 };
    m.prepare(1, roots, group);
    const moving = used.filter((o) => !m.operand(o).fixed);
    m.nest(reduced, moving, group, (pointers) => {
      const merged = new Map([...group, ...pointers]);
      for (const u of all) {
        m.position = { ...position, pointers: merged, level: 3, ahead: u * 4 };
        m.forget(3);
        m.v.scope(() => {
          body(u);
          return [];
        });
        m.forget(3);
      }
    });
    m.position = { ...position, level: 1 };
  };
  m.forget(1);
  const keep = keptOutput(m);
  let totals: Accumulator[] = [];
  stages.forEach((stage, s) => {
    totals = all.map(() => new Accumulator(m, stage.combine, stage.value.dtype, 1));
    for (const total of totals) total.start(undefined);
    const arg = stage.combine.startsWith('arg');
    const leave = s === stages.length - 1 ? keep?.output : undefined;
    const used = stageOperands(m, stage);
    if (leave !== undefined) used.push(m.outputBase + leave);
    inner([stage.value], used, (u) => {
      const total = totals[u] as Accumulator;
      if (leave !== undefined) m.store(leave, m.value(stage.value));
      total.add(m.value(stage.value), 0, arg ? m.index(m.positionOperand) : undefined);
      if (u === vectors - 1) (totals[0] as Accumulator).step(totals.slice(1));
    });
    if (vectors === 1) defineStage(m, s, (totals[0] as Accumulator).finish());
  });
  const roots = kernel.outputs.flatMap((o, i) => (o.per === 'row' ? [values[i] as Expr] : []));
  for (const u of all) {
    if (vectors > 1) {
      m.forget(1);
      defineStage(m, 0, (totals[u] as Accumulator).finish());
    }
    m.position = { ...position, level: 1, ahead: u * 4 };
    m.prepare(1, roots, group);
    m.position = { ...position, pointers: group, level: 1, ahead: u * 4 };
    kernel.outputs.forEach((output, i) => {
      if (output.per === 'row') m.store(i, m.value(values[i] as Expr));
    });
  }
  const elements = kernel.outputs.flatMap((o, i) => (o.per === 'element' ? [i] : []));
  if (elements.length > 0) {
    m.kept = keep;
    const results = elements.map((i) => values[i] as Expr);
    const used = [...m.operandsOf(results), ...elements.map((i) => m.outputBase + i)];
    inner(results, [...new Set(used)], () => {
      const computed = results.map((e) => m.value(e));
      computed.forEach((value, i) => {
        m.store(elements[i] as number, value);
      });
    });
    m.kept = undefined;
  }
  m.forget(1);
  m.position = position;
}
