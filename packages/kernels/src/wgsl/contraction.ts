import { apply, type Expr, input, type ScalarValue, stage } from '@sconce/core';
import { broadcastStrides, elementCount, rowMajorStrides } from '../layout.js';
import { Block, wgslType } from './expression.js';
import { Frame, type KernelText, Nest } from './frame.js';
import { usesOf } from './leaves.js';
import { positions } from './map.js';
import { type Operand, Temporary, type WgslLimits, type WgslStep } from './plan.js';
import { planReduce } from './reduce.js';

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

/** A tile of the result is this wide and high; an invocation has four by four of it. */
const tile = 64;
const depth = 16;
const threads = 256;

/** Adds the dispatches of a contraction: tiled where it is large, one sum an invocation or workgroup where not. */
export function planContraction(work: Contraction, limits: WgslLimits, steps: WgslStep[]): void {
  const [batch, m, n, k] = [work.batch, work.m, work.n, work.k].map(elementCount) as [
    number,
    number,
    number,
    number,
  ];
  if (batch * m * n === 0) return;
  const shape = [...work.batch, ...work.m, ...work.n, ...work.k];
  const buffers = new Set([work.output, ...work.inputs].map((o) => o.buffer));
  const small = Math.min(m, n) < 12 || m * n * k < 2 ** 15 || k < 4;
  if (small || buffers.size > limits.storageBuffers) {
    const first = shape.length - work.k.length;
    planReduce(
      {
        shape,
        axes: work.k.map((_, i) => first + i),
        inputs: work.inputs,
        scalars: work.scalars,
        stages: [{ combine: 'sum', value: apply('mul', work.a, work.b) }],
        outputs: [{ per: 'row', value: work.value, view: work.output }],
      },
      limits,
      steps,
    );
    return;
  }
  const tiles = batch * Math.ceil(m / tile) * Math.ceil(n / tile);
  const splits = tiles >= 64 ? 1 : Math.min(Math.ceil(64 / tiles), Math.ceil(k / 512));
  if (splits <= 1) {
    steps.push(tiled(work, shape, [batch, m, n, k], 1, k));
    return;
  }
  // Few tiles with long sums: parts of the sums first, which are then added up.
  const chunk = Math.ceil(Math.ceil(k / splits) / depth) * depth;
  const parts = Math.ceil(k / chunk);
  const kept = shape.slice(0, shape.length - work.k.length);
  const count = batch * m * n;
  const partials: Operand = {
    buffer: new Temporary(parts * count),
    dtype: work.a.dtype,
    shape: [...kept, parts],
    strides: [...rowMajorStrides(kept), count],
    offset: 0,
  };
  steps.push(tiled(work, shape, [batch, m, n, k], parts, chunk, partials));
  const perRow = (operand: Operand): Operand => ({
    ...operand,
    shape: [...operand.shape.slice(0, kept.length), 1],
    strides: [...operand.strides.slice(0, kept.length), 0],
  });
  planReduce(
    {
      shape: [...kept, parts],
      axes: [kept.length],
      inputs: [...work.inputs.map(perRow), partials],
      scalars: work.scalars,
      stages: [
        { combine: 'sum', value: input(work.inputs.length, work.a.dtype) },
      ],
      outputs: [{ per: 'row', value: work.value, view: perRow(work.output) }],
    },
    limits,
    steps,
  );
}

