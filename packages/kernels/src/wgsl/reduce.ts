import {
  type Combiner,
  type DType,
  type Expr,
  input,
  uses as refersTo,
  type ScalarValue,
} from '@sconce/core';
import { broadcastStrides, elementCount } from '../layout.js';
import { combination } from './combine.js';
import { Block } from './expression.js';
import { Frame, type KernelText, Nest, widen } from './frame.js';
import { substitute, usesOf } from './leaves.js';
import { describe, planCopy, planMap, positions } from './map.js';
import { packInputs, planSeparately } from './pack.js';
import { type Operand, packedOperand, Temporary, type WgslLimits, type WgslStep } from './plan.js';

/** A `ReducePrimitive` over operands. */
export interface ReduceWork {
  readonly shape: readonly number[];
  readonly axes: readonly number[];
  readonly inputs: readonly Operand[];
  readonly scalars: readonly ScalarValue[];
  readonly stages: readonly { readonly combine: Combiner; readonly value: Expr }[];
  readonly outputs: readonly {
    readonly per: 'row' | 'element';
    readonly value: Expr;
    readonly view: Operand;
  }[];
}

/** Invocations that share a row; a thread has a row of its own in workgroups of the same size. */
const size = 64;
/** Rows longer than this get a workgroup where there are not enough rows to fill the device. */
const longRow = 256;
const manyRows = 4096;
/** Rows are cut in parts where few workgroups would walk far. */
const splitRow = 8192;
const splitBelowRows = 32;

/** Adds the dispatches of a row-wise primitive. */
export function planReduce(given: ReduceWork, limits: WgslLimits, steps: WgslStep[]): void {
  const separate = planSeparately(
    given.outputs,
    ({ view }) => view,
    (output, view) => planReduce({ ...given, outputs: [{ ...output, view }] }, limits, steps),
    (from, to) => planCopy(from, to, limits, steps),
    limits,
  );
  if (separate) return;
  const inputs = packInputs(
    given.inputs,
    given.outputs.map((o) => o.view),
    limits,
    steps,
  );
  const work = { ...given, inputs };
  const { shape, axes } = work;
  const kept = shape.map((_, i) => i).filter((axis) => !axes.includes(axis));
  const rows = elementCount(kept.map((axis) => shape[axis] as number));
  const length = elementCount(axes.map((axis) => shape[axis] as number));
  if (rows === 0) return;
  const rowLinear = work.outputs.some((o) => o.per === 'row' && refersTo(o.value, 'linear'));
  if (rows < splitBelowRows && length > splitRow && !rowLinear) {
    planSplit(work, kept, rows, length, limits, steps);
    return;
  }
  const innermost = axes.includes(shape.findLastIndex((n) => n > 1));
  const together =
    length >= 32 &&
    (rows < 128 || (innermost && length > longRow) || (length > longRow && rows < manyRows));
  steps.push(planRows(work, kept, rows, length, together));
}

/** The passes over a row: stages that do not use one another share one. */
function passesOf(stages: ReduceWork['stages']): number[][] {
  const passes: number[][] = [];
  stages.forEach(({ value }, i) => {
    const current = passes.at(-1);
    const depends = (e: Expr): boolean =>
      (e.op === 'stage' && (current ?? []).includes(e.value as number)) || e.args.some(depends);
    if (current && !depends(value)) current.push(i);
    else passes.push([i]);
  });
  return passes;
}

const stageType = (work: ReduceWork, index: number) => {
  const { combine, value } = work.stages[index] as ReduceWork['stages'][number];
  return combine === 'argmax' || combine === 'argmin' ? 'int32' : value.dtype;
};

/** A part of a row range: where partial results of one pass go instead of on to the next. */
interface Partial {
  readonly pass: readonly number[];
  readonly splits: number;
  readonly chunk: number;
  readonly into: Temporary;
}

/**
 * One dispatch that does whole rows, or one pass over parts of them.
 *
 * @param together whether a workgroup shares a row; otherwise each invocation has its own
 */
