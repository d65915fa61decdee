import { formatShape, RuntimeError } from '../errors.js';
import { numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { addmm, mm } from './matmul.js';
import { reshape, transpose, unsqueeze } from './view.js';
import { writing } from './writing.js';

/** x @ weightᵀ + bias, with the bias added in the same kernel; x is [..., in], weight [out, in], bias [out]. */
export const linear = writing(
  'linear',
  (input: Tensor, weight: Tensor, bias?: Tensor | null): Tensor => {
    const wide = weight.shape.length === 1 ? unsqueeze(weight, 0) : weight;
    if (input.shape.at(-1) !== wide.shape[1]) {
      throw new RuntimeError(
        `linear: input ${formatShape(input.shape)} and weight ${formatShape(weight.shape)} cannot be multiplied: mat1 and mat2 shapes are ${numel(input.shape.slice(0, -1))}x${input.shape.at(-1)} and ${wide.shape[1]}x${wide.shape[0]} (${input.shape.at(-1)} != ${wide.shape[1]})`,
      );
    }
    const x =
      input.shape.length === 2
        ? input
        : reshape(input, [numel(input.shape.slice(0, -1)), input.shape.at(-1) as number]);
    const w = transpose(wide, 0, 1);
    const y = bias ? addmm(bias, x, w) : mm(x, w);
    if (input.shape.length === 2 && wide === weight) return y;
    return reshape(y, [...input.shape.slice(0, -1), ...weight.shape.slice(0, -1)]);
  },
);