/** One dispatch of tiles; with `partials`, of parts of the sums. */
function tiled(
  work: Contraction,
  shape: readonly number[],
  sizes: readonly [batch: number, m: number, n: number, k: number],
  parts: number,
  chunk: number,
  partials?: Operand,
) {
  const [batch, m, n, k] = sizes;
  const value = partials ? stage(0, work.a.dtype) : work.value;
  const roots = [work.a, work.b, value];
  const uses = usesOf(roots);
  const position = positions(shape, work.inputs, uses);
  // The faster loads go along the dimension in which neighbours lie side by side.
  const alongK = isInnermost(work, work.a) ? 1 : 0;
  const bAlongK = isInnermost(work, work.b) ? 1 : 0;
  const frame = new Frame(`contract;${alongK}${bAlongK}${partials ? 'P' : ''};${uses.key}`);
  const rowTiles = Math.ceil(m / tile);
  const columnTiles = Math.ceil(n / tile);
  const words = {
    m: frame.word(m),
    n: frame.word(n),
    k: frame.word(k),
    rows: frame.word(rowTiles),
    columns: frame.word(columnTiles),
    groups: frame.word(rowTiles * columnTiles * batch * parts),
    chunk: frame.word(chunk),
    parts: frame.word(parts),
    batch: frame.word(batch),
  };
  const at = { m: work.batch.length, n: 0, k: 0 };
  at.n = at.m + work.m.length;
  at.k = at.n + work.n.length;
  const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
  const target = partials
    ? [{ operand: { ...partials, shape: [], strides: [] }, strides: shape.map(() => 0) }]
    : [{ operand: work.output, strides: broadcastStrides(shape, work.output.shape, work.output.strides) }];
  const nest = new Nest(
    frame,
    shape,
    [
      { prefix: 'b', axes: range(0, at.m) },
      { prefix: 'm', axes: range(at.m, at.n) },
      { prefix: 'n', axes: range(at.n, at.k) },
      { prefix: 'k', axes: range(at.k, shape.length) },
    ],
    [...target, ...position.participants],
    1,
  );
  const load = frame.loads(uses, work.inputs);
  const scalar = frame.scalars(uses, work.scalars);
  const render = (functions: Set<string>): KernelText => {
    const type = wgslType(work.a.dtype);
    const zero = type === 'f32' ? '0f' : '0';
    const base = (p: number) => `a${p}`;
    const leaves = (groups: readonly number[]) =>
      position.leaves(1, (p) => nest.read(p, [base(p), ...groups.map((g) => nest.part(p, g))].join('+')));
    const part = (letter: 'm' | 'n', root: Expr, fast: number) => {
      const group = letter === 'm' ? 1 : 2;
      const block = new Block({ scalar, load, ...leaves([group, 3]) }, functions, `${letter}v`);
      const result = block.value(root);
      const [x, y] = fast ? [`t/${depth}`, `t%${depth}`] : [`t%${tile}`, `t/${tile}`];
      return `for(var t=lid;t<${tile * depth};t+=${threads}){
let x=${x};let y=${y};let i=t${letter}*${tile}+x;let j=at+y;var v=${zero};
if(i<${words[letter]}&&j<last){
${nest.decode(group, 'i')}${nest.decode(3, 'j')}${block.text}v=${result};}
w${letter}[y*${tile}+x]=v;}
`;
    };
    const four = [0, 1, 2, 3];
    const vector = (array: string, start: string) =>
      `vec4<${type}>(${four.map((i) => `${array}[${start}+${i}]`).join(',')})`;
    const finish = new Block(
      { scalar, load, stage: () => 'sum', ...leaves([1, 2]) },
      functions,
      'o',
    );
    const stored = finish.value(value);
    const store = partials
      ? nest.store(0, `((part*${words.batch}+batch)*${words.m}+i)*${words.n}+j`, stored, functions)
      : nest.store(0, `a0+${nest.part(0, 1)}+${nest.part(0, 2)}`, stored, functions);
    let bases = '';
    for (let p = 0; p <= position.participants.length; p++) {
      bases += `let a${p}=${nest.offset(p)}+${nest.part(p, 0)};\n`;
    }
    return {
      size: threads,
      declarations: `var<workgroup> wm:array<${type},${tile * depth}>;\nvar<workgroup> wn:array<${type},${tile * depth}>;\n`,
      body: `if(group>=${words.groups}){return;}
let tn=group%${words.columns};let tm=(group/${words.columns})%${words.rows};
let rest=group/(${words.columns}*${words.rows});let batch=rest%${words.batch};let part=rest/${words.batch};
let first=part*${words.chunk};let last=min(${words.k},first+${words.chunk});
${nest.decode(0, 'batch')}${bases}let lm=(lid/16)*4;let ln=(lid%16)*4;
${four.map((i) => `var s${i}=vec4<${type}>();`).join('')}
for(var at=first;at<last;at+=${depth}){
${part('m', work.a, alongK)}${part('n', work.b, bAlongK)}workgroupBarrier();
for(var y=0;y<${depth};y++){
let p=${vector('wm', `y*${tile}+lm`)};let q=${vector('wn', `y*${tile}+ln`)};
${four.map((i) => `s${i}+=p[${i}]*q;`).join('')}}
workgroupBarrier();}
var sums=array<vec4<${type}>,4>(s0,s1,s2,s3);
for(var x=0;x<4;x++){let i=tm*${tile}+lm+x;if(i>=${words.m}){break;}
${nest.decode(1, 'i')}let four=sums[x];
for(var y=0;y<4;y++){let j=tn*${tile}+ln+y;if(j>=${words.n}){break;}
let sum=four[y];
${nest.decode(2, 'j')}${finish.text}${store}}}
`,
    };
  };
  return frame.dispatch(() => work.label, rowTiles * columnTiles * batch * parts, render);
}

/** Whether an operand's elements lie side by side along the innermost summed axis. */
function isInnermost(work: Contraction, e: Expr): boolean {
  const uses = usesOf([e]);
  const operand = work.inputs[uses.inputs[0] ?? -1];
  return operand?.strides.at(-1) === 1;
}