function planRows(
  work: ReduceWork,
  kept: readonly number[],
  rows: number,
  length: number,
  together: boolean,
  partial?: Partial,
) {
  const { shape, axes, stages } = work;
  const outputs = partial ? [] : work.outputs;
  const used = partial ? partial.pass.map((i) => stages[i] as (typeof stages)[number]) : stages;
  const roots = [...used.map((s) => s.value), ...outputs.map((o) => o.value)];
  const uses = usesOf(roots);
  const signature = used.map((s) => s.combine).join();
  const frame = new Frame(
    `reduce${together ? 'T' : 'S'}${partial ? `P${partial.pass.length}` : ''};${signature};${outputs.map((o) => o.per).join()};${uses.key}`,
  );
  const ordered = used.some((s) => s.combine.startsWith('arg'));
  const position = positions(shape, work.inputs, uses);
  const items = rows * (partial?.splits ?? 1);
  const total = frame.word(items);
  const extent = frame.word(length);
  const nest = new Nest(
    frame,
    shape,
    [
      // Partial results are numbered by rows.
      { prefix: 'r', axes: kept, ordered: partial !== undefined },
      { prefix: 'e', axes, ordered },
    ],
    [
      ...outputs.map(({ view }) => ({
        operand: view,
        strides: broadcastStrides(shape, view.shape, view.strides),
      })),
      ...position.participants,
    ],
    outputs.length,
  );
  const outer = frame.word(nest.outer(1));
  const load = frame.loads(uses, work.inputs);
  const scalar = frame.scalars(uses, work.scalars);
  const splits = partial && frame.word(partial.splits);
  const chunk = partial && frame.word(partial.chunk);
  const target = partial && frame.bind(partial.into, true);
  const participants = outputs.length + position.participants.length;

  const render = (functions: Set<string>): KernelText => {
    /** The address of a participant at an element of the row. */
    const moved = new Set<number>();
    const inRow = (p: number) => {
      moved.add(p);
      return together ? `a${p}+${nest.part(p, 1)}` : `q${p}`;
    };
    const elements = (stage: (i: number) => string, prefix: string) =>
      new Block(
        {
          scalar,
          load,
          stage,
          ...position.leaves(outputs.length, (p) => nest.read(p, inRow(p))),
        },
        functions,
        prefix,
      );
    const stage = (i: number) => `s${i}`;
    let body = partial
      ? `if(group>=${total}){return;}\nlet row=group/${splits};let first=(group%${splits})*${chunk};let last=min(${extent},first+${chunk});\n`
      : together
        ? `if(group>=${total}){return;}\nlet row=group;let first=0;let last=${extent};\n`
        : `let row=group*${size}+lid;if(row>=${total}){return;}\n`;
    body += nest.decode(0, 'row');
    for (let p = 0; p < participants; p++) {
      body += `let a${p}=${nest.offset(p)}+${nest.part(p, 0)};\n`;
    }
    // A thread alone walks its row by nested loops; threads that share one split their indices.
    const loop = (block: string) => {
      const used = [...moved];
      moved.clear();
      if (together) {
        return `for(var j=first+lid;j<last;j+=${size}){\n${nest.decode(1, 'j')}${block}}\n`;
      }
      const walk = (body: string) => nest.loops(1, '0', outer, used, 'q', 'a', body);
      return ordered ? `{var j=0;\n${walk(`${block}j++;`)}}\n` : walk(block);
    };
    const kinds = stages.map((s) => combination(s.combine, s.value.dtype, functions));
    const shared = new Set<string>();
    for (const pass of partial ? [partial.pass] : passesOf(stages)) {
      for (const i of pass) {
        const kind = kinds[i] as (typeof kinds)[number];
        body += `var v${i}=${kind.identity};\n`;
        if (kind.indexed) body += `var i${i}=2147483647;\n`;
      }
      const block = elements(stage, 'x');
      const values = block.values(pass.map((i) => (stages[i] as (typeof stages)[number]).value));
      pass.forEach((i, n) => {
        const kind = kinds[i] as (typeof kinds)[number];
        const value = block.name(values[n] as string);
        block.add(
          kind.indexed
            ? `if(${kind.beats(`v${i}`, `i${i}`, value, 'j')}){v${i}=${value};i${i}=j;}`
            : `v${i}=${kind.combine(`v${i}`, value)};`,
        );
      });
      body += loop(block.text);
      for (const i of pass) {
        const kind = kinds[i] as (typeof kinds)[number];
        if (together) body += tree(i, kind, shared);
        if (!partial) body += `let s${i}=${kind.indexed ? `i${i}` : `v${i}`};\n`;
      }
    }
    if (partial) {
      const words = partial.pass.flatMap((i) => {
        const kind = kinds[i] as (typeof kinds)[number];
        return [toWord(kind.type, `v${i}`), ...(kind.indexed ? [`i${i}`] : [])];
      });
      body += 'if(lid==0){\n';
      words.forEach((word, n) => {
        body += `b${target}[group*${words.length}+${n}]=${word};\n`;
      });
      body += '}\n';
    }
    // Row outputs first into names: an element output may overwrite what they read.
    const row = new Block(
      { scalar, load, stage, ...position.leaves(outputs.length, (p) => nest.read(p, `a${p}`)) },
      functions,
    );
    const perRow = outputs.flatMap((o, p) => (o.per === 'row' ? [p] : []));
    const values = row.values(perRow.map((p) => (outputs[p] as (typeof outputs)[number]).value));
    const stores = perRow.map((p, n) =>
      nest.store(p, `a${p}`, row.name(values[n] as string), functions),
    );
    body += row.text;
    const perElement = outputs.flatMap((o, p) => (o.per === 'element' ? [p] : []));
    if (perElement.length > 0) {
      const block = elements(stage, 'y');
      const found = block
        .values(perElement.map((p) => (outputs[p] as (typeof outputs)[number]).value))
        .map((value) => block.name(value));
      perElement.forEach((p, n) => {
        block.add(nest.store(p, inRow(p), found[n] as string, functions));
      });
      body += loop(block.text);
    }
    if (stores.length > 0) {
      body += together ? `if(lid==0){\n${stores.join('')}}\n` : stores.join('');
    }
    const declarations = [...shared]
      .map((name) => `var<workgroup> ${name}:array<${name === 'wf' ? 'f32' : 'i32'},${size}>;\n`)
      .join('');
    return { size, declarations, body };
  };
  const label = () => {
    const functions = outputs.map((o) => describe(o.value)).filter((name) => name !== 'stage');
    return ['reduce', signature.replaceAll(',', ', '), ...functions].join(' ');
  };
  return frame.dispatch(label, together ? items : Math.ceil(items / size), render);
}

