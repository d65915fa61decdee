import { computeType, type DeviceBuffer } from '@sconce/core';
import { elementCount } from '../layout.js';
import { Frame, type KernelText, Nest } from './frame.js';
import { type Operand, Temporary, type WgslStep } from './plan.js';
import { copyIfShared } from './scatter.js';

/** A `SortPrimitive` over operands. */
export interface SortWork {
  readonly descending: boolean;
  readonly input: Operand;
  readonly values: Operand;
  readonly indices: Operand;
}

const size = 64;
/** The longest rows, padded to a power of two, that are sorted in the memory of one workgroup. */
const localLength = 1024;

/**
 * Adds the dispatches of a sort: a bitonic network over pairs of key and position. Keys are words whose order
 * as unsigned numbers is that of the values, NaN greatest; equal keys are ordered by position, which makes the
 * sort stable.
 */
export function planSort(work: SortWork, steps: WgslStep[]): void {
  const input = copyIfShared(copyIfShared(work.input, work.values, steps), work.indices, steps);
  const shape = input.shape;
  const axis = shape.length - 1;
  const length = shape[axis] ?? 1;
  const kept = shape.slice(0, -1).map((_, d) => d);
  const rows = elementCount(shape.slice(0, -1));
  if (rows === 0 || length === 0) return;
  let padded = 2;
  while (padded < length) padded *= 2;
  if (padded <= localLength) {
    steps.push(sortLocally({ ...work, input }, kept, rows, length, padded));
    return;
  }
  const keys = new Temporary(rows * padded);
  const places = new Temporary(rows * padded);
  steps.push(makeKeys({ ...work, input }, kept, rows, length, padded, keys, places));
  for (let k = 2; k <= padded; k *= 2) {
    for (let j = k / 2; j >= 1; j /= 2)
      steps.push(exchange(keys, places, rows * padded, padded, k, j));
  }
  steps.push(putBack({ ...work, input }, kept, rows, length, padded, places));
}

/** A value as a word that sorts as it does. */
function keyOf(value: string, input: Operand, descending: boolean, functions: Set<string>): string {
  const type = computeType(input.dtype);
  let key: string;
  if (type === 'float32') {
    functions.add('sortkey');
    key = `f_sortkey(${value})`;
  } else if (type === 'bool') {
    key = `select(0u,1u,${value})`;
  } else {
    key = `(bitcast<u32>(${value})^0x80000000u)`;
  }
  return descending ? `(~${key})` : key;
}

/** Positions in rows, and the operands that are walked along with them. */
function nestOf(frame: Frame, work: SortWork, kept: readonly number[]) {
  const { input, values, indices } = work;
  const axes = input.shape.length === 0 ? [] : [input.shape.length - 1];
  return new Nest(
    frame,
    input.shape,
    [
      // Rows are numbered alike in every dispatch.
      { prefix: 'r', axes: kept, ordered: true },
      { prefix: 'e', axes },
    ],
    [values, indices, input].map((operand) => ({ operand, strides: operand.strides })),
    2,
  );
}

const address = (nest: Nest, participant: number): string =>
  `${nest.offset(participant)}+${nest.part(participant, 0)}+${nest.part(participant, 1)}`;

/** Stores value and position of the element that belongs at `j`, found at `source`; `row` is decoded. */
const placed = (
  nest: Nest,
  source: string,
  functions: Set<string>,
): string => `{let place=${source};
${nest.decode(1, 'place')}x=${nest.read(2, address(nest, 2))};}
${nest.decode(1, 'j')}${nest.store(0, address(nest, 0), 'x', functions)}${nest.store(1, address(nest, 1), source, functions)}`;

const scalarType = (input: Operand) => {
  const type = computeType(input.dtype);
  return type === 'float32' ? 'f32' : type === 'bool' ? 'bool' : 'i32';
};

