import {
  category,
  computeType,
  type Expr,
  type ScalarValue,
  type ScatterPrimitive,
  span,
} from '@sconce/core';
import { elementCount } from '../layout.js';
import { combination } from './combine.js';
import { Block } from './expression.js';
import { Frame, Nest, narrow, widen } from './frame.js';
import { usesOf } from './leaves.js';
import { positions } from './map.js';
import { packInputs } from './pack.js';
import { type Operand, Temporary, type WgslLimits, type WgslStep } from './plan.js';
import { planOrderedScatter } from './scatter-ordered.js';

/** A `ScatterPrimitive` over operands. */
export interface ScatterWork {
  readonly shape: readonly number[];
  readonly inputs: readonly Operand[];
  readonly scalars: readonly ScalarValue[];
  readonly coords: readonly Expr[];
  readonly valid: Expr | undefined;
  readonly value: Expr;
  readonly output: Operand;
  readonly combine: ScatterPrimitive['combine'];
}

const size = 64;

/**
 * Adds the dispatch of a scatter: an invocation for each position, combining atomically where several may meet:
 * whole words by the atomic of that name, all else by compare and exchange until nobody came between. The
 * order in which positions arrive is not fixed, so sums of floats may differ in the last bits.
 */
export function planScatter(work: ScatterWork, limits: WgslLimits, steps: WgslStep[]): void {
  const { shape, output, combine, coords, value, valid } = work;
  const count = elementCount(shape);
  if (count === 0) return;
  if (limits.deterministic && !anyOrder(work)) {
    planOrderedScatter(work, limits, steps);
    return;
  }
  const apart = work.inputs.map((operand) => copyIfShared(operand, output, steps));
  const inputs = packInputs(apart, [output], limits, steps);
  const roots = [...coords, value, ...(valid ? [valid] : [])];
  const frame = new Frame(
    `scatter;${combine};${valid ? 'v' : ''}${output.dtype};${usesOf(roots).key}`,
  );
  const target = frame.bind(output.buffer, true);
  const total = frame.word(count);
  frame.bounded(target, '');
  const address = destination(frame, output);
  const evaluate = evaluator(frame, work, inputs, roots);
  const whole = ['int32', 'int64'].includes(output.dtype);
  const builtin =
    whole && { sum: 'atomicAdd', max: 'atomicMax', min: 'atomicMin' }[combine as string];
  const render = (functions: Set<string>) => {
    const { text, values } = evaluate(functions);
    const given = values[coords.length] as string;
    const guard = valid ? `if(!${values[coords.length + 1]}){return;}\n` : '';
    const element = frame.bounded(target, address(values));
    let write: string;
    if (combine === 'set') {
      write = `${element}=${narrow(output.dtype, given, functions)};\n`;
    } else if (builtin) {
      write = `${builtin}(&${element},${given});\n`;
    } else {
      const kind = combination(combine, computeType(output.dtype), functions);
      const combined = narrow(
        output.dtype,
        kind.combine(widen(output.dtype, 'old'), 'v'),
        functions,
      );
      write = `let place=&${element};let v=${given};
var old=atomicLoad(place);
loop{
let r=atomicCompareExchangeWeak(place,old,${combined});
if(r.exchanged){break;}
old=r.old_value;}
`;
    }
    return {
      size,
      ...(combine !== 'set' && { atomic: target }),
      body: `let i=group*${size}+lid;
if(i>=${total}){return;}
${text}${guard}${write}`,
    };
  };
  steps.push(frame.dispatch(() => `scatter ${combine}`, Math.ceil(count / size), render));
}

/** Whether the result is the same in whatever order positions arrive. */
const anyOrder = ({ combine, output }: ScatterWork): boolean =>
  combine === 'max' || combine === 'min' || (combine !== 'set' && category(output.dtype) < 2);

/** How the address of an element of the output follows from its coordinates. */
export function destination(
  frame: Frame,
  output: Operand,
): (coordinates: readonly string[]) => string {
  const offset = frame.word(output.offset);
  const strides = output.strides.map((stride) => frame.word(stride));
  return (coordinates) =>
    [offset, ...strides.map((stride, d) => `${coordinates[d]}*${stride}`)].join('+');
}

/**
 * Trees at position `i` of the iteration space, as WGSL: statements, and what they compute.
 *
 * @param ordered whether positions are numbered in row-major order, and so alike in several dispatches
 */
export function evaluator(
  frame: Frame,
  { shape, scalars }: ScatterWork,
  inputs: readonly Operand[],
  roots: readonly Expr[],
  ordered = false,
): (functions: Set<string>) => { text: string; values: string[] } {
  const uses = usesOf(roots);
  const position = positions(shape, inputs, uses);
  const nest = new Nest(
    frame,
    shape,
    [{ prefix: 'c', axes: shape.map((_, i) => i), ordered }],
    position.participants,
    0,
  );
  const load = frame.loads(uses, inputs);
  const scalar = frame.scalars(uses, scalars);
  return (functions) => {
    const read = (p: number) => nest.read(p, `${nest.offset(p)}+${nest.part(p, 0)}`);
    const block = new Block({ scalar, load, ...position.leaves(0, read) }, functions);
    const values = block.values(roots);
    return { text: `${nest.decode(0, 'i')}${block.text}`, values };
  };
}

/** The operand, or where it lies in memory that is written, a copy of it. */
export function copyIfShared(operand: Operand, written: Operand, steps: WgslStep[]): Operand {
  if (operand.buffer !== written.buffer) return operand;
  const length = span(operand.shape, operand.strides);
  const copy = new Temporary(length);
  steps.push({
    kind: 'copy',
    from: operand.buffer,
    fromElement: operand.offset,
    to: copy,
    toElement: 0,
    length,
  });
  return { ...operand, buffer: copy, offset: 0 };
}