const toWord = (type: string, value: string): string =>
  type === 'f32' ? `bitcast<i32>(${value})` : type === 'bool' ? `select(0,1,${value})` : value;

/** Combines the values of a workgroup: eight invocations take eight each, then all take the eight. */
function tree(i: number, kind: ReturnType<typeof combination>, shared: Set<string>): string {
  const float = kind.type === 'f32';
  const array = float ? 'wf' : 'wi';
  shared.add(array);
  if (kind.indexed) shared.add('wj');
  const put = kind.type === 'bool' ? `select(0,1,v${i})` : `v${i}`;
  const get = (at: string) => (kind.type === 'bool' ? `(${array}[${at}]!=0)` : `${array}[${at}]`);
  const step = (at: string) =>
    kind.indexed
      ? `let u=${get(at)};let k=wj[${at}];if(${kind.beats(`v${i}`, `i${i}`, 'u', 'k')}){v${i}=u;i${i}=k;}`
      : `v${i}=${kind.combine(`v${i}`, get(at))};`;
  const save = `${array}[lid]=${put};${kind.indexed ? `wj[lid]=i${i};` : ''}`;
  const fetch = (at: string) => `v${i}=${get(at)};${kind.indexed ? `i${i}=wj[${at}];` : ''}`;
  return `${save}
workgroupBarrier();
if(lid<8){${fetch('lid')}
for(var t=lid+8;t<${size};t+=8){${step('t')}}
${save}}
workgroupBarrier();
${fetch('0')}
for(var t=1;t<8;t++){${step('t')}}
workgroupBarrier();
`;
}

