import type { Expr } from '@sconce/core';
import { BROADCAST, STRIDED } from '../layout.js';
import type { Stage } from '../program.js';
import { Accumulator } from './accumulator.js';
import { type Emitter, LIGHT, type Pointers } from './emitter.js';
import { i32 } from './opcodes.js';
import { convert, type Value } from './values.js';

/** Writes one phase of a row-wise reduction. */
export function renderReduce(m: Emitter, phase: number): void {
  const { kernel } = m;
  m.prepare(0, rootsOf(m), new Map());
  if (kernel.vector === 'kept') reduceAcrossRows(m);
  else if (kernel.split) reduceChunk(m, phase);
  else reduceWithinRows(m);
}

const rootsOf = (m: Emitter): Expr[] => [
  ...m.kernel.program.stages.map((s) => s.value),
  ...m.kernel.program.values,
];

const keptDimensions = (m: Emitter): number[] => Array.from({ length: m.kernel.kept }, (_, d) => d);
const reducedDimensions = (m: Emitter): number[] =>
  Array.from({ length: m.kernel.reduced }, (_, d) => m.kernel.kept + d);

/** The operands that combining a stage walks along. */
function stageOperands(m: Emitter, stage: Stage): number[] {
  const operands = m.operandsOf([stage.value]);
  if (stage.combine.startsWith('arg')) operands.push(m.positionOperand);
  return operands;
}

function defineStage(m: Emitter, s: number, value: Value): void {
  for (const e of m.kernel.program.order) {
    if (e.op === 'stage' && Number(e.value) === s) m.define(e, convert(m.v, value, e.dtype));
  }
}

/**
 * The output in which the last stage leaves its elements, to be finished there: as in a softmax, where the
 * exponentials of the sum are the numerators. Only where nothing else of the inputs is needed any more.
 */
function keptOutput(m: Emitter): { node: Expr; output: number } | undefined {
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

/** Runs `body` for the rows [begin, end) with the addresses of all operands at the row's start. */
function eachRow(m: Emitter, begin: number, end: number, body: (row: Pointers) => void): void {
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

function setRow(m: Emitter, row: Pointers, coordinate: (d: number) => number): void {
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

function allOperands(m: Emitter): number[] {
  const operands = new Set(m.operandsOf(rootsOf(m)));
  for (const stage of m.kernel.program.stages)
    for (const o of stageOperands(m, stage)) operands.add(o);
  m.kernel.outputs.forEach((_, i) => {
    operands.add(m.outputBase + i);
  });
  return [...operands];
}

/** Combines a row, or the elements [begin, end) of it; leaves the elements in output `leave`, if given. */
function reduceRow(
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
        m.vectors(part, pointers, { light, unroll }, (u) => {
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
function storeRow(m: Emitter, row: Pointers): void {
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
function storeElements(m: Emitter, row: Pointers, begin: number | undefined, end: number): void {
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
      // A cache line of neighbours at a time, where one vector leaves the others of the line to be read again.
      const options = wide ? { light: true, unroll: 4, together: true } : { light: false };
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

/** Bytes of a partial result: the value and, for argmax and argmin, its position. */
export const PARTIAL_BYTES = 16;

/**
 * One phase of a reduction whose rows are divided into chunks: items are chunks (of all rows, row by row). Phase p
 * combines each chunk for stage p into the workspace; each later phase first combines those partial results.
 */
function reduceChunk(m: Emitter, phase: number): void {
  const { kernel, code } = m;
  const { stages } = kernel.program;
  const { layout } = m;
  const chunks = m.argument(layout.chunks);
  const chunkSize = m.argument(layout.chunkSize);
  const total = m.argument(layout.reducedCount);
  const last = phase === stages.length;
  const byRow = last && kernel.outputs.every((o) => o.per === 'row');
  const item = code.local('i32');
  const rowNumber = code.local('i32');
  const chunk = code.local('i32');
  const begin = code.local('i32');
  const end = code.local('i32');
  const dimensions = keptDimensions(m);
  const coordinates = new Map(dimensions.map((d) => [d, code.local('i32')]));
  const coordinate = (d: number): number => coordinates.get(d) as number;
  const row: Pointers = new Map(allOperands(m).map((o) => [o, code.local('i32')]));
  const partial = (s: number, ofRow: number, pushChunk: () => void): void => {
    // workspace + ((s * rows + row) * chunks + chunk) * bytes
    code.get(m.argument(layout.workspace));
    code.i32(s).get(m.argument(layout.rows)).op(i32.mul).get(ofRow).op(i32.add);
    code.get(chunks).op(i32.mul);
    pushChunk();
    code.op(i32.add).i32(PARTIAL_BYTES).op(i32.mul).op(i32.add);
  };
  code.get(1).set(item);
  m.while(
    () => code.get(item).get(2).op(i32.ltU),
    () => {
      if (byRow) {
        code.get(item).set(rowNumber);
      } else {
        code.get(item).get(chunks).op(i32.divU).set(rowNumber);
        code.get(item).get(chunks).op(i32.remU).set(chunk);
        code.get(chunk).get(chunkSize).op(i32.mul).set(begin);
        code.get(begin).get(chunkSize).op(i32.add).set(end);
        code.get(end).get(total).op(i32.gtU);
        code.if(() => code.get(total).set(end));
      }
      m.unravel(dimensions, rowNumber, coordinate);
      setRow(m, row, coordinate);
      m.forget(1);
      for (let s = 0; s < phase; s++) {
        const stage = stages[s] as Stage;
        const whole = new Accumulator(m, stage.combine, stage.value.dtype, 1);
        whole.start(undefined);
        const k = code.local('i32');
        const at = code.local('i32');
        code.i32(0).set(k);
        m.while(
          () => code.get(k).get(chunks).op(i32.ltU),
          () => {
            partial(s, rowNumber, () => code.get(k));
            code.set(at);
            whole.mergeFrom(at);
            code.get(k).i32(1).op(i32.add).set(k);
          },
        );
        defineStage(m, s, whole.finish());
      }
      if (!last) {
        const stage = stages[phase] as Stage;
        const result = reduceRow(m, stage, row, begin, end);
        const at = code.local('i32');
        partial(phase, rowNumber, () => code.get(chunk));
        code.set(at);
        result.saveTo(at);
      } else {
        // What a branch evaluates is not known after it: evaluate it here.
        m.prepare(1, kernel.program.values, row);
        if (byRow) storeRow(m, row);
        else {
          code.get(chunk).op(i32.eqz);
          code.if(() => storeRow(m, row));
          storeElements(m, row, begin, end);
        }
      }
      code.get(item).i32(1).op(i32.add).set(item);
    },
  );
}
