import { computeType, type ScanPrimitive } from '@sconce/core';
import { elementCount } from '../layout.js';
import { combination } from './combine.js';
import { Frame, Nest } from './frame.js';
import type { Operand, WgslStep } from './plan.js';

/** A `ScanPrimitive` over operands. */
export interface ScanWork extends Omit<ScanPrimitive, 'kind' | 'input' | 'output' | 'indices'> {
  readonly input: Operand;
  readonly output: Operand;
  readonly indices: Operand | undefined;
}

const size = 64;

/**
 * Adds the dispatch of a prefix combination. Invocations take consecutive pieces of a row: they combine their
 * pieces, learn what comes before, and go over their pieces again. Of short or many rows an invocation has one
 * to itself.
 */
export function planScan(work: ScanWork, steps: WgslStep[]): void {
  const { input, output, indices, axis, combine, reverse } = work;
  const shape = input.shape;
  const length = shape[axis] ?? 1;
  const kept = shape.map((_, d) => d).filter((d) => d !== axis);
  const rows = elementCount(kept.map((d) => shape[d] as number));
  if (rows === 0 || length === 0) return;
  const together = length >= 128 && rows < 4096;
  const frame = new Frame(`scan${together ? 'T' : 'S'}${combine}${reverse ? 'R' : ''}`);
  const total = frame.word(rows);
  const extent = frame.word(length);
  const piece = frame.word(Math.ceil(length / size));
  const written = indices ? [output, indices] : [output];
  // A scalar has no axis: its one element is its own row.
  const axes = shape.length === 0 ? [] : [axis];
  const nest = new Nest(
    frame,
    shape,
    [
      { prefix: 'r', axes: kept },
      { prefix: 'e', axes },
    ],
    [...written, input].map((operand) => ({ operand, strides: operand.strides })),
    written.length,
  );
  const source = written.length;
  const type = computeType(input.dtype);
  const render = (functions: Set<string>) => {
    const kind = combination(combine, type, functions);
    let body = together
      ? `if(group>=${total}){return;}\nlet row=group;let first=lid*${piece};let last=min(${extent},first+${piece});\n`
      : `let row=group*${size}+lid;if(row>=${total}){return;}\nlet first=0;let last=${extent};\n`;
    body += nest.decode(0, 'row');
    for (let p = 0; p <= source; p++) body += `let a${p}=${nest.offset(p)}+${nest.part(p, 0)};\n`;
    // The latest of equals wins, and NaN stays.
    const later = () => {
      const sign = combine === 'max' ? '>=' : '<=';
      if (kind.type === 'bool') return combine === 'max' ? '(x||!v)' : '(!x||v)';
      if (kind.type !== 'f32') return `x${sign}v`;
      for (const name of ['isnan', 'le']) functions.add(name);
      return `(f_isnan(x)||${combine === 'max' ? 'f_le(v,x)' : 'f_le(x,v)'})`;
    };
    const take = indices ? `if(${later()}){v=x;k=at;}` : `v=${kind.combine('v', 'x')};`;
    const walk = (store: boolean) => `for(var j=first;j<last;j++){
let at=${reverse ? `${extent}-1-j` : 'j'};
${nest.decode(1, 'at')}let x=${nest.read(source, `a${source}+${nest.part(source, 1)}`)};
${take}
${store ? nest.store(0, `a0+${nest.part(0, 1)}`, 'v', functions) : ''}${
  store && indices ? nest.store(1, `a1+${nest.part(1, 1)}`, 'k', functions) : ''
}}
`;
    body += `var v=${kind.identity};${indices ? 'var k=0;' : ''}\n`;
    if (!together) return { size, body: body + walk(true) };
    const float = kind.type === 'f32';
    const put = kind.type === 'bool' ? 'select(0,1,v)' : 'v';
    const get = kind.type === 'bool' ? '(wv[t]!=0)' : 'wv[t]';
    body += `${walk(false)}wv[lid]=${put};${indices ? 'wk[lid]=k;' : ''}
workgroupBarrier();
v=${kind.identity};${indices ? 'k=0;' : ''}
for(var t=0;t<lid;t++){if(t*${piece}>=${extent}){break;}let x=${get};${indices ? 'let at=wk[t];' : ''}
${take}}
${walk(true)}`;
    const declarations = `var<workgroup> wv:array<${float ? 'f32' : 'i32'},${size}>;\n${
      indices ? `var<workgroup> wk:array<i32,${size}>;\n` : ''
    }`;
    return { size, declarations, body };
  };
  const groups = together ? rows : Math.ceil(rows / size);
  steps.push(frame.dispatch(() => `scan ${combine}`, groups, render));
}