/** Few long rows: each pass by many workgroups into partial results, which a second dispatch combines. */
function planSplit(
  work: ReduceWork,
  kept: readonly number[],
  rows: number,
  length: number,
  limits: WgslLimits,
  steps: WgslStep[],
): void {
  const chunk = Math.max(2048, Math.ceil((length * rows) / 512 / size) * size);
  const splits = Math.ceil(length / chunk);
  const rowShape = work.shape.map((n, axis) => (work.axes.includes(axis) ? 1 : n));
  const found: Operand[] = [];
  /** The tree with the results of earlier passes read from memory. */
  const resolved = (e: Expr): Expr =>
    substitute(e, (leaf) =>
      leaf.op === 'stage'
        ? input(work.inputs.length + (leaf.value as number), leaf.dtype)
        : undefined,
    );
  for (const pass of passesOf(work.stages)) {
    const staged = {
      ...work,
      inputs: [...work.inputs, ...found],
      stages: work.stages.map((s) => ({ ...s, value: resolved(s.value) })),
    };
    const width = pass.reduce((n, i) => n + (work.stages[i]?.combine.startsWith('arg') ? 2 : 1), 0);
    const partials = new Temporary(rows * splits * width);
    steps.push(planRows(staged, kept, rows, length, true, { pass, splits, chunk, into: partials }));
    let at = 0;
    for (const i of pass) {
      const { combine, value } = work.stages[i] as ReduceWork['stages'][number];
      const type = stageType(work, i) as DType;
      const result = packedOperand(new Temporary(rows), type, rowShape);
      const source = {
        buffer: partials,
        dtype: value.dtype as DType,
        shape: [rows, splits],
        strides: [splits * width, width],
        offset: at,
      };
      steps.push(planMerge(combine, source, { ...result, shape: [rows, 1] }, rows, splits));
      found[i] = result;
      at += combine.startsWith('arg') ? 2 : 1;
    }
  }
  const inputs = [...work.inputs, ...found];
  for (const per of ['element', 'row'] as const) {
    const outputs = work.outputs.filter((o) => o.per === per);
    if (outputs.length === 0) continue;
    // A row's own value of an input is that at the start of the row.
    const narrowed = (operand: Operand): Operand => ({
      ...operand,
      shape: operand.shape.map((n, d) => {
        const axis = d + work.shape.length - operand.shape.length;
        return work.axes.includes(axis) ? 1 : n;
      }),
    });
    planMap(
      {
        shape: per === 'row' ? rowShape : work.shape,
        inputs: per === 'row' ? inputs.map(narrowed) : inputs,
        scalars: work.scalars,
        values: outputs.map((o) => resolved(o.value)),
        outputs: outputs.map((o) => o.view),
      },
      limits,
      steps,
    );
  }
}

/** Combines the partial results of a pass; those of indexed combiners are followed by their positions. */
function planMerge(
  combine: Combiner,
  source: Operand,
  result: Operand,
  rows: number,
  splits: number,
) {
  const frame = new Frame(`merge;${combine};${source.dtype}`);
  const from = frame.bind(source.buffer, false);
  const to = frame.bind(result.buffer, true);
  const total = frame.word(rows);
  const extent = frame.word(splits);
  const width = frame.word(source.strides[1] as number);
  const start = frame.word(source.offset);
  return frame.dispatch(
    () => `reduce ${combine}`,
    rows,
    (functions) => {
      const kind = combination(combine, source.dtype as Expr['dtype'], functions);
      const shared = new Set<string>();
      const word = widen(source.dtype, `b${from}[at]`);
      const step = kind.indexed
        ? `let u=${word};let k=b${from}[at+1];if(${kind.beats('v0', 'i0', 'u', 'k')}){v0=u;i0=k;}`
        : `v0=${kind.combine('v0', word)};`;
      const body = `if(group>=${total}){return;}
var v0=${kind.identity};${kind.indexed ? 'var i0=2147483647;' : ''}
for(var j=lid;j<${extent};j+=${size}){let at=${start}+(group*${extent}+j)*${width};
${step}}
${tree(0, kind, shared)}if(lid==0){b${to}[group]=${kind.indexed ? 'i0' : toWord(kind.type, 'v0')};}
`;
      const declarations = [...shared]
        .map((name) => `var<workgroup> ${name}:array<${name === 'wf' ? 'f32' : 'i32'},${size}>;\n`)
        .join('');
      return { size, declarations, body };
    },
  );
}
