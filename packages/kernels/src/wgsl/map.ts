import { computeType, type Expr, input, type ScalarValue } from '@sconce/core';
import { broadcastStrides, elementCount, rowMajorStrides } from '../layout.js';
import { Block } from './expression.js';
import { Frame, Nest } from './frame.js';
import { usesOf } from './leaves.js';
import { packInputs, planSeparately } from './pack.js';
import type { Operand, WgslLimits, WgslStep } from './plan.js';

/** A `MapPrimitive` over operands. */
export interface MapWork {
  readonly shape: readonly number[];
  readonly inputs: readonly Operand[];
  readonly scalars: readonly ScalarValue[];
  readonly values: readonly Expr[];
  readonly outputs: readonly Operand[];
}

const size = 256;

/** Adds the dispatch of an elementwise primitive: an invocation for each position. */
export function planMap(work: MapWork, limits: WgslLimits, steps: WgslStep[]): void {
  const { shape, outputs, values } = work;
  const count = elementCount(shape);
  if (count === 0) return;
  if (tooManyOutputs(work, limits, steps)) return;
  const inputs = packInputs(work.inputs, outputs, limits, steps);
  const uses = usesOf(values);
  const axes = shape.map((_, i) => i);
  const frame = new Frame(`map;${uses.key}`);
  const total = frame.word(count);
  const position = positions(shape, inputs, uses);
  const nest = new Nest(
    frame,
    shape,
    [{ prefix: 'c', axes }],
    [
      ...outputs.map((operand) => ({
        operand,
        strides: broadcastStrides(shape, operand.shape, operand.strides),
      })),
      ...position.participants,
    ],
    outputs.length,
  );
  const load = frame.loads(uses, inputs);
  const scalar = frame.scalars(uses, work.scalars);
  const render = (functions: Set<string>) => {
    const address = (p: number) => `${nest.offset(p)}+${nest.part(p, 0)}`;
    const block = new Block(
      { scalar, load, ...position.leaves(outputs.length, (p) => nest.read(p, address(p))) },
      functions,
    );
    const named = block.values(values).map((value) => block.name(value));
    const stores = named.map((value, p) => nest.store(p, address(p), value, functions));
    return {
      size,
      body: `let i=group*${size}+lid;
if(i>=${total}){return;}
${nest.decode(0, 'i')}${block.text}${stores.join('')}`,
    };
  };
  steps.push(
    frame.dispatch(() => `map ${values.map(describe).join(', ')}`, Math.ceil(count / size), render),
  );
}

function tooManyOutputs(work: MapWork, limits: WgslLimits, steps: WgslStep[]): boolean {
  const indexed = work.outputs.map((operand, i) => ({ operand, value: work.values[i] as Expr }));
  return planSeparately(
    indexed,
    ({ operand }) => operand,
    ({ value }, into) => planMap({ ...work, values: [value], outputs: [into] }, limits, steps),
    (from, to) => planCopy(from, to, limits, steps),
    limits,
  );
}

/** Adds the dispatch that copies between operands of one shape and dtype. */
export function planCopy(from: Operand, to: Operand, limits: WgslLimits, steps: WgslStep[]): void {
  const values = [input(0, computeType(to.dtype))];
  planMap({ shape: to.shape, inputs: [from], scalars: [], values, outputs: [to] }, limits, steps);
}

/** A tree's outermost function, for messages. */
export const describe = (e: Expr): string =>
  e.op === 'cast'
    ? `cast to ${e.dtype}`
    : e.op === 'input'
      ? 'copy'
      : e.op === 'load'
        ? 'gather'
        : e.op;

/** What of the position expressions read, as participants of a nest and as leaves that find them there. */
export function positions(
  shape: readonly number[],
  inputs: readonly Operand[],
  uses: ReturnType<typeof usesOf>,
) {
  const participants = [
    ...uses.inputs.map((index) => {
      const operand = inputs[index] as Operand;
      return { operand, strides: broadcastStrides(shape, operand.shape, operand.strides) };
    }),
    ...uses.coords.map((axis) => ({ strides: shape.map((_, d) => (d === axis ? 1 : 0)) })),
    ...(uses.linear ? [{ strides: rowMajorStrides(shape) }] : []),
  ];
  /** @param first the participant number of the first */
  const leaves = (first: number, read: (participant: number) => string) => ({
    input: (index: number) => read(first + uses.inputs.indexOf(index)),
    coord: (axis: number) => read(first + uses.inputs.length + uses.coords.indexOf(axis)),
    linear: () => read(first + uses.inputs.length + uses.coords.length),
  });
  return { participants, leaves };
}
