import type { Device } from './device.js';
import { computeType, type DType } from './dtype.js';
import { execute } from './execute.js';
import { type Expr, input, scalar } from './expr.js';
import type { ScalarValue } from './primitive.js';
import { type Scalar, scalarValue } from './scalar.js';
import { broadcastShapes, sameShape } from './shape.js';
import type { Storage } from './storage.js';
import { allocate, Tensor } from './tensor.js';

/** Stands for a tensor while a chain of elementwise operations is traced: an expression in place of values. */
export class Traced extends Tensor {
  readonly expr: Expr;

  constructor(expr: Expr, dtype: DType, shape: readonly number[]) {
    // Whatever asks for memory, and so is no elementwise operation, fails.
    super(undefined as unknown as Storage, dtype, shape);
    this.expr = expr;
  }
}

/** A trace under way: the numbers that the expression takes, and how many operations it replaces. */
export class Trace {
  readonly scalars: ScalarValue[] = [];
  operations = 0;

  /** A plain number as a run-time scalar: equal ones are one. */
  number(x: Scalar, type: 'float32' | 'float64' | 'int32' | 'int64'): Expr {
    const value = scalarValue(x);
    const known = this.scalars.findIndex((y) => Object.is(y, value));
    return scalar(known < 0 ? this.scalars.push(value) - 1 : known, type);
  }
}

let current: Trace | undefined;

/** The trace under way, if any. */
export const currentTrace = (): Trace | undefined => current;

/** A chain of elementwise operations as one. */
export interface FusedMap {
  readonly value: Expr;
  readonly dtype: DType;
  readonly scalars: readonly ScalarValue[];
}

/**
 * Runs `fn` on stand-ins for the given tensors, to see what it computes for each element.
 *
 * @returns undefined if it does anything but apply elementwise operations to all of them, or only one.
 */
export function traceElementwise(
  fn: (...tensors: Tensor[]) => unknown,
  tensors: readonly Tensor[],
): FusedMap | undefined {
  const outer = current;
  const trace = new Trace();
  current = trace;
  try {
    const result = fn(
      ...tensors.map((t, i) => new Traced(input(i, computeType(t.dtype)), t.dtype, t.shape)),
    );
    if (!(result instanceof Traced) || trace.operations < 2) return undefined;
    const used = inputsOf(result.expr);
    if (tensors.some((_, i) => !used.has(i))) return undefined;
    return { value: result.expr, dtype: result.dtype, scalars: trace.scalars };
  } catch {
    return undefined;
  } finally {
    current = outer;
  }
}

function inputsOf(root: Expr): Set<unknown> {
  const found = new Set<unknown>();
  const seen = new Set<Expr>();
  const stack = [root];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.op === 'input') found.add(node.value);
    stack.push(...node.args);
  }
  return found;
}

/** Runs a traced chain on tensors of one device, of the dtypes it was traced with. */
export function runFused(map: FusedMap, tensors: readonly Tensor[], device: Device): Tensor {
  let { shape } = tensors[0] as Tensor;
  for (const t of tensors) {
    if (!sameShape(shape, t.shape)) shape = broadcastShapes('map', shape, t.shape);
  }
  const result = allocate(shape, map.dtype, device);
  execute({
    kind: 'map',
    shape,
    inputs: tensors,
    scalars: map.scalars,
    values: [map.value],
    outputs: [result],
  });
  return result;
}
