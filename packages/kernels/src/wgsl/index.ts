import {
  type LinalgPrimitive,
  movesAsIntegers,
  NotImplementedError,
  type Primitive,
} from '@sconce/core';
import { planConv } from './conv.js';
import { planMap } from './map.js';
import { planMatmul } from './matmul.js';
import { operandOf, type WgslLimits, type WgslStep } from './plan.js';
import { planReduce } from './reduce.js';
import { planScan } from './scan.js';
import { planScatter } from './scatter.js';
import { planSort } from './sort.js';

export { narrowInt64 } from './expression.js';
export {
  Temporary,
  type WgslCopy,
  type WgslDispatch,
  type WgslKernel,
  type WgslLimits,
  type WgslStep,
} from './plan.js';

/** What there are kernels for: dense matrix routines are the host's. */
export type WgslPrimitive = Exclude<Primitive, LinalgPrimitive>;

/** Every float is a word of float32 there. */
const words = { float32: 'int32', float16: 'int32', bfloat16: 'int32' } as const;

/**
 * What a WebGPU device runs for a primitive, in order. Elements are words of four bytes: floats as
 * float32 (rounded to their dtype), integers as int32, bools as 0 or 1.
 *
 * @throws NotImplementedError that says why the device cannot run it.
 */
export function planWgsl(p: WgslPrimitive, limits: WgslLimits): WgslStep[] {
  const steps: WgslStep[] = [];
  switch (p.kind) {
    case 'map': {
      const moved = movesAsIntegers(p, words);
      const [inputs, outputs] = [moved.inputs.map(operandOf), moved.outputs.map(operandOf)];
      planMap({ ...moved, inputs, outputs }, limits, steps);
      break;
    }
    case 'reduce': {
      const outputs = p.outputs.map((o) => ({ ...o, view: operandOf(o.view) }));
      planReduce({ ...p, inputs: p.inputs.map(operandOf), outputs }, limits, steps);
      break;
    }
    case 'scan': {
      const indices = p.indices && operandOf(p.indices);
      planScan({ ...p, input: operandOf(p.input), output: operandOf(p.output), indices }, steps);
      break;
    }
    case 'matmul': {
      const epilogue = p.epilogue && {
        ...p.epilogue,
        inputs: p.epilogue.inputs.map(operandOf),
      };
      const [a, b, out] = [operandOf(p.a), operandOf(p.b), operandOf(p.out)];
      planMatmul({ a, b, out, epilogue }, limits, steps);
      break;
    }
    case 'conv': {
      const bias = p.bias && operandOf(p.bias);
      const [input, weight] = [operandOf(p.input), operandOf(p.weight)];
      planConv({ ...p, input, weight, output: operandOf(p.output), bias }, limits, steps);
      break;
    }
    case 'scatter': {
      const [inputs, output] = [p.inputs.map(operandOf), operandOf(p.output)];
      planScatter({ ...p, inputs, output, valid: p.valid }, limits, steps);
      break;
    }
    case 'sort': {
      const { descending } = p;
      const [values, indices] = [operandOf(p.values), operandOf(p.indices)];
      planSort({ descending, input: operandOf(p.input), values, indices }, steps);
      break;
    }
  }
  for (const step of steps) {
    if (step.kind === 'dispatch' && step.buffers.length > limits.storageBuffers) {
      throw new NotImplementedError(
        `since '${step.kernel.label}' takes ${step.buffers.length} buffers at once, and this device ${limits.storageBuffers}`,
      );
    }
  }
  return steps;
}
