import { computeType } from '@sconce/core';
import { elementCount } from '../layout.js';
import { combination } from './combine.js';
import { Frame, type KernelText, narrow, widen } from './frame.js';
import { usesOf } from './leaves.js';
import { packInputs } from './pack.js';
import { type Operand, packedOperand, Temporary, type WgslLimits, type WgslStep } from './plan.js';
import { copyIfShared, destination, evaluator, type ScatterWork } from './scatter.js';
import { exchange } from './sort.js';

const size = 64;

/**
 * Adds the dispatches of a scatter whose result does not vary from run to run: positions are sorted by their
 * destination, stably, and one invocation for each destination takes its positions in row-major order, as a
 * loop on a CPU would.
 */
export function planOrderedScatter(work: ScatterWork, limits: WgslLimits, steps: WgslStep[]): void {
  const count = elementCount(work.shape);
  let padded = 2;
  while (padded < count) padded *= 2;
  const keys = packedOperand(new Temporary(padded), 'int32', [padded]);
  const places = packedOperand(new Temporary(padded), 'int32', [padded]);
  const inputs = packInputs(
    work.inputs.map((operand) => copyIfShared(operand, work.output, steps)),
    [work.output, keys, places],
    limits,
    steps,
  );
  steps.push(makeKeys({ ...work, inputs }, count, padded, keys, places));
  for (let k = 2; k <= padded; k *= 2) {
    for (let j = k / 2; j >= 1; j /= 2) {
      steps.push(exchange(keys.buffer, places.buffer, padded, padded, k, j));
    }
  }
  steps.push(combineRuns({ ...work, inputs }, padded, keys, places));
}

/** Fills the destination of every position; those that write nothing come last. */
function makeKeys(
  work: ScatterWork,
  count: number,
  padded: number,
  keys: Operand,
  places: Operand,
) {
  const { coords, valid, output } = work;
  const roots = [...coords, ...(valid ? [valid] : [])];
  const frame = new Frame(`scatterkeys;${valid ? 'v' : ''}${usesOf(roots).key}`);
  const k = frame.bind(keys.buffer, true);
  const p = frame.bind(places.buffer, true);
  const total = frame.word(count);
  const extent = frame.word(padded);
  const last = frame.word(output.buffer.bytes / 4 - 1);
  const address = destination(frame, output);
  const evaluate = evaluator(frame, work, work.inputs, roots, true);
  const render = (functions: Set<string>): KernelText => {
    const { text, values } = evaluate(functions);
    const guard = valid ? `if(!${values[coords.length]}){return;}\n` : '';
    return {
      size,
      body: `let i=group*${size}+lid;
if(i>=${extent}){return;}
b${p}[i]=i;b${k}[i]=-1;
if(i>=${total}){return;}
${text}${guard}b${k}[i]=i32(min(u32(${address(values)}),u32(${last})));
`,
    };
  };
  return frame.dispatch(() => 'scatter', Math.ceil(padded / size), render);
}

/** Combines the positions of each destination, which lie one after the other, in their order. */
function combineRuns(work: ScatterWork, padded: number, keys: Operand, places: Operand) {
  const { combine, output, value } = work;
  const frame = new Frame(`scatterruns;${combine};${output.dtype};${usesOf([value]).key}`);
  const target = frame.bind(output.buffer, true);
  const k = frame.bind(keys.buffer, false);
  const p = frame.bind(places.buffer, false);
  const extent = frame.word(padded);
  const evaluate = evaluator(frame, work, work.inputs, [value], true);
  const render = (functions: Set<string>): KernelText => {
    const { text, values } = evaluate(functions);
    const given = values[0] as string;
    const after =
      combine === 'set'
        ? given
        : combination(combine, computeType(output.dtype), functions).combine(
            widen(output.dtype, 'word'),
            given,
          );
    return {
      size,
      body: `let t=group*${size}+lid;
if(t>=${extent}){return;}
let key=b${k}[t];
if(key<0){return;}
if(t>0){if(b${k}[t-1]==key){return;}}
var word=b${target}[key];
for(var j=t;j<${extent};j++){
if(b${k}[j]!=key){break;}
let i=b${p}[j];
${text}word=${narrow(output.dtype, after, functions)};
}
b${target}[key]=word;
`,
    };
  };
  return frame.dispatch(() => `scatter ${combine}`, Math.ceil(padded / size), render);
}
