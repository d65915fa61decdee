import { type Expr, stage } from '@sconce/core';
import { type Contraction, type Extents, nestOf } from './contraction-space.js';
import { Block, wgslType } from './expression.js';
import { Frame, type KernelText } from './frame.js';
import { usesOf } from './leaves.js';
import { positions } from './map.js';
import type { Operand, WgslDispatch } from './plan.js';

/** A tile of the result is this wide and high; an invocation has four by four of it. */
export const tileSize = 64;
const tile = tileSize;
const depth = 16;
const threads = 256;

/**
 * One dispatch of tiles that workgroups hold in shared memory; with `partials`, of parts of the sums. Suits large
 * matrices.
 */
export function tiled(
  work: Contraction,
  { shape, batch, m, n, k }: Extents,
  parts: number,
  partials?: Operand,
): WgslDispatch {
  const chunk = Math.ceil(Math.ceil(k / parts) / depth) * depth;
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
  const nest = nestOf(frame, work, shape, position.participants, partials);
  const load = frame.loads(uses, work.inputs);
  const scalar = frame.scalars(uses, work.scalars);
  const render = (functions: Set<string>): KernelText => {
    const type = wgslType(work.a.dtype);
    const zero = type === 'f32' ? '0f' : '0';
    const base = (p: number) => `a${p}`;
    const leaves = (groups: readonly number[]) =>
      position.leaves(1, (p) =>
        nest.read(p, [base(p), ...groups.map((g) => nest.part(p, g))].join('+')),
      );
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
