import { formatShape, RuntimeError } from '../errors.js';
import { explaining } from '../explain.js';
import { numel } from '../shape.js';
import type { Tensor } from '../tensor.js';
import { matmul } from './matmul.js';
import { sum } from './reduce.js';
import { permute, reshape, unsqueeze } from './view.js';

/**
 * x1ᵀ W x2 + bias for each output: x1 [..., I], x2 [..., J], weight [O, I, J], bias [O], result [..., O].
 *
 * @throws RuntimeError if the sizes do not fit.
 * @see https://pytorch.org/docs/stable/generated/torch.nn.functional.bilinear.html
 */
export const bilinear = explaining(
  'bilinear',
  (input1: Tensor, input2: Tensor, weight: Tensor, bias?: Tensor | null): Tensor => {
    const lead = input1.shape.slice(0, -1);
    if (lead.join() !== input2.shape.slice(0, -1).join()) {
      throw new RuntimeError(
        `bilinear: input batch dimensions do not match: got ${formatShape(input1.shape)} and ${formatShape(input2.shape)}`,
      );
    }
    const [outputs, i, j] = weight.shape as readonly [number, number, number];
    if (input1.shape.at(-1) !== i || input2.shape.at(-1) !== j) {
      throw new RuntimeError(
        `bilinear: input sizes do not match the weight ${formatShape(weight.shape)}: got ${input1.shape.at(-1)} and ${input2.shape.at(-1)}, expected ${i} and ${j}`,
      );
    }
    if (bias && bias.shape[0] !== outputs) {
      throw new RuntimeError(
        `bilinear: bias size does not match weight size: got ${bias.shape[0]} but expected ${outputs}`,
      );
    }
    const rows = numel(lead);
    const left = reshape(input1, [rows, i]);
    const folded = reshape(matmul(left, reshape(permute(weight, [1, 0, 2]), [i, outputs * j])), [
      rows,
      outputs,
      j,
    ]);
    const products = folded.mul(unsqueeze(reshape(input2, [rows, j]), 1));
    const result = reshape(sum(products, -1, { dtype: input1.dtype }), [...lead, outputs]);
    return bias ? result.add(bias) : result;
  },
);
