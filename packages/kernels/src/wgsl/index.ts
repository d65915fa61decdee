import type { Primitive } from '@sconce/core';
import { planMap } from './map.js';
import { operandOf, type WgslLimits, type WgslStep } from './plan.js';
import { planReduce } from './reduce.js';

export { narrowInt64 } from './expression.js';
export { Temporary, type WgslCopy, type WgslDispatch, type WgslKernel, type WgslLimits, type WgslStep } from './plan.js';

/**
 * What a WebGPU device runs for a primitive, in order. Elements are words of four bytes: floats as
 * float32 (rounded to their dtype), integers as int32, bools as 0 or 1.
 *
 * @throws NotImplementedError for float64.
 */
export function planWgsl(primitive: Primitive, limits: WgslLimits): WgslStep[] {
  const steps: WgslStep[] = [];
  switch (primitive.kind) {
    case 'map':
      planMap(
        {
          ...primitive,
          inputs: primitive.inputs.map(operandOf),
          outputs: primitive.outputs.map(operandOf),
        },
        limits,
        steps,
      );
      break;
    case 'reduce':
      planReduce(
        {
          ...primitive,
          inputs: primitive.inputs.map(operandOf),
          outputs: primitive.outputs.map((o) => ({ ...o, view: operandOf(o.view) })),
        },
        limits,
        steps,
      );
      break;
    default:
      throw new Error('later');
  }
  return steps;
}