/** One workgroup a row, all in its own memory. The padded length is compiled in: there are ten. */
function sortLocally(
  work: SortWork,
  kept: readonly number[],
  rows: number,
  length: number,
  padded: number,
) {
  const frame = new Frame(`sort;${padded};${work.descending}`);
  const total = frame.word(rows);
  const extent = frame.word(length);
  const nest = nestOf(frame, work, kept);
  const threads = Math.min(size, padded / 2);
  const render = (functions: Set<string>): KernelText => {
    const key = keyOf(nest.read(2, address(nest, 2)), work.input, work.descending, functions);
    return {
      size: threads,
      declarations: `var<workgroup> wk:array<u32,${padded}>;\nvar<workgroup> wi:array<i32,${padded}>;\n`,
      body: `if(group>=${total}){return;}
${nest.decode(0, 'group')}
for(var j=lid;j<${padded};j+=${threads}){
wk[j]=0xffffffffu;wi[j]=j;
if(j<${extent}){${nest.decode(1, 'j')}wk[j]=${key};}}
for(var k=2;k<=${padded};k=k<<1u){
for(var s=k>>1u;s>0;s=s>>1u){
workgroupBarrier();
for(var t=lid;t<${padded / 2};t+=${threads}){
let a=(t/s)*2*s+t%s;let b=a+s;
let after=wk[a]>wk[b]||(wk[a]==wk[b]&&wi[a]>wi[b]);
if(after==((a&k)==0)){let key=wk[a];wk[a]=wk[b];wk[b]=key;let place=wi[a];wi[a]=wi[b];wi[b]=place;}}}}
workgroupBarrier();
for(var j=lid;j<${extent};j+=${threads}){
let source=wi[j];var x:${scalarType(work.input)};
${placed(nest, 'source', functions)}}
`,
    };
  };
  return frame.dispatch(() => 'sort', rows, render);
}

/** Fills the keys and positions of padded rows. */
function makeKeys(
  work: SortWork,
  kept: readonly number[],
  rows: number,
  length: number,
  padded: number,
  keys: Temporary,
  places: Temporary,
) {
  const frame = new Frame(`sortkeys;${work.descending}`);
  const total = frame.word(rows * padded);
  const extent = frame.word(length);
  const width = frame.word(padded);
  const k = frame.bind(keys, true);
  const p = frame.bind(places, true);
  const { input } = work;
  const nest = new Nest(
    frame,
    input.shape,
    [
      // Rows are numbered alike in every dispatch.
      { prefix: 'r', axes: kept, ordered: true },
      { prefix: 'e', axes: [input.shape.length - 1] },
    ],
    [{ operand: input, strides: input.strides }],
    0,
  );
  const render = (functions: Set<string>): KernelText => {
    const key = keyOf(nest.read(0, address(nest, 0)), input, work.descending, functions);
    return {
      size,
      body: `let i=group*${size}+lid;
if(i>=${total}){return;}
let j=i%${width};let row=i/${width};
b${p}[i]=j;
if(j>=${extent}){b${k}[i]=-1;return;}
${nest.decode(0, 'row')}${nest.decode(1, 'j')}b${k}[i]=bitcast<i32>(${key});
`,
    };
  };
  return frame.dispatch(() => 'sort', Math.ceil((rows * padded) / size), render);
}

/** One step of the network: every pair at distance `j` in runs of `k` is put in order. */
export function exchange(
  keys: DeviceBuffer,
  places: DeviceBuffer,
  count: number,
  padded: number,
  k: number,
  j: number,
) {
  const frame = new Frame('sortstep');
  const b = frame.bind(keys, true);
  const p = frame.bind(places, true);
  const total = frame.word(count / 2);
  const run = frame.word(k);
  const distance = frame.word(j);
  const width = frame.word(padded);
  const render = (): KernelText => ({
    size,
    body: `let t=group*${size}+lid;
if(t>=${total}){return;}
let s=${distance};let a=(t/s)*2*s+t%s;let c=a+s;
let ka=bitcast<u32>(b${b}[a]);let kc=bitcast<u32>(b${b}[c]);
let pa=b${p}[a];let pc=b${p}[c];
let after=ka>kc||(ka==kc&&pa>pc);
if(after==((a&(${width}-1)&${run})==0)){b${b}[a]=bitcast<i32>(kc);b${b}[c]=bitcast<i32>(ka);b${p}[a]=pc;b${p}[c]=pa;}
`,
  });
  return frame.dispatch(() => 'sort', Math.ceil(count / 2 / size), render);
}

/** Stores values and positions in their order. */
function putBack(
  work: SortWork,
  kept: readonly number[],
  rows: number,
  length: number,
  padded: number,
  places: Temporary,
) {
  const frame = new Frame('sortback');
  const total = frame.word(rows * length);
  const extent = frame.word(length);
  const width = frame.word(padded);
  const p = frame.bind(places, false);
  const nest = nestOf(frame, work, kept);
  const render = (functions: Set<string>): KernelText => ({
    size,
    body: `let i=group*${size}+lid;
if(i>=${total}){return;}
let j=i%${extent};let row=i/${extent};
let source=b${p}[row*${width}+j];var x:${scalarType(work.input)};
${nest.decode(0, 'row')}${placed(nest, 'source', functions)}`,
  });
  return frame.dispatch(() => 'sort', Math.ceil((rows * length) / size), render);
}
