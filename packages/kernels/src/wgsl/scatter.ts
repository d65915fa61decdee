import { computeType, type Expr, type ScalarValue, type ScatterPrimitive } from '@sconce/core';
import { elementCount } from '../layout.js';
import { combination } from './combine.js';
import { Block } from './expression.js';
import { Frame, Nest, narrow, widen } from './frame.js';
import { usesOf } from './leaves.js';
import { positions } from './map.js';
import { packInputs } from './pack.js';
import { type Operand, Temporary, type WgslLimits, type WgslStep } from './plan.js';

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
  const apart = work.inputs.map((operand) => copyIfShared(operand, output, steps));
  const inputs = packInputs(apart, [output], limits, steps);
  const roots = [...coords, value, ...(valid ? [valid] : [])];
  const uses = usesOf(roots);
  const frame = new Frame(`scatter;${combine};${valid ? 'v' : ''}${output.dtype};${uses.key}`);
  const target = frame.bind(output.buffer, true);
  frame.bounded(target, '');
  const total = frame.word(count);
  const offset = frame.word(output.offset);
  const strides = output.strides.map((stride) => frame.word(stride));
  const position = positions(shape, inputs, uses);
  const nest = new Nest(
    frame,
    shape,
    [{ prefix: 'c', axes: shape.map((_, i) => i) }],
    position.participants,
    0,
  );
  const load = frame.loads(uses, inputs);
  const scalar = frame.scalars(uses, work.scalars);
  const whole = ['int32', 'int64'].includes(output.dtype);
  const builtin =
    whole && { sum: 'atomicAdd', max: 'atomicMax', min: 'atomicMin' }[combine as string];
  const render = (functions: Set<string>) => {
    const read = (p: number) => nest.read(p, `${nest.offset(p)}+${nest.part(p, 0)}`);
    const block = new Block({ scalar, load, ...position.leaves(0, read) }, functions);
    const texts = block.values(roots);
    const place = texts.slice(0, coords.length).map((c, d) => `${c}*${strides[d]}`);
    const given = texts[coords.length] as string;
    const guard = valid ? `if(!${texts[coords.length + 1]}){return;}\n` : '';
    const at = [offset, ...place].join('+');
    const element = frame.bounded(target, at);
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
${nest.decode(0, 'i')}${block.text}${guard}${write}`,
    };
  };
  steps.push(frame.dispatch(() => `scatter ${combine}`, Math.ceil(count / size), render));
}

/** The operand, or where it lies in memory that is written, a copy of it. */
export function copyIfShared(operand: Operand, written: Operand, steps: WgslStep[]): Operand {
  if (operand.buffer !== written.buffer) return operand;
  const last = operand.shape.reduce(
    (sum, n, d) => sum + (n - 1) * (operand.strides[d] as number),
    0,
  );
  const length = Math.max(0, last + 1);
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
